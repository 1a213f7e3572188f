"""Which kustomize to run where nobody says: the one on PATH, else the one that came with the local control plane.

The environment flows in, a path flows out; `run` and the verbs that render call it.
"""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

_LOOK: Final = (
    "from trimtab.localcluster.assets import Finder; print(Finder.from_environment().look('kustomize').path or '')"
)


def find_kustomize() -> Path | None:
    """The program; None where there is none. Nothing is fetched."""
    found = shutil.which("kustomize")
    if found is not None:
        return Path(found)
    # A process of its own: what looks through that cache would stay in the controller's memory for nothing.
    done = subprocess.run([sys.executable, "-c", _LOOK], capture_output=True, text=True, check=False)
    path = done.stdout.strip()
    return Path(path) if path else None
