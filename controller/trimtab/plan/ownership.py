"""Marks of ownership on objects: the bucket label that watches select on, and the annotation that names the owner.

The loop marks manifests before it plans, the guards and apply's steps read the marks of live objects. A mark alone
never proves ownership, because users and controllers copy labels and annotations: inventory and UID do.
"""

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Self

from trimtab.core.manifest import Manifest
from trimtab.core.names import BUCKET_LABEL, BUCKETS, FIELD_MANAGER, OWNER_ANNOTATION, PRUNE_ANNOTATION


@dataclass(frozen=True, slots=True, order=True)
class Owner:
    """An Application as objects name it."""

    namespace: str
    name: str
    uid: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}/{self.uid}"

    @property
    def title(self) -> str:
        """`namespace/name`, for messages."""
        return f"{self.namespace}/{self.name}"

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The inverse of `str`; None where the text is none."""
        parts = text.split("/")
        if len(parts) != 3 or not all(parts):
            return None
        return cls(*parts)

    def same_application(self, other: "Owner") -> bool:
        """Whether both are the same Application or an earlier one of that name, which cannot exist any more."""
        return (self.namespace, self.name) == (other.namespace, other.name)


def bucket_of(uid: str) -> int:
    """The bucket (0..255) of an Application with that UID; stable over restarts and Python versions."""
    return int.from_bytes(sha256(uid.encode()).digest()[:8]) % BUCKETS


def bucket_label(*, instance: str, bucket: int) -> str:
    """The value of the bucket label: `<instance>-<bucket>`."""
    return f"{instance}-{bucket}"


def mark(manifest: Manifest, *, instance: str, bucket: int, owner: Owner) -> Manifest:
    """The manifest with bucket label and owner annotation; whatever Git said for these two is replaced."""
    metadata = manifest.body["metadata"]
    marked = {
        **metadata,
        "labels": {**(metadata.get("labels") or {}), BUCKET_LABEL: bucket_label(instance=instance, bucket=bucket)},
        "annotations": {**(metadata.get("annotations") or {}), OWNER_ANNOTATION: str(owner)},
    }
    return replace(manifest, body={**manifest.body, "metadata": marked})


def annotations_of(body: dict[str, Any]) -> dict[str, str]:
    """A live object's annotations; empty where there are none."""
    return body.get("metadata", {}).get("annotations") or {}


def owner_of(body: dict[str, Any]) -> Owner | None:
    """The Application that a live object names as its owner."""
    return Owner.parse(annotations_of(body).get(OWNER_ANNOTATION, ""))


def names_owner(body: dict[str, Any], owner: Owner) -> bool:
    """Whether a live object names exactly this Application (by its UID) as its owner."""
    return owner_of(body) == owner


def held_by_other(body: dict[str, Any], owner: Owner) -> Owner | None:
    """The other Application that a live object names as its owner, if any."""
    named = owner_of(body)
    return None if named is None or named.same_application(owner) else named


def has_apply_entry(body: dict[str, Any]) -> bool:
    """Whether managedFields tell of a server-side apply by Trimtab, which a copied object does not have."""
    return any(
        entry.get("manager") == FIELD_MANAGER and entry.get("operation") == "Apply" and not entry.get("subresource")
        for entry in body.get("metadata", {}).get("managedFields") or ()
    )


def proven(body: dict[str, Any], owner: Owner) -> bool:
    """Whether a live object was applied by this Application: names it, and has our Apply entry."""
    return names_owner(body, owner) and has_apply_entry(body)


def stays(body: dict[str, Any]) -> bool:
    """Whether a manifest or live object asks to be kept when it leaves Git."""
    return annotations_of(body).get(PRUNE_ANNOTATION) == "disabled"


def unmark_patch(uid: str) -> dict[str, Any]:
    """The JSON merge patch that takes our marks off; the server refuses it for an object with another UID."""
    return {
        "metadata": {"uid": uid, "labels": {BUCKET_LABEL: None}, "annotations": {OWNER_ANNOTATION: None}},
    }
