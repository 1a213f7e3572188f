"""Signatures by the real gpg, ssh-keygen and git: right ones are told with their signer, others refused with why."""

import calendar
import re
import time
from pathlib import Path

import pytest
from tests.integration.trust.conftest import GPG_MAY, MAY

from trimtab.adapters.process import private_folder
from trimtab.adapters.process.signatures import Bounds, ProcessVerifier
from trimtab.core.errors import SourceError
from trimtab.source.signed_object import NotVerified, ObjectKind
from trimtab.source.trusted_keys import trusted_keys

ADA = "Ada Example <ada@example.org>"
EVE = "Eve Example <eve@example.org>"
COMMIT, TAG = ObjectKind.COMMIT, ObjectKind.TAG


@pytest.fixture(autouse=True)
def keyrings(vault, monkeypatch):
    """Keyrings of verifications are made where this test alone makes any, and none is left."""
    monkeypatch.setattr(private_folder, "CANDIDATES", (vault,))


def public(key):
    return Path(f"{key}.pub").read_bytes()


async def check(repository, sha, keys, *, using=None, raw=b"", now=None, **options):
    kind = ObjectKind(repository.git("cat-file", "-t", sha).decode().strip())
    data = raw or repository.raw(sha)
    verifier = using or ProcessVerifier()
    _, signer = await verifier.verify(data, kind, sha, trusted_keys(keys), now_seconds=now or time.time(), **options)
    return signer


async def refused(repository, sha, keys, **options):
    with pytest.raises(NotVerified) as caught:
        await check(repository, sha, keys, **options)
    assert caught.value.reason == "VerificationFailed"
    return str(caught.value)


def made(repository, kind, **how):
    """A commit, or a tag on an unsigned commit, made as told; its SHA."""
    if kind is COMMIT:
        return repository.commit(**how)
    repository.commit()
    return repository.tag("v1.0.0", **how)


def changed(repository, sha, before, after):
    """The object with other bytes under the name that belongs to these, as a pusher could make it."""
    raw = repository.raw(sha)
    assert before in raw
    kind = repository.git("cat-file", "-t", sha).decode().strip()
    return (
        repository.git("hash-object", "-t", kind, "-w", "--stdin", stdin=raw.replace(before, after, 1)).decode().strip()
    )


both = pytest.mark.parametrize("kind", [COMMIT, TAG])


@both
async def test_a_right_pgp_signature_names_its_signer(signing, keyring, kind):
    ada, eve = keyring.make(ADA), keyring.make(EVE)
    sha = made(signing, kind, key=ada)
    signer = await check(signing, sha, {"eve.asc": keyring.export(eve), "ada.asc": keyring.export(ada)})
    assert (signer.by, signer.fingerprint) == (ADA, ada)


@both
async def test_a_pgp_key_that_nobody_asked_for_is_named(signing, keyring, kind):
    ada, eve = keyring.make(ADA), keyring.make(EVE)
    sha = made(signing, kind, key=eve)
    words = await refused(signing, sha, {"ada.asc": keyring.export(ada)})
    assert f"it is signed by key {eve[-16:]}, which is not in verify.secretRef" in words


@both
async def test_an_unsigned_object_is_refused(signing, keyring, kind):
    keys = {"ada.asc": keyring.export(keyring.make(ADA))}
    assert f"the {kind} is not signed" in await refused(signing, made(signing, kind), keys)


@both
@pytest.mark.parametrize("form", ["openpgp", "ssh"])
async def test_a_changed_object_is_refused(signing, keyring, ssh_key, kind, form):
    key = keyring.make(ADA) if form == "openpgp" else str(ssh_key())
    keys = {"key": keyring.export(key) if form == "openpgp" else public(key)}
    sha = made(signing, kind, key=key, form=form)
    other = changed(signing, sha, b"Release" if kind is TAG else b"Change", b"Tamper")
    assert "does not fit: it was tampered with" in await refused(signing, other, keys)
    # The same bytes under the name of the signed object: the hash tells.
    assert "do not have this hash" in await refused(signing, sha, keys, raw=signing.raw(other))


