"""Every rendering is counted, and so is the way from a revision to its plan."""

import asyncio

import pytest
from tests.fakes.controller import Rig, config_map
from tests.fakes.office import APP, REPO

from trimtab.core.errors import Problem
from trimtab.reconcile.ports import Rendered, RenderJob

pytestmark = pytest.mark.looptime

A, B = config_map("a"), config_map("b")


async def test_renderings_are_counted_by_their_result(rig: Rig) -> None:
    await rig.sail(A)
    rig.git.commit({"shop": Problem("mapping values are not allowed here", reason="InvalidYaml")})
    rig.office.poke(REPO, "1")
    await rig.settle()
    assert [result for result, _ in rig.metrics.all("rendered")] == ["rendered", "InvalidYaml"]


async def test_the_seconds_are_those_of_the_rendering(rig: Rig) -> None:
    await rig.sail(A)
    render = rig.renderer.render

    async def slowly(job: RenderJob) -> Rendered:
        await asyncio.sleep(3)
        return await render(job)

    rig.renderer.render = slowly  # type: ignore[method-assign]
    rig.push(A, B)
    await rig.settle()
    assert rig.metrics.all("rendered")[-1] == ("rendered", pytest.approx(3, abs=0.1))
    assert rig.metrics.all("planned") == [(pytest.approx(3, abs=0.1),)]


async def test_a_plan_counts_from_the_revision_that_asks_for_it(rig: Rig) -> None:
    await rig.sail(A)
    assert rig.metrics.all("planned") == [], "how long the Application was not there is nobody's delay"
    rig.push(A, blog=[B])
    await rig.settle()
    assert rig.metrics.all("planned") == [], "nothing of it changed"
    rig.push(A, B)
    await rig.settle()
    assert len(rig.metrics.all("planned")) == 1
    rig.office.change(APP, interval="7m")
    rig.edit(A, "data.mode", "slow")
    await rig.settle(300)
    assert len(rig.metrics.all("planned")) == 1, "no revision asked for these"
