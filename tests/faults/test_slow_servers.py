"""Servers that take for ever to answer hold up who asked them, and nobody else: no fetch, no rendering, no healing."""

import json
from functools import partial
from pathlib import Path

from tests.fixtures.cluster import wait_for
from tests.fixtures.git_server import Fault, RunningServer
from tests.fixtures.lab import Lab

from trimtab.adapters.git.bare_repository import BareRepository

SLOW = 6
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: good}\ndata: {mode: fast}\n"
BASE = {
    "web/kustomization.yaml": "resources: [config.yaml]\n",
    "web/config.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n",
}


def _declare_slow(lab: Lab, server: RunningServer, folder: Path) -> list[str]:
    """Repositories of a server that never comes to an end, and Applications that need a base from it."""
    base = BareRepository.create(folder / "base.git")
    base.commit(BASE, "Begin")
    names = [f"slow-{number}" for number in range(SLOW)]
    for name in names:
        BareRepository.create(folder / f"{name}.git").commit(BASE, "Begin")
        spec = {"url": f"{server.url}/{name}.git", "interval": "10m", "timeout": "10m"}
        lab.declare("GitRepository", name, spec)
    files = {
        f"{name}/kustomization.yaml": f"namePrefix: {name}-\nresources:\n- {server.url}/base.git//web?ref=main\n"
        for name in names
    }
    lab.repository("overlays", files, remoteBases=[server.url], timeout="10m")
    for name in names:
        lab.application(name, "overlays", name)
    return names


def _waits_for_base(lab: Lab, name: str) -> bool:
    return "fetching remote base" in lab.condition(name, "Ready").get("message", "")


def test_they_hold_up_nobody_else(lab: Lab) -> None:
    folder = lab.folder / "slow"
    folder.mkdir()
    with RunningServer(folder) as server:
        server.faults.always(Fault.DRIP)
        names = _declare_slow(lab, server, folder)
        wait_for(lambda: len(server.faults.requests) >= 3, timeout_seconds=30)
        for name in names:
            wait_for(partial(_waits_for_base, lab, name))

        good = lab.repository("good", {"app/config.yaml": CONFIG})
        lab.application("good", "good", "app")
        lab.wait_applied("good", good.sha())
        sha = good.commit({"app/config.yaml": CONFIG.replace("fast", "faster")})
        lab.poke("good")
        lab.wait_applied("good", sha)
        patch = json.dumps({"data": {"mode": "slow"}})
        lab.kubectl("patch", "configmap", "good", "-n", lab.namespace, "-p", patch)
        wait_for(
            lambda: lab.kubectl.get("configmap", "good", "-n", lab.namespace)["data"] == {"mode": "faster"},
            timeout_seconds=30,
        )
        # All that while not one of the slow fetches had ended.
        told = [lab.condition(name, "Ready", of="tgit").get("status") for name in names]
        assert "False" not in told
        assert "True" not in told

        server.faults.never()
        for name in names:
            lab.wait_condition(name, "Ready")
            lab.wait_condition(name, "Ready", of="tgit")
