"""Unpacks gzipped tar archives of strangers into a folder.

An open file flows in, files below a folder and a listing with their digests flow out; the rules of `source.unpacking`
judge every member before it is written. The store runs it in a thread.
"""

import gzip
import os
import tarfile
import zlib
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final, TypeVar, cast

from trimtab.core.errors import SourceError
from trimtab.source.unpacking import ArchiveLimits, MemberKind, Unpacking, check_ratio, refusal

_CHUNK: Final = 64 * 1024
_LARGEST_READ: Final = 1024 * 1024
_HEADER_BYTES: Final = 64 * 1024
"""Headers of tar members announce their own length; nobody means more than this, with all that stand before one."""
_SHARED_HEADERS: Final = 64
"""Keywords that hold for all members from there on: `tarfile` copies them for each."""
T = TypeVar("T")
Listing = dict[str, str]
"""Path → digest of a file's bytes, or `link:` and the target."""


class _Bounded:
    """A file of which nobody reads much at once: `tarfile` would read a header of gigabytes in one go."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._left = _LARGEST_READ
        self._counted = False

    def heading(self, step: Callable[[], T]) -> T:
        """Run a step that reads headers and nothing else. Raises SourceError where they are too large together."""
        self._left, self._counted = _HEADER_BYTES, True
        try:
            return step()
        finally:
            self._left, self._counted = _LARGEST_READ, False

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= self._left:
            raise refusal("has headers that are too large")
        self._left -= size if self._counted else 0
        return self._file.read(size)

    def seek(self, position: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(position, whence)

    def tell(self) -> int:
        return self._file.tell()


def unpack(packed: IO[bytes], target: Path, *, limits: ArchiveLimits, strip: int = 0) -> Listing:
    """Write the members below `target`, which is empty. Raises SourceError (ArchiveRefused, SymlinkRefused)."""
    # The tar lies decompressed beside it meanwhile: only so its size is known before any of it is believed.
    with TemporaryFile(dir=target.parent) as plain:
        _decompress(packed, plain, limits)
        plain.seek(0)
        rules = Unpacking(limits, strip)
        try:
            file = _Bounded(plain)
            with file.heading(lambda: tarfile.open(fileobj=cast("IO[bytes]", file), mode="r:")) as archive:
                listing = _write(_members(archive, file), archive, target, rules)
        except (tarfile.TarError, EOFError, ValueError, RecursionError, OverflowError):
            raise refusal("is no tar archive, or a damaged one") from None
    rules.finish()
    for path, link in rules.links.items():
        place = target / path
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        place.symlink_to(link)
        listing[path] = f"link:{link}"
    for path in rules.folders:
        (target / path).mkdir(parents=True, exist_ok=True, mode=0o700)
    return listing


def _decompress(packed: IO[bytes], plain: IO[bytes], limits: ArchiveLimits) -> None:
    packed_size = os.fstat(packed.fileno()).st_size
    size = 0
    try:
        with gzip.GzipFile(fileobj=packed) as stream:
            while chunk := stream.read(_CHUNK):
                size += len(chunk)
                check_ratio(packed_size, size, limits)
                plain.write(chunk)
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise refusal("is not compressed by gzip, or damaged") from None


def _write(members: Iterator[tarfile.TarInfo], archive: tarfile.TarFile, target: Path, rules: Unpacking) -> Listing:
    listing: Listing = {}
    for member in members:
        kind = _kind(member)
        path = rules.place(member.name, kind, size=member.size, target=member.linkname)
        if path and kind is MemberKind.FILE:
            content = archive.extractfile(member)
            if content is None:
                raise refusal("cannot be read", path)
            with content:
                listing[path] = _write_file(content, target / path)
    return listing


def _members(archive: tarfile.TarFile, file: _Bounded) -> Iterator[tarfile.TarInfo]:
    """One by one; the archive would remember all of them otherwise."""
    while True:
        member = file.heading(archive.next)
        if len(archive.pax_headers) > _SHARED_HEADERS:
            raise refusal(f"has more than {_SHARED_HEADERS} global headers")
        if member is None:
            return
        archive.members = []  # type: ignore[attr-defined]
        yield member


def _write_file(content: IO[bytes], place: Path) -> str:
    """Only real folders are on the way: links are made when all files lie there."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        sum_of = sha256()
        with open(place, "xb", opener=_private) as file:
            while chunk := content.read(_CHUNK):
                sum_of.update(chunk)
                file.write(chunk)
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        raise refusal("is both a folder and something else", place.name) from None
    return sum_of.hexdigest()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)


def _kind(member: tarfile.TarInfo) -> MemberKind:
    if member.isreg() and not member.issparse():
        return MemberKind.FILE
    if member.isdir():
        return MemberKind.FOLDER
    return MemberKind.LINK if member.issym() else MemberKind.OTHER


def single(packed: IO[bytes], target: Path, name: str) -> Listing:
    """The file itself as the only one of the folder, under a name that its publisher gave it."""
    rules = Unpacking(ArchiveLimits())
    path = rules.place(name, MemberKind.FILE)
    if not path or "/" in path:
        raise SourceError(*refusal("has a name that cannot be written", name[:100]).problems)
    return {path: _write_file(packed, target / path)}
