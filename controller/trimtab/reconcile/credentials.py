"""Credentials of repositories: read from their Secrets once, and again only when told that they may have changed.

At rest a poll of a repository so costs the API server nothing. What the keys mean is `source.secret_keys`' to say.
"""

import base64
import binascii
from dataclasses import replace

from trimtab.api.git_repository import GitProvider, GitRepository
from trimtab.core.errors import Problem, SourceError
from trimtab.core.observed import Absent, Live
from trimtab.core.refs import LOCAL_CLUSTER, ObjectRef
from trimtab.reconcile.ports import GitCredentials, Objects
from trimtab.reconcile.queue import Key
from trimtab.source.secret_keys import credentials_of, proxy_of

_Names = tuple[str, str, str, str]


class CredentialCache:
    """Repository key → credentials of its secretRef, with the proxy of its proxySecretRef."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._known: dict[Key, tuple[_Names, GitCredentials]] = {}

    def forget(self, key: Key) -> None:
        """Have the Secrets read again the next time (the spec changed, somebody poked, or the server refused)."""
        self._known.pop(key, None)

    async def get(self, key: Key, repository: GitRepository) -> GitCredentials | None:
        """The credentials, None where no Secret is named. Raises SourceError where one is absent or malformed."""
        spec = repository.spec
        name = spec.secret_ref.name if spec.secret_ref else ""
        proxy_name = spec.proxy_secret_ref.name if spec.proxy_secret_ref else ""
        if spec.provider is GitProvider.GITHUB and not name:
            raise SourceError(_no_app(ObjectRef(LOCAL_CLUSTER, "", "Secret", key.namespace, name)))
        if not name and not proxy_name:
            return None
        names = (name, proxy_name, spec.url, spec.provider)
        known = self._known.get(key)
        if known and known[0] == names:
            return known[1]
        credentials = GitCredentials()
        if name:
            ref, texts = await self._read(key, name, field="secretRef", remedy=_CREATE)
            credentials = credentials_of(ref, texts, spec.url)
            if spec.provider is GitProvider.GITHUB and credentials.github_app is None:
                raise SourceError(_no_app(ref))
        if proxy_name:
            ref, texts = await self._read(key, proxy_name, field="proxySecretRef", remedy=_CREATE_PROXY)
            credentials = replace(credentials, proxy=proxy_of(ref, texts))
        self._known[key] = (names, credentials)
        return credentials

    async def _read(self, key: Key, name: str, *, field: str, remedy: str) -> tuple[ObjectRef, dict[str, str]]:
        ref = ObjectRef(LOCAL_CLUSTER, "", "Secret", key.namespace, name)
        match await self._objects.get(ref, "v1"):
            case Live(body=body):
                return ref, _texts(ref, body.get("data") or {})
            case Absent():
                raise SourceError(
                    Problem(
                        f"the Secret of {field} is missing", ref, reason="SecretNotFound", retry=True, remedy=remedy
                    )
                )
            case unknown:
                raise SourceError(
                    Problem(f"the Secret cannot be read: {unknown.reason}", ref, retry=True, reason="SecretUnreadable")
                )


_CREATE = "create it with username and password, bearerToken, identity and known_hosts, a GitHub App, or ca.crt"
_CREATE_PROXY = "create it with address, and username and password where the proxy wants them"


def _texts(ref: ObjectRef, data: dict[str, str]) -> dict[str, str]:
    try:
        return {name: base64.b64decode(value, validate=True).decode() for name, value in data.items()}
    except (binascii.Error, UnicodeDecodeError):
        raise SourceError(
            Problem(
                "the Secret holds bytes that are no text",
                ref,
                reason="SecretInvalid",
                remedy="store its values as UTF-8 text; keys and certificates in PEM",
            )
        ) from None


def _no_app(ref: ObjectRef) -> Problem:
    return Problem(
        "provider github needs a Secret with a GitHub App",
        ref if ref.name else None,
        reason="SecretInvalid",
        remedy="name one with githubAppID, githubAppInstallationID and githubAppPrivateKey in secretRef",
    )
