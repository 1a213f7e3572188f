"""A folder on disk in place of a repository: the port `Git` over somebody's working copy, uncommitted changes included.

The folder flows in; files flow out as a commit of them would hold them. `trimtab diff --path` uses it.
"""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha1
from pathlib import Path, PurePosixPath
from typing import Final

from trimtab.core.errors import Problem, SourceError
from trimtab.core.revision import Revision
from trimtab.reconcile.ports import CommitInfo, Fetched, GitCredentials
from trimtab.source.addresses import ANYWHERE, AddressPolicy
from trimtab.source.ignoring import IgnoreRules, is_ignore_file
from trimtab.source.path import repository_path
from trimtab.source.selection import Selection
from trimtab.source.submodules import Submodule
from trimtab.source.tree_budget import TreeBudget

REVISION: Final = Revision("working-copy", "0" * 40)


class WorkingCopy:
    """Implements `reconcile.ports.Git` with one revision. What git ignores is left out, where it is a git working copy.

    Symbolic links are copied as what they point at, if that is inside the folder, and left out otherwise.
    """

    def __init__(self, root: Path) -> None:
        """Raises SourceError where `root` is no folder."""
        if not root.is_dir():
            raise SourceError(Problem(f"{root} is no folder", reason="PathNotFound", remedy="name a working copy"))
        self._root = root.resolve()
        self._selections: dict[str, tuple[Selection, IgnoreRules]] = {}

    async def fetch(
        self,
        url: str,  # noqa: ARG002  the port has it
        ref: Mapping[str, str],  # noqa: ARG002  the port has it
        credentials: GitCredentials | None,  # noqa: ARG002  the port has it
        *,
        timeout_seconds: float,  # noqa: ARG002  the port has it
        addresses: AddressPolicy = ANYWHERE,  # noqa: ARG002  the port has it
    ) -> Fetched:
        """The one revision there is."""
        nobody = CommitInfo(REVISION.sha, "", 0.0, "", 0.0, "working copy")
        return Fetched(REVISION, nobody, changed=True)

    async def tree(self, url: str, credentials: GitCredentials | None, sha: str, path: str) -> str:  # noqa: ARG002
        """A name for the folder's content at this moment. Raises SourceError where it is none."""
        folder = self._inside(path)
        if not folder.is_dir():
            raise self._missing(path)
        return await asyncio.to_thread(self._digest, path, sha)

    async def trees(
        self, url: str, credentials: GitCredentials | None, sha: str, paths: Sequence[str]
    ) -> Mapping[str, str]:
        """The same for those of several folders that are there."""
        there = [path for path in paths if self._inside(path).is_dir()]
        return {path: await self.tree(url, credentials, sha, path) for path in there}

    async def select(
        self,
        url: str,  # noqa: ARG002  the port has it
        credentials: GitCredentials | None,  # noqa: ARG002  the port has it
        sha: str,  # noqa: ARG002  the port has it
        selection: Selection,
    ) -> str:
        """A name for the rules, which `tree` and `materialise` then obey. Raises SourceError (InvalidIgnore)."""
        name = sha1(selection.digest.encode(), usedforsecurity=False).hexdigest()
        self._selections[name] = selection, await asyncio.to_thread(self._rules, selection)
        return name

    async def submodules(
        self,
        url: str,  # noqa: ARG002  the port has it
        credentials: GitCredentials | None,  # noqa: ARG002  the port has it
        sha: str,  # noqa: ARG002  the port has it
    ) -> Sequence[Submodule]:
        """None: of a submodule's working copy nobody can tell which commit it stands for."""
        return ()

    async def fetch_large(
        self,
        url: str,
        credentials: GitCredentials | None,
        sha: str,
        *,
        timeout_seconds: float,
        addresses: AddressPolicy = ANYWHERE,
    ) -> None:
        """Nothing: a working copy holds the files themselves."""

    async def raw_object(self, url: str, credentials: GitCredentials | None, sha: str, *, tag_sha: str = "") -> bytes:  # noqa: ARG002
        """A working copy has no signed objects. Raises SourceError."""
        raise SourceError(Problem("a working copy is not signed", reason="VerificationFailed", remedy="commit it"))

    async def materialise(
        self,
        url: str,  # noqa: ARG002  the port has it
        credentials: GitCredentials | None,  # noqa: ARG002  the port has it
        sha: str,
        paths: Sequence[str],
        target: Path,
        *,
        lfs: bool = False,  # noqa: ARG002  the port has it
        budget: TreeBudget | None = None,  # noqa: ARG002  the files are the user's own, and on this disk already
    ) -> None:
        """Copy the files at and below `paths` to `target`. Raises SourceError where one does not exist."""
        await asyncio.to_thread(self._copy, paths, target, sha)

    def _rules(self, selection: Selection) -> IgnoreRules:
        files = {name: self._root / name for name in self._files("", "") if is_ignore_file(name)}
        texts = {name: file.read_text(errors="replace") for name, file in files.items() if file.is_file()}
        return IgnoreRules(texts, spec=selection.ignore)

    def _copy(self, paths: Sequence[str], target: Path, sha: str) -> None:
        for path in paths:
            if not self._inside(path).exists():
                raise self._missing(path)
            for name in self._files(path, sha):
                source = (self._root / name).resolve()
                if source.is_relative_to(self._root) and source.is_file():
                    copy = target / name
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(source, copy)

    def _digest(self, path: str, sha: str) -> str:
        digest = sha1(usedforsecurity=False)
        for name in sorted(self._files(path, sha)):
            source = self._root / name
            if source.is_file():
                digest.update(f"{name}\0{source.stat().st_mtime_ns}\0{source.stat().st_size}\n".encode())
        return digest.hexdigest()

    def _files(self, path: str, sha: str) -> list[str]:
        """Names below a path that a selection leaves, relative to the root, with slashes."""
        listed = self._unignored(path)
        if listed is None:
            listed = list(self._walk(self._inside(path)))
        if sha not in self._selections:
            return listed
        selection, rules = self._selections[sha]
        return [name for name in listed if selection.keeps(name) and not rules.ignores(name)]

    def _unignored(self, path: str) -> list[str] | None:
        """What git tracks or would add; None where there is no git, or this is no working copy of it."""
        git = shutil.which("git")
        if git is None:
            return None
        command = [git, "-C", str(self._root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        # No hook, pager or file system monitor of the folder's own configuration is to be started.
        command[1:1] = ["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"]
        done = subprocess.run([*command, "--", path or "."], capture_output=True, check=False)
        return None if done.returncode else [name for name in done.stdout.decode().split("\0") if name]

    def _walk(self, folder: Path) -> Iterator[str]:
        if folder.is_file():
            yield folder.relative_to(self._root).as_posix()
        for place, folders, files in os.walk(folder):
            folders[:] = sorted(name for name in folders if name != ".git")
            for name in files:
                yield (Path(place) / name).relative_to(self._root).as_posix()

    def _inside(self, path: str) -> Path:
        return self._root / PurePosixPath(repository_path(path))

    def _missing(self, path: str) -> SourceError:
        return SourceError(
            Problem(
                f"there is no {path or 'folder'} in {self._root}",
                reason="PathNotFound",
                remedy="give the root of the working copy, in which spec.path lies",
            )
        )
