"""The registry protocol as far as reading goes: manifests and blobs by digest, tags, referrers, and proving who we are.

A `WebClient` and an address flow in, verified bytes flow out; `sources` and `signatures` call it. Every byte that is
believed was checked against its digest.
"""

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import IO, Any, Final
from urllib.parse import urlencode, urljoin

from trimtab.adapters.http.client import Answer, WebClient, basic
from trimtab.adapters.http.failures import digest_differs, status_failure
from trimtab.adapters.oci.tokens import DEFAULT_SECONDS, Place, TokenCache
from trimtab.core.errors import Problem, SourceError
from trimtab.source.oci_address import is_digest, is_tag
from trimtab.source.oci_manifest import (
    MANIFEST_TYPES,
    MAX_MANIFEST_BYTES,
    OCI_INDEX,
    Descriptor,
    Index,
    Manifest,
    parse_manifest,
)
from trimtab.source.redirects import origin
from trimtab.source.registry_auth import parse_challenge
from trimtab.source.url import show_url

_ACCEPT: Final = {"Accept": ", ".join(MANIFEST_TYPES)}
_NEXT: Final = re.compile(r'<([^<>\s]{1,2000})>\s*;\s*rel="?next"?')
_MAX_PAGES: Final = 200
MAX_TAGS: Final = 50_000
_MAX_TOKEN_BYTES: Final = 256 * 1024
_TOKEN_SECONDS: Final = 3600.0
_BASIC_SECONDS: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Found:
    """A manifest as the registry has it."""

    digest: str
    content: Manifest | Index


