"""The port `Git`: mirrors of repositories in a data folder, one per URL and credentials.

Declared URLs, refs and credentials flow in from the loop; revisions, tree SHAs and files flow out. Work is done in
worker processes; here are locks, joint flights and deadlines.
"""

import asyncio
import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trimtab.adapters.git.app_tokens import AppTokens
from trimtab.adapters.git.data_folder import DataFolder, remove
from trimtab.adapters.git.findings import fetched_of, too_slow
from trimtab.adapters.git.flights import Flight, Flights
from trimtab.adapters.git.limits import GitLimits
from trimtab.adapters.git.messages import (
    AppToken,
    AppTokenAnswer,
    Cleanup,
    Condition,
    Fetch,
    FetchAnswer,
    FetchLarge,
    Materialise,
    Modules,
    RawObject,
    Request,
    Select,
    Tree,
    Trees,
)
from trimtab.adapters.git.worker_pool import MirrorUnreadable, WorkerPool
from trimtab.core.errors import SourceError
from trimtab.reconcile.ports import Fetched, GitCredentials
from trimtab.source.addresses import ANYWHERE, AddressPolicy
from trimtab.source.credentials import check_credentials
from trimtab.source.failures import timed_out
from trimtab.source.path import repository_path
from trimtab.source.ref import check_sha, wanted_ref
from trimtab.source.selection import Selection
from trimtab.source.signed_object import MAX_OBJECT_BYTES
from trimtab.source.submodules import Submodule
from trimtab.source.tree_budget import TreeBudget
from trimtab.source.url import check_url

_CLEANUP_TIMEOUT_SECONDS = 600.0
_FORGET_EVERY_SECONDS = 3600.0
_DOUBTFUL = frozenset({"GitFailed", "ContentRefused"})
_CUT_SHORT = frozenset({"GitWorkerLost", "Stopping", "TransferFailed", "TimedOut", "StorageFull", "RepositoryTooLarge"})


