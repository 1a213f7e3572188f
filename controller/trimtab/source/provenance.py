"""The provenance of a packed chart: a clear-signed text that names the chart and the digest of its archive.

The bytes of a `.prov` file, the payload that gpg took out of it, and what was downloaded flow in; `Provenance` or
`NotVerified` flows out. Whoever downloads charts calls it, before an archive is unpacked and again before it is kept.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from trimtab.source.signed_object import NotVerified, refusal

MAX_BYTES: Final = 256 * 1024
_BEGIN: Final = b"-----BEGIN PGP SIGNED MESSAGE-----"
_END: Final = b"-----END PGP SIGNATURE-----"
_SEPARATOR: Final = re.compile(rb"^\.\.\.[ \t]*$", re.MULTILINE)
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_SHOWN: Final = 80
_ANEW: Final = "package and sign it anew: helm package --sign"


@dataclass(frozen=True, slots=True)
class Provenance:
    """What somebody has signed: a chart's name and version, and the digests of files by their names."""

    name: str
    version: str
    files: Mapping[str, str]


def check_clear_signed(text: bytes) -> bytes:
    """The text as given where it is one clear-signed message and nothing else. Raises NotVerified."""
    if len(text) > MAX_BYTES:
        raise refusal(f"the provenance is larger than {MAX_BYTES} bytes", _ANEW)
    lines = [line.rstrip(b" \t\r") for line in text.strip().split(b"\n")]
    marks = [line for line in lines if line.startswith(b"-----")]
    wanted = [_BEGIN, b"-----BEGIN PGP SIGNATURE-----", _END]
    if marks != wanted or (lines[0], lines[-1]) != (_BEGIN, _END):
        raise refusal("the provenance is no single clear-signed text", _ANEW)
    return text


def read_provenance(payload: bytes) -> Provenance:
    """Read what was signed: a Chart.yaml, a line of three dots, and the files. Raises NotVerified."""
    parts = _SEPARATOR.split(payload)
    if len(parts) != 2:
        raise refusal("what was signed is no provenance of a chart", _ANEW)
    chart, sums = (_mapping(part) for part in parts)
    files = sums.get("files")
    name, version = _name_and_version(chart)
    if not name or not isinstance(files, dict):
        raise refusal("what was signed names no chart, or no files", _ANEW)
    digests = {str(file): found for file, found in files.items() if isinstance(found, str) and _DIGEST.fullmatch(found)}
    return Provenance(name, version, digests)


def check_archive(provenance: Provenance, digest: str, *, name: str, version: str = "") -> None:
    """Whether this archive, asked for under a name and version (if any), is the one signed. Raises NotVerified."""
    if name != provenance.name or (version and not _same(version, provenance.version)):
        asked = f"{name} {version}".strip()[:_SHOWN]
        signed = f"{provenance.name} {provenance.version}"[:_SHOWN]
        # Else a server could offer an old release, rightly signed, as a new one.
        raise refusal(f"the provenance was signed for chart {signed!a}, not for {asked!a}", _ANEW)
    file = f"{provenance.name}-{provenance.version}.tgz"
    if provenance.files.get(file) != digest:
        message = f"the archive of chart {name[:_SHOWN]} {provenance.version[:_SHOWN]} is not the one that was signed"
        raise refusal(f"{message}: it was tampered with, or packed anew", _ANEW)


def check_chart(provenance: Provenance, chart_yaml: bytes) -> None:
    """Whether a Chart.yaml of the archive is the one signed. Raises NotVerified."""
    if _name_and_version(_mapping(chart_yaml)) != (provenance.name, provenance.version):
        raise refusal("Chart.yaml names another chart or version than its provenance", _ANEW)


def missing(what: str) -> NotVerified:
    """The refusal of a chart that comes without any."""
    return refusal(f"{what} has no provenance", "sign it (helm package --sign) and publish the .prov file beside it")


def _same(version: str, other: str) -> bool:
    return version.removeprefix("v") == other.removeprefix("v")


def _mapping(text: bytes) -> dict[Any, Any]:
    try:
        # Scalars stay the texts that they are: a version is no number.
        found = yaml.load(text, Loader=yaml.CBaseLoader)  # noqa: S506 - it makes texts, lists and mappings only
    except (yaml.YAMLError, ValueError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {}


def _name_and_version(chart: Mapping[Any, Any]) -> tuple[str, str]:
    name, version = chart.get("name"), chart.get("version")
    if not isinstance(name, str) or not isinstance(version, str) or not name or not version:
        return "", ""
    return name, version