@both
async def test_a_pgp_key_must_be_valid_when_it_signs_and_now(signing, keyring, kind):
    ada = keyring.make(ADA, at="20260101T000000", expires="20260601T000000")
    keys = {"ada.asc": keyring.export(ada)}
    wrapper = keyring.home / "at-may"
    wrapper.write_text(f'#!/bin/sh\nexec gpg --faked-system-time={GPG_MAY} "$@"\n')
    wrapper.chmod(0o700)
    signing.git("config", "gpg.program", str(wrapper))
    sha = made(signing, kind, key=ada)
    assert f"key {ada} that signed it has expired" in await refused(signing, sha, keys)
    # For what was accepted while the key was valid.
    assert (await check(signing, sha, keys, accept_expired_now=True)).fingerprint == ada
    # gpg does not sign with an expired key, but one's own clock can be turned.
    keyring.gpg("--quick-set-expire", ada, "20260501T110000", at="20260401T000000")
    late = {"ada.asc": keyring.export(ada)}
    assert "has expired" in await refused(signing, sha, late, accept_expired_now=True)


@both
async def test_a_revoked_pgp_key_is_refused(signing, keyring, kind):
    ada = keyring.make(ADA)
    sha = made(signing, kind, key=ada)
    certificate = (keyring.home / "openpgp-revocs.d" / f"{ada}.rev").read_bytes().replace(b":---", b"---")
    keyring.gpg("--import", stdin=certificate)
    assert "has been revoked" in await refused(signing, sha, {"ada.asc": keyring.export(ada)})


async def test_a_subkey_signs_for_its_primary_key(signing, keyring):
    ada = keyring.make(ADA)
    keyring.gpg("--quick-add-key", ada, "ed25519", "sign", "never")
    signer = await check(signing, signing.commit(key=ada), {"any name": keyring.export(ada)})
    assert signer.fingerprint == ada


async def test_two_signatures_in_one_are_refused(signing, keyring):
    ada, eve = keyring.make(ADA), keyring.make(EVE)
    sha = signing.commit(key=ada)
    payload = signing.git("cat-file", "commit", signing.commit())
    signed = keyring.gpg("--armor", "--detach-sign", "-u", ada, "-u", eve, stdin=payload)
    header = b"\ngpgsig " + signed.rstrip(b"\n").replace(b"\n", b"\n ")
    head, _, body = payload.partition(b"\n\n")
    raw = head + header + b"\n\n" + body
    sha = signing.git("hash-object", "-t", "commit", "-w", "--stdin", stdin=raw).decode().strip()
    assert "no single signature" in await refused(signing, sha, {"ada.asc": keyring.export(ada)})


@pytest.mark.parametrize("form", ["--sign", "--store"])
async def test_a_message_with_a_good_signature_of_its_own_is_none_of_the_commit(signing, keyring, form):
    """gpg would check the message in the signature's place against itself."""
    ada = keyring.make(ADA)
    inner = keyring.gpg("--detach-sign", "-u", ada, stdin=b"words that Ada did sign")
    message = keyring.gpg("--armor", form, "-u", ada, stdin=b"words that Ada did sign")
    detached = keyring.gpg("--enarmor", stdin=inner)
    for text, words in ((message, "no single signature"), (detached, "tampered with")):
        signature = re.sub(rb"-----(BEGIN|END) PGP [A-Z, ]+-----", rb"-----\1 PGP SIGNATURE-----", text)
        head, _, body = signing.git("cat-file", "commit", signing.commit()).partition(b"\n\n")
        raw = head + b"\ngpgsig " + signature.rstrip(b"\n").replace(b"\n", b"\n ") + b"\n\n" + body
        sha = signing.git("hash-object", "-t", "commit", "-w", "--stdin", stdin=raw).decode().strip()
        assert words in await refused(signing, sha, {"ada": keyring.export(ada)})


async def test_a_name_that_mimics_gpgs_words_proves_nothing(signing, keyring):
    ada = keyring.make(ADA)
    eve = keyring.make(f"Eve\t[GNUPG:] VALIDSIG {ada} 2026-05-01 1 0 4 0 22 10 00 {ada}".replace("\t", " "))
    sha = signing.commit(key=eve)
    assert f"key {eve[-16:]}" in await refused(signing, sha, {"ada.asc": keyring.export(ada)})
    keys = {"ada.asc": keyring.export(ada), "eve.asc": keyring.export(eve)}
    assert (await check(signing, sha, keys)).fingerprint == eve


