"""Which files SOPS has encrypted, by what they hold, and whose keys they want.

A file's bytes flow in, its parts flow out: the decryption stage has sops decrypt those that are encrypted, each with a
checksum of its own, and puts them together again. A YAML file may hold plain documents beside encrypted ones.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby
from typing import Any, Final

from trimtab.core.errors import Problem
from trimtab.core.manifest import Manifest
from trimtab.render.documents import read_file
from trimtab.render.limits import DEFAULT_LIMITS, Limits

METADATA: Final = "sops"
_CIPHER: Final = b"ENC["
_SEPARATOR: Final = re.compile(rb"^---[^\n]*\n?", re.MULTILINE)
_DOTENV: Final = re.compile(rb"^sops_(?:mac|version|lastmodified)=", re.MULTILINE)
_INI: Final = re.compile(rb"^\[sops\]\s*$", re.MULTILINE)
_FLAT: Final = re.compile(rb"^(?:sops_)?([a-z_]+?)__list_\d+__map_([a-z_]+)[ \t]*=[ \t]*(\S*)", re.MULTILINE)
_NESTED: Final = (b"__list_", b"__map_")
_NAME: Final = re.compile(r"[a-z0-9_]+")
_MARKS: Final = (b'"mac": "ENC[', b'"mac":"ENC[', b"mac: ENC[", b"sops_mac=ENC[")
_SHOWN: Final = re.compile(r"[A-Za-z0-9@:/._+-]{1,300}")
_SERVICES: Final = {
    "kms": "arn",
    "gcp_kms": "resource_id",
    "azure_kv": "vault_url",
    "hc_vault": "vault_address",
    "hckms": "key_id",
}
"""Key services by the name of their list in the metadata, and what names a key there."""


class SopsFormat(StrEnum):
    """Formats by the names that sops gives them."""

    YAML = "yaml"
    JSON = "json"
    DOTENV = "dotenv"
    INI = "ini"
    BINARY = "binary"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose keys would decrypt something: age recipients, PGP fingerprints, keys of services by service."""

    age: tuple[str, ...] = ()
    pgp: tuple[str, ...] = ()
    services: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unclear: bool = False
    """Whether sops, which is lenient, might find more in it than is told here."""

    def __str__(self) -> str:
        groups = {"age recipient": self.age, "PGP key": self.pgp}
        groups |= {f"{name} key": keys for name, keys in self.services.items()}
        return " or ".join(f"{what} {' or '.join(keys)}" for what, keys in groups.items() if keys) or "no key at all"


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a file; `wanted` is None where it is plain."""

    text: bytes
    format: SopsFormat = SopsFormat.YAML
    wanted: Wanted | None = None


def parts_of(data: bytes, file: str, *, limits: Limits = DEFAULT_LIMITS) -> tuple[Part, ...]:
    """The parts of an encrypted file, to be joined by lines of ---; empty where nothing of it is encrypted."""
    if len(data) > limits.file_bytes or METADATA.encode() not in data:
        return ()
    if _DOTENV.search(data):
        return (Part(data, SopsFormat.DOTENV, _flat(data)),)
    if not data.lstrip().startswith(b"{"):
        if _INI.search(data):
            return (Part(data, SopsFormat.INI, _flat(data)),)
        return _yaml(data, file, limits)
    value = _only_value(data, file, limits)
    metadata = _metadata(value)
    if metadata is None:
        return ()
    wanted = _wanted(metadata)
    if file.endswith((".yaml", ".yml")):
        return (Part(data, SopsFormat.YAML, wanted),)
    if file.endswith(".json") or set(value) != {"data", METADATA}:
        return (Part(data, SopsFormat.JSON, wanted),)
    return (Part(data, SopsFormat.BINARY, wanted),)


def left_encrypted(manifests: Iterable[Manifest]) -> tuple[Problem, ...]:
    """A problem for each object that reached the end encrypted: what the stage did not see must not be applied."""
    return tuple(
        Problem(
            "is still encrypted",
            ref=manifest.ref,
            origin=manifest.origin,
            remedy="name the encrypted file in resources, patches or a generator of the kustomization",
            reason="DecryptionFailed",
        )
        for manifest in manifests
        if METADATA in manifest.body or any(mark in text for text in _texts(manifest) for mark in _MARKS)
    )


def _yaml(data: bytes, file: str, limits: Limits) -> tuple[Part, ...]:
    """Documents in a row that share one checksum were encrypted together, and are only whole together."""
    found = [(text, _metadata(_only_value(text, file, limits))) for text in _documents(data)]
    if all(metadata is None for _, metadata in found):
        return ()
    parts: list[Part] = []
    for _, run in groupby(found, key=lambda one: None if one[1] is None else str(one[1].get("mac"))):
        rows = list(run)
        metadata = rows[0][1]
        text = b"---\n".join(text for text, _ in rows)
        parts.append(Part(text, SopsFormat.YAML, None if metadata is None else _wanted(metadata)))
    return tuple(parts)


def _documents(data: bytes) -> Iterator[bytes]:
    start = 0
    for separator in _SEPARATOR.finditer(data):
        if text := data[start : separator.start()].strip(b"\n"):
            yield text + b"\n"
        start = separator.end()
    if text := data[start:].strip(b"\n"):
        yield text + b"\n"


def _only_value(text: bytes, file: str, limits: Limits) -> Any:
    if METADATA.encode() not in text:
        return None
    documents = read_file(text, file, limits=limits).documents
    return documents[0].value if len(documents) == 1 else None


def _metadata(value: Any) -> dict[str, Any] | None:
    found = value.get(METADATA) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else None


def _wanted(metadata: Mapping[str, Any]) -> Wanted:
    groups = [metadata, *(group for group in _list(metadata.get("key_groups")) if isinstance(group, dict))]

    def names(kind: str, name: str) -> tuple[str, ...]:
        rows = [row for group in groups for row in _list(group.get(kind)) if isinstance(row, dict)]
        return _clean(str(row.get(name, "")) for row in rows)

    services = {kind: found for kind, name in _SERVICES.items() if (found := names(kind, name))}
    unclear = not all(_is_plain(group) for group in groups) or not _are_rows(metadata.get("key_groups"))
    return Wanted(names("age", "recipient"), names("pgp", "fp"), services, unclear)


def _is_plain(group: Mapping[str, Any]) -> bool:
    """Whether names are in lower case and keys are listed: sops takes any case, and one key without a list."""
    rows = [(row, name) for kind, name in _SERVICES.items() for row in _list(group.get(kind)) if isinstance(row, dict)]
    written = [name for one in (group, *(row for row, _ in rows)) for name in one]
    plain = all(isinstance(name, str) and _NAME.fullmatch(name) for name in written)
    return plain and all(row.get(name) for row, name in rows) and all(_are_rows(group.get(kind)) for kind in _SERVICES)


def _are_rows(value: Any) -> bool:
    return value is None or (isinstance(value, list) and all(isinstance(row, dict) for row in value))


def _flat(data: bytes) -> Wanted:
    """The same from formats that know no lists."""
    rows = [(kind.decode(), name.decode(), value.decode(errors="replace")) for kind, name, value in _FLAT.findall(data)]

    def names(kind: str, name: str) -> tuple[str, ...]:
        return _clean(value for one, other, value in rows if (one, other) == (kind, name))

    services = {kind: found for kind, name in _SERVICES.items() if (found := names(kind, name))}
    unnamed = {kind for kind, _, _ in rows if kind in _SERVICES} - services.keys()
    unclear = bool(unnamed) or any(data.count(mark) != len(rows) for mark in _NESTED)
    return Wanted(names("age", "recipient"), names("pgp", "fp"), services, unclear)


def _clean(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name if _SHOWN.fullmatch(name) else "of unreadable name" for name in names if name))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _texts(manifest: Manifest) -> Iterator[bytes]:
    """Values of a Secret or ConfigMap, decoded where they are encoded."""
    if manifest.ref.group or manifest.ref.kind not in ("Secret", "ConfigMap"):
        return
    for name in ("data", "binaryData", "stringData"):
        values = manifest.body.get(name)
        for value in values.values() if isinstance(values, dict) else ():
            if not isinstance(value, str):
                continue
            yield value.encode(errors="replace")
            try:
                # kustomize breaks long values into lines.
                yield base64.b64decode("".join(value.split()), validate=True)
            except (binascii.Error, ValueError):
                continue
