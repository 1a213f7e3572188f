"""Clusters end with their parent, outlive a command that was told to leave them, and are repaired."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
from tests.fixtures.cluster import wait_for
from typer.testing import CliRunner

from trimtab.cli.cluster import EXIT_DEGRADED, EXIT_NOT_RUNNING, app
from trimtab.localcluster import ClusterError, Component, LocalCluster
from trimtab.localcluster.state import ClusterState

# The thread that starts the cluster ends before the parent does, which must not take the components along.
PARENT = """
import sys, threading, time
from pathlib import Path
from trimtab.localcluster import LocalCluster
cluster = LocalCluster(name="orphan", folder=Path(sys.argv[1]))
thread = threading.Thread(target=cluster.start)
thread.start()
thread.join()
time.sleep(0.3)
print(all(cluster.running().values()), flush=True)
time.sleep(600)
"""


def test_a_killed_parent_leaves_no_process_behind(tmp_path: Path) -> None:
    folder = tmp_path / "orphan"
    with subprocess.Popen([sys.executable, "-c", PARENT, str(folder)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline().strip() == "True"
        state = ClusterState.read(folder / "state.json")
        assert state is not None
        pids = [record.pid for record in state.processes.values()]
        assert len(pids) == len(Component)
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    wait_for(lambda: not any(_runs(pid) for pid in pids), what="the end of all components")
    assert not [process.pid for process in psutil.process_iter(["cmdline"]) if _mentions(process, folder)]


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _mentions(process: psutil.Process, folder: Path) -> bool:
    return any(str(folder) in argument for argument in process.info["cmdline"] or ())


def test_the_commands_take_a_cluster_through_its_life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    runner = CliRunner()

    def call(*arguments: str, code: int = 0) -> str:
        result = runner.invoke(app, list(arguments))
        assert result.exit_code == code, result.output
        return result.stdout

    def pids() -> dict[str, int]:
        return {part["name"]: part["pid"] for part in json.loads(call("status", "-o", "json"))["components"]}

    call("status", code=EXIT_NOT_RUNNING)
    command = [sys.executable, "-c", "from trimtab.cli.cluster import app; app()", "up", "--nodes", "1"]
    try:
        # In a process of its own, because what is under test is that the cluster outlives it.
        up = subprocess.run(command, capture_output=True, text=True, check=False)
        assert up.returncode == 0, up.stderr
        assert "is ready after" in up.stdout
        before = pids()
        assert "is running already" in call("up", "--nodes", "1")
        assert pids() == before

        os.kill(before["kube-scheduler"], signal.SIGKILL)
        os.kill(before["kube-apiserver"], signal.SIGKILL)
        wait_for(lambda: not _runs(before["kube-apiserver"]) and not _runs(before["kube-scheduler"]))
        call("status", code=EXIT_DEGRADED)
        assert "is ready after" in call("up", "--nodes", "2")
        after = pids()
        assert after["etcd"] == before["etcd"]
        assert after["kube-scheduler"] != before["kube-scheduler"]
        assert json.loads(call("status", "--all", "-o", "json"))[0]["nodes"] == 2
        path = Path(call("kubeconfig").strip())
        assert path.read_text() == call("kubeconfig", "--content")
    finally:
        call("down")
    assert not any(map(_runs, [*before.values(), *after.values()]))
    assert not path.exists()
    assert "does not exist" in call("down")
    call("kubeconfig", code=EXIT_NOT_RUNNING)


def test_components_can_be_stopped_and_started_one_by_one(fresh_cluster: LocalCluster) -> None:
    fresh_cluster.client.create("/api/v1/namespaces", {"metadata": {"name": "kept"}})
    fresh_cluster.stop_component(Component.APISERVER, grace_seconds=0.5)
    assert not fresh_cluster.running()[Component.APISERVER]
    with pytest.raises(ClusterError, match="does not answer"):
        fresh_cluster.client.get("/api/v1/namespaces/kept")
    fresh_cluster.start_component(Component.APISERVER)
    fresh_cluster.wait_ready()
    fresh_cluster.restart_apiserver()
    assert fresh_cluster.client.get("/api/v1/namespaces/kept")["status"]["phase"] == "Active"
    assert all(fresh_cluster.running().values())


def test_a_stopped_cluster_starts_with_its_data_where_its_port_is_taken(fresh_cluster: LocalCluster) -> None:
    fresh_cluster.client.create("/api/v1/namespaces", {"metadata": {"name": "kept"}})
    server = fresh_cluster.server
    fresh_cluster.stop(keep_data=True)
    assert not any(fresh_cluster.running().values())
    with socket.create_server(("127.0.0.1", urlsplit(server).port or 0)):
        fresh_cluster.start()
    assert fresh_cluster.server != server
    assert fresh_cluster.client.get("/api/v1/namespaces/kept")["status"]["phase"] == "Active"
