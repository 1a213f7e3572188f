"""The tests' own view of processes: one that ends between two looks is left out, and fails nobody's test."""

import subprocess

import psutil
from tests.fixtures.processes import arguments, family, kill, names


def ended() -> psutil.Process:
    """A process as somebody knew it who is about to ask for more."""
    with subprocess.Popen(["/bin/sleep", "60"]) as child:
        process = psutil.Process(child.pid)
        child.kill()
    return process


def test_one_that_has_ended_is_left_out() -> None:
    gone, here = ended(), psutil.Process()
    assert [process.pid for process in family([gone.pid, here.pid])] == [here.pid]
    assert names([gone, here]) == [here.name()]
    assert arguments([gone, here]) == here.cmdline()
    kill([gone])
