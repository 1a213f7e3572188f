"""The work queue: deduplicated, one worker per key, back-off per key."""

import asyncio

import pytest
from tests.fakes.clock import HandClock, LoopClock

from trimtab.core.outcome import Outcome
from trimtab.reconcile.queue import BEHIND_AT_ONCE, HOLD_SECONDS, RESOLUTION_SECONDS, Backoff, Key, WorkQueue

A = Key("Application", "ns", "a")
B = Key("Application", "ns", "b")
C = Key("Application", "ns", "c")


def make() -> tuple[WorkQueue, HandClock]:
    clock = HandClock()
    return WorkQueue(clock, first_seconds=1.0, seed=7), clock


async def take(queue: WorkQueue) -> Key:
    key, _ = await asyncio.wait_for(queue.take(), 1)
    return key


async def test_a_key_added_twice_is_taken_once() -> None:
    queue, _ = make()
    queue.add(A)
    queue.add(A)
    queue.add(B)
    assert [await take(queue), await take(queue)] == [A, B]
    assert queue.depth == 0


async def test_a_key_added_while_worked_on_is_taken_again_afterwards() -> None:
    queue, _ = make()
    queue.add(A)
    await take(queue)
    queue.add(A)
    assert queue.depth == 0, "nobody else may take it meanwhile"
    queue.finished(A, Outcome.done(), limit_seconds=60)
    assert await take(queue) == A


async def test_keys_behind_let_all_others_go_first_and_come_few_at_a_time() -> None:
    queue, _ = make()
    many = [Key("Application", "ns", f"m{number}") for number in range(5)]
    for key in many:
        queue.add(key, behind=True)
    queue.add(A)
    assert queue.depth == 6
    assert [await take(queue) for _ in range(3)] == [*many[:BEHIND_AT_ONCE], A], "whoever is let in stays in"
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(queue.take(), 0.01)
    queue.add(B)
    queue.finished(many[0], Outcome.done(), limit_seconds=60)
    assert [await take(queue), await take(queue)] == [B, many[2]]
    queue.finished(A, Outcome.done(), limit_seconds=60)
    assert queue.depth == 2, "only a place of theirs lets the next one in"
    for key in (many[1], many[2]):
        queue.finished(key, Outcome.failed("no"), limit_seconds=60)
    assert [await take(queue), await take(queue)] == many[3:]
    assert queue.depth == 0


async def test_a_key_behind_that_matters_after_all_goes_first() -> None:
    queue, _ = make()
    many = [Key("Application", "ns", f"m{number}") for number in range(4)]
    for key in many:
        queue.add(key, behind=True)
    queue.add(many[3])
    queue.add(many[3], behind=True)
    assert [await take(queue) for _ in range(3)] == [many[0], many[1], many[3]]
    queue.finished(many[3], Outcome.done(), limit_seconds=60)
    assert queue.depth == 1, "it held no place behind"
    queue.finished(many[0], Outcome.done(), limit_seconds=60)
    assert await take(queue) == many[2]


async def test_a_key_behind_is_taken_once_however_often_it_is_added() -> None:
    queue, _ = make()
    for _ in range(3):
        queue.add(A, behind=True)
    assert await take(queue) == A
    queue.add(A, behind=True)
    queue.finished(A, Outcome.done(), limit_seconds=60)
    assert await take(queue) == A
    queue.finished(A, Outcome.done(), limit_seconds=60)
    assert queue.depth == 0


async def test_waiting_time_is_told() -> None:
    queue, clock = make()
    queue.add(A)
    await clock.turn(3)
    assert await queue.take() == (A, 3.0)


async def test_failures_back_off_and_success_forgives() -> None:
    queue, clock = make()
    delays = []
    for _ in range(3):
        queue.add(A)
        await take(queue)
        queue.finished(A, Outcome.failed("no"), limit_seconds=3)
        delays.append(queue._states[A].due or 0.0)
    first, second, third = (due - clock.monotonic() for due in delays)
    assert 0.8 <= first <= 1.2
    assert 1.6 <= second <= 2.4
    assert 2.4 <= third <= 3.6, "the limit holds, but for the scatter"
    queue.add(A)
    await take(queue)
    queue.finished(A, Outcome.done(), limit_seconds=3)
    assert queue._states[A].backoff.failures == 0
    assert queue._states[A].due is None


async def test_timers_fire_in_order_and_the_earliest_wins() -> None:
    queue, clock = make()
    timers = asyncio.create_task(queue.run_timers())
    queue.add_after(A, 10)
    queue.add_after(A, 20)
    queue.add_after(B, 5)
    await clock.turn(0)
    assert queue.depth == 0
    await clock.turn(6)
    queue._fire_due()
    assert await take(queue) == B
    await clock.turn(5)
    queue._fire_due()
    assert await take(queue) == A
    timers.cancel()
    await asyncio.gather(timers, return_exceptions=True)


