"""Waiting ends with readiness, with a reason, or with the log of what has died."""

from pathlib import Path
from typing import Any

import pytest

from trimtab.localcluster import readiness
from trimtab.localcluster.client import ApiUnreachable
from trimtab.localcluster.components import Component
from trimtab.localcluster.errors import ComponentFailed, PortTaken
from trimtab.localcluster.layout import Layout
from trimtab.localcluster.processes import ProcessRecord

READY_NODE = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}


class FakeClient:
    """Answers with what it has; refuses the first `refusals` requests."""

    def __init__(self, answers: dict[str, Any], *, refusals: int = 0) -> None:
        self._answers = answers
        self._refusals = refusals

    def get(self, path: str) -> Any:
        if self._refusals:
            self._refusals -= 1
            raise ApiUnreachable("not yet")
        if path not in self._answers:
            raise ApiUnreachable("not yet")
        return self._answers[path]


READY = {
    "/readyz": None,
    "/api/v1/namespaces/default/serviceaccounts/default": {},
    "/api/v1/nodes": {"items": [READY_NODE, READY_NODE]},
}


def probe(
    client: FakeClient, layout: Layout, processes: dict[Component, ProcessRecord] | None = None
) -> readiness.Probe:
    return readiness.Probe(client, layout, processes or {})  # type: ignore[arg-type]


def test_it_waits_for_server_controllers_and_nodes(tmp_path: Path) -> None:
    client = FakeClient(READY, refusals=2)
    readiness.wait_ready(probe(client, Layout(tmp_path)), nodes=2, timeout_seconds=5)
    assert client._refusals == 0


@pytest.mark.parametrize(
    ("missing", "nodes", "said"),
    [
        ("/readyz", 1, "the API server did not become ready within 0 seconds"),
        ("/api/v1/namespaces/default/serviceaccounts/default", 1, "the controller manager did not"),
        ("/api/v1/nodes", 1, "1 ready nodes did not"),
        ("", 3, "3 ready nodes did not"),
    ],
)
def test_it_says_what_did_not_become_ready(tmp_path: Path, missing: str, nodes: int, said: str) -> None:
    client = FakeClient({path: answer for path, answer in READY.items() if path != missing})
    with pytest.raises(ComponentFailed, match=said):
        readiness.wait_ready(probe(client, Layout(tmp_path)), nodes=nodes, timeout_seconds=0)


@pytest.mark.parametrize(
    ("log", "kind"),
    [("bind: address already in use", PortTaken), ("panic: no", ComponentFailed), (None, ComponentFailed)],
)
def test_a_dead_component_is_told_with_the_end_of_its_log(
    tmp_path: Path, log: str | None, kind: type[ComponentFailed]
) -> None:
    layout = Layout(tmp_path)
    layout.logs.mkdir()
    if log:
        layout.log("etcd").write_text("early line\n" * 20 + log)
    dead = {Component.ETCD: ProcessRecord(2**22 + 1, 0.0, "/bin/etcd")}
    with pytest.raises(ComponentFailed, match=r"etcd has ended") as failure:
        readiness.wait_apiserver(probe(FakeClient({}), layout, dead), timeout_seconds=5)
    assert type(failure.value) is kind
    assert (log or "") in str(failure.value)
