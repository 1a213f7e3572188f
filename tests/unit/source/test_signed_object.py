"""Signed commits and tags are taken apart in one way only."""

from contextlib import suppress
from hashlib import sha1, sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.source.signed_object import (
    MAX_OBJECT_BYTES,
    MAX_SIGNATURE_BYTES,
    NotVerified,
    ObjectKind,
    SignatureFormat,
    read_signed,
)

COMMIT, TAG = ObjectKind.COMMIT, ObjectKind.TAG
PGP = b"-----BEGIN PGP SIGNATURE-----\n\niHUE\n=abcd\n-----END PGP SIGNATURE-----"
SSH = b"-----BEGIN SSH SIGNATURE-----\nU1NI\n-----END SSH SIGNATURE-----"
TREE = b"tree " + b"4" * 40
PERSON = b"Ada <ada@example.org> 1777636800 +0000"
TARGET = "5" * 40


def read(raw, kind=COMMIT, name=sha1):
    return read_signed(raw, kind, name(b"%b %d\0%b" % (kind.encode(), len(raw), raw)).hexdigest())


def header(signature, name=b"gpgsig"):
    return name + b" " + signature.replace(b"\n", b"\n ")


def commit(*more, message=b"Change\n"):
    return b"\n".join([TREE, b"author " + PERSON, b"committer " + PERSON, *more]) + b"\n\n" + message


def tag(message=b"Release\n", kind=b"commit", name=b"v1", target=b"5" * 40):
    head = [b"object " + target, b"type " + kind, b"tag " + name, b"tagger " + PERSON]
    return b"\n".join(head) + b"\n\n" + message


@pytest.mark.parametrize(("signature", "found"), [(PGP, SignatureFormat.PGP), (SSH, SignatureFormat.SSH)])
def test_a_commit_is_its_payload_and_its_signature(signature, found):
    signed = read(commit(header(signature)))
    assert signed.payload == commit()
    assert signed.signature == signature + b"\n"
    assert (signed.kind, signed.format, signed.time, signed.tag, signed.target) == (COMMIT, found, 1777636800, "", "")


@pytest.mark.parametrize(("signature", "found"), [(PGP, SignatureFormat.PGP), (SSH, SignatureFormat.SSH)])
def test_a_tag_is_its_payload_and_its_signature(signature, found):
    signed = read(tag() + signature + b"\n", TAG)
    assert (signed.payload, signed.signature) == (tag(), signature + b"\n")
    assert (signed.format, signed.time, signed.tag, signed.target) == (found, 1777636800, "v1", TARGET)


def test_other_headers_stay_with_what_was_signed():
    more = (b"encoding latin1", b"mergetag object 1\n type commit\n gpgsig no header")
    signed = read(commit(*more, header(PGP)))
    assert signed.payload == commit(*more)


def test_the_header_counts_that_belongs_to_the_object_format():
    raw = commit(header(PGP), header(SSH, b"gpgsig-sha256"))
    assert read(raw).format is SignatureFormat.PGP
    assert read(raw, name=sha256).format is SignatureFormat.SSH
    assert read(raw).payload == commit()
    with pytest.raises(NotVerified, match="is not signed"):
        read(commit(header(PGP)), name=sha256)


@pytest.mark.parametrize(
    ("raw", "kind", "words"),
    [
        (commit(), COMMIT, "the commit is not signed"),
        (tag(), TAG, "the tag is not signed"),
        (commit(message=b"gpgsig " + PGP), COMMIT, "is not signed"),
        (commit(header(PGP), header(PGP)), COMMIT, "several signatures"),
        (commit(header(PGP + b"\n" + PGP)), COMMIT, "several signatures"),
        (commit(header(b"junk\n" + PGP)), COMMIT, "not known"),
        (commit(header(PGP + b"\njunk")), COMMIT, "not known"),
        (commit(header(b"-----BEGIN SIGNED MESSAGE-----\nx\n-----END SIGNED MESSAGE-----")), COMMIT, "not known"),
        (tag() + PGP + b"\n" + PGP, TAG, "several signatures"),
        (tag() + PGP + b"\nafter", TAG, "not known"),
        (tag() + SSH + b"\n" + PGP, TAG, "not known"),
        (tag(kind=b"tree") + PGP, TAG, "names no commit"),
        (tag(target=b"HEAD") + PGP, TAG, "names no commit"),
        (commit(b"committer Eve <eve@example.org> 1 +0000", header(PGP)), COMMIT, "committer twice"),
        (commit(header(PGP), message=b"x" * MAX_OBJECT_BYTES), COMMIT, "larger than"),
        (commit(header(PGP[:30] + b"x" * MAX_SIGNATURE_BYTES)), COMMIT, "signature of the commit is larger"),
    ],
)
def test_what_is_unsigned_or_doubtful_is_refused(raw, kind, words):
    with pytest.raises(NotVerified, match=words):
        read(raw, kind)


def test_bytes_of_another_name_are_refused():
    with pytest.raises(NotVerified, match="do not have this hash"):
        read_signed(commit(header(PGP)), COMMIT, "1" * 40)


@given(st.binary(max_size=300), st.sampled_from(list(ObjectKind)))
def test_any_bytes_are_read_or_refused(raw, kind):
    for text in (raw, commit(header(PGP + raw)), tag() + raw + PGP):
        with suppress(NotVerified):
            signed = read(text, kind)
            assert signed.signature.startswith(b"-----BEGIN ")
            assert len(signed.payload) < len(text)
