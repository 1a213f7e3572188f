"""What a provenance says, and which chart it speaks for."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.source.provenance import (
    Provenance,
    check_archive,
    check_chart,
    check_clear_signed,
    missing,
    read_provenance,
)
from trimtab.source.signed_object import NotVerified

DIGEST = f"sha256:{'a' * 64}"
CHART = b"apiVersion: v2\nname: web\nversion: 1.10\n"
PAYLOAD = CHART + b"\n...\nfiles:\n  web-1.10.tgz: " + DIGEST.encode() + b"\n"
SIGNED = Provenance("web", "1.10", {"web-1.10.tgz": DIGEST})
CLEAR = (
    b"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nname: web\n- -----x\n"
    b"-----BEGIN PGP SIGNATURE-----\n\nx\n-----END PGP SIGNATURE-----\n"
)


def test_a_chart_and_its_files_are_read_as_texts():
    assert read_provenance(PAYLOAD) == SIGNED
    assert read_provenance(PAYLOAD.replace(b"...", b"... ")) == SIGNED


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        CHART,
        PAYLOAD + b"\n...\n",
        PAYLOAD.replace(b"name", b"nome"),
        PAYLOAD.replace(b"version: 1.10", b"version: [1]"),
        PAYLOAD.replace(b"files", b"sums"),
        PAYLOAD.replace(b"name: web", b"name: {"),
        b"a\n...\n" + PAYLOAD.partition(b"...\n")[2],
        CHART + b"\n...\nfiles: " + b"[" * 5000,
    ],
)
def test_other_texts_are_refused(payload):
    with pytest.raises(NotVerified) as refused:
        read_provenance(payload)
    assert refused.value.reason == "VerificationFailed"


def test_what_is_no_digest_is_no_digest():
    assert read_provenance(PAYLOAD.replace(b"sha256:", b"md5:")).files == {}


def test_one_clear_signed_text_is_taken():
    assert check_clear_signed(CLEAR) == CLEAR
    assert check_clear_signed(b"\n" + CLEAR.replace(b"\n", b"\r\n"))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"name: web",
        b"name: web\n" + CLEAR,
        CLEAR + b"name: web\n",
        CLEAR + CLEAR,
        CLEAR.replace(b"SIGNED MESSAGE", b"MESSAGE"),
        CLEAR.replace(b"name: web", b"-----BEGIN PGP SIGNED MESSAGE-----"),
        CLEAR + b" " * 300_000,
    ],
)
def test_what_is_not_one_clear_signed_text_is_refused(text):
    with pytest.raises(NotVerified):
        check_clear_signed(text)


@given(st.binary(max_size=200))
def test_nothing_but_refusals_come_of_any_bytes(data):
    for read in (check_clear_signed, read_provenance):
        with suppress(NotVerified):
            read(data)


def test_the_archive_that_was_signed_passes():
    check_archive(SIGNED, DIGEST, name="web")
    check_archive(SIGNED, DIGEST, name="web", version="v1.10")
    check_chart(SIGNED, CHART)


@pytest.mark.parametrize(
    ("digest", "name", "version", "words"),
    [
        (f"sha256:{'b' * 64}", "web", "1.10", "not the one that was signed"),
        (DIGEST, "db", "1.10", "signed for chart 'web 1.10', not for 'db 1.10'"),
        (DIGEST, "web", "1.11", "not for 'web 1.11'"),
    ],
)
def test_other_archives_are_refused(digest, name, version, words):
    with pytest.raises(NotVerified, match=words):
        check_archive(SIGNED, digest, name=name, version=version)


def test_a_digest_under_another_name_does_not_count():
    with pytest.raises(NotVerified, match="not the one that was signed"):
        check_archive(Provenance("web", "1.10", {"db-1.10.tgz": DIGEST}), DIGEST, name="web")


@pytest.mark.parametrize("text", [b"", b"- a", b"name: web", b"name: db\nversion: 1.10", b"name: web\nversion: 1.1"])
def test_another_chart_in_the_archive_is_refused(text):
    with pytest.raises(NotVerified, match="another chart or version"):
        check_chart(SIGNED, text)


def test_what_is_missing_is_named():
    assert "chart web 1.10 has no provenance" in str(missing("chart web 1.10"))
