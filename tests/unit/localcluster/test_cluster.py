"""A cluster that was never started, and one of which only the record is left."""

from pathlib import Path

import pytest

from trimtab.localcluster import ClusterError, Component, LocalCluster
from trimtab.localcluster.kubeconfig import Access, render, write
from trimtab.localcluster.ports import Ports
from trimtab.localcluster.processes import Lifetime, ProcessRecord
from trimtab.localcluster.state import ClusterState
from trimtab.localcluster.status import Phase, names


@pytest.fixture
def cluster(tmp_path: Path) -> LocalCluster:
    return LocalCluster(name="a", environ={"XDG_STATE_HOME": str(tmp_path)})


def record(cluster: LocalCluster) -> None:
    """Write what a cluster leaves behind whose machine was switched off."""
    dead = {component: ProcessRecord(2**22 + 1, 0.0, f"/bin/{component}") for component in Component}
    cluster.layout.root.mkdir(parents=True)
    ClusterState("a", 3, Ports(1, 2, 3), Lifetime.DETACHED, dead).write(cluster.layout.state)
    access = Access("https://127.0.0.1:3", b"a", b"b", b"c")
    write(cluster.layout.kubeconfig, render(name="a", user="a", access=access))


def test_what_was_never_started_is_absent(cluster: LocalCluster) -> None:
    assert cluster.status().phase is Phase.ABSENT
    assert not any(cluster.running().values())
    with pytest.raises(ClusterError, match=r"there is no cluster 'a'.*trimtab cluster up --name a"):
        _ = cluster.server
    cluster.stop()
    assert not cluster.layout.root.parent.exists()


def test_what_nothing_runs_of_is_stopped(cluster: LocalCluster, tmp_path: Path) -> None:
    record(cluster)
    status = cluster.status()
    assert (status.phase, status.nodes, status.server) == (Phase.STOPPED, 3, "https://127.0.0.1:3")
    assert [part.name for part in status.components] == list(Component)
    document = status.document()
    assert document["components"][0] == {
        "name": "etcd",
        "running": False,
        "pid": None,
        "log": str(cluster.layout.root / "logs/etcd.log"),
    }
    assert names({"XDG_STATE_HOME": str(tmp_path)}) == ["a"]


def test_stopping_removes_the_data_unless_told_not_to(cluster: LocalCluster) -> None:
    record(cluster)
    cluster.stop(keep_data=True)
    assert cluster.status().phase is Phase.STOPPED
    cluster.stop()
    assert list(cluster.layout.root.parent.iterdir()) == []
