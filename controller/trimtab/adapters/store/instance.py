"""The installation's identity: its ID and the key of its digests.

A namespace flows in; an `Instance` flows out, made on the very first start and read ever after. Wiring calls it once.
"""

import base64
import binascii
import secrets
from dataclasses import dataclass, field
from typing import Any, Final

from trimtab.core.api_error import ApiError
from trimtab.core.errors import Problem, TrimtabError
from trimtab.core.names import INSTANCE_NAME
from trimtab.core.observed import Absent, Live, Unknown
from trimtab.core.refs import LOCAL_CLUSTER, ObjectRef
from trimtab.reconcile.ports import Objects

KEY_BYTES: Final = 32
_ID_BYTES: Final = 4


class InstanceError(TrimtabError):
    """The identity can be neither read nor made."""


@dataclass(frozen=True, slots=True)
class Instance:
    """Shared by all replicas of an installation."""

    id: str
    """Eight hexadecimal digits, the first part of each bucket label."""
    key: bytes = field(repr=False)
    """Key of the HMACs by which baselines are kept."""


async def load_instance(objects: Objects, namespace: str) -> Instance:
    """Read ConfigMap and Secret `trimtab-instance`, or create them. Raises InstanceError.

    Of replicas that start together one creates and the others read what it made: a creation never overwrites.
    """
    config_map = await _load(objects, namespace, "ConfigMap", {"data": {"id": secrets.token_hex(_ID_BYTES)}})
    key = base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
    secret = await _load(objects, namespace, "Secret", {"type": "Opaque", "data": {"key": key}})
    identity = str((config_map.get("data") or {}).get("id") or "")
    try:
        key_bytes = base64.b64decode((secret.get("data") or {}).get("key") or "", validate=True)
    except binascii.Error:
        key_bytes = b""
    if not identity.isalnum() or len(identity) > 32 or len(key_bytes) < KEY_BYTES:
        broken = ObjectRef.of(secret if identity.isalnum() else config_map)
        raise InstanceError(
            Problem("is not as Trimtab made it", broken, remedy="restore it from a backup, or delete it and restart")
        )
    return Instance(identity, key_bytes)


async def _load(objects: Objects, namespace: str, kind: str, content: dict[str, Any]) -> dict[str, Any]:
    """The object, created with this content where it is absent."""
    ref = ObjectRef(LOCAL_CLUSTER, "", kind, namespace, INSTANCE_NAME)
    for _ in range(3):
        match await objects.get(ref, "v1"):
            case Live(body=body):
                return body
            case Unknown(reason=reason):
                raise InstanceError(Problem(f"cannot be read: {reason}", ref, retry=True))
            case Absent():
                pass
        metadata = {"name": INSTANCE_NAME, "namespace": namespace}
        try:
            return await objects.create(
                {"apiVersion": "v1", "kind": kind, "metadata": metadata, "immutable": True, **content}
            )
        except ApiError as error:
            if error.not_found:
                remedy = f"kubectl create namespace {namespace}"
                raise InstanceError(Problem(error.message, ref, remedy=remedy, retry=True)) from error
            if error.reason != "AlreadyExists":
                raise InstanceError(Problem(f"cannot be created: {error}", ref, retry=error.transient)) from error
    raise InstanceError(Problem("is created and deleted in turn by somebody else", ref, retry=True))
