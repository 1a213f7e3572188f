"""What an archive may hold."""

import pytest

from trimtab.core.errors import SourceError
from trimtab.source.unpacking import RATIO_FROM_BYTES, ArchiveLimits, MemberKind, Unpacking, check_ratio

FILE, FOLDER, LINK, OTHER = MemberKind.FILE, MemberKind.FOLDER, MemberKind.LINK, MemberKind.OTHER


def test_names_are_normalised():
    rules = Unpacking(strip=1)
    assert rules.place("./web/templates//a.yaml", FILE, size=1) == "templates/a.yaml"
    assert rules.place("web/", FOLDER) == ""
    assert rules.place("web/.git/config", FILE) == ""
    assert rules.place("web/current", LINK, target="templates") == "current"
    rules.finish()
    assert rules.files == {"templates/a.yaml"}


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "../x",
        "a/../../x",
        "a\\b",
        "a\x00b",
        "a\nb",
        "x" * 256,
        "a/" * 65 + "b",
        "\udcff",
        "a" * 200 + "/" + ("b" * 200 + "/") * 5 + "c",
    ],
)
def test_names_that_are_refused(name):
    with pytest.raises(SourceError) as refused:
        Unpacking().place(name, FILE)
    assert refused.value.reason == "ArchiveRefused"
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    "members",
    [
        [("dev", OTHER, "")],
        [("a", FILE, ""), ("a", FILE, "")],
        [("a", FILE, ""), ("a/b", FILE, "")],
        [("a", LINK, "b"), ("a/x", FILE, "")],
        [("a", LINK, "b"), ("a", FOLDER, "")],
        [("a", LINK, "/etc")],
        [("a", LINK, "../x")],
        [("a", LINK, "b"), ("b", LINK, "a")],
        [(f"f{number}", FILE, "") for number in range(4)],
    ],
)
def test_members_that_are_refused(members):
    def unpack():
        rules = Unpacking(ArchiveLimits(members=3))
        for name, kind, target in members:
            rules.place(name, kind, target=target)
        rules.finish()

    with pytest.raises(SourceError) as refused:
        unpack()
    assert refused.value.reason in ("ArchiveRefused", "SymlinkRefused")


@pytest.mark.parametrize("sizes", [[-1], [101], [60, 60]])
def test_sizes_are_bounded(sizes):
    rules = Unpacking(ArchiveLimits(file_bytes=100, unpacked_bytes=100))

    def unpack():
        for number, size in enumerate(sizes):
            rules.place(f"f{number}", FILE, size=size)

    with pytest.raises(SourceError, match="larger than"):
        unpack()


def test_bombs_are_refused_while_they_grow():
    limits = ArchiveLimits()
    check_ratio(1, RATIO_FROM_BYTES, limits)
    with pytest.raises(SourceError, match="times its size"):
        check_ratio(1000, RATIO_FROM_BYTES + 1, limits)
    with pytest.raises(SourceError, match="when unpacked"):
        check_ratio(2**40, limits.unpacked_bytes * 2, limits)
