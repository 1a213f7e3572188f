"""The port `History` over the mirrors: asked when somebody wants to know, in repositories beside those of the tips.

URLs, credentials and revisions flow in; commits and authors flow out. What could not be had is not asked for again for
a while, so that no error makes work for a server again and again.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from trimtab.adapters.git.findings import commit_of
from trimtab.adapters.git.limits import GitLimits
from trimtab.adapters.git.messages import Between, Fetch, LastChanges
from trimtab.adapters.git.mirrors import GitMirrors
from trimtab.core.authorship import LastChange
from trimtab.core.errors import SourceError
from trimtab.core.manifest import Origin
from trimtab.reconcile.ports import GitCredentials, Span
from trimtab.source.addresses import ANYWHERE, AddressPolicy
from trimtab.source.path import repository_path
from trimtab.source.ref import check_sha


class GitHistories:
    """Implements `reconcile.ports.History`. One at a time per URL and credentials talks to the server."""

    def __init__(self, mirrors: GitMirrors, *, limits: GitLimits | None = None) -> None:
        self._mirrors = mirrors
        self._limits = limits or GitLimits()
        self._locks: dict[Path, asyncio.Lock] = {}
        self._refused: dict[tuple[str, Path, AddressPolicy], tuple[float, SourceError]] = {}

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
        """The commits that two revisions do not share; see the port. Raises SourceError, also HistoryTooLarge."""
        answer = await self._ask(
            "between",
            (url, credentials, addresses),
            Between,
            timeout_seconds,
            newer=check_sha(newer),
            older=check_sha(older),
            max_commits=self._limits.max_between,
            max_pack_bytes=self._limits.max_history_bytes,
        )
        return Span(
            added=tuple(map(commit_of, answer["added"])),
            dropped=tuple(map(commit_of, answer["dropped"])),
            truncated=answer["truncated"],
            related=answer["related"],
        )

    async def last_changes(
        self,
        url: str,
        credentials: GitCredentials | None,
        sha: str,
        places: Sequence[Origin],
        *,
        addresses: AddressPolicy = ANYWHERE,
    ) -> Mapping[Origin, LastChange]:
        """Who last changed files; see the port. Raises SourceError."""
        asked = {(repository_path(place.file), place.line): place for place in places}
        answer = await self._ask(
            "last changes",
            (url, credentials, addresses),
            LastChanges,
            self._limits.blame_timeout_seconds,
            sha=check_sha(sha),
            places=[list(place) for place in asked],
            depths=list(self._limits.blame_depths),
            max_pack_bytes=self._limits.max_blame_bytes,
        )
        return {
            asked[path, line]: LastChange(commit, author, of_line)
            for path, line, commit, author, of_line in answer["changes"]
        }

    async def _ask(
        self,
        what: str,
        reach: tuple[str, GitCredentials | None, AddressPolicy],
        kind: type[Fetch],
        timeout_seconds: float,
        **details: Any,
    ) -> dict[str, Any]:
        url, credentials, addresses = reach
        mirror = self._mirrors.folder(url, credentials)
        # Who may not go where another may, is not told what the other was told.
        asked = (what, mirror, addresses)
        async with self._locks.setdefault(mirror, asyncio.Lock()):
            refused = self._refused.get(asked)
            if refused and time.monotonic() < refused[0]:
                raise refused[1]
            try:
                answer = await self._mirrors.ask(
                    url, credentials, kind, timeout_seconds=timeout_seconds, addresses=addresses, **details
                )
            except SourceError as error:
                # A commit that is not there costs one question, and says nothing of others.
                if error.reason != "RefNotFound":
                    self._refused[asked] = (time.monotonic() + self._limits.history_pause_seconds, error)
                raise
            self._refused.pop(asked, None)
            return answer
