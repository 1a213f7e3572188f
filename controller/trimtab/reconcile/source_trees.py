"""From a fetched commit to the tree that Applications read: rules applied, includes, submodules and LFS brought in.

The origin of GitRepositories calls it after each fetch, and the CLI for comparisons. A SourceError of it leaves the
last artifact in its place, as one of the fetch does.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from trimtab.api.git_repository import GitRepositorySpec
from trimtab.core.errors import Problem, SourceError
from trimtab.core.manifest import Origin
from trimtab.reconcile.git_tree import GitTree
from trimtab.reconcile.grafted_tree import Graft, GraftedTree
from trimtab.reconcile.ports import Git, GitCredentials
from trimtab.source.addresses import ANYWHERE, AddressPolicy
from trimtab.source.path import repository_path, within, writable
from trimtab.source.selection import Selection
from trimtab.source.submodules import GITMODULES, MAX_DEPTH, credentials_at, same_host, submodule_url

MAX_SUBMODULES = 50
"""Of a repository, those of its submodules included."""

Tree = GitTree | GraftedTree


@dataclass(slots=True, kw_only=True)
class SourceTrees:
    """Makes trees; remembers nothing."""

    git: Git

    async def make(
        self,
        spec: GitRepositorySpec,
        sha: str,
        credentials: GitCredentials | None,
        included: Sequence[Tree] = (),
        *,
        known: Tree | None = None,
        addresses: AddressPolicy = ANYWHERE,
    ) -> Tree:
        """The tree of a fetched commit, with `included` at the places of `spec.include`. Raises SourceError.

        `known` is the tree that came of it the last time; where nothing changed, no rule is applied again.
        `addresses` is where submodules and LFS may lead.
        """
        grafts = [
            await _include(tree, each.from_path or "", each.place)
            for tree, each in zip(included, spec.include, strict=True)
        ]
        _check_places(grafts)
        selection = Selection(
            ignore=spec.ignore or "",
            sparse=tuple(repository_path(folder) for folder in spec.sparse_checkout),
            hidden=tuple(graft.path for graft in grafts),
        )
        base = GitTree(self.git, spec.url, credentials, sha, selection, lfs=spec.lfs, addresses=addresses)
        base = _again(base, known) or await base.selected()
        if spec.lfs:
            await _bring_large(base, spec)
        tree: Tree = base
        if spec.recurse_submodules:
            tree = await _Submodules(self.git, spec, credentials, addresses).graft(base)
        return GraftedTree(tree, tuple(grafts)) if grafts else tree


@dataclass(slots=True)
class _Submodules:
    """Grafts the submodules of one repository."""

    git: Git
    spec: GitRepositorySpec
    credentials: GitCredentials | None
    addresses: AddressPolicy
    left: int = MAX_SUBMODULES

    async def graft(self, base: GitTree, *, depth: int = 0) -> Tree:
        modules = await self.git.submodules(base.url, base.credentials, base.read)
        if modules and depth >= MAX_DEPTH:
            raise _too_many(f"submodules of submodules more than {MAX_DEPTH} deep")
        self.left -= len(modules)
        if self.left < 0:
            raise _too_many(f"more than {MAX_SUBMODULES} submodules")
        grafts = []
        for module in modules:
            url = submodule_url(base.url, module)
            place = "/".join(filter(None, (base.selection.prefix, module.path)))
            tree = await self._fetched(url, module.sha, place)
            grafts.append(Graft(module.path, await self.graft(tree, depth=depth + 1)))
        return GraftedTree(base, tuple(grafts)) if grafts else base

    async def _fetched(self, url: str, sha: str, place: str) -> GitTree:
        """The commit of a submodule. Credentials go nowhere but to the host they were given for."""
        own, seconds = same_host(self.spec.url, url), self.spec.timeout_seconds
        credentials = credentials_at(url, self.credentials, given_for=self.spec.url)
        addresses = self.addresses if own else self.addresses.for_content
        try:
            await self.git.fetch(url, {"commit": sha}, credentials, timeout_seconds=seconds, addresses=addresses)
            selection = Selection(ignore=self.spec.ignore or "", prefix=place)
            tree = GitTree(self.git, url, credentials, sha, selection, lfs=self.spec.lfs, addresses=addresses)
            tree = await tree.selected()
            if self.spec.lfs:
                await _bring_large(tree, self.spec)
        except SourceError as error:
            raise SourceError(
                *(replace(each, message=f"submodule {place[:80]!a}: {each.message}") for each in error.problems)
            ) from None
        return tree


async def _bring_large(tree: GitTree, spec: GitRepositorySpec) -> None:
    await tree.git.fetch_large(
        tree.url, tree.credentials, tree.read, timeout_seconds=spec.timeout_seconds, addresses=tree.addresses
    )


def _again(base: GitTree, known: Tree | None) -> GitTree | None:
    """The same tree as last time, whose root is known."""
    while isinstance(known, GraftedTree):
        known = known.base
    return known if known and replace(known, root="") == base else None


async def _include(tree: Tree, folder: str, place: str) -> Graft:
    path = repository_path(place)
    if not path:
        raise _refused("include[].toPath is the root", "name a folder to put it into")
    if not writable(path):
        raise _refused(f"include[].toPath {path[:80]!a} is no place for files", "name a folder outside of .git")
    try:
        return Graft(path, await tree.part(folder))
    except SourceError as error:
        raise SourceError(
            *(replace(each, message=f"include at {path[:80]!a}: {each.message}") for each in error.problems)
        ) from None


def _check_places(grafts: Sequence[Graft]) -> None:
    for graft in grafts:
        for other in grafts:
            if other is not graft and within(graft.path, (other.path,)):
                raise _refused(
                    f"include[].toPath {graft.path[:80]!a} lies within {other.path[:80]!a} of another include",
                    "give each include a folder of its own",
                )


def _refused(message: str, remedy: str) -> SourceError:
    return SourceError(Problem(message, reason="InvalidInclude", remedy=remedy))


def _too_many(message: str) -> SourceError:
    return SourceError(
        Problem(
            message,
            origin=Origin(GITMODULES),
            reason="SubmoduleRefused",
            remedy="remove some, leave them out by spec.ignore, or set spec.recurseSubmodules to false",
        )
    )
