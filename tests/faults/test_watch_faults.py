"""Between controller and API server all goes wrong that can: streams cut, frozen, refused and expired.

A controller behind a proxy for each test, so that none waits for the patience that another used up. A silence of four
seconds counts as cut here.
"""

import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web
from tests.faults.scene import edit, folder, heals, uid, value, wait_value
from tests.fixtures.api_proxy import ApiProxy, api_proxy, refusal
from tests.fixtures.cluster import wait_for
from tests.fixtures.fault_proxy import Fault
from tests.fixtures.lab import Lab, close_lab, make_lab

from trimtab.localcluster import Cluster

OWN = ("applications", "gitrepositories", "inventories")


@dataclass
class Behind:
    """A lab and the proxy that stands between it and the API server."""

    lab: Lab
    proxy: ApiProxy


@pytest.fixture
def behind(cluster: Cluster, tmp_path: Path) -> Iterator[Behind]:
    """Mended afterwards; whatever came, it is still the same process, and it took nothing for a defect of its own."""
    with api_proxy(cluster.kubeconfig_path, tmp_path) as proxy:
        lab = make_lab(cluster, tmp_path, flags=("--watch-idle-seconds=4",), kubeconfig=proxy.kubeconfig)
        try:
            pid = lab.controller.start().pid
            yield Behind(lab, proxy)
            proxy.fault(None)
            assert lab.controller.running, lab.controller.log()[-4000:]
            assert lab.controller.pid == pid
            log = lab.controller.log()
            assert not re.search("Traceback|Exception ignored", log), log[-4000:]
        finally:
            close_lab(lab)


def installed(lab: Lab, name: str, *more: str) -> None:
    """An Application of its own repository, applied."""
    repository = lab.repository(name, folder(name, *more))
    lab.application(name, name, "app")
    lab.wait_applied(name, repository.sha(), timeout_seconds=90)


def is_watch(request: web.Request) -> bool:
    return "watch" in request.query


def of_own_kinds(request: web.Request) -> bool:
    return request.path.rpartition("/")[2] in OWN


REASONS = {
    403: "Forbidden",
    404: "NotFound",
    410: "Expired",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}


def error_events(*codes: int) -> Fault:
    """Answers the next watches of each path with an ERROR event of these codes, one after the other."""
    left: dict[str, list[int]] = {}

    def fault(request: web.Request) -> web.Response | str | None:
        if not is_watch(request) or not (coming := left.setdefault(request.path, list(codes))):
            return None
        code = coming.pop(0)
        status = f'"kind":"Status","apiVersion":"v1","status":"Failure","code":{code},"reason":"{REASONS[code]}"'
        return f'{{"type":"ERROR","object":{{{status},"message":"as the test wants it"}}}}'

    return fault


def refusing(*codes: int) -> Fault:
    """Refuses every watch, with each of these codes in turn."""
    turns: dict[str, int] = {}

    def fault(request: web.Request) -> web.Response | None:
        if not is_watch(request):
            return None
        turn = turns[request.path] = turns.get(request.path, -1) + 1
        code = codes[turn % len(codes)]
        return refusal(code, REASONS[code])

    return fault


def test_cut_streams_are_taken_up_where_they_broke(behind: Behind) -> None:
    lab = behind.lab
    installed(lab, "cut", "cut-too")
    kept = uid(lab, "configmap", "cut-too")
    for _ in range(3):
        behind.proxy.cut()
        edit(lab, "cut")
        wait_value(lab, "cut", "declared")
    installed(lab, "after-cut")
    assert uid(lab, "configmap", "cut-too") == kept


def test_frozen_streams_are_noticed_and_opened_anew(behind: Behind) -> None:
    lab = behind.lab
    installed(lab, "frozen")
    behind.proxy.freeze()
    edit(lab, "frozen")
    time.sleep(1)
    assert value(lab, "frozen") == "edited", "the proxy lets nothing through"
    wait_value(lab, "frozen", "declared", timeout_seconds=12)
    installed(lab, "after-frozen")


