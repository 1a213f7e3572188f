"""Repositories in memory, with mirrors that keep what was fetched: the ports `Git`, `History` and `Renderer`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha1
from pathlib import Path
from typing import Any

from tests.fakes.downloads import FakeTree

from trimtab.core.authorship import LastChange
from trimtab.core.errors import Problem, RenderError, SourceError
from trimtab.core.manifest import Manifest, Origin
from trimtab.core.refs import ObjectRef
from trimtab.core.revision import Revision
from trimtab.reconcile.git_tree import GitTree
from trimtab.reconcile.ports import Clock, CommitInfo, Fetched, GitCredentials, Rendered, RenderJob, Span
from trimtab.source.addresses import ANYWHERE, AddressPolicy
from trimtab.source.path import repository_path
from trimtab.source.remote_base import RemoteBase
from trimtab.source.selection import Selection
from trimtab.source.submodules import Submodule
from trimtab.source.tree_budget import TreeBudget

Folder = Sequence[dict[str, Any]] | Problem
"""A folder's objects, or what is wrong with it."""


class FakeGit:
    """One server and its mirrors. `trouble` is raised by fetches as long as it is set."""

    def __init__(self, clock: Clock) -> None:
        self.trouble: SourceError | None = None
        self.fetches: list[GitCredentials | None] = []
        self.policies: list[AddressPolicy] = []
        self._clock = clock
        self._tips: dict[str, str] = {}
        self._commits: dict[str, CommitInfo] = {}
        self._folders: dict[str, Mapping[str, Folder]] = {}
        self._fetched: set[str] = set()
        self._last: dict[str, str] = {}
        self.tag_sha = ""
        self.selected: list[str] = []
        self.looks: list[tuple[str, ...]] = []
        """The folders of each request for tree SHAs."""
        self._roots: dict[str, str] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.no_tags: set[str] = set()
        """Names that branches have and no tags."""

    def commit(self, folders: Mapping[str, Folder], *, branch: str = "main") -> str:
        """A new tip of a branch; its SHA."""
        sha = sha1(str(len(self._commits)).encode()).hexdigest()
        now = self._clock.now()
        self._commits[sha] = CommitInfo(sha, "Ann", now, "Ben", now, "a change")
        self._folders[sha] = dict(folders)
        self._tips[branch] = sha
        return sha

    def lose_mirrors(self) -> None:
        """The disk of the controller is empty again."""
        self._fetched.clear()

    def folder(self, sha: str, path: str) -> Folder:
        """A folder at a fetched commit. Raises SourceError."""
        sha = self._roots.get(sha, sha)
        if sha not in self._fetched:
            raise SourceError(Problem(f"the commit {sha} is not in the mirror", retry=True))
        if path not in self._folders[sha]:
            raise SourceError(Problem(f"there is no folder {path}", reason="PathNotFound"))
        return self._folders[sha][path]

    async def fetch(
        self,
        url: str,
        ref: Mapping[str, str],
        credentials: GitCredentials | None,
        *,
        timeout_seconds: float,
        addresses: AddressPolicy = ANYWHERE,
    ) -> Fetched:
        """The tip of a branch."""
        self.fetches.append(credentials)
        self.policies.append(addresses)
        self.asked.append((url, dict(ref)))
        if self.trouble is not None:
            raise self.trouble
        if ref.get("tag") in self.no_tags:
            raise SourceError(Problem("there is no such tag", reason="RefNotFound", retry=True))
        if "commit" in ref:
            self._fetched.add(ref["commit"])
            return Fetched(Revision("", ref["commit"]), self._commits[ref["commit"]], True)
        branch = ref.get("branch") or ref["tag"]
        sha = self._tips[branch]
        changed = self._last.get(url) != sha
        self._last[url] = sha
        self._fetched.add(sha)
        return Fetched(Revision(branch, sha), self._commits[sha], changed, sha1(sha.encode()).hexdigest(), self.tag_sha)

    async def raw_object(self, url: str, credentials: GitCredentials | None, sha: str, *, tag_sha: str = "") -> bytes:
        """The name of the object: what the fake verifier needs to know."""
        if sha not in self._fetched:
            raise SourceError(Problem(f"the commit {sha} is not in the mirror", retry=True))
        return (tag_sha or sha).encode()

    async def tree(self, url: str, credentials: GitCredentials | None, sha: str, path: str) -> str:
        """A hash of a folder's content."""
        self.looks.append((path,))
        return await self._hash(sha, path)

    async def _hash(self, sha: str, path: str) -> str:
        sha = self._roots.get(sha, sha)
        if path == "" and sha in self._fetched:
            return sha1(sha.encode()).hexdigest()
        content = self.folder(sha, path)
        return sha1(json.dumps(content, default=str).encode()).hexdigest()

    async def trees(
        self, url: str, credentials: GitCredentials | None, sha: str, paths: Sequence[str]
    ) -> Mapping[str, str]:
        """The same for those of several folders that are there."""
        self.looks.append(tuple(paths))
        found = {}
        for path in paths:
            try:
                found[path] = await self._hash(sha, path)
            except SourceError as error:
                if error.reason != "PathNotFound":
                    raise
        return found

    async def select(self, url: str, credentials: GitCredentials | None, sha: str, selection: Selection) -> str:
        """Nothing is ever left out; a rule gives the same commit another name."""
        self.selected.append(sha)
        self.folder(sha, next(iter(self._folders.get(sha, {})), ""))
        root = sha1(f"{sha}{selection.digest}".encode()).hexdigest() if selection.digest else sha
        self._roots[root] = sha
        return root

    async def submodules(self, url: str, credentials: GitCredentials | None, sha: str) -> Sequence[Submodule]:
        """None."""
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
        """Nothing is in LFS."""
        self.policies.append(addresses)

    async def materialise(
        self,
        url: str,
        credentials: GitCredentials | None,
        sha: str,
        paths: Sequence[str],
        target: Path,
        *,
        lfs: bool = False,
        budget: TreeBudget | None = None,
    ) -> None:
        """Not needed: the renderer reads the folders as they are."""
        raise AssertionError("nobody materialises here")


