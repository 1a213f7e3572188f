"""What gpg and ssh-keygen say proves one signature by one given key, or nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.source.signed_object import NotVerified
from trimtab.source.signers import Signer, by_object, gpg_signer, imported, ssh_refusal, ssh_signer

ADA, EVE, SUB = "A" * 40, "E" * 40, "5" * 40
SHORT = ADA[-16:]


def lines(*rows):
    return "".join(f"[GNUPG:] {row}\n" for row in rows)


def valid(primary=ADA, key=SUB, hash_number="10", made="1777636800"):
    return f"VALIDSIG {key} 2026-05-01 {made} 0 4 0 22 {hash_number} 00 {primary}"


GOOD = f"GOODSIG {SHORT} Ada Example <ada@example.org>"


def test_one_good_signature_by_a_given_key_names_its_owner():
    status = lines("NEWSIG", "KEY_CONSIDERED x 0", GOOD, valid(), "TRUST_UNDEFINED 0 always")
    assert gpg_signer(status, {ADA}) == Signer("Ada Example <ada@example.org>", ADA)


@pytest.mark.parametrize("texts", [0, 1, 2])
def test_a_clear_signed_text_is_one(texts):
    status = lines(*["PLAINTEXT 62 1777636800 "] * texts, "NEWSIG", GOOD, valid())
    for wanted in (0, 1):
        if texts == wanted:
            assert gpg_signer(status, {ADA}, texts=wanted).fingerprint == ADA
        else:
            with pytest.raises(NotVerified, match="no single signature"):
                gpg_signer(status, {ADA}, texts=wanted)


def test_names_are_made_harmless():
    status = lines(f"GOODSIG {SHORT} Ada%0A[GNUPG:] VALIDSIG %1b[31m caf%c3%a9", valid())
    assert gpg_signer(status, {ADA}).by == "Ada\\n[GNUPG:] VALIDSIG \\x1b[31m café"


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ((), "no single signature"),
        (("NODATA 4",), "no single signature"),
        ((valid(),), "no single signature"),
        ((GOOD,), "does not vouch"),
        ((GOOD, "VALIDSIG x"), "does not vouch"),
        ((GOOD, valid(), valid()), "does not vouch"),
        ((GOOD, valid(EVE)), f"key {EVE}, which is not in"),
        ((GOOD, valid("A" * 16)), f"key {SHORT}, which is not in"),
        (("NEWSIG", GOOD, valid(), "NEWSIG", f"ERRSIG {EVE[-16:]} 22 10 00 1 9"), "no single signature"),
        (("NEWSIG", GOOD, valid(), "NEWSIG"), "no single signature"),
        ((GOOD, GOOD, valid()), "no single signature"),
        (("PLAINTEXT 62 1777636800 ", "NEWSIG", GOOD, valid()), "no single signature"),
        ((f"BADSIG {SHORT} Ada", valid()), "tampered with"),
        ((f"ERRSIG {EVE[-16:]} 22 10 00 1 9", f"NO_PUBKEY {EVE[-16:]}"), f"key {EVE[-16:]}, which is not in"),
        (("ERRSIG",), "key of unknown name"),
        ((f"EXPSIG {SHORT} Ada", valid()), "signature of key .* has expired"),
        ((f"EXPKEYSIG {SHORT} Ada", "KEYEXPIRED 1777636801", valid()), "has expired"),
        ((f"REVKEYSIG {SHORT} Ada", valid()), "has been revoked"),
        ((GOOD, valid(hash_number="2")), "broken hash"),
    ],
)
def test_everything_else_is_refused(rows, words):
    with pytest.raises(NotVerified, match=words):
        gpg_signer(lines(*rows), {ADA})


@pytest.mark.parametrize(
    ("expired", "made", "passes"),
    [
        (["KEYEXPIRED 200"], "100", True),
        (["KEYEXPIRED 200"], "201", False),
        (["KEYEXPIRED 50", "KEYEXPIRED 200"], "100", False),
        (["KEYEXPIRED soon"], "100", False),
        ([], "100", False),
        (["KEYEXPIRED 200"], "x", False),
    ],
)
def test_what_was_accepted_before_may_be_signed_by_a_key_expired_since(expired, made, passes):
    status = lines(f"EXPKEYSIG {SHORT} Ada", *expired, valid(made=made))
    if passes:
        assert gpg_signer(status, {ADA}, accept_expired_now=True).fingerprint == ADA
        return
    with pytest.raises(NotVerified, match="has expired"):
        gpg_signer(status, {ADA}, accept_expired_now=True)


def test_only_whole_lines_of_status_count():
    with pytest.raises(NotVerified):
        gpg_signer(f"gpg: [GNUPG:] {GOOD}\n x[GNUPG:] {valid()}\n", {ADA})


@given(st.lists(st.sampled_from([GOOD, valid(), valid(EVE), "NEWSIG", f"BADSIG {SHORT} x", f"REVKEYSIG {SHORT} x"])))
def test_whatever_is_mixed_in_only_one_verdict_and_one_proof_pass(rows):
    try:
        signer = gpg_signer(lines(*rows), {ADA})
    except NotVerified:
        return
    assert signer.fingerprint == ADA
    assert sorted(row for row in rows if row != "NEWSIG") == sorted([GOOD, valid()])


def test_keys_taken_in_are_known_by_their_whole_fingerprint():
    status = lines(f"IMPORT_OK 1 {ADA}", "IMPORT_OK 1 short", "IMPORT_OK", "IMPORT_PROBLEM 1", f"IMPORTED {EVE} Eve")
    assert imported(status) == {ADA}


FINGERPRINT = "SHA256:" + "x" * 43


def test_ssh_keygens_answer_names_principal_and_key():
    words = f'Good "git" signature for ada@example.org with ED25519 key {FINGERPRINT}\n'
    assert ssh_signer(words, 0) == Signer("ada@example.org", FINGERPRINT)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (f'Good "git" signature for ada@example.org with ED25519 key {FINGERPRINT}', 255),
        (f'Good "git" signature with ED25519 key {FINGERPRINT}', 0),
        (f'Good "file" signature for ada with ED25519 key {FINGERPRINT}', 0),
        (f'x Good "git" signature for ada with ED25519 key {FINGERPRINT}', 0),
        (f'Good "git" signature for ada with ED25519 key {FINGERPRINT}\nmore', 0),
        ("", 0),
    ],
)
def test_any_other_answer_is_none(words, code):
    assert ssh_signer(words, code) is None


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("key has expired", "not valid"),
        ("key is not yet valid", "not valid"),
        ("Signature verification failed: incorrect signature", "tampered"),
        ("Couldn't verify signature: namespace does not match", "not made for Git"),
        ("No principal matched.", "not in verify.secretRef"),
    ],
)
def test_refusals_say_why_in_our_words(output, words):
    assert words in str(ssh_refusal(output))


def test_who_signed_what_is_one_sentence():
    assert by_object({"tag": Signer("Ada", "1"), "commit": Signer("Bob", "2")}) == (
        "the tag is signed by Ada (1) and the commit is signed by Bob (2)"
    )
