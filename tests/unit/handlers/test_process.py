"""Addresses, probes before there is anything to ask, and how the parts of the process end."""

import asyncio
from typing import Any, cast

import pytest

from trimtab.handlers.operator import Operator
from trimtab.handlers.process import GRACE_SECONDS, _end, _Health, split_address
from trimtab.wiring import Controller

pytestmark = pytest.mark.looptime


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("127.0.0.1:8080", ("127.0.0.1", 8080)),
        ("[::1]:8080", ("::1", 8080)),
        (":8080", ("", 8080)),
        ("localhost:0", ("localhost", 0)),
    ],
)
def test_addresses(address: str, parts: tuple[str, int]) -> None:
    assert split_address(address) == parts


@pytest.mark.parametrize("address", ["", "8080", "localhost", "localhost:", "localhost:http", "localhost:-1"])
def test_what_is_no_address_is_refused_with_an_example(address: str) -> None:
    with pytest.raises(ValueError, match=r"write it like 127\.0\.0\.1:8080"):
        split_address(address)


class Part:
    """Answers both probes."""

    def __init__(self, trouble: str) -> None:
        self._trouble = trouble

    def live(self) -> str:
        return self._trouble

    def trouble(self) -> str:
        return self._trouble


def test_before_it_is_let_in_the_process_is_alive_but_not_ready() -> None:
    health = _Health()
    assert health.live() == ""
    assert "has not let us in" in health.ready()


def test_the_probes_ask_the_parts_once_they_are_there() -> None:
    health = _Health(cast("Controller", Part("a watch is dead")), cast("Operator", Part("a watch is not open")))
    assert health.live() == "a watch is dead"
    assert health.ready() == "a watch is not open"
    assert _Health(cast("Controller", Part("")), cast("Operator", Part(""))).ready() == ""


async def begun(*coroutines: Any) -> list[asyncio.Task[None]]:
    tasks = [asyncio.create_task(each) for each in coroutines]
    await asyncio.sleep(0)
    return tasks


async def test_what_still_runs_is_cancelled() -> None:
    parts = await begun(asyncio.sleep(1000), asyncio.sleep(1000))
    await _end(parts)
    assert all(part.cancelled() for part in parts)


async def test_what_one_part_died_of_is_raised_when_the_others_have_ended() -> None:
    async def die() -> None:
        raise RuntimeError("a part died")

    parts = await begun(asyncio.sleep(1000), die())
    with pytest.raises(RuntimeError, match="a part died"):
        await _end(parts)
    assert parts[0].cancelled()


async def test_a_part_that_will_not_end_is_left_behind(looptime: Any) -> None:
    async def cling() -> None:
        while True:
            try:
                await asyncio.sleep(1000)
                return
            except asyncio.CancelledError:
                continue

    parts = await begun(cling())
    before = float(looptime)
    await _end(parts)
    assert looptime - before == GRACE_SECONDS
    assert not parts[0].done()
    await asyncio.sleep(1000)