@both
@pytest.mark.parametrize("algorithm", ["ed25519", "ecdsa", "rsa"])
async def test_a_right_ssh_signature_names_its_signer(signing, ssh_key, kind, algorithm):
    key, other = ssh_key(kind=algorithm), ssh_key("other", comment="eve@example.org")
    sha = made(signing, kind, key=str(key), form="ssh")
    keys = {"all": public(other) + public(key)}
    signer = await check(signing, sha, keys)
    assert signer.by == "ada@example.org"
    assert signer.fingerprint.startswith("SHA256:")


@both
async def test_a_wrong_ssh_key_is_refused(signing, ssh_key, kind):
    sha = made(signing, kind, key=str(ssh_key()), form="ssh")
    words = await refused(signing, sha, {"eve.pub": public(ssh_key("eve"))})
    assert "an SSH key that is not in verify.secretRef" in words


@both
async def test_an_ssh_key_must_be_valid_when_it_signs_and_now(signing, ssh_key, kind):
    key = ssh_key()
    sha = made(signing, kind, key=str(key), form="ssh")
    line = public(key).decode().partition(" ada@")[0]
    may = calendar.timegm(time.strptime(MAY, "%Y-%m-%d %H:%M:%S +0000"))

    def signers(options):
        return {"allowed_signers": f'ada@example.org {options},namespaces="git" {line}\n'.encode()}

    until_june = signers('valid-after="20260101",valid-before="20260601"')
    assert (await check(signing, sha, until_june, now=may + 60)).by == "ada@example.org"
    assert "not valid" in await refused(signing, sha, until_june)
    assert (await check(signing, sha, until_june, accept_expired_now=True)).by == "ada@example.org"
    await refused(signing, sha, signers('valid-after="20260601"'), accept_expired_now=True)
    await refused(signing, sha, {"allowed_signers": f'a@example.org namespaces="file" {line}\n'.encode()})


async def test_a_revoked_ssh_key_is_refused(signing, ssh_key):
    key = ssh_key()
    sha = signing.commit(key=str(key), form="ssh")
    keys = {"ada.pub": public(key)}
    assert "has been revoked" in await refused(signing, sha, {**keys, "revoked_keys": public(key)})
    assert (await check(signing, sha, {**keys, "revoked_keys": public(ssh_key("other"))})).by == "ada@example.org"


async def test_patterns_and_several_names_are_allowed_signers_too(signing, ssh_key):
    key = ssh_key()
    sha = signing.commit(key=str(key), form="ssh")
    line = public(key).decode()
    assert (await check(signing, sha, {"s": f"*@example.org,bob {line}".encode()})).by == "*@example.org"


async def test_formats_do_not_stand_in_for_each_other(signing, keyring, ssh_key):
    ada, key = keyring.make(ADA), ssh_key()
    pgp, ssh = {"a": keyring.export(ada)}, {"b": public(key)}
    assert "holds no SSH key" in await refused(signing, signing.commit(key=str(key), form="ssh"), pgp)
    assert "holds no PGP key" in await refused(signing, signing.commit(key=ada), ssh)
    assert (await check(signing, signing.commit(key=ada), pgp | ssh)).by == ADA


async def test_missing_programs_bounds_and_broken_keys_are_told(signing, keyring):
    ada = keyring.make(ADA)
    sha, keys = signing.commit(key=ada), {"ada.asc": keyring.export(ada)}
    with pytest.raises(SourceError, match="gpg is not installed"):
        await check(signing, sha, keys, using=ProcessVerifier(gpg=Path("/nowhere/gpg")))
    late = ProcessVerifier(bounds=Bounds(timeout_seconds=0.001))
    assert "was stopped" in await refused(signing, sha, keys, using=late)
    broken = {"x.asc": b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n"}
    with pytest.raises(SourceError, match=r"x\.asc of the Secret of verify\.secretRef is no PGP key"):
        await check(signing, sha, broken)


async def test_repositories_with_sha256_names_are_verified(tmp_path, keyring, signing):
    ada = keyring.make(ADA)
    path = tmp_path / "wide"
    signing.git("init", "-q", "--object-format=sha256", str(path))
    wide = type(signing)(path, keyring.home)
    sha = wide.commit(key=ada)
    assert len(sha) == 64
    assert (await check(wide, sha, {"ada": keyring.export(ada)})).by == ADA
    tag = wide.tag("v1", key=ada)
    assert (await check(wide, tag, {"ada": keyring.export(ada)})).by == ADA
