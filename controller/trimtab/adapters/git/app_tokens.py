"""Tokens of GitHub Apps, kept until shortly before they expire.

Credentials that hold an App flow in, the same with its token flow out; `mirrors` calls it before each fetch. Tokens are
in memory only.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Final

from trimtab.adapters.git.messages import AppToken, AppTokenAnswer
from trimtab.source.addresses import AddressPolicy
from trimtab.source.credentials import GitCredentials

MARGIN_SECONDS: Final = 600.0
"""A token is replaced so long before it expires: a fetch that begins with it shall end with it."""
USER: Final = "x-access-token"
_Key = tuple[GitCredentials, AddressPolicy]
Mint = Callable[[AppToken], Awaitable[AppTokenAnswer]]


@dataclass(slots=True)
class AppTokens:
    """`mint` obtains a token, `now` is in seconds since the epoch, as expiries are."""

    mint: Mint
    now: Callable[[], float] = time.time
    _known: dict[_Key, AppTokenAnswer] = field(default_factory=dict)
    _locks: dict[_Key, asyncio.Lock] = field(default_factory=dict)

    async def logged_in(self, credentials: GitCredentials, addresses: AddressPolicy) -> GitCredentials:
        """The credentials with user name and password in the App's place; unchanged without an App."""
        if credentials.github_app is None:
            return credentials
        key = (credentials, addresses)
        # One at a time: refs of one repository are fetched together, and need one token.
        async with self._locks.setdefault(key, asyncio.Lock()):
            known = self._known.get(key)
            if known is None or known.expires - MARGIN_SECONDS < self.now():
                self._forget_expired()
                request = AppToken(credentials=credentials.to_body(), addresses=addresses.to_body())
                known = self._known[key] = await self.mint(request)
        return replace(credentials, github_app=None, username=USER, password=known.token)

    def forget(self, credentials: GitCredentials) -> None:
        """Have a token obtained anew: the server refused it, because permissions changed or it was revoked."""
        for key in [key for key in self._known if key[0] == credentials]:
            del self._known[key]

    def _forget_expired(self) -> None:
        now = self.now()
        for key in [key for key, token in self._known.items() if token.expires < now]:
            del self._known[key]
            if not self._locks[key].locked():
                del self._locks[key]
