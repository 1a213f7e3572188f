"""Asks a program which version it is.

`assets` passes over programs of other versions with it, `supply` makes sure of what it has just built or downloaded.
"""

import subprocess
from pathlib import Path

from trimtab.localcluster.registry import Asset


def mismatch(asset: Asset, path: Path) -> str:
    """Why a file cannot serve as the asset; empty where it can. Data files are not asked."""
    if not asset.version_argv:
        return ""
    command = [str(path), *asset.version_argv]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"cannot be run ({error})"
    output = f"{answer.stdout}{answer.stderr}"
    if asset.accepts(output):
        return ""
    said = output.strip().splitlines()
    return f"is not {asset.version} but says {said[0] if said else 'nothing'!r}"