class Registry:
    """One repository of a registry, asked by one client. Raises SourceError throughout."""

    def __init__(
        self, client: WebClient, api: str, *, username: str, password: str, tokens: TokenCache, place: Place
    ) -> None:
        self._client = client
        self._api = api
        self._username = username
        self._password = password
        self._tokens = tokens
        self._place = place

    async def digest_of(self, tag: str) -> str:
        """The digest that a tag stands for, by one HEAD where the registry tells it there."""
        answer = await self._ask(f"/manifests/{tag}", method="HEAD", headers=_ACCEPT, limit=0, expected=(200, 405))
        digest = answer.headers.get("docker-content-digest", "")
        if is_digest(digest):
            return digest
        whole = await self._ask(f"/manifests/{tag}", headers=_ACCEPT, limit=MAX_MANIFEST_BYTES)
        return _digest(whole.body)

    async def manifest(self, digest: str) -> Found:
        """The manifest of a digest, which its bytes are checked against."""
        answer = await self._ask(f"/manifests/{digest}", headers=_ACCEPT, limit=MAX_MANIFEST_BYTES)
        return self._read(answer, digest)

    async def tagged(self, tag: str) -> Found | None:
        """The manifest that a tag stands for now; None where there is no such tag."""
        answer = await self._ask(f"/manifests/{tag}", headers=_ACCEPT, limit=MAX_MANIFEST_BYTES, expected=(200, 404))
        return None if answer.status == 404 else self._read(answer, _digest(answer.body))

    async def referrers(self, digest: str) -> Index | None:
        """What refers to a manifest; None where the registry does not keep account of that."""
        headers = {"Accept": OCI_INDEX}
        answer = await self._ask(
            f"/referrers/{digest}", headers=headers, limit=MAX_MANIFEST_BYTES, expected=(200, 400, 404, 405)
        )
        if answer.status != 200 or _media_type(answer) != OCI_INDEX:
            return None
        found = parse_manifest(answer.body, OCI_INDEX)
        return found if isinstance(found, Index) else None

    async def tags(self) -> list[str]:
        """All tags, as long as they are not too many to compare."""
        found: list[str] = []
        seen = 0
        path = "/tags/list?n=1000"
        for _ in range(_MAX_PAGES):
            answer = await self._ask(path, limit=MAX_MANIFEST_BYTES)
            listed, tags = await asyncio.to_thread(_tags, answer)
            seen += listed
            if seen > MAX_TAGS:
                raise _too_many(self._api)
            found += tags
            following = _NEXT.search(answer.headers.get("link", ""))
            if following is None:
                return found
            target = urljoin(f"{self._api}{path}", following[1])
            if not target.startswith(f"{self._api}/tags/list?"):
                raise _confused(answer.url, "its list of tags goes on at another place")
            path = target.removeprefix(self._api)
        raise _confused(self._api, "its list of tags has no end")

    async def blob(self, wanted: Descriptor, target: IO[bytes], *, limit: int) -> None:
        """Write a blob, of the announced size and digest, to a file."""
        if wanted.size > limit:
            message = f"{show_url(self._api)}: a layer is larger than {limit} bytes"
            raise SourceError(Problem(message, reason="TooLarge", remedy="publish something smaller", retry=True))
        url = f"{self._api}/blobs/{wanted.digest}"
        authorization = self._tokens.get(self._place)
        await self._client.save(url, target, authorization=authorization, limit=wanted.size, digest=wanted.digest)

    async def small_blob(self, wanted: Descriptor, *, limit: int) -> bytes:
        """A blob that is small enough for memory."""
        answer = await self._ask(f"/blobs/{wanted.digest}", limit=min(limit, wanted.size))
        if _digest(answer.body) != wanted.digest:
            raise digest_differs(answer.url, wanted.digest)
        return answer.body

    def _read(self, answer: Answer, digest: str) -> Found:
        if _digest(answer.body) != digest:
            raise digest_differs(answer.url, digest)
        return Found(digest, parse_manifest(answer.body, _media_type(answer)))

    async def _ask(
        self,
        path: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        limit: int,
        expected: tuple[int, ...] = (200,),
    ) -> Answer:
        """Ask as the registry wants to be asked: first with what worked last, then as its challenge says."""
        url = f"{self._api}{path}"
        proof = self._tokens.get(self._place)
        for again in (True, True, False):
            answer = await self._client.ask(
                url, method=method, headers=headers, authorization=proof, limit=limit, expected=(*expected, 401)
            )
            if answer.status != 401:
                return answer
            self._tokens.forget(self._place)
            proof = await self._prove(answer, refused=proof) if again else ""
        raise status_failure(url, 401)

    async def _prove(self, answer: Answer, *, refused: str) -> str:
        """The next Authorization to try. Raises SourceError where there is nothing else to try."""
        # What a redirect led to has no claim to our credentials.
        asked = origin(answer.url) == origin(self._api)
        challenge = parse_challenge(answer.headers.get("www-authenticate", ""))
        if asked and challenge.scheme == "basic" and self._username:
            proof = basic(self._username, self._password)
            if proof != refused:
                self._tokens.put(self._place, proof, seconds=_BASIC_SECONDS)
                return proof
        if asked and challenge.scheme == "bearer" and challenge.parameters.get("realm"):
            return await self._token(challenge.parameters)
        raise status_failure(answer.url, 401)

    async def _token(self, told: Mapping[str, str]) -> str:
        realm = told["realm"]
        if origin(realm)[0] != "https" and origin(self._api)[0] == "https":
            raise _confused(self._api, "it wants us to prove who we are without TLS")
        query = {name: told[name] for name in ("service", "scope") if told.get(name)}
        separator = "&" if "?" in realm else "?"
        answer = await self._client.ask(
            f"{realm}{separator}{urlencode(query)}",
            authorization=basic(self._username, self._password),
            limit=_MAX_TOKEN_BYTES,
        )
        body = _json(answer)
        token = body.get("token") or body.get("access_token")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise _confused(answer.url, "it gave no token")
        lasts = body.get("expires_in")
        seconds = float(lasts) if isinstance(lasts, int) and lasts > 0 else DEFAULT_SECONDS
        self._tokens.put(self._place, f"Bearer {token}", seconds=min(seconds, _TOKEN_SECONDS))
        return f"Bearer {token}"


def _tags(answer: Answer) -> tuple[int, list[str]]:
    """How many a page lists, and those that are any."""
    found = _json(answer).get("tags") or []
    if not isinstance(found, list):
        raise _confused(answer.url, "its list of tags is none")
    return len(found), [tag for tag in found[:MAX_TAGS] if is_tag(tag)]


def _too_many(url: str) -> SourceError:
    message = f"{show_url(url)}: it lists more than {MAX_TAGS} tags"
    remedy = "set spec.ref.tag or digest instead of semver, or remove old tags"
    return SourceError(Problem(message, reason="TooManyTags", remedy=remedy, retry=True))


def _json(answer: Answer) -> dict[str, Any]:
    try:
        body = json.loads(answer.body)
    except (ValueError, RecursionError):
        raise _confused(answer.url, "it answers something that is no JSON") from None
    if not isinstance(body, dict):
        raise _confused(answer.url, "it answers something that is no object")
    return body


def _media_type(answer: Answer) -> str:
    return answer.headers.get("content-type", "").partition(";")[0].strip()


def _digest(content: bytes) -> str:
    return f"sha256:{sha256(content).hexdigest()}"


def _confused(url: str, fault: str) -> SourceError:
    message = f"{show_url(url)}: this is no proper OCI registry: {fault}"
    return SourceError(Problem(message, reason="ServerError", remedy="check spec.url", retry=True))
