"""Bodies as the API server gives them, parsed and written back."""

from typing import Any

import pytest
from pydantic import ValidationError

from trimtab.api.application import Adopt, Application, DeletionPolicy, DriftMode
from trimtab.api.git_repository import GitRepository
from trimtab.api.helm_repository import HelmRepository
from trimtab.api.inventory import EntryState, Inventory, InventoryEntry, InventoryOwner, InventorySpec
from trimtab.api.model import ConditionStatus, LocalName
from trimtab.api.oci_repository import OciRepository
from trimtab.core.inventory import Applied, Entry, Intended
from trimtab.core.refs import ObjectRef

APPLICATION: dict[str, Any] = {
    "apiVersion": "trimtab.dev/v1alpha1",
    "kind": "Application",
    "metadata": {"name": "shop", "namespace": "trimtab-system", "uid": "u1", "generation": 2},
    "spec": {"sourceRef": {"name": "fleet"}, "prune": True},
}


def application(**spec: object) -> Application:
    return Application.parse({**APPLICATION, "spec": {**APPLICATION["spec"], **spec}})


def test_application_defaults():
    spec = application().spec
    assert spec.source_ref.kind == "GitRepository"
    assert (spec.path, spec.target_namespace, spec.create_namespace) == (".", None, False)
    assert (spec.deletion_policy, spec.adopt) == (DeletionPolicy.DELETE, Adopt.IF_UNOWNED)
    assert (spec.interval_seconds, spec.timeout_seconds) == (600, 300)
    assert (spec.wait, spec.suspend, spec.drift.mode) == (False, False, DriftMode.CORRECT)


def test_prune_has_no_default():
    with pytest.raises(ValidationError, match="prune"):
        Application.parse({**APPLICATION, "spec": {"sourceRef": {"name": "fleet"}}})


def test_application_reads_all_fields():
    spec = application(
        path="apps/shop",
        targetNamespace="shop",
        createNamespace=True,
        deletionPolicy="Orphan",
        adopt="Never",
        interval="1h30m",
        timeout="90s",
        wait=True,
        suspend=True,
        drift={"mode": "Report"},
        unknownField="ignored",
    ).spec
    assert (spec.path, spec.target_namespace, spec.create_namespace) == ("apps/shop", "shop", True)
    assert (spec.deletion_policy, spec.adopt, spec.drift.mode) == ("Orphan", "Never", "Report")
    assert (spec.interval_seconds, spec.timeout_seconds) == (5400, 90)
    assert spec.wait
    assert spec.suspend


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("soon", "not a duration"),
        ("0s", "at least one second"),
        ("999ms", "at least one second"),
        ("2562048h", "longer than 292 years"),
        ("9" * 400 + "h", "longer than 32 characters"),
    ],
)
def test_refuses_what_the_schema_would_have_refused_as_a_duration(text, words):
    for field in ("interval", "timeout"):
        with pytest.raises(ValidationError, match=words):
            application(**{field: text})


def test_takes_the_shortest_and_the_longest_duration():
    spec = application(interval="1s", timeout="2562047h").spec
    assert (spec.interval_seconds, spec.timeout_seconds) == (1, 2562047 * 3600)


@pytest.mark.parametrize("kind", [GitRepository, OciRepository, HelmRepository])
def test_no_fetch_may_take_longer_than_an_hour(kind):
    url = "oci://registry.example.test/a" if kind is OciRepository else "https://git.example.test/fleet"
    body = {"metadata": {"name": "fleet"}, "spec": {"url": url, "timeout": "60m"}}
    assert kind.parse(body).spec.timeout_seconds == 3600
    body["spec"]["timeout"] = "60m1s"
    with pytest.raises(ValidationError, match=r"timeout(.|\n)*less than or equal to 3600"):
        kind.parse(body)
    assert application(timeout="2h").spec.timeout_seconds == 7200, "which holds up nobody else"


@pytest.mark.parametrize("name", ["../../x", "a/b", "..", ".", "a..b", "-a", "a-", "A", "a%2fb", "a?b", "a\n", ""])
def test_names_of_others_are_names_and_no_paths(name):
    with pytest.raises(ValidationError):
        LocalName(name=name)
    assert LocalName(name="a-b.c1").name == "a-b.c1"


def test_duration_is_written_as_text():
    assert application(interval="90m").spec.to_body()["interval"] == "1h30m"


def test_models_are_frozen():
    with pytest.raises(ValidationError, match="frozen"):
        application().spec.suspend = True  # type: ignore[misc]