@dataclass(eq=False, slots=True)
class _Mirror:
    path: Path
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    large: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while files of LFS come, so that none comes twice."""
    condition: Condition = Condition.UNSURE
    known: dict[tuple[tuple[str, str], ...], Fetched] = field(default_factory=dict)
    fetches_since_cleanup: int = 0


class GitMirrors:
    """Implements `reconcile.ports.Git`. `data_dir` belongs to one process at a time.

    Call `start` early (the zygote is small then and stays so), and `close` at the end; both from the event loop that
    uses the mirrors.
    """

    def __init__(self, data_dir: Path, *, limits: GitLimits | None = None) -> None:
        self._folder = DataFolder(data_dir)
        self._limits = limits or GitLimits()
        self._pool = WorkerPool(self._limits)
        self._flights: Flights[Fetched] = Flights()
        self._tokens = AppTokens(self._mint)
        self._mirrors: dict[Path, _Mirror] = {}
        self._chores: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Take the data folder, start the zygote and a first worker.

        Raises SourceError (DataFolderInUse) where another process holds the folder, OSError where it cannot be made.
        """
        self._folder.open()
        self._pool.start()
        self._do_later(self._forget())

    async def close(self) -> None:
        """Stop all work, end all processes, release the data folder."""
        for chore in list(self._chores):
            chore.cancel()
        await asyncio.gather(*self._chores, return_exceptions=True)
        await self._pool.close()
        self._folder.close()

    @property
    def pids(self) -> frozenset[int]:
        """Process IDs of the zygote and the workers, for whoever sums up memory."""
        return self._pool.pids

    async def fetch(
        self,
        url: str,
        ref: Mapping[str, str],
        credentials: GitCredentials | None,
        *,
        timeout_seconds: float,
        addresses: AddressPolicy = ANYWHERE,
    ) -> Fetched:
        """Resolve `ref` and have its commit at hand; see the port. Nothing is transferred where it did not move.

        Reasons of SourceError: those of `source` (InvalidURL, InvalidRef, InvalidCredentials) and of
        `source.failures`, RefNotFound, EmptyRepository, CommitNotOnBranch, Redirected, TimedOut, MirrorBroken,
        AddressRefused where `addresses` does not allow the server's or the proxy's.
        """
        check_url(url)
        wanted_ref(ref)
        given = credentials or GitCredentials()
        check_credentials(url, given)
        mirror = self._mirror(url, credentials)
        wanted = tuple(sorted((key, value) for key, value in ref.items() if value))
        # Who may not go where another may, does not join the other's flight.
        key = (mirror.path, wanted, addresses)

        async def make(flight: Flight[Fetched]) -> Fetched:
            async with mirror.lock:
                self._flights.depart(key, flight)
                async with asyncio.timeout(flight.timeout_seconds):
                    return await self._fetch(mirror, url, wanted, given, addresses)

        try:
            async with asyncio.timeout(timeout_seconds):
                return await self._flights.join(key, make, timeout_seconds=timeout_seconds)
        except TimeoutError:
            raise SourceError(timed_out(url, timeout_seconds=timeout_seconds)) from None

    async def tree(self, url: str, credentials: GitCredentials | None, sha: str, path: str) -> str:
        """The tree SHA of a folder at a fetched commit. Raises SourceError: PathNotFound, CommitNotFetched."""
        mirror = self._mirror(url, credentials)
        request = Tree(mirror=str(mirror.path), sha=check_sha(sha), path=repository_path(path))
        return str((await self._local(mirror, request))["sha"])

    async def trees(
        self, url: str, credentials: GitCredentials | None, sha: str, paths: Sequence[str]
    ) -> dict[str, str]:
        """The tree SHAs of those of the folders that a fetched commit has. Raises SourceError: CommitNotFetched."""
        mirror = self._mirror(url, credentials)
        spelled = {path: repository_path(path) for path in paths}
        request = Trees(mirror=str(mirror.path), sha=check_sha(sha), paths=sorted(set(spelled.values())))
        found = (await self._local(mirror, request))["shas"]
        return {path: found[normal] for path, normal in spelled.items() if normal in found}

    async def select(self, url: str, credentials: GitCredentials | None, sha: str, selection: Selection) -> str:
        """The tree that a selection leaves of a fetched commit; `selecting.select` says what it raises."""
        mirror = self._mirror(url, credentials)
        request = Select(
            mirror=str(mirror.path),
            sha=check_sha(sha),
            ignore=selection.ignore,
            sparse=[repository_path(path) for path in selection.sparse],
            hidden=[repository_path(path) for path in selection.hidden],
            prefix=repository_path(selection.prefix),
            folder=repository_path(selection.folder),
            name=selection.digest,
            max_files=self._limits.max_selected_files,
        )
        return str((await self._local(mirror, request))["sha"])

    async def submodules(self, url: str, credentials: GitCredentials | None, sha: str) -> list[Submodule]:
        """The submodules of a fetched commit or selected tree; `modules.modules` says what it raises."""
        mirror = self._mirror(url, credentials)
        request = Modules(mirror=str(mirror.path), sha=check_sha(sha), max_modules=self._limits.max_modules)
        return [Submodule(*each) for each in (await self._local(mirror, request))["modules"]]

    async def fetch_large(
        self,
        url: str,
        credentials: GitCredentials | None,
        sha: str,
        *,
        timeout_seconds: float,
        addresses: AddressPolicy = ANYWHERE,
    ) -> None:
        """Bring what LFS pointers stand for; `large_files.fetch_large` says what it raises."""
        limits = self._limits
        details = {"sha": check_sha(sha), "max_files": limits.max_lfs_files, "max_bytes": limits.max_lfs_bytes}
        async with self._mirror(url, credentials).large:
            await self.ask(
                url, credentials, FetchLarge, timeout_seconds=timeout_seconds, addresses=addresses, **details
            )

    async def ask(
        self,
        url: str,
        credentials: GitCredentials | None,
        kind: type[Fetch],
        *,
        timeout_seconds: float,
        addresses: AddressPolicy,
        **details: Any,
    ) -> dict[str, Any]:
        """A request of another kind than fetching a ref, which needs the server and writes beside the tips only."""
        mirror = self._mirror(url, credentials)
        given = credentials or GitCredentials()
        check_credentials(check_url(url), given)
        try:
            async with asyncio.timeout(timeout_seconds):
                shared = await self._access(mirror, url, given, addresses)
                request = kind(**shared | {"ref": {}, "condition": Condition.SOUND} | details)
                return await self._pool.call(request, network=True)
        except MirrorUnreadable:
            if kind is FetchLarge:
                mirror.condition = Condition.BROKEN
            raise
        except SourceError as error:
            if error.reason == "AuthenticationFailed":
                self._tokens.forget(given)
            raise
        except TimeoutError:
            raise SourceError(timed_out(url, timeout_seconds=timeout_seconds)) from None

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
        """Write files of a fetched commit below `target`; `materialising.materialise` says how and what it raises."""
        mirror, budget = self._mirror(url, credentials), budget or TreeBudget(self._limits.max_tree_bytes)
        request = Materialise(
            mirror=str(mirror.path),
            sha=check_sha(sha),
            paths=[repository_path(path) for path in paths],
            target=_absolute(target),
            max_files=self._limits.max_files,
            max_bytes=min(self._limits.max_tree_bytes, budget.limit_bytes),
            spent_bytes=budget.spent_bytes,
            lfs=lfs,
        )
        budget.spend((await self._local(mirror, request))["bytes"])

    async def raw_object(self, url: str, credentials: GitCredentials | None, sha: str, *, tag_sha: str = "") -> bytes:
        """The bytes of a fetched commit, or of its tag object. Raises SourceError: CommitNotFetched, ContentRefused."""
        mirror = self._mirror(url, credentials)
        request = RawObject(
            mirror=str(mirror.path),
            sha=check_sha(sha),
            tag_sha=check_sha(tag_sha) if tag_sha else "",
            max_bytes=MAX_OBJECT_BYTES,
        )
        return base64.b64decode(str((await self._local(mirror, request))["base64"]))

    def folder(self, url: str, credentials: GitCredentials | None) -> Path:
        """Where the mirror of a repository lies, or will."""
        return self._mirror(url, credentials).path

    async def _access(
        self, mirror: _Mirror, url: str, credentials: GitCredentials, addresses: AddressPolicy
    ) -> dict[str, Any]:
        """What every request that needs the server holds. Raises SourceError where an App gets no token."""
        logged_in = await self._tokens.logged_in(credentials, addresses)
        return {
            "mirror": str(mirror.path),
            "url": url,
            "credentials": logged_in.to_body(),
            "addresses": addresses.to_body(),
            "max_pack_bytes": self._limits.max_pack_bytes,
        }

    def _mirror(self, url: str, credentials: GitCredentials | None) -> _Mirror:
        path = self._folder.mirror(url, credentials)
        return self._mirrors.setdefault(path, _Mirror(path))

    async def _fetch(
        self,
        mirror: _Mirror,
        url: str,
        wanted: tuple[tuple[str, str], ...],
        credentials: GitCredentials,
        addresses: AddressPolicy,
    ) -> Fetched:
        access = await self._access(mirror, url, credentials, addresses)
        if mirror.condition is not Condition.SOUND:
            mirror.known.clear()
        known = mirror.known.get(wanted)
        request = Fetch(
            **access,
            ref=dict(wanted),
            known_sha=known.revision.sha if known else "",
            known_tag_sha=known.tag_sha if known else "",
            condition=mirror.condition,
        )
        mirror.condition = Condition.UNSURE
        try:
            answer = FetchAnswer(**await self._pool.call(request, network=True))
        except MirrorUnreadable:
            mirror.condition = Condition.BROKEN
            raise
        except SourceError as error:
            if error.reason == "AuthenticationFailed":
                self._tokens.forget(credentials)
            if error.reason in _DOUBTFUL:
                mirror.condition = Condition.DOUBTFUL
            elif error.reason not in _CUT_SHORT:
                # The server refused before anything was written.
                mirror.condition = Condition.SOUND
            raise
        mirror.condition = Condition.SOUND
        fetched = fetched_of(answer, known)
        mirror.known[wanted] = fetched
        if fetched.changed:
            mirror.fetches_since_cleanup += 1
            if mirror.fetches_since_cleanup >= self._limits.fetches_per_cleanup:
                mirror.fetches_since_cleanup = 0
                self._do_later(self._clean_up(mirror))
        return fetched

    async def _local(self, mirror: _Mirror, request: Request) -> dict[str, Any]:
        seconds = self._limits.local_timeout_seconds
        try:
            async with asyncio.timeout(seconds):
                return await self._pool.call(request)
        except MirrorUnreadable:
            mirror.condition = Condition.BROKEN
            raise
        except TimeoutError:
            raise SourceError(too_slow(seconds)) from None
        except SourceError as error:
            if error.reason == "CommitNotFetched":
                mirror.known.clear()
            raise

    async def _mint(self, request: AppToken) -> AppTokenAnswer:
        return AppTokenAnswer(**await self._pool.call(request, network=True))

    async def _clean_up(self, mirror: _Mirror) -> None:
        async with mirror.lock:
            before, mirror.condition = mirror.condition, Condition.UNSURE
            try:
                async with asyncio.timeout(_CLEANUP_TIMEOUT_SECONDS):
                    await self._pool.call(
                        Cleanup(
                            mirror=str(mirror.path),
                            kept_commits=self._limits.kept_commits,
                            forget_seconds=self._limits.forget_seconds,
                            max_history_bytes=self._limits.max_history_bytes,
                        )
                    )
            except (SourceError, TimeoutError):
                # Housekeeping only: the next fetch mends what was left half done, the next round tries again.
                return
            mirror.condition = before
            mirror.known.clear()

    async def _forget(self) -> None:
        """Now and then remove mirrors long unused: of repositories no longer declared, of passwords since changed."""
        forget_seconds = self._limits.forget_seconds
        while True:
            for path in await asyncio.to_thread(self._folder.stale, forget_seconds):
                mirror = self._mirrors.setdefault(path, _Mirror(path))
                async with mirror.lock:
                    mirror.condition = Condition.UNSURE
                    await asyncio.to_thread(remove, path, forget_seconds=forget_seconds)
            await asyncio.sleep(min(_FORGET_EVERY_SECONDS, forget_seconds))

    def _do_later(self, work: Any) -> None:
        chore = asyncio.ensure_future(work)
        self._chores.add(chore)
        chore.add_done_callback(self._chores.discard)


def _absolute(path: Path) -> str:
    """A worker has a working folder of its own."""
    return str(path.absolute())
