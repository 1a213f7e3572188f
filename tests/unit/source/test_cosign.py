"""Signatures as cosign writes them, made here with `cryptography`."""

import base64
import json

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from trimtab.core.errors import SourceError
from trimtab.source.cosign import Wanted, bundle_signer, public_keys, referrers_tag, signature_tag, signer

DIGEST = f"sha256:{'a' * 64}"
NAME = "registry.example/team/app"
MAKERS = {
    "ecdsa": lambda: ec.generate_private_key(ec.SECP256R1()),
    "rsa": lambda: rsa.generate_private_key(65537, 2048),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
}


def pem(key):
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def sign(key, message):
    if isinstance(key, ec.EllipticCurvePrivateKey):
        raw = key.sign(message, ec.ECDSA(hashes.SHA256()))
    elif isinstance(key, rsa.RSAPrivateKey):
        raw = key.sign(message, padding.PKCS1v15(), hashes.SHA256())
    else:
        raw = key.sign(message)
    return base64.b64encode(raw).decode()


def payload(digest=DIGEST, name=NAME, kind="cosign container image signature"):
    critical = {"identity": {"docker-reference": name}, "image": {"docker-manifest-digest": digest}, "type": kind}
    return json.dumps({"critical": critical, "optional": None}).encode()


def bundle(key, digest=DIGEST, predicate="https://sigstore.dev/cosign/sign/v1", kind="application/vnd.in-toto+json"):
    subject = [{"name": NAME, "digest": {"sha256": digest.removeprefix("sha256:")}}]
    statement = {"_type": "https://in-toto.io/Statement/v1", "subject": subject, "predicateType": predicate}
    encoded = json.dumps(statement).encode()
    message = b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(encoded), encoded)
    envelope = {
        "payload": base64.b64encode(encoded).decode(),
        "payloadType": kind,
        "signatures": [{"keyid": ""}, {"sig": sign(key, message)}],
    }
    return json.dumps({"dsseEnvelope": envelope, "verificationMaterial": {"publicKey": {"hint": ""}}}).encode()


@pytest.fixture(params=MAKERS)
def key(request):
    return MAKERS[request.param]()


def test_the_right_key_is_named(key):
    keys = public_keys({"other.pub": pem(MAKERS["ecdsa"]()), "release.pub": pem(key), "readme": b"x"})
    assert signer(payload(), sign(key, payload()), Wanted(DIGEST), keys) == "release.pub"
    assert signer(payload(), sign(key, payload()), Wanted(DIGEST, NAME), keys) == "release.pub"
    assert bundle_signer(bundle(key), Wanted(DIGEST, NAME), keys) == "release.pub"


def test_everything_else_is_nobodys(key):
    keys = public_keys({"release.pub": pem(key)})
    stranger = MAKERS["ecdsa"]()
    wanted = Wanted(DIGEST, NAME)
    forged = {
        "stranger": (payload(), sign(stranger, payload())),
        "tampered": (payload() + b" ", sign(key, payload())),
        "another digest": (payload("sha256:" + "b" * 64), sign(key, payload("sha256:" + "b" * 64))),
        "another name": (payload(name="x"), sign(key, payload(name="x"))),
        "another type": (payload(kind="x"), sign(key, payload(kind="x"))),
        "no JSON": (b"{", sign(key, b"{")),
        "no object": (b"[]", sign(key, b"[]")),
        "no Base64": (payload(), "!"),
        "not ASCII": (payload(), "é"),
    }
    assert {what: name for what, each in forged.items() if (name := signer(*each, wanted, keys))} == {}
    bundles = {
        "stranger": bundle(stranger),
        "another digest": bundle(key, "sha256:" + "b" * 64),
        "an attestation": bundle(key, predicate="https://slsa.dev/provenance/v1"),
        "another payload": bundle(key, kind="text/plain"),
        "no JSON": b"{",
        "no envelope": b"{}",
        "deep": b"[" * 100_000,
    }
    assert {what: name for what, each in bundles.items() if (name := bundle_signer(each, wanted, keys))} == {}
    assert bundle_signer(bundle(key), Wanted(DIGEST, "x"), keys) == ""


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"cosign.key": b"x"},
        {"cosign.pub": b"no key"},
        {"cosign.pub": pem(rsa.generate_private_key(65537, 1024))},
        {"cosign.pub": pem(x25519.X25519PrivateKey.generate())},
    ],
)
def test_keys_that_are_none_are_refused(files):
    with pytest.raises(SourceError) as refused:
        public_keys(files)
    assert refused.value.reason == "SecretInvalid"


def test_tags_of_signatures():
    assert signature_tag(DIGEST) == f"sha256-{'a' * 64}.sig"
    assert referrers_tag(DIGEST) == f"sha256-{'a' * 64}"
