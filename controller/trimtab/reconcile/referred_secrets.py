"""Secrets that sources refer to: read once per source, and again only when told that they may have changed.

Credentials, accesses of downloads and verifications ask; what the keys of a Secret mean is theirs to say. At rest a
poll so costs the API server nothing. ConfigMaps and Secrets that rendering reads are watched instead: see `inputs`.
"""

import base64
import binascii
from collections.abc import Mapping

from trimtab.core.errors import Problem, SourceError
from trimtab.core.observed import Absent, Live
from trimtab.core.refs import LOCAL_CLUSTER, ObjectRef
from trimtab.reconcile.ports import Objects
from trimtab.reconcile.queue import Key

Files = Mapping[str, bytes]
"""The data of a Secret, decoded."""


class ReferredSecrets:
    """Key of a source → the Secrets that it names, all of its own namespace."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._known: dict[Key, dict[str, Files]] = {}

    def forget(self, key: Key) -> None:
        """Have the Secrets read again the next time (the spec changed, somebody poked, or something was refused)."""
        self._known.pop(key, None)

    async def get(self, key: Key, name: str, *, field: str, remedy: str, anew: bool = False) -> Files:
        """The data of a Secret in the namespace of the source; `anew` asks the server whatever is known.

        `field` and `remedy` are for the error of a Secret that is missing: who refers to it, and what belongs into it.
        Raises SourceError: SecretNotFound, SecretUnreadable (both may pass by themselves) or SecretInvalid.
        """
        known = self._known.setdefault(key, {})
        if anew or name not in known:
            known[name] = await self._read(secret_ref(key, name), field, remedy)
        return known[name]

    async def _read(self, ref: ObjectRef, field: str, remedy: str) -> Files:
        match await self._objects.get(ref, "v1"):
            case Live(body=body):
                return _decoded(ref, body.get("data") or {})
            case Absent():
                message = f"the Secret of {field} is missing"
                raise SourceError(Problem(message, ref, reason="SecretNotFound", retry=True, remedy=remedy))
            case unknown:
                message = f"the Secret of {field} cannot be read: {unknown.reason}"
                raise SourceError(Problem(message, ref, reason="SecretUnreadable", retry=True))


def secret_ref(key: Key, name: str) -> ObjectRef:
    """The Secret of that name beside a source: references stay in one namespace."""
    return ObjectRef(LOCAL_CLUSTER, "", "Secret", key.namespace, name)


def texts(ref: ObjectRef, files: Files) -> dict[str, str]:
    """The data of a Secret that holds nothing but text. Raises SourceError (SecretInvalid)."""
    try:
        return {name: value.decode() for name, value in files.items()}
    except UnicodeDecodeError:
        remedy = "store its values as UTF-8 text; keys and certificates in PEM"
        raise SourceError(
            Problem("the Secret holds bytes that are no text", ref, reason="SecretInvalid", remedy=remedy)
        ) from None


def _decoded(ref: ObjectRef, data: Mapping[str, str]) -> Files:
    try:
        return {name: base64.b64decode(value, validate=True) for name, value in data.items()}
    except (binascii.Error, ValueError):
        raise SourceError(Problem("the Secret's data is no Base64", ref, reason="SecretInvalid")) from None
