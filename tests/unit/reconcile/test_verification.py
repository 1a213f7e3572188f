"""spec.verify on the whole loop: what nobody trusted signed never becomes an artifact, and the last good one stays."""

import base64
from typing import Any

import pytest
from tests.fakes.controller import Rig, config_map
from tests.fakes.office import NAMESPACE, REPO

from trimtab.core.errors import Problem, SourceError
from trimtab.core.refs import LOCAL_CLUSTER, ObjectRef
from trimtab.source.signers import Signer

pytestmark = pytest.mark.looptime

A, B, C = config_map("a"), config_map("b"), config_map("c")
ADA = Signer("ada@example.org", "SHA256:ada")
BOB = Signer("Bob <bob@example.org>", "B" * 40)
KEY = b"ssh-ed25519 " + base64.b64encode((11).to_bytes(4) + b"ssh-ed25519" + b"x" * 36)
T1, T2 = "1" * 40, "2" * 40


def keys(**texts: bytes) -> dict[str, Any]:
    data = {name: base64.b64encode(text).decode() for name, text in texts.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys", "namespace": NAMESPACE}, "data": data}


def start(rig: Rig, mode: str = "HEAD", **spec: Any) -> None:
    rig.cluster.other_applies(keys(ada=KEY))
    rig.source(verify={"mode": mode, "secretRef": {"name": "keys"}}, **spec)
    rig.application()
    rig.start()


async def test_a_signed_commit_is_applied_and_its_signer_told(rig: Rig) -> None:
    rig.verifier.signers[rig.declare(A)] = ADA
    start(rig)
    await rig.settle()
    assert rig.is_there(A)
    status = rig.office.status(REPO)
    assert status["sourceVerificationMode"] == "HEAD"
    assert status["verified"] == {"by": ADA.by, "fingerprint": ADA.fingerprint}
    assert rig.office.said(REPO, "SourceVerified") == ("True", "Succeeded")
    assert ADA.fingerprint in rig.office.condition(REPO, "SourceVerified")["message"]
    await rig.settle(200)
    assert len(rig.verifier.asked) == 1


async def test_an_unverified_commit_is_no_artifact_and_the_last_good_one_stays(rig: Rig) -> None:
    good = rig.declare(A)
    rig.verifier.signers[good] = ADA
    start(rig)
    await rig.settle()
    rig.push(A, B)
    await rig.settle(5)
    assert (rig.is_there(A), rig.is_there(B)) == (True, False)
    assert rig.office.said(REPO) == ("False", "VerificationFailed")
    assert rig.office.said(REPO, "SourceVerified") == ("False", "VerificationFailed")
    assert "is not signed" in rig.office.condition(REPO, "SourceVerified")["message"]
    assert rig.office.status(REPO)["artifact"]["revision"] == f"main@sha1:{good}"
    assert rig.office.status(REPO)["verified"]["by"] == ADA.by
    rig.verifier.signers[rig.push(A, B, C)] = BOB
    await rig.settle(5)
    assert rig.is_there(C)
    assert rig.office.status(REPO)["verified"]["by"] == BOB.by


async def test_nothing_of_a_commit_is_looked_at_before_it_is_verified(rig: Rig) -> None:
    good = rig.declare(A)
    rig.verifier.signers[good] = ADA
    start(rig, ignore="*.md")
    await rig.settle()
    bad = rig.push(A, B)
    await rig.settle(5)
    assert set(rig.git.selected) == {good}
    rig.verifier.signers[bad] = ADA
    await rig.settle(200)
    assert set(rig.git.selected) == {good, bad}


async def test_a_first_commit_that_nobody_signed_applies_nothing(rig: Rig) -> None:
    rig.declare(A)
    start(rig)
    await rig.settle(100)
    assert not rig.is_there(A)
    assert rig.office.said(REPO, "SourceVerified")[0] == "False"
    assert "artifact" not in rig.office.status(REPO)


async def test_a_failed_fetch_says_nothing_about_the_signature(rig: Rig) -> None:
    rig.verifier.signers[rig.declare(A)] = ADA
    start(rig)
    await rig.settle()
    rig.git.trouble = SourceError(Problem("gone", reason="Unreachable", retry=True))
    await rig.settle(100)
    assert rig.office.said(REPO) == ("False", "Unreachable")
    assert rig.office.said(REPO, "SourceVerified") == ("True", "Succeeded")


async def test_keys_count_from_the_next_poke_on(rig: Rig) -> None:
    sha = rig.declare(A)
    rig.verifier.signers[sha] = ADA
    start(rig)
    await rig.settle()
    del rig.verifier.signers[sha]
    await rig.settle(100)
    assert rig.office.said(REPO) == ("True", "Fetched")
    rig.office.poke(REPO, "look again")
    await rig.settle(5)
    assert rig.office.said(REPO, "SourceVerified")[0] == "False"
    assert rig.is_there(A)


async def test_verification_taken_back_is_told_no_more(rig: Rig) -> None:
    rig.verifier.signers[rig.declare(A)] = ADA
    start(rig)
    await rig.settle()
    rig.office.change(REPO, verify=None)
    await rig.settle(5)
    assert "verified" not in rig.office.status(REPO)
    assert [each["type"] for each in rig.office.status(REPO)["conditions"]] == ["Ready"]


@pytest.mark.parametrize(
    ("secret", "reason"),
    [(None, "SecretNotFound"), (keys(), "SecretInvalid"), (keys(ada=b"nonsense"), "SecretInvalid")],
)
async def test_a_bad_secret_is_told(rig: Rig, secret: dict[str, Any] | None, reason: str) -> None:
    rig.verifier.signers[rig.declare(A)] = ADA
    start(rig)
    rig.cluster.other_deletes(ObjectRef(LOCAL_CLUSTER, "", "Secret", NAMESPACE, "keys"))
    if secret is not None:
        rig.cluster.other_applies(secret)
    await rig.settle()
    assert rig.office.said(REPO) == ("False", reason)
    assert rig.office.said(REPO, "SourceVerified") == ("False", reason)
    assert not rig.is_there(A)


# --- tags


async def test_a_tag_must_be_annotated_and_signed(rig: Rig) -> None:
    sha = rig.git.commit({"shop": [A]}, branch="v1")
    rig.verifier.signers[sha] = ADA
    start(rig, "Tag", ref={"tag": "v1"})
    await rig.settle()
    assert "no annotated tag" in rig.office.condition(REPO, "SourceVerified")["message"]
    rig.git.tag_sha = T1
    rig.verifier.tags[T1] = ("v1", sha)
    rig.office.poke(REPO, "1")
    await rig.settle(5)
    assert "the tag is not signed" in rig.office.condition(REPO, "SourceVerified")["message"]
    rig.verifier.signers[T1] = BOB
    rig.office.poke(REPO, "2")
    await rig.settle(5)
    assert rig.is_there(A)
    assert rig.office.status(REPO)["verified"] == {"by": BOB.by, "fingerprint": BOB.fingerprint, "tag": T1}
    assert rig.office.status(REPO)["sourceVerificationMode"] == "Tag"


@pytest.mark.parametrize(("name", "target"), [("v0", None), ("v1", "f" * 40)])
async def test_a_tag_signed_for_something_else_is_refused(rig: Rig, name: str, target: str | None) -> None:
    sha = rig.git.commit({"shop": [A]}, branch="v1")
    rig.git.tag_sha = T1
    rig.verifier.signers[T1] = BOB
    rig.verifier.tags[T1] = (name, target or sha)
    start(rig, "Tag", ref={"tag": "v1"})
    await rig.settle()
    assert rig.office.said(REPO, "SourceVerified") == ("False", "VerificationFailed")
    assert not rig.is_there(A)


async def test_tag_and_head_wants_both(rig: Rig) -> None:
    sha = rig.git.commit({"shop": [A]}, branch="v1")
    rig.git.tag_sha = T2
    rig.verifier.tags[T2] = ("v1", sha)
    rig.verifier.signers[T2] = BOB
    start(rig, "TagAndHEAD", ref={"tag": "v1"})
    await rig.settle()
    assert not rig.is_there(A)
    rig.verifier.signers[sha] = ADA
    rig.office.poke(REPO, "1")
    await rig.settle(5)
    assert rig.is_there(A)
    message = rig.office.condition(REPO, "SourceVerified")["message"]
    assert message == f"the tag is signed by {BOB} and the commit is signed by {ADA}"


# --- restarts


async def restarted(rig: Rig) -> None:
    """Another process, whose first fetch finds a commit that nobody signed."""
    await rig.stop()
    rig.declare(A, B)
    rig.start()
    await rig.settle(5)


async def test_after_a_restart_the_last_good_commit_must_verify_again(rig: Rig) -> None:
    good = rig.declare(A)
    rig.verifier.signers[good] = ADA
    start(rig)
    await rig.settle()
    rig.verifier.expired.add(good)
    await restarted(rig)
    artifact = rig.artifacts.get(REPO)
    assert artifact is not None
    assert artifact.revision.sha == good


async def test_after_a_restart_a_commit_by_a_key_taken_away_is_not_restored(rig: Rig) -> None:
    good = rig.declare(A)
    rig.verifier.signers[good] = ADA
    start(rig)
    await rig.settle()
    rig.verifier.signers.clear()
    await restarted(rig)
    assert rig.artifacts.get(REPO) is None
    assert rig.is_there(A)
