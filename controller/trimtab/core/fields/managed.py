"""managedFields: who owns which paths of a live object, read from and written back to the server's form.

Live objects' metadata flows in; baseline, actor and claims read entries, and claims return the list to PATCH.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from trimtab.core.fields.fieldset import FieldsV1, Paths, fields_v1, paths_of
from trimtab.core.names import FIELD_MANAGER

APPLY = "Apply"
UPDATE = "Update"


@dataclass(frozen=True, slots=True)
class ManagedEntry:
    """One entry. `time` is RFC 3339 in UTC to the second, or empty where the server left it out."""

    manager: str
    operation: str
    api_version: str
    subresource: str
    time: str
    paths: Paths

    @classmethod
    def read(cls, entry: Mapping[str, Any]) -> Self:
        """From the server's form. Raises ValueError on a FieldsV1 key that is none."""
        return cls(
            manager=entry.get("manager") or "",
            operation=entry.get("operation") or "",
            api_version=entry.get("apiVersion") or "",
            subresource=entry.get("subresource") or "",
            time=entry.get("time") or "",
            paths=paths_of(entry.get("fieldsV1") or {}),
        )

    def written(self) -> dict[str, Any]:
        """In the server's form; an empty subresource or time is left out."""
        entry: dict[str, Any] = {
            "manager": self.manager,
            "operation": self.operation,
            "apiVersion": self.api_version,
            "fieldsType": "FieldsV1",
            "fieldsV1": fields_v1(self.paths),
        }
        if self.time:
            entry["time"] = self.time
        if self.subresource:
            entry["subresource"] = self.subresource
        return entry

    def without(self, paths: Paths) -> Self:
        """The entry with these paths taken out."""
        return replace(self, paths=self.paths - paths)

    @property
    def ours(self) -> bool:
        """Whether this is our own Apply entry."""
        return self.manager == FIELD_MANAGER and self.operation == APPLY and not self.subresource


def managed_fields(body: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """An object's managedFields as they are; empty where there are none."""
    return body.get("metadata", {}).get("managedFields") or ()


def entries_of(body: Mapping[str, Any]) -> tuple[ManagedEntry, ...]:
    """All entries of an object."""
    return tuple(ManagedEntry.read(entry) for entry in managed_fields(body))


def our_entry(body: Mapping[str, Any]) -> ManagedEntry | None:
    """Our Apply entry of an object, None where we never applied it or somebody took the entry away."""
    raw = _our_raw(body)
    return None if raw is None else ManagedEntry.read(raw)


def our_paths(body: Mapping[str, Any]) -> Paths:
    """The paths that our Apply entry holds; empty without one."""
    entry = our_entry(body)
    return entry.paths if entry else frozenset()


def our_tree(body: Mapping[str, Any]) -> tuple[str, FieldsV1] | None:
    """The apiVersion and the unparsed FieldsV1 of our Apply entry: what the baseline walks for every watch event."""
    raw = _our_raw(body)
    return None if raw is None else (raw.get("apiVersion") or "", raw.get("fieldsV1") or {})


def written(entries: Iterable[ManagedEntry]) -> list[dict[str, Any]]:
    """Entries to send as managedFields: entries that own nothing any more are left out."""
    return [entry.written() for entry in entries if entry.paths]


def _our_raw(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    for entry in managed_fields(body):
        if entry.get("manager") == FIELD_MANAGER and entry.get("operation") == APPLY and not entry.get("subresource"):
            return entry
    return None
