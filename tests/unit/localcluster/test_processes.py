"""Processes are started apart from us, known again, and never mistaken for one another."""

import os
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from trimtab.localcluster import launcher, processes
from trimtab.localcluster.processes import Lifetime, ProcessRecord, alive, spawn, stop

Start = Callable[..., ProcessRecord]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[ProcessRecord] = []

    def begin(*argv: str, lifetime: Lifetime = Lifetime.ATTACHED) -> ProcessRecord:
        record = spawn(argv, log=tmp_path / "log", environment={"PATH": os.defpath}, lifetime=lifetime)
        started.append(record)
        return record

    yield begin
    stop(started)


def wait_until(check: Callable[[], bool]) -> None:
    waiting = threading.Event()
    for _ in range(500):
        if check():
            return
        waiting.wait(0.01)
    pytest.fail("it did not come to that")


@pytest.mark.parametrize("lifetime", list(Lifetime))
def test_a_process_lives_until_it_is_stopped(start: Start, lifetime: Lifetime) -> None:
    record = start("/bin/sleep", "60", lifetime=lifetime)
    assert alive(record)
    wait_until(lambda: psutil.Process(record.pid).cmdline() == ["/bin/sleep", "60"])
    assert os.getsid(record.pid) == record.pid
    stop([record])
    assert not alive(record)


def test_stopping_gives_time_to_comply(start: Start, tmp_path: Path) -> None:
    record = start("/bin/sh", "-c", "trap 'echo bye; exit' TERM; echo hello; while :; do sleep 0.01; done")
    wait_until(lambda: "hello" in (tmp_path / "log").read_text())
    stop([record], grace_seconds=5)
    assert (tmp_path / "log").read_text() == "hello\nbye\n"


def test_who_does_not_comply_is_killed(start: Start, tmp_path: Path) -> None:
    record = start("/bin/sh", "-c", "trap '' TERM; echo hello; while :; do sleep 0.01; done")
    wait_until(lambda: "hello" in (tmp_path / "log").read_text())
    stop([record], grace_seconds=0.05)
    assert not alive(record)


def test_a_later_process_with_the_same_pid_is_left_alone(start: Start) -> None:
    record = start("/bin/sleep", "60")
    wait_until(lambda: psutil.Process(record.pid).cmdline() == ["/bin/sleep", "60"])
    for other in (replace(record, started_seconds=record.started_seconds - 60), replace(record, program="/bin/etcd")):
        assert not alive(other)
        stop([other])
    assert alive(record)


def test_a_program_that_cannot_run_ends_at_once_and_says_why(start: Start, tmp_path: Path) -> None:
    record = start("/no/such/program")
    wait_until(lambda: not alive(record))
    assert "No such file or directory" in (tmp_path / "log").read_text()


def test_a_program_that_ends_by_itself_is_seen_to(start: Start) -> None:
    record = start("/bin/true")
    wait_until(lambda: not alive(record))
    stop([record])


def test_nothing_is_inherited_but_the_log(start: Start, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    try:
        record = start("/bin/sh", "-c", "ls /proc/self/fd; echo done")
        wait_until(lambda: "done" in (tmp_path / "log").read_text())
    finally:
        os.close(reading)
        os.close(writing)
    assert not alive(record)
    assert str(writing) not in (tmp_path / "log").read_text().split()


def test_after_a_fork_another_thread_does_the_starting(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    first = processes._spawner()
    assert processes._spawner() is first
    monkeypatch.setattr(first, "pid", -1)
    assert processes._spawner() is not first
    assert alive(start("/bin/sleep", "60"))


def test_an_impossible_start_is_an_error(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with pytest.raises(FileNotFoundError):
        start("/bin/sleep", "60")


def test_who_comes_after_the_parent_has_gone_does_not_start() -> None:
    with pytest.raises(SystemExit, match="the parent is gone"):
        launcher._die_with_parent(os.getppid() + 1)
