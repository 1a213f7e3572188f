"""Builds programs from the Go modules of their projects.

In: an asset, a toolchain and a folder to work in; out: the built file there. `supply` calls it. The same flags
everywhere let one build cache serve all builds of a machine.
"""

import json
import os
import subprocess
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from trimtab.localcluster.errors import ClusterError
from trimtab.localcluster.progress import Step
from trimtab.localcluster.registry import BUILD_MODULE, Asset, GoFiles, GoPackage
from trimtab.localcluster.toolchain import Go

_GOFLAGS: Final = "-buildvcs=false -trimpath"
_ERROR_LINES: Final = 20


class BuildFailed(ClusterError):
    """The Go toolchain reported an error; the message ends with its last lines."""


def environment(environ: Mapping[str, str], go: Go, workspace: Path) -> dict[str, str]:
    """The user's environment (proxies, caches) with everything that would change the result pinned."""
    pinned = {
        "CGO_ENABLED": "0",
        "GOFLAGS": _GOFLAGS,
        "GOWORK": "off",
        "GOTOOLCHAIN": "local",
        "GOBIN": str(workspace / "bin"),
    }
    dropped = {"GOOS", "GOARCH", *(("GOROOT",) if go.bundled else ())}
    return {name: value for name, value in environ.items() if name not in dropped} | pinned


def command(package: GoPackage, go: Go, output: Path) -> list[str]:
    """The argv that builds a package: of our module into `output`, of another module into GOBIN."""
    linker = " ".join(["-s", "-w", *(f"-X {stamp}" for stamp in package.stamps)])
    if package.module:
        version = package.module.rpartition("@")[2]
        return [str(go.path), "install", "-v", "-ldflags", linker, f"{package.package}@{version}"]
    return [str(go.path), "build", "-v", "-ldflags", linker, "-o", str(output), package.package]


def build(asset: Asset, go: Go, workspace: Path, step: Step) -> Path:
    """Build one asset and return its file below `workspace`; raises BuildFailed."""
    environ = environment(os.environ, go, workspace)
    output = workspace / "bin" / asset.file_name
    output.parent.mkdir(exist_ok=True)
    match asset.source:
        case GoPackage() as package:
            folder = workspace if package.module else BUILD_MODULE
            _run(command(package, go, output), folder, environ, step)
        case GoFiles() as files:
            _join(files, _module_folder(files.module, go, workspace, environ), output)
    if not output.is_file():
        raise BuildFailed(f"the build of {asset.name} left no {output.name}")
    return output


def _run(argv: list[str], folder: Path, environ: dict[str, str], step: Step) -> None:
    last: deque[str] = deque(maxlen=_ERROR_LINES)
    compiled = downloaded = 0
    with subprocess.Popen(
        argv, cwd=folder, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        for line in process.stderr or ():
            last.append(line)
            if line.startswith("go: downloading"):
                downloaded += 1
            else:
                compiled += 1
            step.update(f"{downloaded} modules downloaded, {compiled} packages compiled, now {line.split()[-1][-50:]}")
    if process.returncode != 0:
        raise BuildFailed(f"{' '.join(argv[:2])} {argv[-1]} failed:\n{''.join(last)}")


def _module_folder(module: str, go: Go, workspace: Path, environ: dict[str, str]) -> Path:
    argv = [str(go.path), "mod", "download", "-json", module]
    answer = subprocess.run(argv, cwd=workspace, env=environ, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        raise BuildFailed(f"go mod download {module} failed:\n{(answer.stdout + answer.stderr).strip()}")
    return Path(json.loads(answer.stdout)["Dir"])


def _join(files: GoFiles, root: Path, output: Path) -> None:
    documents = [path.read_text() for pattern in files.patterns for path in sorted(root.glob(pattern))]
    if len(documents) < len(files.patterns):
        raise BuildFailed(f"{files.module} lacks {' or '.join(files.patterns)}")
    output.write_text("".join(f"---\n{document.rstrip()}\n" for document in documents))
