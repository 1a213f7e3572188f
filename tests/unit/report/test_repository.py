"""The status of a GitRepository after fetches, failures and rests."""

from trimtab.api.git_repository import Commit, GitRepository, GitRepositoryStatus
from trimtab.api.verification import Verification, VerificationMode, VerifiedBy
from trimtab.core.errors import Problem
from trimtab.core.revision import Revision
from trimtab.report.repository import ArtifactNews, RepositoryNews, VerifiedNews, repository_status

T0, LATER = 1767225600.0, 1767229200.0
ONE = Revision("main", "a" * 40)
COMMIT = Commit(author="Ann <a@example.test>", committer="Ann", subject="Begin", time="2026-01-01T00:00:00Z")
FETCHED = RepositoryNews(artifact=ArtifactNews(ONE, T0, COMMIT, "sha1:" + "c" * 40))


def repository(status: GitRepositoryStatus | None = None, *, requested: str = "") -> GitRepository:
    annotations = {"reconcile.trimtab.dev/requestedAt": requested} if requested else {}
    parsed = GitRepository.parse(
        {
            "metadata": {"name": "fleet", "generation": 2, "annotations": annotations},
            "spec": {"url": "https://git.example.test/x"},
        }
    )
    return parsed.model_copy(update={"status": status}) if status else parsed


def told(status: GitRepositoryStatus) -> dict[str, tuple[str, str, str]]:
    return {each.type: (each.status.value, each.reason, each.message) for each in status.conditions}


def test_first_fetch_under_way():
    status = repository_status(repository(requested="x"), RepositoryNews(), now_seconds=T0)
    assert told(status) == {
        "Ready": ("Unknown", "Fetching", "fetching for the first time"),
        "Reconciling": ("True", "Fetching", "fetching for the first time"),
    }
    assert status.last_handled_reconcile_at is None


def test_fetched():
    status = repository_status(repository(requested="x"), FETCHED, now_seconds=T0)
    assert told(status) == {"Ready": ("True", "Fetched", f"fetched {ONE}")}
    assert status.artifact is not None
    assert status.artifact.to_body() == {
        "revision": str(ONE),
        "digest": "sha1:" + "c" * 40,
        "lastUpdateTime": "2026-01-01T00:00:00Z",
    }
    assert status.commit == COMMIT
    assert (status.observed_generation, status.last_handled_reconcile_at) == (2, "x")


def test_the_same_again_changes_nothing():
    before = repository_status(repository(), FETCHED, now_seconds=T0)
    again = RepositoryNews(artifact=ArtifactNews(ONE, LATER, None, "sha1:" + "c" * 40))
    assert repository_status(repository(before), again, now_seconds=LATER) == before


def test_a_new_revision_has_a_new_time():
    before = repository_status(repository(), FETCHED, now_seconds=T0)
    news = RepositoryNews(artifact=ArtifactNews(Revision("main", "b" * 40), LATER))
    status = repository_status(repository(before), news, now_seconds=LATER)
    assert status.artifact is not None
    assert status.artifact.to_body() == {
        "revision": "main@sha1:" + "b" * 40,
        "lastUpdateTime": "2026-01-01T01:00:00Z",
    }


def test_a_failure_keeps_the_artifact():
    before = repository_status(repository(), FETCHED, now_seconds=T0)
    problem = Problem("connection refused", reason="Unreachable", remedy="is the server up?", retry=True)
    status = repository_status(repository(before), RepositoryNews(problem=problem), now_seconds=LATER)
    assert told(status) == {
        "Ready": ("False", "Unreachable", "connection refused (is the server up?)"),
        "Reconciling": ("True", "Retrying", "connection refused (is the server up?)"),
    }
    assert (status.artifact, status.commit) == (before.artifact, before.commit)


def test_a_final_failure_stalls():
    problem = Problem("no such branch", reason="RefNotFound")
    status = repository_status(repository(), RepositoryNews(problem=problem), now_seconds=T0)
    assert told(status)["Stalled"] == ("True", "RefNotFound", "no such branch")
    assert status.artifact is None


