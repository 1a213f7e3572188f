"""How the story looks in a pipe and on a terminal."""

import io

from rich.console import Console

from trimtab.api.application import Application
from trimtab.cli.demo.scene import Scene
from trimtab.cli.demo.tally import Row
from trimtab.cli.demo.watching import View

SHA = "a" * 40


def application(name: str, *, ready: str, revision: str = SHA) -> Application:
    conditions = [
        {"type": kind, "status": ready, "reason": "X", "message": "m", "lastTransitionTime": "2026-01-01T00:00:00Z"}
        for kind in ("Ready", "Healthy")
    ]
    status = {
        "conditions": conditions,
        "inventory": {"objects": 4, "ready": 2, "drifted": 0},
        "lastAppliedRevision": f"main@sha1:{revision}",
    }
    return Application.parse(
        {"metadata": {"name": name}, "spec": {"sourceRef": {"name": "x"}, "prune": True}, "status": status}
    )


def told(*, terminal: bool) -> str:
    shown = io.StringIO()
    scene = Scene(Console(file=shown, force_terminal=terminal, width=80, highlight=False), pause_seconds=0)
    scene.act("First sync", "It begins.")
    scene.typed("kubectl apply -f [shop]")
    view = View({"a": application("a", ready="False")})
    assert list(scene.watch([view, view])) == [view, view]
    scene.seen("done")
    scene.detail("field  spec.x")
    scene.news("a.yaml:3: bad")
    scene.act("Second", "It goes on.")
    scene.ending([Row("first sync", 1.234, 5, 6, "fine")])
    return shown.getvalue()


def test_a_pipe_gets_plain_lines():
    lines = told(terminal=False).splitlines()
    assert lines[1:7] == [
        "1. First sync",
        "   It begins.",
        "   $ kubectl apply -f [shop]",
        "   ✔ done",
        "     field  spec.x",
        "   ! a.yaml:3: bad",
    ]
    assert any(line.split() == ["first", "sync", "1.23", "5", "6", "fine"] for line in lines)
    assert "\x1b" not in "".join(lines)


def test_a_terminal_gets_a_moving_picture():
    shown = told(terminal=True)
    assert "✘ Ready" in shown
    assert "2/4" in shown
    assert "main@sha1:aaaaaaa" in shown


def test_applied_means_ready_and_healthy_at_that_commit():
    both = View({"a": application("a", ready="True"), "b": application("b", ready="False")})
    assert both.applied(SHA, "a")
    assert not both.applied(SHA)
    assert not both.applied("b" * 40, "a")
    assert not View({}).applied(SHA)
    assert both.status("c").conditions == ()
