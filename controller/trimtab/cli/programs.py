"""Which kustomize, helm and sops to run where nobody says: those on PATH, else those of the local control plane.

The environment flows in, paths flow out; `run` and the verbs that render call it.
"""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_LOOK: Final = (
    "import sys; from trimtab.localcluster.assets import Finder; finder = Finder.from_environment();"
    "print('\\n'.join(str(finder.look(name).path or '') for name in sys.argv[1:]))"
)


@dataclass(frozen=True, slots=True)
class Programs:
    """The programs that render; None where there is none."""

    kustomize: Path | None
    helm: Path | None
    sops: Path | None


def find_programs(*, kustomize: Path | None = None, helm: Path | None = None, sops: Path | None = None) -> Programs:
    """Those given, and the others found. Nothing is fetched."""
    given = {"kustomize": kustomize, "helm": helm, "sops": sops}
    found = {name: path or _on_path(name) for name, path in given.items()}
    missing = [name for name, path in found.items() if path is None]
    if missing:
        # A process of its own: what looks through that cache would stay in the controller's memory for nothing.
        done = subprocess.run([sys.executable, "-c", _LOOK, *missing], capture_output=True, text=True, check=False)
        found |= {name: Path(line) for name, line in zip(missing, done.stdout.splitlines(), strict=False) if line}
    return Programs(**found)


def _on_path(name: str) -> Path | None:
    path = shutil.which(name)
    return Path(path) if path else None