def test_suspended():
    assert told(repository_status(repository(), RepositoryNews(suspended=True), now_seconds=T0)) == {
        "Ready": ("Unknown", "Suspended", "suspended: not fetched until spec.suspend is false")
    }
    before = repository_status(repository(), FETCHED, now_seconds=T0)
    status = repository_status(repository(before), RepositoryNews(suspended=True), now_seconds=LATER)
    assert told(status)["Ready"][:2] == ("True", "Suspended")
    assert status.artifact == before.artifact


# --- verification

BY = VerifiedBy(by="Ada", fingerprint="A" * 40)
VERIFIED = RepositoryNews(artifact=FETCHED.artifact, verified=VerifiedNews(BY, "the commit is signed by Ada"))
UNSIGNED = Problem("the commit is not signed", reason="VerificationFailed", retry=True)


def verifying(status: GitRepositoryStatus | None = None) -> GitRepository:
    asked = Verification.model_validate({"secretRef": {"name": "keys"}})
    plain = repository(status)
    return plain.model_copy(update={"spec": plain.spec.model_copy(update={"verify": asked})})


def test_a_verified_artifact_is_told_with_its_signer():
    status = repository_status(verifying(), VERIFIED, now_seconds=T0)
    assert told(status)["SourceVerified"] == ("True", "Succeeded", "the commit is signed by Ada")
    assert (status.verified, status.source_verification_mode) == (BY, VerificationMode.HEAD)


def test_a_refused_commit_leaves_the_signer_of_the_last_artifact():
    first = repository_status(verifying(), VERIFIED, now_seconds=T0)
    status = repository_status(verifying(first), RepositoryNews(problem=UNSIGNED, unverified=True), now_seconds=LATER)
    assert told(status)["SourceVerified"][:2] == ("False", "VerificationFailed")
    assert told(status)["Ready"][:2] == ("False", "VerificationFailed")
    assert (status.verified, status.artifact) == (BY, first.artifact)


def test_a_failed_fetch_says_nothing_new_about_signatures():
    gone = RepositoryNews(problem=Problem("gone", reason="Unreachable", retry=True))
    assert "SourceVerified" not in told(repository_status(verifying(), gone, now_seconds=T0))
    first = repository_status(verifying(), VERIFIED, now_seconds=T0)
    status = repository_status(verifying(first), gone, now_seconds=LATER)
    assert told(status)["SourceVerified"] == told(first)["SourceVerified"]
    assert status.verified == BY


def test_nobody_asks_any_more():
    first = repository_status(verifying(), VERIFIED, now_seconds=T0)
    status = repository_status(repository(first), FETCHED, now_seconds=LATER)
    assert (status.verified, status.source_verification_mode) == (None, None)
    assert list(told(status)) == ["Ready"]


def test_by_which_rules_the_artifact_was_made():
    spec = {
        "url": "https://git.example.test/x",
        "ignore": "*.md",
        "sparseCheckout": ["deploy"],
        "recurseSubmodules": True,
        "include": [{"repository": {"name": "shared"}, "toPath": "in"}],
    }
    declared = GitRepository.parse({"metadata": {"name": "fleet", "generation": 3}, "spec": spec})
    included = ArtifactNews(Revision("v1", "d" * 40), T0, None, "sha1:" + "e" * 40)
    news = RepositoryNews(artifact=ArtifactNews(ONE, T0, COMMIT, "sha256:" + "c" * 64, (included,)))
    status = repository_status(declared, news, now_seconds=T0)
    body = status.to_body()
    assert body["observedIgnore"] == "*.md"
    assert body["observedSparseCheckout"] == ["deploy"]
    assert body["observedRecurseSubmodules"] is True
    assert body["observedInclude"] == spec["include"]
    assert body["includedArtifacts"] == [
        {"revision": f"v1@sha1:{'d' * 40}", "digest": "sha1:" + "e" * 40, "lastUpdateTime": "2026-01-01T00:00:00Z"}
    ]
    failed = RepositoryNews(problem=Problem("no", reason="RefNotFound", retry=True))
    after = repository_status(declared.model_copy(update={"status": status}), failed, now_seconds=LATER)
    assert after.to_body() | {"conditions": 0} == body | {"conditions": 0}
    plain = repository_status(repository(after), FETCHED, now_seconds=LATER).to_body()
    assert not [name for name in plain if name.startswith(("observedI", "observedS", "observedR", "included"))]
