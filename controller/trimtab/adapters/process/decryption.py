"""The stage between files and build: what SOPS has encrypted is decrypted in place, in a tree that lies in memory only.

The renderer asks where the tree may lie, and has its build run inside `around`. Only files that the build uses are
touched, so that others may be encrypted for somebody else; all that cannot be decrypted is told at once.
"""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Final

from trimtab.adapters.process.private_folder import private_folder
from trimtab.adapters.process.sops import Bounds, Sops
from trimtab.adapters.process.tree import Tree
from trimtab.api.application import ApplicationSpec
from trimtab.core.errors import Problem, RenderError, SourceError
from trimtab.core.manifest import Manifest, Origin
from trimtab.reconcile.parallel import gather_bounded
from trimtab.reconcile.ports import RenderJob
from trimtab.render.closure import Closure
from trimtab.render.decryption_keys import DecryptionKeys, decryption_keys
from trimtab.render.inputs import InputRef
from trimtab.render.layout import Selection, layout
from trimtab.render.limits import DEFAULT_LIMITS, Limits
from trimtab.render.sops_files import Part, left_encrypted, parts_of
from trimtab.render.withholding import Withholding
from trimtab.source.links import resolve_path

_AT_A_TIME: Final = 2


class Decryption:
    """`program` is sops (looked for on PATH where None), `vault` a folder in memory for trees; None: there is none."""

    def __init__(
        self, *, program: Path | None, vault: Path | None, limits: Limits = DEFAULT_LIMITS, bounds: Bounds | None = None
    ) -> None:
        self._program = program
        self._vault = vault
        self._limits = limits
        self._bounds = bounds or Bounds()

    def folder(self, spec: ApplicationSpec, scratch: Path | None) -> Path | None:
        """Where the tree may lie: in memory, where plain text will be in it. Raises RenderError where that is not."""
        if spec.decryption is None:
            return scratch
        if self._vault is None:
            problem = Problem(
                "nothing is decrypted, for there is no folder in memory",
                remedy="mount an emptyDir of medium Memory at /dev/shm of the controller",
                reason="DecryptionUnavailable",
            )
            raise RenderError(problem)
        return self._vault

    async def around(
        self,
        job: RenderJob,
        tree: Tree,
        used: Iterable[str],
        build: Callable[[], Awaitable[tuple[Manifest, ...]]],
    ) -> tuple[Manifest, ...]:
        """Decrypt the files that a build uses, then build. Raises RenderError."""
        if job.spec.decryption is None:
            return await build()
        withhold = await self.decrypt(job, tree, used)
        try:
            manifests = await build()
        except RenderError as error:
            # Of the same kind: the renderer tells some from others.
            raise type(error)(*await asyncio.to_thread(withhold, error.problems)) from None
        if problems := left_encrypted(manifests):
            raise RenderError(*problems)
        return manifests

    async def decrypt(
        self, job: RenderJob, tree: Tree, files: Iterable[str], withhold: Withholding | None = None
    ) -> Withholding:
        """Decrypt those of the files that are encrypted, in place; what may not be told of them comes back, with what
        `withhold` held already. Nothing is done where the spec does not ask for it.

        Raises RenderError with the problems of all files.
        """
        withhold = withhold or Withholding()
        if job.spec.decryption is None:
            return withhold
        encrypted = await asyncio.to_thread(self._encrypted, tree, files)
        if not encrypted:
            return withhold
        with private_folder(self._vault, "trimtab-sops-") as home:
            sops = Sops(self._find(), self._keys(job), home, self._bounds)
            work = [partial(_decrypt, sops, tree, file, parts, withhold) for file, parts in encrypted.items()]
            answers = await gather_bounded(work, _AT_A_TIME)
        if problems := tuple(problem for answer in answers for problem in answer):
            raise RenderError(*problems)
        return withhold

    def _encrypted(self, tree: Tree, files: Iterable[str]) -> dict[str, tuple[Part, ...]]:
        found = {file: parts_of(tree.read(file), file, limits=self._limits) for file in sorted(set(files))}
        return {file: parts for file, parts in found.items() if parts}

    def _find(self) -> Path:
        program = self._program or Path(shutil.which("sops") or "/nonexistent/sops")
        if not program.is_file():
            message = "sops is not installed"
            raise RenderError(
                Problem(message, remedy="install it beside the controller", reason="DecryptionUnavailable")
            )
        return program.resolve()

    @staticmethod
    def _keys(job: RenderJob) -> DecryptionKeys:
        assert job.spec.decryption is not None
        name = job.spec.decryption.secret_ref.name
        data = job.inputs.objects.get(InputRef("Secret", name))
        if data is None:
            problem = Problem(
                f"the Secret {name} of decryption.secretRef is missing",
                remedy="create it with age keys (*.agekey) or PGP keys (*.asc)",
                reason="SecretNotFound",
                retry=True,
            )
            raise RenderError(problem)
        return decryption_keys(data, name)


async def _decrypt(
    sops: Sops, tree: Tree, file: str, parts: tuple[Part, ...], withhold: Withholding
) -> tuple[Problem, ...]:
    """Decrypt one file in place, wholly or not at all; what is wrong with it comes back."""
    texts: list[bytes] = []
    try:
        for part in parts:
            text = part.text if part.wanted is None else await sops.decrypt(part, file)
            if part.wanted is not None:
                await asyncio.to_thread(withhold.note, text, part.text)
            # Alone it is the file's own end; between others the next line must be one of ---.
            texts.append(text if len(parts) == 1 or text.endswith(b"\n") else text + b"\n")
    except RenderError as error:
        return error.problems
    target = tree.root / file
    try:
        target.unlink()
        target.touch(mode=0o600)
        target.write_bytes(b"---\n".join(texts))
    except OSError:
        message, remedy = "there is not enough memory for what is encrypted", "give /dev/shm more room"
        return (Problem(message, origin=Origin(file), remedy=remedy, reason="DecryptionFailed", retry=True),)
    return ()


def used_files(tree: Tree, path: str, found: Closure, selected: Selection) -> set[str]:
    """The files that are read as manifests or named by a kustomization, by the place where they lie."""
    named = [reference.path for one in found.kustomizations.values() for reference in one.references]
    used = set[str]()
    for name in (*layout(tree.files, path, selected).files, *named):
        try:
            end = resolve_path(name, tree.links).end
        except SourceError:
            continue
        if end in tree.files:
            used.add(end)
    return used
