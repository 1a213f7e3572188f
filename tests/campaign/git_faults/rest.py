"""What a controller holds when nothing is asked of it: processes, descriptors, sockets, unfinished files, memory.

A lab and its temporary folder flow in, a `Level` flows out; `await_rest` waits for one that is no higher than another.
"""

import contextlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil
from tests.fixtures.lab import Lab
from tests.fixtures.processes import arguments as arguments_of

from trimtab.adapters.git.store import left_behind

REST_SECONDS: Final = 120.0
"""For the last worker to end, which takes ten seconds without work, and for idle connections to be given up."""


@dataclass(frozen=True, slots=True)
class Level:
    """By process in the order of their age: the controller, then the zygote. `strays` are of no family any more."""

    processes: int
    descriptors: tuple[int, ...]
    sockets: tuple[int, ...]
    rss_bytes: tuple[int, ...]
    unfinished: tuple[str, ...]
    temporary: tuple[str, ...]
    strays: tuple[str, ...]
    mirrors: int

    def higher_than(self, other: "Level") -> str:
        """What has not come down to the level of `other`; memory is not judged."""
        found = []
        for what in ("processes", "descriptors", "sockets"):
            mine, theirs = getattr(self, what), getattr(other, what)
            grown = mine > theirs if isinstance(mine, int) else any(map(int.__gt__, mine, theirs))
            if grown:
                found.append(f"{what} {theirs} → {mine}")
        more = tuple(sorted(set(self.temporary).difference(other.temporary)))
        left = {"unfinished": self.unfinished, "strays": self.strays, "temporary": more}
        return "; ".join([*found, *(f"{what}: {', '.join(names[:5])}" for what, names in left.items() if names)])


def level(lab: Lab, temporary: Path) -> Level:
    """What there is now."""
    controller = psutil.Process(lab.controller.pid)
    family = [controller, *sorted(controller.children(recursive=True), key=psutil.Process.create_time)]
    mirrors = lab.controller.folder / "data" / "git" / "mirrors"
    return Level(
        processes=len(family),
        descriptors=tuple(process.num_fds() for process in family),
        sockets=tuple(_sockets(process) for process in family),
        rss_bytes=tuple(process.memory_info().rss for process in family),
        unfinished=tuple(str(path.relative_to(mirrors)) for path in left_behind(mirrors)),
        temporary=tuple(str(path.relative_to(temporary)) for path in sorted(temporary.rglob("*"))),
        strays=tuple(_strays(lab.controller.folder, {process.pid for process in family})),
        mirrors=sum(1 for path in mirrors.iterdir() if path.is_dir()),
    )


def await_rest(lab: Lab, temporary: Path, wanted: Level | None = None) -> tuple[Level, str]:
    """The level, once the zygote has no worker any more and nothing is higher than wanted; else what still is."""
    deadline = time.monotonic() + REST_SECONDS
    while True:
        with contextlib.suppress(psutil.NoSuchProcess, FileNotFoundError):
            found = level(lab, temporary)
            left = found.higher_than(wanted) if wanted else "workers" if found.processes > 2 else ""
            if not left or time.monotonic() > deadline:
                return found, left
        time.sleep(0.2)


def arguments(lab: Lab) -> str:
    """The command lines of the whole family."""
    return "\n".join(arguments_of(psutil.Process(lab.controller.pid).children(recursive=True)))


def _sockets(process: psutil.Process) -> int:
    found = 0
    for link in Path(f"/proc/{process.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found += str(link.readlink()).startswith("socket:")
    return found


def _strays(folder: Path, family: set[int]) -> list[str]:
    """Processes at work in the controller's data folder that are not among its children."""
    every: Any = psutil.process_iter(["pid", "cwd", "name"])
    return [
        f"{process.info['name']} ({process.info['pid']})"
        for process in every
        if process.info["pid"] not in family and (process.info["cwd"] or "").startswith(str(folder))
    ]
