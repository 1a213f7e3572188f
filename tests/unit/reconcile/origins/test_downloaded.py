"""OCIRepository, HelmRepository and Applications of several sources, on the whole loop."""

import base64
from typing import Any

import pytest
from tests.fakes.controller import Rig, config_map
from tests.fakes.downloads import digest
from tests.fakes.office import APP, NAMESPACE, key_of

from trimtab.core.errors import Problem, SourceError
from trimtab.core.refs import LOCAL_CLUSTER, ObjectRef

pytestmark = pytest.mark.looptime

A, B = config_map("a"), config_map("b")
URL = "oci://registry.example/shop"
OCI, HELM = key_of("OCIRepository", "shop"), key_of("HelmRepository", "charts")
PGP = "-----BEGIN PGP PUBLIC KEY BLOCK-----"
AWAY = SourceError(Problem("cannot reach it", reason="ConnectionFailed", retry=True))
REFUSED = SourceError(Problem("no such thing", reason="InvalidRef", remedy="correct it"))


def secret(name: str, **texts: str) -> dict[str, Any]:
    data = {key.replace("_", "."): base64.b64encode(text.encode()).decode() for key, text in texts.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": NAMESPACE}, "data": data}


def push(rig: Rig, *bodies: dict[str, Any], url: str = URL) -> None:
    rig.registries.pushed[url] = {"shop": bodies, "": bodies}


def declare(rig: Rig, **spec: Any) -> None:
    rig.office.create(OCI, **{"url": URL, "ref": {"tag": "1.0"}, "interval": "60s", **spec})


async def sail(rig: Rig, *bodies: dict[str, Any], **spec: Any) -> None:
    push(rig, *bodies)
    declare(rig, **spec)
    rig.application(sourceRef={"kind": "OCIRepository", "name": "shop"})
    rig.start()
    await rig.settle()


def revision(rig: Rig) -> str:
    return str(rig.office.status(APP)["lastAppliedRevision"])


async def test_an_artifact_is_fetched_and_applied(rig: Rig) -> None:
    await sail(rig, A)
    status = rig.office.status(OCI)
    assert rig.office.said(OCI) == ("True", "Fetched")
    assert status["artifact"]["revision"] == revision(rig)
    assert status["artifact"]["revision"].startswith("1.0@sha256:")
    assert status["artifact"]["metadata"] == {"made": "here"}
    assert rig.said() == ("True", "Applied")
    assert rig.is_there(A)
    assert "sources" not in rig.office.status(APP)


async def test_a_moved_tag_is_followed_and_an_unchanged_one_writes_nothing(rig: Rig) -> None:
    await sail(rig, A)
    before = revision(rig)
    writes = len(rig.office.status_writes)
    await rig.settle(300)
    assert len(rig.office.status_writes) == writes
    assert {values[0] for values in rig.metrics.all("fetched")[1:]} == {"unchanged"}
    push(rig, B)
    await rig.settle(100)
    assert revision(rig) != before
    assert rig.is_there(B)
    assert not rig.is_there(A)


async def test_a_registry_that_goes_changes_the_condition_and_nothing_else(rig: Rig) -> None:
    await sail(rig, A)
    rig.registries.trouble = AWAY
    await rig.restart()
    assert rig.office.said(OCI) == ("False", "ConnectionFailed")
    assert rig.office.condition(OCI, "Reconciling")["reason"] == "Retrying"
    assert rig.office.status(OCI)["artifact"]["revision"] == revision(rig)
    rig.edit(A, "data.mode", "slow")
    await rig.settle()
    assert rig.live(A)["data"]["mode"] == "fast"
    rig.registries.trouble = None
    await rig.settle(120)
    assert rig.office.said(OCI) == ("True", "Fetched")


async def test_an_application_waits_where_nothing_can_be_recalled(rig: Rig) -> None:
    await sail(rig, A)
    rig.registries.trouble = REFUSED
    rig.registries.stored.clear()
    await rig.restart()
    assert rig.office.said(OCI) == ("False", "InvalidRef")
    assert rig.office.condition(OCI, "Stalled")["status"] == "True"
    assert rig.is_there(A)


async def test_a_suspended_source_is_not_fetched(rig: Rig) -> None:
    await sail(rig, A)
    rig.office.change(OCI, suspend=True)
    push(rig, B)
    await rig.settle(200)
    assert rig.office.said(OCI) == ("True", "Suspended")
    assert not rig.is_there(B)
    rig.office.change(OCI, suspend=False)
    await rig.settle()
    assert rig.is_there(B)


async def test_secrets_are_read_once_and_again_when_poked(rig: Rig) -> None:
    rig.cluster.other_applies(secret("login", username="ann", password="one"))
    rig.cluster.other_applies(secret("keys", cosign_pub="key"))
    verify = {"provider": "cosign", "secretRef": {"name": "keys"}}
    await sail(rig, A, secretRef={"name": "login"}, certSecretRef={"name": "certs"}, verify=verify)
    assert rig.office.said(OCI) == ("False", "SecretNotFound")
    rig.registries.signed.add(digest({"shop": (A,), "": (A,)}))
    rig.cluster.other_applies(secret("certs", ca_crt="", tls_crt="c", tls_key="k"))
    await rig.settle(120)
    assert rig.office.status(OCI)["signedBy"] == "cosign.pub"
    assert "signed by cosign.pub" in rig.office.condition(OCI, "Ready")["message"]
    access, keys = rig.registries.asked[-1]
    assert (access.username, access.password, access.cert_pem) == ("ann", "one", "c")
    assert keys == {"cosign.pub": b"key"}
    rig.cluster.other_applies(secret("login", username="ann", password="two"))
    await rig.settle(120)
    assert rig.registries.asked[-1][0].password == "one"
    rig.office.poke(OCI, "now")
    await rig.settle()
    assert rig.registries.asked[-1][0].password == "two"
    assert rig.office.status(OCI)["lastHandledReconcileAt"] == "now"


async def test_an_unsigned_artifact_leaves_the_last_good_one_and_is_said_in_a_condition_of_its_own(rig: Rig) -> None:
    rig.cluster.other_applies(secret("keys", cosign_pub="key"))
    rig.registries.signed.add(digest({"shop": (A,), "": (A,)}))
    verify = {"provider": "cosign", "secretRef": {"name": "keys"}}
    await sail(rig, A, verify=verify)
    assert rig.office.said(OCI, "SourceVerified") == ("True", "Succeeded")
    assert "signed by cosign.pub" in rig.office.condition(OCI, "SourceVerified")["message"]
    push(rig, B)
    await rig.settle(100)
    assert rig.office.said(OCI) == ("False", "NotSigned")
    assert rig.office.said(OCI, "SourceVerified") == ("False", "NotSigned")
    assert (rig.is_there(A), rig.is_there(B)) == (True, False)
    rig.registries.trouble = AWAY
    await rig.settle(100)
    assert rig.office.said(OCI) == ("False", "ConnectionFailed")
    assert rig.office.said(OCI, "SourceVerified") == ("False", "NotSigned")


async def test_a_key_taken_away_counts_for_nothing_new(rig: Rig) -> None:
    rig.cluster.other_applies(secret("keys", old_pub="old", new_pub="new"))
    rig.registries.signed |= {digest({"shop": (each,), "": (each,)}) for each in (A, B)}
    await sail(rig, A, verify={"provider": "cosign", "secretRef": {"name": "keys"}})
    both = {"old.pub": b"old", "new.pub": b"new"}
    assert [keys for _, keys in rig.registries.asked] == [both]
    name = ObjectRef(LOCAL_CLUSTER, "", "Secret", NAMESPACE, "keys")
    rig.cluster.other_deletes(name)
    rig.cluster.other_applies(secret("keys", new_pub="new"))
    await rig.settle(120)
    # Nothing new there, nothing asked of the API server.
    assert all(keys == both for _, keys in rig.registries.asked)
    push(rig, B)
    await rig.settle(120)
    assert rig.registries.asked[-1][1] == {"new.pub": b"new"}
    rig.cluster.other_deletes(name)
    push(rig, A)
    await rig.settle(120)
    assert rig.office.said(OCI) == ("False", "SecretNotFound")
    assert rig.is_there(B)


async def test_further_sources_are_rendered_too_and_told(rig: Rig) -> None:
    rig.declare(A)
    rig.source()
    push(rig, B)
    declare(rig)
    further = [{"name": "values", "sourceRef": {"kind": "OCIRepository", "name": "shop"}}]
    rig.application(sources=further)
    rig.start()
    await rig.settle()
    assert revision(rig).startswith("main@sha1:")
    told = rig.office.status(APP)["sources"]
    assert [each["name"] for each in told] == ["values"]
    rendered = rig.renderer.rendered
    push(rig, B, A)
    await rig.settle(100)
    assert rig.renderer.rendered == rendered + 1
    assert rig.office.status(APP)["sources"] != told
    assert rig.said() == ("True", "Applied")
    rig.office.change(APP, sources=[])
    await rig.settle()
    assert "sources" not in rig.office.status(APP)


async def test_a_further_source_that_is_missing_is_named(rig: Rig) -> None:
    rig.declare(A)
    rig.source()
    rig.application(sources=[{"name": "values", "sourceRef": {"kind": "HelmRepository", "name": "charts"}}])
    rig.start()
    await rig.settle()
    assert "HelmRepository trimtab-system/charts does not exist" in rig.message()


async def test_the_kind_of_a_source_counts_and_not_only_its_name(rig: Rig) -> None:
    push(rig, A)
    declare(rig)
    rig.application(sourceRef={"kind": "GitRepository", "name": "shop"})
    rig.start()
    await rig.settle()
    assert "GitRepository trimtab-system/shop does not exist" in rig.message()
    assert not rig.is_there(A)


def offer(rig: Rig, **versions: dict[str, Any]) -> None:
    rig.charts.listed["web"] = {name.replace("_", "."): {"": [body]} for name, body in versions.items()}


async def charts(rig: Rig, version: str = "1.x", *, spec: dict[str, Any] | None = None, **chart: Any) -> None:
    rig.office.create(HELM, url="https://charts.example", interval="60s", **(spec or {}))
    taken = {"chart": {"name": "web", "version": version, **chart}, "path": "."}
    rig.application(sourceRef={"kind": "HelmRepository", "name": "charts"}, **taken)
    rig.start()
    await rig.settle()


async def test_a_chart_is_taken_out_of_its_index_once(rig: Rig) -> None:
    offer(rig, v1_0_0=A)
    await charts(rig)
    assert rig.office.said(HELM) == ("True", "Fetched")
    assert revision(rig).startswith("v1.0.0@sha256:")
    rig.edit(A, "data.mode", "slow")
    await rig.settle(300)
    assert rig.charts.fetched == ["v1.0.0"]
    offer(rig, v1_0_0=A, v2_0_0=B)
    await rig.settle(100)
    assert revision(rig).startswith("v1.0.0@sha256:")
    offer(rig, v1_0_0=A, v1_1_0=B)
    await rig.settle(100)
    assert revision(rig).startswith("v1.1.0@sha256:")
    assert rig.is_there(B)


async def test_a_chart_without_provenance_leaves_the_last_good_one(rig: Rig) -> None:
    rig.cluster.other_applies(secret("keys", ada_asc=PGP))
    offer(rig, v1_0_0=A)
    await charts(rig, spec={"verify": {"provider": "pgp", "secretRef": {"name": "keys"}}})
    assert rig.said() == ("True", "Applied")
    assert "chart signed by Ada (FPR)" in rig.message()
    rig.charts.unsigned.add("v1.1.0")
    offer(rig, v1_0_0=A, v1_1_0=B)
    await rig.settle(100)
    assert rig.said() == ("False", "VerificationFailed")
    assert (rig.is_there(A), rig.is_there(B)) == (True, False)
    rig.edit(A, "data.mode", "slow")
    await rig.settle()
    assert rig.live(A)["data"]["mode"] == "fast", "what was applied last is still healed"
    rig.office.change(HELM, verify=None)
    await rig.settle(100)
    assert rig.said() == ("True", "Applied")
    assert "signed" not in rig.message()


async def test_a_key_of_provenance_taken_away_counts_for_nothing_new(rig: Rig) -> None:
    rig.cluster.other_applies(secret("keys", ada_asc=PGP, eve_asc=PGP))
    rig.charts.signers = {"v1.0.0": "ada.asc", "v1.1.0": "eve.asc"}
    offer(rig, v1_0_0=A)
    await charts(rig, spec={"verify": {"provider": "pgp", "secretRef": {"name": "keys"}}})
    rig.cluster.other_deletes(ObjectRef(LOCAL_CLUSTER, "", "Secret", NAMESPACE, "keys"))
    rig.cluster.other_applies(secret("keys", ada_asc=PGP))
    await rig.settle(120)
    offer(rig, v1_0_0=A, v1_1_0=B)
    await rig.settle(120)
    assert rig.said() == ("False", "VerificationFailed")
    assert (rig.is_there(A), rig.is_there(B)) == (True, False)


async def test_keys_of_provenance_that_are_none_are_told_at_the_repository(rig: Rig) -> None:
    rig.cluster.other_applies(secret("keys", ada_asc="no key"))
    offer(rig, v1_0_0=A)
    await charts(rig, spec={"verify": {"provider": "pgp", "secretRef": {"name": "keys"}}})
    assert rig.office.said(HELM) == ("False", "SecretInvalid")
    assert not rig.is_there(A)


async def test_a_chart_that_is_not_listed_is_an_error_and_heals(rig: Rig) -> None:
    offer(rig, v2_0_0=A)
    await charts(rig)
    assert rig.said() == ("False", "ChartNotFound")
    offer(rig, v1_0_0=A)
    await rig.settle(100)
    assert rig.said() == ("True", "Applied")
    rig.charts.trouble = AWAY
    await rig.settle(100)
    assert rig.office.said(HELM) == ("False", "ConnectionFailed")
    assert rig.said() == ("True", "Applied")
    await rig.restart()
    assert rig.is_there(A)


async def test_a_stalled_chart_server_holds_up_nobody_else(rig: Rig) -> None:
    """Ten Applications wait for charts, the loop has four workers, and others are applied at once."""
    offer(rig, v1_0_0=A)
    rig.charts.stalls = True
    rig.office.create(HELM, url="https://charts.example", interval="60s", timeout="300s")
    for number in range(10):
        ref = {"kind": "HelmRepository", "name": "charts"}
        spec = {"sourceRef": ref, "chart": {"name": "web"}, "path": ".", "prune": True}
        rig.office.create(key_of("Application", f"web-{number}"), **spec)
    rig.start()
    await rig.settle(5)
    assert rig.charts.fetched == ["v1.0.0"], "one download for all"
    said = rig.office.condition(key_of("Application", "web-7"), "Ready")
    assert (said["reason"], said["message"]) == ("Waiting", "fetching chart web v1.0.0")
    rig.declare(B)
    rig.source()
    rig.application()
    await rig.settle(5)
    assert rig.said() == ("True", "Applied")
    await rig.settle(300)
    assert rig.office.said(key_of("Application", "web-7")) == ("False", "TimedOut")


async def test_a_newer_chart_does_not_wait_for_one_that_stalls(rig: Rig) -> None:
    offer(rig, v1_0_0=A)
    rig.charts.stalls = True
    await charts(rig, spec={"timeout": "600s"})
    assert rig.said()[1] == "Waiting"
    rig.charts.stalls = False
    offer(rig, v1_0_0=A, v1_1_0=B)
    await rig.settle(100)
    assert rig.said() == ("True", "Applied")
    assert revision(rig).startswith("v1.1.0@")


async def test_a_chart_that_fails_is_not_asked_for_by_healing_turns(rig: Rig) -> None:
    offer(rig, v1_0_0=A)
    await charts(rig)
    rig.charts.stalls = True
    offer(rig, v1_0_0=A, v1_1_0=B)
    rig.office.change(HELM, timeout="1s")
    await rig.settle(120)
    assert rig.said() == ("False", "TimedOut")
    asked = len(rig.charts.fetched)
    for _ in range(3):
        rig.edit(A, "data.mode", "slow")
        await rig.settle(1)
        assert rig.live(A)["data"]["mode"] == "fast"
    assert len(rig.charts.fetched) <= asked + 1
    writes = len(rig.office.status_writes)
    rig.charts.stalls = False
    rig.office.poke(APP, "now")
    await rig.settle(2)
    assert rig.said() == ("True", "Applied"), "a poke does not wait for the pause to end"
    assert len(rig.office.status_writes) > writes


async def test_another_index_with_the_same_chart_disturbs_nobody(rig: Rig) -> None:
    offer(rig, v1_0_0=A)
    await charts(rig)
    writes = len([each for each in rig.office.status_writes if each == APP])
    offer(rig, v1_0_0=A, v2_0_0=B)
    await rig.settle(100)
    assert len([each for each in rig.office.status_writes if each == APP]) == writes
    assert rig.charts.fetched == ["v1.0.0"]


async def test_an_index_has_no_folders(rig: Rig) -> None:
    offer(rig, v1_0_0=A)
    rig.office.create(HELM, url="https://charts.example", interval="60s")
    rig.application(sourceRef={"kind": "HelmRepository", "name": "charts"})
    rig.start()
    await rig.settle()
    artifact = rig.artifacts.get(HELM)
    assert artifact is not None
    with pytest.raises(SourceError) as refused:
        await artifact.tree.digest("")
    assert refused.value.reason == "ChartMissing"


async def test_a_source_that_goes_is_forgotten_and_its_applications_keep_what_they_have(rig: Rig) -> None:
    await sail(rig, A)
    rig.office.delete(OCI)
    await rig.settle()
    assert rig.artifacts.get(OCI) is None
    assert "does not exist" in rig.message()
    assert rig.is_there(A)


async def test_a_spec_that_cannot_be_read_is_said(rig: Rig) -> None:
    declare(rig, interval="often")
    rig.start()
    await rig.settle()
    assert rig.office.said(OCI) == ("False", "InvalidSpec")
