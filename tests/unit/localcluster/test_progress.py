"""What takes long is told: as lines where nobody watches a terminal, as a bar where somebody does."""

import io
import threading

from rich.console import Console

from trimtab.localcluster.progress import ConsoleProgress, Silent


def test_lines_come_at_intervals_and_at_the_end() -> None:
    output = io.StringIO()
    progress = ConsoleProgress(Console(file=output, width=40), interval_seconds=0.01)
    seen = threading.Event()
    with progress.step("building etcd") as step:
        step.update("package x " * 9, done=1, total=4)
        while "25 %" not in output.getvalue():
            seen.wait(0.005)
    lines = output.getvalue().splitlines()
    assert lines[0] == "building etcd ..."
    assert lines[1].startswith("building etcd: package x")
    assert lines[1].endswith("(25 %) [0:00]")
    assert lines[-1] == "building etcd: done after 0:00"


def test_a_bar_is_shown_on_a_terminal() -> None:
    output = io.StringIO()
    progress = ConsoleProgress(Console(file=output, force_terminal=True, width=120))
    with progress.step("downloading [kubectl]") as step:
        step.update("3 MiB", done=3, total=10)
        step.update("")
    progress.note("done [at last]")
    assert "downloading [kubectl]" in output.getvalue()
    assert "done [at last]" in output.getvalue()


def test_silence_is_silent(capsys) -> None:
    progress = Silent()
    progress.note("nobody hears")
    with progress.step("building") as step:
        step.update("something")
    assert capsys.readouterr() == ("", "")
