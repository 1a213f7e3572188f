"""Remote bases for rendering: resolved when their refs may have moved, fetched into the mirrors like any repository.

A source's rules flow in with its artifact; desired states get `BasesOfJob` from here for each rendering. What a ref
stood at is remembered for the source's interval, a commit or tag for as long as the process lives. What must be fetched
is fetched beside the turn that asks: until it has come, the turn goes without, or with what the ref stood at before.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import inf
from typing import Final, Protocol

from trimtab.core.errors import Problem, SourceError
from trimtab.core.revision import Revision
from trimtab.reconcile.fetches import Fetches, StillFetching
from trimtab.reconcile.git_tree import GitTree
from trimtab.reconcile.ports import BaseAtHand, Clock, Git, GitCredentials
from trimtab.reconcile.queue import Key
from trimtab.source.addresses import ANYWHERE, AddressPolicy
from trimtab.source.base_prefixes import allowed, check_prefix
from trimtab.source.remote_base import RemoteBase
from trimtab.source.submodules import credentials_at
from trimtab.source.url import server_of

_KEPT: Final = 1000
"""Bases remembered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseRules:
    """Which remote bases a source may take, and how they are fetched.

    `credentials` are those of the Git source at `url`, and go nowhere else. A ref that may move is asked for again
    after `interval_seconds`; never, where the source is suspended.
    """

    prefixes: tuple[str, ...] = ()
    field: str = "spec.remoteBases of the source"
    url: str = ""
    credentials: GitCredentials | None = None
    addresses: AddressPolicy = ANYWHERE
    timeout_seconds: float = 60.0
    interval_seconds: float = 60.0

    def checked(self) -> "BaseRules":
        """The same. Raises SourceError where a prefix is none."""
        for prefix in self.prefixes:
            try:
                check_prefix(prefix)
            except SourceError as error:
                told = (replace(each, message=f"{self.field}: {each.message}") for each in error.problems)
                raise SourceError(*told) from None
        return self

    def suspended(self) -> "BaseRules":
        """The same, by which nothing is asked for again."""
        return replace(self, interval_seconds=inf)

    def reach(self, base: RemoteBase) -> tuple[str, GitCredentials | None]:
        """Where a base is fetched from, and with which credentials."""
        given = credentials_at(base.url, self.credentials, given_for=self.url) if self.url else None
        return base.url, given


NO_BASES: Final = BaseRules()
"""None are allowed."""


class _Spec(Protocol):
    """What the specs of GitRepository and OCIRepository share."""

    @property
    def remote_bases(self) -> tuple[str, ...]: ...
    @property
    def timeout_seconds(self) -> float: ...
    @property
    def interval_seconds(self) -> float: ...


def base_rules(kind: str, name: str, spec: _Spec, addresses: AddressPolicy) -> BaseRules:
    """The rules of a source, without credentials. Raises SourceError where spec.remoteBases holds what is no URL."""
    told = f"spec.remoteBases of {kind} {name}"
    if not spec.remote_bases:
        return BaseRules(field=told)
    return BaseRules(
        prefixes=spec.remote_bases,
        field=told,
        addresses=addresses,
        timeout_seconds=spec.timeout_seconds,
        interval_seconds=spec.interval_seconds,
    ).checked()


@dataclass(frozen=True, slots=True)
class _Resolved:
    """What a ref stood at, and when it was asked for (monotonic seconds); `moves`: it may stand elsewhere by now."""

    tree: GitTree
    revision: Revision
    asked_at: float
    moves: bool


_Key = tuple[str, GitCredentials | None, AddressPolicy, str]


