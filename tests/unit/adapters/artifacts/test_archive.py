"""Archives that say more about their members than anybody needs: pax headers are few, for each member copies all."""

import gzip
import io
import tarfile

import pytest

from trimtab.adapters.artifacts.archive import unpack
from trimtab.core.errors import SourceError
from trimtab.source.unpacking import ArchiveLimits


def headers(count, start=0, kind=tarfile.XGLTYPE, size=0):
    """One pax header of so many keywords, each with a value of `size` letters."""
    records = b"".join(record(f"k{start + number}", "v" * size) for number in range(count))
    info = tarfile.TarInfo("pax")
    info.type, info.size = kind, len(records)
    return info.tobuf(tarfile.USTAR_FORMAT) + records + b"\0" * (-len(records) % 512)


def record(key, value):
    body = f" {key}={value}\n"
    length = len(body)
    while len(str(length)) + len(body) != length:
        length = len(str(length)) + len(body)
    return f"{length}{body}".encode()


def member(name):
    return tarfile.TarInfo(name).tobuf(tarfile.USTAR_FORMAT)


def unpacked(tmp_path, *blocks):
    packed = tmp_path / "packed"
    packed.write_bytes(gzip.compress(b"".join(blocks) + b"\0" * 1024))
    target = tmp_path / "files"
    target.mkdir()
    with packed.open("rb") as file:
        return set(unpack(file, target, limits=ArchiveLimits()))


@pytest.mark.parametrize(
    "blocks",
    [
        [headers(65), member("a")],
        [*(part for number in range(65) for part in (headers(1, number), member(f"f{number}")))],
        [headers(5000), headers(1, kind=tarfile.XHDTYPE), member("a")],
        [*(headers(1, number) for number in range(70)), member("a")],
        [member("a"), *(headers(60, size=1000) for _ in range(2)), member("b")],
        [headers(1, size=200_000, kind=tarfile.XHDTYPE), member("a")],
        [headers(1, kind=tarfile.XHDTYPE) * 200, member("a")],
    ],
    ids=["one", "spread", "copied", "in a row", "again", "large", "chain"],
)
def test_headers_without_measure_are_refused(tmp_path, blocks):
    with pytest.raises(SourceError, match="headers") as caught:
        unpacked(tmp_path, *blocks)
    assert caught.value.reason == "ArchiveRefused"


def test_headers_as_they_are_written_are_taken(tmp_path):
    written = io.BytesIO()
    name = "/".join(["folder" * 10] * 10)
    with tarfile.open(fileobj=written, mode="w", format=tarfile.PAX_FORMAT, pax_headers={"comment": "1" * 40}) as made:
        for path in (f"{name}/a", f"{name}/b"):
            info = tarfile.TarInfo(path)
            info.pax_headers = {"SCHILY.xattr.user.note": "x" * 4000, "mtime": "1.5"}
            made.addfile(info, io.BytesIO())
    assert unpacked(tmp_path, written.getvalue()) == {f"{name}/a", f"{name}/b"}


def test_files_may_be_larger_than_headers(tmp_path):
    info = tarfile.TarInfo("large")
    info.size = 300 * 1024
    assert unpacked(tmp_path, member("a"), info.tobuf(), b"x" * info.size, member("b")) == {"a", "large", "b"}
