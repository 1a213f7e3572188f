"""What downloads show of us: read from Secrets once, and again only when told that they may have changed.

The origins of OCI and chart sources ask; at rest a poll so costs the API server nothing.
"""

import base64
import binascii
from collections.abc import Mapping

from trimtab.core.errors import Problem, SourceError
from trimtab.core.observed import Absent, Live
from trimtab.core.refs import LOCAL_CLUSTER, ObjectRef
from trimtab.reconcile.ports import Objects
from trimtab.reconcile.ports.downloads import NO_ACCESS, Access
from trimtab.reconcile.queue import Key
from trimtab.source.credentials import GitCredentials, check_credentials

_DOCKER_CONFIG = ".dockerconfigjson"

Files = Mapping[str, bytes]


class Accesses:
    """Key of a source → the Secrets that it names, all of its own namespace."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._known: dict[Key, dict[str, Files]] = {}

    def forget(self, key: Key) -> None:
        """Have the Secrets read again the next time (the spec changed, somebody poked, or something was refused)."""
        self._known.pop(key, None)

    async def get(
        self, key: Key, *, secret: str | None, certificates: str | None, pass_credentials: bool = False
    ) -> Access:
        """What the Secrets of secretRef and certSecretRef hold. Raises SourceError where one is absent or malformed."""
        files = await self.files(key, secret) if secret else {}
        pems = await self.files(key, certificates) if certificates else {}
        if not files and not pems:
            return NO_ACCESS
        username, password = _text(files, "username"), _text(files, "password")
        docker_config = files.get(_DOCKER_CONFIG, b"")
        if bool(username) != bool(password) or (files and not username and not docker_config):
            message = "the Secret of secretRef holds neither username and password nor .dockerconfigjson"
            remedy = "set both username and password, or make it by `kubectl create secret docker-registry`"
            raise SourceError(Problem(message, reason="SecretInvalid", remedy=remedy))
        ca_pem = _text(pems, "ca.crt")
        check_credentials("https://", GitCredentials(username=username, password=password, ca_pem=ca_pem))
        return Access(
            username=username,
            password=password,
            docker_config=docker_config,
            ca_pem=ca_pem,
            cert_pem=_text(pems, "tls.crt"),
            key_pem=_text(pems, "tls.key"),
            pass_credentials=pass_credentials,
        )

    async def files(self, key: Key, name: str) -> Files:
        """The data of a Secret in the namespace of the source. Raises SourceError."""
        known = self._known.setdefault(key, {})
        if name not in known:
            known[name] = await self._read(ObjectRef(LOCAL_CLUSTER, "", "Secret", key.namespace, name))
        return known[name]

    async def _read(self, ref: ObjectRef) -> Files:
        match await self._objects.get(ref, "v1"):
            case Live(body=body):
                return _decoded(ref, body.get("data") or {})
            case Absent():
                message, reason = "the Secret is missing", "SecretNotFound"
                remedy = "create it, or correct the reference to it"
                raise SourceError(Problem(message, ref, reason=reason, retry=True, remedy=remedy))
            case unknown:
                message = f"the Secret cannot be read: {unknown.reason}"
                raise SourceError(Problem(message, ref, retry=True, reason="SecretUnreadable"))


def _decoded(ref: ObjectRef, data: Mapping[str, str]) -> Files:
    try:
        return {name: base64.b64decode(value, validate=True) for name, value in data.items()}
    except (binascii.Error, ValueError):
        raise SourceError(Problem("the Secret's data is no Base64", ref, reason="SecretInvalid")) from None


def _text(files: Files, name: str) -> str:
    try:
        return files.get(name, b"").decode()
    except UnicodeDecodeError:
        remedy = "store it as UTF-8 text"
        raise SourceError(Problem(f"{name} of the Secret is no text", reason="SecretInvalid", remedy=remedy)) from None
