"""Where trees lie while they are rendered: a folder of the controller's own, without what a killed one left behind.

Wiring makes it once per process, after the data folder was locked; the renderer gets it.
"""

import shutil
from pathlib import Path


def empty_scratch(path: Path) -> Path:
    """The folder, empty and readable by us alone; trees may hold Secrets. Raises OSError where it cannot be made."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.chmod(0o700)
    return path
