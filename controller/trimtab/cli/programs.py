"""Which programs to run where nobody says: those on PATH, else those that came with the local control plane.

The environment flows in, a path flows out; `run` and the verbs that render call it.
"""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

_LOOK: Final = (
    "import sys; from trimtab.localcluster.assets import Finder; "
    "print(Finder.from_environment().look(sys.argv[1]).path or '')"
)


def find_kustomize() -> Path | None:
    """The program; None where there is none. Nothing is fetched."""
    return find_program("kustomize")


def find_program(name: str) -> Path | None:
    """A program of the local control plane's table; None where there is none. Nothing is fetched."""
    found = shutil.which(name)
    if found is not None:
        return Path(found)
    # A process of its own: what looks through that cache would stay in the controller's memory for nothing.
    done = subprocess.run([sys.executable, "-c", _LOOK, name], capture_output=True, text=True, check=False)
    path = done.stdout.strip()
    return Path(path) if path else None
