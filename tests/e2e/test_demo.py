"""The demo as people run it: every act happens, it exits well, and nothing is left behind."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

READY_SECONDS = 60.0
"""Not a promise: a loaded machine may take its time; the promise is measured elsewhere."""


def _leftovers() -> set[str]:
    return {path.name for path in Path(tempfile.gettempdir()).glob("trimtab-demo-*")}


def _running() -> list[str]:
    found = []
    for process in psutil.process_iter(["cmdline"]):
        line = " ".join(process.info["cmdline"] or ())
        if "trimtab-demo-" in line:
            found.append(line)
    return found


def test_the_story_is_told_to_its_end(cluster):
    before = _leftovers()
    # The cluster fixture has seen to it that the programs are there.
    assert cluster.kubeconfig_path.exists()
    done = subprocess.run(
        [sys.executable, "-m", "trimtab", "demo", "--once"], capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for told in (
        "Ready after",
        "21 objects applied and healthy",
        "by        kubectl-set",
        'declared  "registry.example/shop/catalog:1.5.0"',
        "it is back",
        "overlays/production/disruption.yaml:2",
        "no error is left",
        "no request at all",
        "what happened",
    ):
        assert told in done.stdout
    assert "\x1b[" not in done.stdout
    assert _leftovers() <= before
    assert _running() == []


def test_an_interrupted_story_leaves_nothing_behind():
    before = _leftovers()
    demo = subprocess.Popen(
        [sys.executable, "-u", "-m", "trimtab", "demo"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        assert demo.stdout is not None
        deadline = time.monotonic() + READY_SECONDS
        for line in demo.stdout:
            if line.startswith("1. ") or time.monotonic() > deadline:
                break
        demo.terminate()
        rest = demo.communicate(timeout=60)[0]
    finally:
        demo.kill()
    assert demo.returncode == 130, rest
    assert _leftovers() <= before
    assert _running() == []
