"""Many hostile servers at once, and names that steer terminals, beside a neighbour who goes on.

The table of attacks (`test_hostile_sources`) asks whether each is answered; here each commit of the neighbour is waited
for no longer than without them.
"""

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.cluster import wait_for
from tests.fixtures.git_server import Fault, RunningServer
from tests.fixtures.lab import Lab

CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{key: {value}}}\n"


@dataclass
class Neighbour:
    """An honest Application of the same controller, on a repository of its own."""

    lab: Lab
    namespace: str
    repository: Any
    rounds: int = 0

    def goes_on(self) -> None:
        """A commit of the neighbour is applied, and a hand edit healed, now."""
        self.rounds += 1
        value = f"v{self.rounds}"
        self.repository.commit({"app/a.yaml": CONFIG_MAP.format(name="honest", value=value)})
        self.lab.poke("honest")
        wait_for(lambda: self._value() == value, what="the neighbour's commit")
        self.lab.kubectl("patch", "configmap", "honest", "-n", self.namespace, "-p", '{"data": {"key": "edited"}}')
        wait_for(lambda: self._value() == value, what="the neighbour's healing")

    def _value(self) -> str:
        value: str = self.lab.kubectl.get("configmap", "honest", "-n", self.namespace)["data"]["key"]
        return value


@pytest.fixture
def neighbour(lab: Lab, namespace: str) -> Neighbour:
    repository = lab.repository("honest", {"app/a.yaml": CONFIG_MAP.format(name="honest", value="v0")})
    lab.application("honest", "honest", "app", targetNamespace=namespace)
    lab.wait_applied("honest", repository.sha())
    return Neighbour(lab, namespace, repository)


@pytest.fixture
def listener() -> Iterator[tuple[str, Callable[[], bool]]]:
    """An address where nobody has any business, and whether somebody came."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)

        def visited() -> bool:
            try:
                server.accept()[0].close()
            except BlockingIOError:
                return False
            return True

        yield f"127.0.0.1:{server.getsockname()[1]}", visited


def test_servers_that_stall_redirect_or_never_end_hold_up_nobody(
    lab: Lab, neighbour: Neighbour, tmp_path: Path, listener
):
    address, visited = listener
    root = tmp_path / "hostile"
    root.mkdir()
    with RunningServer(root) as server:
        repository = server.repository("x")
        repository.commit({"app/a.yaml": ""}, "Begin")
        server.faults.location = f"http://{address}/x.git"
        faults = (Fault.STALL_BEFORE, Fault.REDIRECT, Fault.ENDLESS, Fault.NOT_GIT)
        told = {}
        for fault in faults:
            server.faults.never()
            server.faults.always(fault)
            timeout = "3s" if fault is Fault.STALL_BEFORE else "30s"
            names = [f"{fault.name.lower().replace('_', '-')}-{n}" for n in range(6)]
            for name in names:
                lab.declare("GitRepository", name, {"url": repository.url, "timeout": timeout, "interval": "1m"})
            neighbour.goes_on()
            told[fault] = lab.wait_condition(names[0], "Ready", "False", of="tgit", timeout_seconds=60)
            lab.kubectl("delete", "tgit", *names, "-n", lab.namespace)

    assert told[Fault.STALL_BEFORE]["reason"] == "TimedOut"
    assert told[Fault.REDIRECT]["reason"] == "Redirected"
    assert address in told[Fault.REDIRECT]["message"]
    assert not visited(), "a redirect is not followed"


def test_hostile_names_steer_no_terminal_and_forge_no_line(lab: Lab, neighbour: Neighbour):
    repository = lab.server.repository("escapes")
    files = {"app/\x1b]0;owned\x07 2026 ERROR root.yaml": "kind: [\n", "app/b.yaml": 'kind: "\\e[2J"\n'}
    repository.commit(files, "Hostile")
    lab.declare("GitRepository", "escapes", {"url": repository.url, "interval": "10m"})
    lab.application("escapes", "escapes", "app", targetNamespace=f"{lab.namespace}-never")
    told = lab.wait_condition("escapes", "Ready", "False", timeout_seconds=150)
    neighbour.goes_on()

    assert told["message"].isprintable(), repr(told)
    assert "\x1b" not in lab.controller.log()
