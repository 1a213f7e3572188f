"""What a process and all its descendants take, read from /proc.

A process ID flows in; CPU seconds and resident bytes flow out. Children that have ended count by what their parents
reaped of them.
"""

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident bytes of one process. Of `pss_bytes`, pages that several share count once in all; 0: not asked for."""

    pid: int
    name: str
    rss_bytes: int
    pss_bytes: int = 0


def family(pid: int) -> Iterator[int]:
    """The process and all its living descendants."""
    yield pid
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return
    for thread in threads:
        try:
            children = (thread / "children").read_text().split()
        except OSError:
            continue
        for child in children:
            yield from family(int(child))


def cpu_seconds(pids: Iterator[int]) -> float:
    """User and system time of these processes and of the children that they have reaped."""
    return sum(_ticks(pid) for pid in pids) / _TICKS


def _ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    # proc(5): utime, stime, cutime and cstime are fields 14 to 17 of the line; 12 of them stand behind the name here.
    return sum(int(field) for field in fields[11:15])


def memory(pid: int, *, pss: bool = False) -> list[Memory]:
    """What each process of the family holds; `pss` asks for the proportional share, which costs the kernel a walk."""
    found = []
    for member in family(pid):
        try:
            resident = int(Path(f"/proc/{member}/statm").read_text().split()[1]) * _PAGE_BYTES
            share = _pss_bytes(member) if pss else 0
            found.append(Memory(member, _name(member), resident, share))
        except OSError:
            continue
    return found


def _pss_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def _name(pid: int) -> str:
    words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    for known in ("trimtab.adapters.git.zygote", "trimtab", "kustomize", "git"):
        if any(word == known or word.endswith(f"/{known}") for word in words):
            return known.rpartition(".")[2]
    return Path(words[0]).name


class PeakSampler:
    """Samples the family's resident bytes in a thread until it is left; `peak_bytes` is the largest sum seen."""

    def __init__(self, pid: int, *, period_seconds: float = 0.1) -> None:
        self._pid = pid
        self._period_seconds = period_seconds
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="peak-sampler", daemon=True)
        self.peak_bytes = 0

    def _sample(self) -> None:
        while not self._over.wait(self._period_seconds):
            self.peak_bytes = max(self.peak_bytes, sum(each.rss_bytes for each in memory(self._pid)))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
