"""What an archive may hold: each member is judged before anything of it is written.

Members as an archive names them flow in, the path to write or a `SourceError` flows out; at the end the links are
judged. The artifact store unpacks by it.
"""

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from trimtab.core.errors import Problem, SourceError
from trimtab.core.manifest import Origin
from trimtab.source.links import resolve_link
from trimtab.source.path import writable

RATIO_FROM_BYTES: Final = 16 * 1024 * 1024
"""Small archives may be packed as tightly as they like."""
MAX_PATH: Final = 1024


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """Bounds of one archive, packed and unpacked."""

    packed_bytes: int = 64 * 1024 * 1024
    unpacked_bytes: int = 256 * 1024 * 1024
    file_bytes: int = 64 * 1024 * 1024
    members: int = 20_000
    depth: int = 64
    ratio: int = 250


class MemberKind(Enum):
    """What of archives is unpacked."""

    FILE = auto()
    FOLDER = auto()
    LINK = auto()
    OTHER = auto()


@dataclass(slots=True)
class Unpacking:
    """The judgement over one archive; `strip` is how many leading folders are dropped from every name."""

    limits: ArchiveLimits = ArchiveLimits()
    strip: int = 0
    files: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)
    links: dict[str, str] = field(default_factory=dict)
    _members: int = 0
    _bytes: int = 0

    def place(self, name: str, kind: MemberKind, *, size: int = 0, target: str = "") -> str:
        """Where to write a member; empty: nowhere. Raises SourceError (ArchiveRefused, SymlinkRefused)."""
        self._members += 1
        if self._members > self.limits.members:
            raise refusal(f"holds more than {self.limits.members} files and folders")
        path = self._path(name)
        if not path:
            return ""
        match kind:
            case MemberKind.OTHER:
                raise refusal("is a device, a pipe or a hard link", path)
            case MemberKind.FOLDER:
                self.folders.add(path)
            case MemberKind.LINK:
                self._once(path)
                self.links[path] = target
            case MemberKind.FILE:
                self._once(path)
                self._count(size, path)
                self.files.add(path)
        return path

    def finish(self) -> None:
        """Judge what only the whole can tell. Raises SourceError."""
        above = {parent for path in (*self.files, *self.links, *self.folders) for parent in _parents(path)}
        for path in sorted((above | self.folders) & (self.files | self.links.keys())):
            raise refusal("is both a folder and something else", path)
        for path in sorted(self.links):
            resolve_link(path, self.links)

    def _path(self, name: str) -> str:
        if name.startswith("/"):
            raise refusal("has an absolute name", ascii(name[:100]))
        parts = [part for part in name.split("/") if part not in ("", ".")]
        if ".." in parts:
            raise refusal("has a name that climbs up", ascii(name[:100]))
        if len(parts) > self.limits.depth:
            raise refusal("lies too deep", ascii(name[:100]))
        path = "/".join(parts[self.strip :])
        if ".git" in path.lower().split("/"):
            return ""
        if path and (not writable(path) or "\\" in path or not path.isprintable() or len(path) > MAX_PATH):
            raise refusal("has a name that cannot be written", ascii(name[:100]))
        return path

    def _once(self, path: str) -> None:
        if path in self.files or path in self.links:
            raise refusal("is there twice", path)

    def _count(self, size: int, path: str) -> None:
        if size < 0 or size > self.limits.file_bytes:
            raise refusal(f"is larger than {self.limits.file_bytes} bytes", path)
        self._bytes += size
        if self._bytes > self.limits.unpacked_bytes:
            raise refusal(f"is larger than {self.limits.unpacked_bytes} bytes when unpacked")


def check_ratio(packed: int, unpacked: int, limits: ArchiveLimits) -> None:
    """Refuse what grows like a bomb. Raises SourceError (reason ArchiveRefused)."""
    if unpacked > limits.unpacked_bytes + limits.members * 1024:
        raise refusal(f"is larger than {limits.unpacked_bytes} bytes when unpacked")
    if unpacked > RATIO_FROM_BYTES and unpacked > packed * limits.ratio:
        raise refusal(f"unpacks to more than {limits.ratio} times its size")


def refusal(fault: str, path: str = "") -> SourceError:
    """An archive's refusal, which names the member where it is one's fault."""
    remedy = "leave it out of the archive and publish that anew"
    subject = "a member of the archive" if path else "the archive"
    origin = Origin(path) if path else None
    return SourceError(Problem(f"{subject} {fault}", origin=origin, reason="ArchiveRefused", remedy=remedy, retry=True))


def _parents(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]