async def test_adding_a_key_cancels_its_timer() -> None:
    queue, clock = make()
    queue.add_after(A, 5)
    queue.add(A)
    await take(queue)
    queue.finished(A, Outcome.done(), limit_seconds=60)
    await clock.turn(10)
    queue._fire_due()
    assert queue.depth == 0


async def test_a_failure_that_time_cannot_mend_waits_for_an_event() -> None:
    queue, clock = make()
    queue.add(A)
    await take(queue)
    queue.finished(A, Outcome.failed("typo", retry=False), limit_seconds=60)
    await clock.turn(1000)
    queue._fire_due()
    assert queue.depth == 0


def test_backoff_never_overflows() -> None:
    backoff = Backoff(1.0)
    delays = [backoff.next_seconds(300, scatter=0.5) for _ in range(5000)]
    assert delays[-1] == 300


async def test_a_timer_due_within_a_hair_is_due() -> None:
    queue, clock = make()
    queue.add_after(A, 5.0)
    timers = asyncio.create_task(queue.run_timers())
    await clock.turn(4.9999)
    queue.add_after(B, 60.0)
    assert await take(queue) == A
    timers.cancel()


async def test_who_is_woken_a_hair_too_early_and_asks_for_the_rest_does_not_spin() -> None:
    queue, clock = make()
    queue.add_after(A, 10.0)
    await clock.turn(10.0 - RESOLUTION_SECONDS / 2)
    timers = asyncio.create_task(queue.run_timers())
    assert await take(queue) == A
    queue.finished(A, Outcome.done(again_seconds=RESOLUTION_SECONDS / 2), limit_seconds=60)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(queue.take(), 0.01)
    await clock.turn(2 * RESOLUTION_SECONDS)
    queue.add_after(B, 0.0)
    assert await take(queue) == A
    timers.cancel()


@pytest.mark.parametrize("ticks", range(5))
@pytest.mark.looptime
async def test_timers_end_when_cancelled_also_in_the_moment_of_an_alarm(ticks: int) -> None:
    queue, _ = make()
    queue.add_after(B, 50)
    timers = asyncio.create_task(queue.run_timers())
    await asyncio.sleep(0.1)
    queue.add_after(A, 5)
    for _ in range(ticks):
        await asyncio.sleep(0)
    timers.cancel()
    done, _ = await asyncio.wait([timers], timeout=1)
    timers.cancel()
    assert done == {timers}


async def test_keys_behind_are_held_until_those_ahead_are_done() -> None:
    queue, _ = make()
    queue.add_ahead(A)
    queue.add_ahead(B)
    queue.add(C, behind=True)
    assert [await take(queue), await take(queue)] == [A, B]
    queue.add(B)
    queue.finished(A, Outcome.done(), limit_seconds=60)
    queue.finished(B, Outcome.done(), limit_seconds=60)
    assert await take(queue) == B, "its turn was that of an earlier change"
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(queue.take(), 0.01)
    queue.finished(B, Outcome.failed("no"), limit_seconds=60)
    assert await take(queue) == C


async def test_keys_behind_are_held_no_longer_than_agreed() -> None:
    queue, clock = make()
    queue.add_ahead(A)
    assert await take(queue) == A
    queue.add(C, behind=True)
    await clock.turn(HOLD_SECONDS / 2)
    queue.add_ahead(B)
    assert await take(queue) == B
    assert queue._release() == pytest.approx(HOLD_SECONDS / 2)
    assert queue.depth == 1
    await clock.turn(HOLD_SECONDS / 2)
    assert queue._release() is None
    assert await take(queue) == C, "a second one ahead does not hold what is held already"


async def test_a_long_turn_holds_nobody_a_second_time() -> None:
    queue, clock = make()
    queue.add_ahead(A)
    assert await take(queue) == A
    await clock.turn(HOLD_SECONDS)
    queue.add_ahead(B)
    queue.add(C, behind=True)
    assert await take(queue) == B
    queue.finished(B, Outcome.done(), limit_seconds=60)
    assert await take(queue) == C


@pytest.mark.looptime
async def test_the_timers_let_in_those_that_were_held() -> None:
    queue = WorkQueue(LoopClock(), seed=7)
    timers = asyncio.create_task(queue.run_timers())
    queue.add_ahead(A)
    assert await take(queue) == A
    queue.add(C, behind=True)
    key, waited_seconds = await queue.take()
    assert key == C
    assert waited_seconds == pytest.approx(HOLD_SECONDS, abs=0.01)
    timers.cancel()


async def test_keys_that_are_not_ahead_hold_nobody() -> None:
    queue, _ = make()
    queue.add(A)
    queue.add(C, behind=True)
    assert [await take(queue), await take(queue)] == [A, C]