def test_metadata():
    body = {
        **APPLICATION,
        "metadata": {
            "name": "shop",
            "namespace": "trimtab-system",
            "annotations": {"reconcile.trimtab.dev/requestedAt": "now"},
            "finalizers": ["trimtab.dev/prune"],
            "deletionTimestamp": "2026-01-01T00:00:00Z",
            "managedFields": [],
        },
    }
    metadata = Application.parse(body).metadata
    assert metadata.requested_at == "now"
    assert metadata.deleting
    assert metadata.finalizers == ("trimtab.dev/prune",)
    assert not application().metadata.deleting
    assert application().metadata.requested_at == ""


def test_status_reads_back_what_it_wrote():
    status = {
        "observedGeneration": 2,
        "conditions": [
            {
                "type": "Ready",
                "status": "True",
                "observedGeneration": 2,
                "lastTransitionTime": "2026-01-01T00:00:00Z",
                "reason": "Applied",
                "message": "applied",
            }
        ],
        "lastHandledReconcileAt": "x",
        "lastAppliedRevision": "main@sha1:" + "a" * 40,
        "lastAttemptedRevision": "main@sha1:" + "b" * 40,
        "inventory": {"objects": 3, "ready": 2, "drifted": 1},
        "drift": [
            {
                "object": "Deployment.apps/shop/web",
                "field": "spec.replicas",
                "declared": "3",
                "live": "5",
                "actor": "kubectl",
                "since": "2026-01-01T00:00:00Z",
            }
        ],
        "errors": [{"object": "Deployment.apps/shop/web", "file": "web.yaml", "line": 3, "message": "bad"}],
        "errorsTotal": 1,
        "history": [{"revision": "main@sha1:x", "time": "2026-01-01T00:00:00Z", "result": "Applied"}],
    }
    parsed = Application.parse({**APPLICATION, "status": status}).status
    assert parsed.to_body() == status
    assert [each.status for each in parsed.conditions] == [ConditionStatus.TRUE]
    assert parsed.condition("Ready") == parsed.conditions[0]
    assert parsed.condition("Stalled") is None


def test_git_repository_follows_main_by_default():
    repository = GitRepository.parse({"metadata": {"name": "fleet"}, "spec": {"url": "https://git.example.test/fleet"}})
    assert repository.spec.ref.to_body() == {"branch": "main"}
    assert (repository.spec.interval_seconds, repository.spec.timeout_seconds) == (60, 60)
    assert repository.spec.secret_ref is None
    assert repository.status.artifact is None


def test_git_repository_reads_all_fields():
    spec = GitRepository.parse(
        {
            "metadata": {"name": "fleet"},
            "spec": {
                "url": "https://git.example.test/fleet",
                "ref": {"commit": "a" * 40},
                "interval": "30s",
                "timeout": "10s",
                "secretRef": {"name": "login"},
                "suspend": True,
            },
        }
    ).spec
    assert spec.ref.to_body() == {"commit": "a" * 40}
    assert spec.secret_ref == LocalName(name="login")
    assert (spec.interval_seconds, spec.timeout_seconds, spec.suspend) == (30, 10, True)


REF = ObjectRef("local", "apps", "Deployment", "shop", "web")
OTHER = ObjectRef("local", "", "Service", "shop", "web")


def _seal(ref: ObjectRef, entry: Applied) -> str:
    return f"{ref} {entry.uid}"


def test_inventory_entries_come_back_as_they_were():
    entries: dict[ObjectRef, Entry] = {REF: Applied("v1", "uid-1", "base", "decl"), OTHER: Intended("v1")}
    spec = InventorySpec.of(InventoryOwner(name="shop", uid="u1"), entries, shard=1, shards=2, seal=_seal)
    body = {"metadata": {"name": "shop-1"}, "spec": spec.to_body()}
    assert body["spec"]["entries"] == [
        {"key": "local||Service|shop|web", "version": "v1", "state": "Intended"},
        {
            "key": "local|apps|Deployment|shop|web",
            "version": "v1",
            "state": "Applied",
            "uid": "uid-1",
            "baseline": "base",
            "declared": "decl",
            "seal": "Deployment.apps/shop/web uid-1",
        },
    ]
    parsed = Inventory.parse(body).spec
    assert parsed.to_entries() == entries
    assert (parsed.application.name, parsed.shard, parsed.shards) == ("shop", 1, 2)


def test_inventory_entry_with_a_broken_key():
    with pytest.raises(ValueError, match="not an object key"):
        _ = InventoryEntry(key="nonsense", version="v1", state=EntryState.INTENDED).ref
