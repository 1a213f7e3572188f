"""What the bench ran on, so that its figures can be read.

Nothing flows in; cores, memory, processor and versions flow out.
"""

import os
import platform
from dataclasses import dataclass
from pathlib import Path

import psutil

from trimtab.localcluster.registry import ASSETS


@dataclass(frozen=True, slots=True)
class Machine:
    """`load` is the one-minute load average before the bench began: what others made of the machine."""

    processor: str
    cores: int
    memory_gib: float
    load: float
    system: str
    python: str
    kubernetes: str

    @classmethod
    def here(cls) -> "Machine":
        """This machine, now."""
        return cls(
            processor=_processor(),
            cores=len(os.sched_getaffinity(0)),
            memory_gib=round(psutil.virtual_memory().total / 2**30, 1),
            load=round(os.getloadavg()[0], 2),
            system=f"Linux {platform.release().partition('-')[0]} {platform.machine()}",
            python=platform.python_version(),
            kubernetes=ASSETS["kube-apiserver"].version,
        )

    def __str__(self) -> str:
        return (
            f"{self.cores} cores ({self.processor}), {self.memory_gib:g} GiB, {self.system}, Python {self.python}, "
            f"Kubernetes {self.kubernetes}, load {self.load:g} before the start"
        )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
