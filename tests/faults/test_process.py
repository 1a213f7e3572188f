"""The process itself: ends soon when told, leaves no child behind however it ends, and says when it is stuck."""

import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from tests.faults.scene import folder
from tests.fixtures.api_proxy import api_proxy
from tests.fixtures.cluster import wait_for
from tests.fixtures.git_server import Fault
from tests.fixtures.lab import Lab
from tests.fixtures.processes import arguments, names

from trimtab.localcluster import Cluster

END_SECONDS = 20.0


def family(lab: Lab) -> list[psutil.Process]:
    """The zygote, the Git workers and whatever else the controller started."""
    return psutil.Process(lab.controller.pid).children(recursive=True)


def busy(lab: Lab) -> list[psutil.Process]:
    """Have a fetch stall, so that a worker and its git are there to be left behind; returns the family."""
    repository = lab.repository("shop", folder("web"))
    lab.application("shop", "shop", "app")
    lab.wait_applied("shop", repository.sha())
    repository.commit(folder("web", value="newer"))
    lab.server.faults.always(Fault.STALL_BEFORE)
    asked = len(lab.server.faults.requests)
    lab.poke("shop")
    wait_for(lambda: len(lab.server.faults.requests) > asked, what="git to wait for the server")
    return family(lab)


@pytest.mark.parametrize("how", ["told", "killed"])
def test_nothing_is_left_of_it(lab: Lab, how: str) -> None:
    children = busy(lab)
    seen = arguments(children)
    assert any("zygote" in argument for argument in seen), seen
    assert "git" in names(children), seen
    started = time.monotonic()
    if how == "told":
        assert lab.controller.stop() == 0
        assert time.monotonic() - started < END_SECONDS
        assert "Traceback" not in lab.controller.log()
    else:
        lab.controller.kill()
    _, alive = psutil.wait_procs(children, timeout=END_SECONDS)
    assert alive == []
    lab.server.faults.never()
    lab.controller.start()
    wait_for(lambda: lab.condition("shop", "Ready")["status"] == "True", what="the next start to go on")


def test_it_ends_soon_also_where_nobody_answers(
    cluster: Cluster, tmp_path: Path, make_labs: Callable[..., Lab]
) -> None:
    with api_proxy(cluster.kubeconfig_path, tmp_path) as proxy:
        lab = make_labs(cluster, kubeconfig=proxy.kubeconfig, flags=("--watch-stale-seconds=3",))
        lab.controller.start(ready=False)
        first = wait_for(lambda: lab.controller.ask("readyz")[0], what="a probe")
        assert first == 503, "it does not say ready before it is"
        assert lab.controller.ask("livez") == (200, "ok\n")
        wait_for(lambda: lab.controller.ask("readyz")[0] == 200, what="readyz")
        repository = lab.repository("shop", folder("web"))
        lab.application("shop", "shop", "app")
        lab.wait_applied("shop", repository.sha())

        proxy.hang()
        wait_for(lambda: lab.controller.ask("livez")[0] == 503, what="livez to notice the silence")
        assert "no sign of life" in lab.controller.ask("livez")[1]

        started = time.monotonic()
        assert lab.controller.stop() == 0
        assert time.monotonic() - started < END_SECONDS
        assert "Traceback" not in lab.controller.log()
        proxy.resume()
