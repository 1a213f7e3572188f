"""Credentials of repositories: read from the Secret once, and again only when told that they may have changed.

At rest a poll of a repository so costs the API server nothing.
"""

import base64
import binascii

from trimtab.api.git_repository import GitRepository
from trimtab.core.errors import Problem, SourceError
from trimtab.core.observed import Absent, Live
from trimtab.core.refs import LOCAL_CLUSTER, ObjectRef
from trimtab.reconcile.ports import GitCredentials, Objects
from trimtab.reconcile.queue import Key


class CredentialCache:
    """Repository key → credentials of its secretRef."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._known: dict[Key, tuple[str, GitCredentials]] = {}

    def forget(self, key: Key) -> None:
        """Have the Secret read again the next time (the spec changed, somebody poked, or the server refused)."""
        self._known.pop(key, None)

    async def get(self, key: Key, repository: GitRepository) -> GitCredentials | None:
        """The credentials, None without secretRef. Raises SourceError where the Secret is absent or malformed."""
        if repository.spec.secret_ref is None:
            return None
        name = repository.spec.secret_ref.name
        known = self._known.get(key)
        if known and known[0] == name:
            return known[1]
        ref = ObjectRef(LOCAL_CLUSTER, "", "Secret", key.namespace, name)
        match await self._objects.get(ref, "v1"):
            case Live(body=body):
                credentials = _credentials(ref, body.get("data") or {})
            case Absent():
                raise SourceError(
                    Problem(
                        "the Secret of secretRef is missing",
                        ref,
                        reason="SecretNotFound",
                        retry=True,
                        remedy="create it with username and password, or ca.crt",
                    )
                )
            case unknown:
                raise SourceError(
                    Problem(f"the Secret cannot be read: {unknown.reason}", ref, retry=True, reason="SecretUnreadable")
                )
        self._known[key] = (name, credentials)
        return credentials


def _credentials(ref: ObjectRef, data: dict[str, str]) -> GitCredentials:
    try:
        texts = {name: base64.b64decode(value, validate=True).decode() for name, value in data.items()}
    except (binascii.Error, UnicodeDecodeError):
        raise SourceError(
            Problem(
                "the Secret holds bytes that are no text",
                ref,
                reason="SecretInvalid",
                remedy="store username, password and ca.crt as UTF-8 text",
            )
        ) from None
    if bool(texts.get("username")) != bool(texts.get("password")):
        raise SourceError(
            Problem(
                "the Secret has only one of username and password",
                ref,
                reason="SecretInvalid",
                remedy="set both, or neither",
            )
        )
    return GitCredentials(texts.get("username", ""), texts.get("password", ""), texts.get("ca.crt", ""))