def test_error_events_of_a_watch_end_in_a_new_one(behind: Behind) -> None:
    lab = behind.lab
    installed(lab, "error", "error-deleted")
    behind.proxy.fault(error_events(410, 500, 410, 504))
    behind.proxy.cut()
    edit(lab, "error")
    lab.kubectl("delete", "configmap", "error-deleted", "-n", lab.namespace)
    wait_value(lab, "error", "declared")
    wait_value(lab, "error-deleted", "declared")
    installed(lab, "error-after")


def test_refused_watches_are_told_of_and_tried_until_they_are_served(behind: Behind) -> None:
    lab = behind.lab
    installed(lab, "refused")
    behind.proxy.fault(refusing(503, 410, 500, 404, 403))
    behind.proxy.cut()
    edit(lab, "refused")
    lab.wait_condition("refused", "Drifted", "Unknown")
    # The first trouble is the cut itself; the refusals come with the tries after it.
    wait_for(lambda: "refused by the test" in lab.condition("refused", "Drifted")["message"], what="why")
    told = lab.condition("refused", "Drifted")
    assert told["reason"] == "WatchBroken"
    assert "configmaps" in told["message"]
    assert lab.condition("refused", "Ready")["status"] == "True"
    wait_for(lambda: lab.controller.ask("readyz")[0] == 503, what="readyz to say no")
    text = lab.controller.ask("readyz")[1]
    assert "the watch of applications" in text
    assert "HTTP" in text or "refused by the test" in text
    assert lab.controller.ask("livez")[0] == 200
    behind.proxy.fault(None)
    wait_value(lab, "refused", "declared")
    installed(lab, "refused-after")
    lab.wait_condition("refused", "Drifted", "False", timeout_seconds=60)


def test_what_vanished_while_nobody_watched_is_missed(behind: Behind) -> None:
    lab = behind.lab
    installed(lab, "orphaned")
    behind.proxy.fault(
        lambda request: refusal(503, "ServiceUnavailable") if is_watch(request) and of_own_kinds(request) else None
    )
    behind.proxy.cut()
    lab.kubectl("delete", "tgit", "orphaned", "-n", lab.namespace)
    lab.kubectl("patch", "tapp", "orphaned", "-n", lab.namespace, "--type=merge", "-p", '{"spec":{"interval":"9m"}}')
    behind.proxy.fault(error_events(410))
    wait_for(
        lambda: "does not exist: create it" in lab.condition("orphaned", "Ready")["message"],
        timeout_seconds=25,
        what="word of the missing GitRepository",
    )
    heals(lab, "orphaned")


def test_a_server_that_fails_every_request_for_a_while_is_waited_for(behind: Behind) -> None:
    lab = behind.lab
    installed(lab, "burst")
    repository = lab.repository("burst-new", folder("burst-new", "burst-new-too"))
    behind.proxy.fault(lambda request: refusal(503, "ServiceUnavailable"))
    behind.proxy.cut()
    lab.application("burst-new", "burst-new", "app")
    edit(lab, "burst")
    time.sleep(4)
    assert value(lab, "burst") == "edited"
    behind.proxy.fault(None)
    wait_value(lab, "burst", "declared")
    lab.wait_applied("burst-new", repository.sha())
    assert lab.condition("burst-new", "Ready")["status"] == "True"


def test_a_storm_of_429_slows_a_first_sync_and_breaks_nothing(behind: Behind) -> None:
    lab = behind.lab
    names = [f"storm-{number:02}" for number in range(20)]
    turn = threading.local()
    refused: list[str] = []

    def fault(request: web.Request) -> web.Response | None:
        if is_watch(request):
            return None
        turn.count = getattr(turn, "count", 0) + 1
        if turn.count % 2 and len(refused) < 50:
            refused.append(request.path)
            return refusal(429, "TooManyRequests", retry_after=1)
        return None

    behind.proxy.fault(fault)
    repository = lab.repository("storm", folder(*names))
    lab.application("storm", "storm", "app")
    lab.wait_applied("storm", repository.sha(), timeout_seconds=60)
    assert len(refused) > 20
    behind.proxy.fault(None)
    assert {value(lab, name) for name in names[::5]} == {"declared"}
    assert not lab.status("storm").get("errors")
