"""kustomize build over a materialised tree, confined to reading it.

The renderer calls `build` for each folder with a kustomization; standard output or a problem comes back. Where the
kernel confines file access, files anywhere in the repository may be referred to; where it does not, kustomize itself
is told to stay below each kustomization's own folder, because nothing else would keep it from reading the
controller's files.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from trimtab.adapters.process.runner import Confinement, ProcessFailed, probe, run
from trimtab.adapters.process.tree import Tree
from trimtab.core.errors import Problem, RenderError
from trimtab.core.manifest import Origin
from trimtab.render.kustomization import Kustomization, as_file, with_origins
from trimtab.render.kustomize_errors import failure

VERSION: Final = "v5.8.1"
"""The version that the project is tested with."""
_FILE_MISSING: Final = "no such file or directory"
_LITTLE_FILES: Final = 64
_LITTLE_BYTES: Final = 64 * 1024
_RARELY: Final = {"GOGC": "800"}
"""A build of little input is over before its garbage is worth collecting: a quarter less time for 20 MiB more."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a build may take."""

    timeout_seconds: float = 60.0
    output_bytes: int = 128 * 1024 * 1024
    memory_bytes: int = 1024 * 1024 * 1024


class FileMissing(RenderError):
    """kustomize asked for a file that is not in the tree."""


class Kustomize:
    """The kustomize program. `program` None means that there is none, which every build then says."""

    def __init__(self, program: Path | None, bounds: Bounds) -> None:
        self._program = program.resolve() if program else None
        self._bounds = bounds
        self._confinement: Confinement | None = None

    async def build(self, tree: Tree, kustomization: Kustomization, further: Iterable[Kustomization] = ()) -> bytes:
        """The built YAML, each object with its origin annotation. Raises RenderError.

        The kustomization file is written, or rewritten, for the time of the build, and so are `further` ones that are
        not what their files hold: the tree must be the caller's own.
        """
        contents = {one.file: as_file(one) for one in further} | {kustomization.file: with_origins(kustomization)}
        with _written(tree, contents):
            return await self._run(tree, kustomization)

    async def _run(self, tree: Tree, kustomization: Kustomization) -> bytes:
        if self._program is None or not self._program.is_file():
            raise RenderError(_problem("kustomize is not installed", kustomization, "install it beside the controller"))
        if self._confinement is None:
            self._confinement = await probe()
        restrictor = "LoadRestrictionsNone" if self._confinement.files else "LoadRestrictionsRootOnly"
        try:
            result = await run(
                [str(self._program), "build", ".", "--load-restrictor", restrictor],
                cwd=tree.root / kustomization.folder,
                readable=[tree.root],
                timeout_seconds=self._bounds.timeout_seconds,
                output_limit_bytes=self._bounds.output_bytes,
                memory_limit_bytes=self._bounds.memory_bytes,
                environment=_RARELY if _little(tree) else None,
            )
        except ProcessFailed as error:
            raise RenderError(_problem(str(error), kustomization, "build less at once")) from error
        if result.code < 0:
            message = f"kustomize was killed by signal {-result.code}"
            raise RenderError(_problem(message, kustomization, "build less at once: it may have run out of memory"))
        if result.code:
            kind = FileMissing if _FILE_MISSING in result.stderr else RenderError
            raise kind(failure(result.stderr, kustomization, str(tree.root), tree.files))
        return result.stdout


def _little(tree: Tree) -> bool:
    """Whether there is not much that a build could read."""
    if len(tree.files) > _LITTLE_FILES:
        return False
    return sum((tree.root / name).lstat().st_size for name in tree.files) <= _LITTLE_BYTES


@contextmanager
def _written(tree: Tree, contents: dict[str, bytes]) -> Iterator[None]:
    """Files with other contents for the time of a block."""
    originals = {name: (tree.root / name).read_bytes() if (tree.root / name).is_file() else None for name in contents}
    try:
        for name, content in contents.items():
            (tree.root / name).unlink(missing_ok=True)  # a link is replaced, what it points at stays
            (tree.root / name).write_bytes(content)
        yield
    finally:
        for name, original in originals.items():
            if original is None:
                (tree.root / name).unlink(missing_ok=True)
            else:
                (tree.root / name).write_bytes(original)


def _problem(message: str, kustomization: Kustomization, remedy: str) -> Problem:
    return Problem(message, origin=Origin(kustomization.file), remedy=remedy, reason="BuildFailed")