@dataclass(slots=True)
class RemoteBases:
    """One per process."""

    git: Git
    clock: Clock
    standing: Mapping[str, str] = field(default_factory=dict)
    """Revisions by names of bases, which count instead of what their servers say."""
    fetches: Fetches | None = None
    """Where they are fetched; None: in the turn that asks, which waits."""
    _known: OrderedDict[_Key, _Resolved] = field(default_factory=OrderedDict)

    def of(
        self,
        asker: Key,
        rules: BaseRules,
        *,
        asked_at: float = -inf,
        pinned: Mapping[str, str] | None = None,
    ) -> "BasesOfJob":
        """Those of one rendering. Refs that were resolved before `asked_at` (monotonic seconds) are asked for again.

        `pinned` has revisions by the names of bases: then these count, and no server is asked.
        """
        return BasesOfJob(self, asker, rules, asked_at, pinned)

    async def resolve(self, base: RemoteBase, job: "BasesOfJob", *, files: bool) -> _Resolved:
        """What a base stands at; with `files`, they are at hand, too. Raises SourceError, StillFetching."""
        rules = job.rules
        url, credentials = rules.reach(base)
        key = url, credentials, rules.addresses, base.ref
        known = self._known.get(key)
        usable = known is not None and (not files or await _at_hand(known.tree))
        if known is not None and usable and not self._stale(known, job):
            self._known.move_to_end(key)
            return known
        if known is None and base.pinned:
            tree = GitTree(self.git, url, credentials, base.ref, addresses=rules.addresses)
            if await _at_hand(tree):
                return self._remember(key, _Resolved(tree, Revision("", base.ref), self.clock.monotonic(), moves=False))
        try:
            return self._remember(key, await self._ask(key, base, job, known))
        except StillFetching as awaited:
            # Who pokes wants to know of now; the interval says only when to look again. A failure stays one until the
            # server has been reached.
            if known is None or not usable or awaited.failed or known.asked_at < job.asked_at:
                raise
            return known

    def _stale(self, known: _Resolved, job: "BasesOfJob") -> bool:
        if not known.moves:
            return False
        return known.asked_at < job.asked_at or self.clock.monotonic() - known.asked_at >= job.rules.interval_seconds

    async def _ask(self, key: _Key, base: RemoteBase, job: "BasesOfJob", known: _Resolved | None) -> _Resolved:
        """Fetch it, or have it fetched. Raises SourceError, StillFetching."""

        async def fetch() -> _Resolved:
            return self._remember(key, await self._fetch(base, job.rules))

        if self.fetches is None:
            return await fetch()
        # With what was known, so that no answer to an earlier question is taken for one to this.
        what = (RemoteBases, key, job.rules.timeout_seconds, known.asked_at if known else None)
        found: _Resolved | SourceError | None = self.fetches.ask(
            job.asker, what, server_of(key[0]), fetch, kept_seconds=0.0
        )
        if found is None:
            failed = self.fetches.failed(job.asker, what)
            raise StillFetching(f"remote base {base}", anew=known is not None, failed=failed)
        if isinstance(found, SourceError):
            raise found
        return found

    async def _fetch(self, base: RemoteBase, rules: BaseRules) -> _Resolved:
        url, credentials = rules.reach(base)
        now = self.clock.monotonic()
        standing = _revision(self.standing.get(base.name, ""))
        refs = ({"commit": standing.sha},) if standing else base.refs()
        for ref in refs:
            try:
                fetched = await self.git.fetch(
                    url, ref, credentials, timeout_seconds=rules.timeout_seconds, addresses=rules.addresses
                )
            except SourceError as error:
                if error.reason == "RefNotFound" and ref is not refs[-1]:
                    continue
                told = (replace(each, message=f"remote base {base}: {each.message}") for each in error.problems)
                raise SourceError(*told) from None
            tree = GitTree(self.git, url, credentials, fetched.revision.sha, addresses=rules.addresses)
            return _Resolved(tree, standing or fetched.revision, now, moves=not {"commit", "tag"} & ref.keys())
        raise AssertionError("a base has a ref to ask for")

    def _remember(self, key: _Key, found: _Resolved) -> _Resolved:
        self._known[key] = found
        self._known.move_to_end(key)
        while len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return found


@dataclass(slots=True)
class BasesOfJob:
    """Implements the port `Bases`. `given` are those handed out so far, by name; `moving`: one of them may move."""

    bases: RemoteBases
    asker: Key
    rules: BaseRules
    asked_at: float
    pinned: Mapping[str, str] | None
    given: dict[str, tuple[RemoteBase, BaseAtHand]] = field(default_factory=dict)
    moving: bool = False

    @property
    def prefixes(self) -> tuple[str, ...]:
        """See `Bases`."""
        return self.rules.prefixes

    @property
    def field(self) -> str:
        """See `Bases`."""
        return self.rules.field

    async def fetch(self, base: RemoteBase) -> BaseAtHand:
        """See `Bases`. Within one job a base is resolved once, so that all of it is of one revision."""
        if not allowed(base.url, self.rules.prefixes):
            raise SourceError(Problem(f"remote base {base} is not allowed", reason="RemoteBaseRefused"))
        if base.name not in self.given:
            self.given[base.name] = base.repository, await self._at_hand(base)
        return self.given[base.name][1]

    async def stands_at(self, base: RemoteBase) -> str:
        """The revision of a base now, which mostly costs nothing. Raises SourceError."""
        return str((await self.bases.resolve(base, self, files=False)).revision)

    async def _at_hand(self, base: RemoteBase) -> BaseAtHand:
        if self.pinned is None:
            found = await self.bases.resolve(base, self, files=True)
            self.moving = self.moving or found.moves
            return BaseAtHand(found.tree, str(found.revision))
        revision = _revision(self.pinned.get(base.name, ""))
        if revision is None:
            raise SourceError(Problem(f"remote base {base}: its revision is not known", reason="NotRecalled"))
        url, credentials = self.rules.reach(base)
        tree = GitTree(self.bases.git, url, credentials, revision.sha, addresses=self.rules.addresses)
        return BaseAtHand(tree, str(revision))


def _revision(text: str) -> Revision | None:
    try:
        return Revision.parse(text)
    except ValueError:
        return None


async def _at_hand(tree: GitTree) -> bool:
    """Whether a commit is in its mirror still."""
    try:
        await tree.digest("")
    except SourceError:
        return False
    return True
