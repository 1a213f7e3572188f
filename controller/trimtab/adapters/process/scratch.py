"""Where trees lie while they are rendered: a folder of the controller's own, without what a killed one left behind.

Wiring makes them once per process, after the data folder was locked; the renderer gets them. One is in memory, for
trees that are decrypted: what lies there never meets a disk.
"""

import os
import shutil
from hashlib import sha256
from pathlib import Path

from trimtab.adapters.process.private_folder import in_memory, memory_folder


def empty_scratch(path: Path) -> Path:
    """The folder, empty and readable by us alone; trees may hold Secrets. Raises OSError where it cannot be made."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.chmod(0o700)
    return path


def memory_scratch(data_dir: Path) -> Path | None:
    """Such a folder in memory, the same for the same data folder; None where there is no room in memory for us."""
    parent = data_dir if data_dir.is_dir() and in_memory(data_dir.resolve()) else memory_folder()
    if parent is None:
        return None
    name = sha256(str(data_dir.resolve()).encode()).hexdigest()[:12]
    path = parent / f"trimtab-{os.geteuid()}-{name}"
    try:
        if path.is_symlink() or (path.exists() and path.lstat().st_uid != os.geteuid()):
            # The folder above is everybody's: somebody else was here first.
            return None
        return empty_scratch(path)
    except OSError:
        return None