class FakeHistory:
    """Knows who changed what by URL and place."""

    def __init__(self, changes: Mapping[tuple[str, str], LastChange] | None = None) -> None:
        self.changes = dict(changes or {})
        self.asked: list[tuple[str, tuple[Origin, ...]]] = []
        self.asked_within: list[AddressPolicy] = []
        self.trouble: SourceError | None = None

    async def between(
        self,
        url: str,
        credentials: GitCredentials | None,
        *,
        newer: str,
        older: str,
        timeout_seconds: float,
        addresses: AddressPolicy = ANYWHERE,
    ) -> Span:
        raise AssertionError("nobody asks for what lies between")

    async def last_changes(
        self,
        url: str,
        credentials: GitCredentials | None,
        sha: str,
        places: Sequence[Origin],
        *,
        addresses: AddressPolicy = ANYWHERE,
    ) -> Mapping[Origin, LastChange]:
        self.asked_within.append(addresses)
        self.asked.append((url, tuple(places)))
        if self.trouble:
            raise self.trouble
        return {place: self.changes[url, place.file] for place in places if (url, place.file) in self.changes}


class FakeRenderer:
    """Takes a folder's objects as they are. `rendered` counts; `chart` are further fields of `Rendered`.

    `bases` are remote bases that the folder `shop` names.
    """

    def __init__(self, *, bases: Sequence[RemoteBase] = (), **chart: Any) -> None:
        self.bases = tuple(bases)
        self.rendered = 0
        self.tools: Mapping[str, str] = {"fake": "1"}
        self.jobs: list[RenderJob] = []
        self._chart = chart

    async def render(self, job: RenderJob) -> Rendered:
        """The objects of a folder."""
        self.rendered += 1
        self.jobs.append(job)
        path = repository_path(job.spec.path)
        content: Folder
        if isinstance(job.tree, FakeTree):
            content = job.tree.folders[path]
        else:
            assert isinstance(job.tree, GitTree)
            assert isinstance(job.tree.git, FakeGit)
            content = job.tree.git.folder(job.tree.sha, path)
        if isinstance(content, Problem):
            raise RenderError(replace(content, origin=Origin(f"{path}/a.yaml", 1)))
        manifests = tuple(
            Manifest(ObjectRef.of(body), body["apiVersion"], body, Origin(f"{path}/a.yaml", line))
            for line, body in enumerate(content, 1)
        )
        further = tuple((name, "") for name, tree in job.others.items() if isinstance(tree, FakeTree))
        bases = self.bases if path == "shop" else ()
        for base in bases:
            assert job.bases is not None
            tree = (await job.bases.fetch(base)).tree
            assert isinstance(tree, GitTree)
            assert isinstance(tree.git, FakeGit)
            bodies = tree.git.folder(tree.sha, base.path)
            assert not isinstance(bodies, Problem)
            origin = Origin(f"{base.path}/b.yaml", 1)
            manifests += tuple(Manifest(ObjectRef.of(body), body["apiVersion"], body, origin) for body in bodies)
            further = (*further, (base.name, base.path))
        return Rendered(
            manifests, (("", path), *further), bases=tuple(base.repository for base in bases), **self._chart
        )
