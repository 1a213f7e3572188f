"""Application: every rung of its ladder, on the whole loop with the world simulated."""

from typing import Any

import pytest
from tests.fakes.controller import Rig, config_map, deployment
from tests.fakes.office import APP, REPO

from trimtab.core.api_error import ApiError
from trimtab.core.errors import Problem
from trimtab.core.names import FINALIZER
from trimtab.core.refs import LOCAL_CLUSTER, ObjectRef
from trimtab.reconcile.queue import Key

pytestmark = pytest.mark.looptime

A, B, C = config_map("a"), config_map("b"), config_map("c")
SERVER_ERROR = ApiError(403, "Forbidden", "quota exceeded")


def revision(sha: str) -> str:
    return f"main@sha1:{sha}"


async def test_a_first_sync_applies_all_and_says_so(rig: Rig) -> None:
    await rig.sail(A, B)
    assert rig.is_there(A)
    assert rig.is_there(B)
    assert rig.said() == ("True", "Applied")
    assert rig.office.status(APP)["inventory"] == {"objects": 2, "ready": 2, "drifted": 0}
    assert FINALIZER in rig.office.bodies[APP]["metadata"]["finalizers"]


async def test_the_finalizer_stands_before_anything_is_applied(rig: Rig) -> None:
    seen: list[bool] = []
    rig.declare(A)
    rig.source()
    rig.application()
    rig.start()
    rig.cluster.listeners.append(
        lambda body, there: seen.append(FINALIZER in rig.office.bodies[APP]["metadata"].get("finalizers", []))
    )
    await rig.settle()
    assert seen
    assert all(seen)


async def test_at_rest_nothing_is_sent(rig: Rig) -> None:
    await rig.sail(A, B)
    rig.objects.take_requests()
    writes = len(rig.office.status_writes)
    await rig.settle(3600)
    assert rig.objects.take_requests() == []
    assert len(rig.office.status_writes) == writes
    assert len(rig.git.fetches) > 50, "the repository was asked all the time"


async def test_a_restart_with_nothing_changed_writes_nothing(rig: Rig) -> None:
    await rig.sail(A, B, deployment("web"))
    writes = len(rig.office.status_writes)
    changes = len(rig.store.changes)
    await rig.restart()
    assert rig.writes == []
    assert len(rig.office.status_writes) == writes
    assert len(rig.store.changes) == changes


async def test_a_new_revision_changes_what_changed(rig: Rig) -> None:
    await rig.sail(A, B)
    rig.objects.take_requests()
    sha = rig.push(A, config_map("b", mode="slow"), C)
    await rig.settle()
    assert {each for each in rig.writes if each[0] == "apply"} == {
        ("apply", "ConfigMap/shop/b"),
        ("apply", "ConfigMap/shop/c"),
    }
    assert rig.live(B)["data"] == {"mode": "slow"}
    assert rig.office.status(APP)["lastAppliedRevision"] == revision(sha)


async def test_what_leaves_git_is_pruned(rig: Rig) -> None:
    await rig.sail(A, B)
    rig.push(A)
    await rig.settle()
    assert not rig.is_there(B)
    assert rig.is_there(A)
    assert rig.office.status(APP)["inventory"]["objects"] == 1
    assert rig.office.told("Pruned")


async def test_without_prune_it_stays(rig: Rig) -> None:
    await rig.sail(A, B, prune=False)
    rig.push(A)
    await rig.settle()
    assert rig.is_there(B)


# --- rungs


async def test_an_invalid_application_says_what_is_wrong_and_touches_nothing(rig: Rig) -> None:
    rig.declare(A)
    rig.source()
    rig.application(prune="perhaps")
    rig.start()
    await rig.settle()
    assert rig.said() == ("False", "InvalidSpec")
    assert rig.said("Stalled") == ("True", "InvalidSpec")
    assert "spec.prune" in rig.message()
    assert not rig.is_there(A)
    rig.office.change(APP, prune=True)
    await rig.settle()
    assert rig.said() == ("True", "Applied")


async def test_suspended_means_neither_synced_nor_healed(rig: Rig) -> None:
    await rig.sail(A)
    rig.office.change(APP, suspend=True)
    await rig.settle()
    assert rig.said() == ("True", "Suspended")
    rig.edit(A, "data.mode", "edited")
    rig.push(A, B)
    await rig.settle()
    assert rig.live(A)["data"] == {"mode": "edited"}
    assert not rig.is_there(B)
    rig.office.change(APP, suspend=False)
    await rig.settle()
    assert rig.live(A)["data"] == {"mode": "fast"}
    assert rig.is_there(B)
    assert rig.said() == ("True", "Applied")


async def test_a_missing_repository_is_named(rig: Rig) -> None:
    rig.declare(A)
    rig.application()
    rig.start()
    await rig.settle()
    assert rig.said() == ("Unknown", "Waiting")
    assert "GitRepository trimtab-system/fleet does not exist: create it" in rig.message()
    rig.source()
    await rig.settle()
    assert rig.said() == ("True", "Applied"), "it came, and nobody had to poke"


async def test_a_repository_whose_event_is_on_its_way_is_not_called_missing(rig: Rig) -> None:
    await rig.sail(A)
    await rig.stop()
    repository = rig.office.bodies.pop(REPO)
    rig.cluster.objects[ObjectRef.of(repository)] = repository
    writes = len(rig.office.status_writes)
    rig.start()
    await rig.settle()
    assert len(rig.office.status_writes) == writes, "what was said before the restart is still true"
    rig.office.bodies[REPO] = repository
    rig.office.show_all()
    await rig.settle()
    assert len(rig.office.status_writes) == writes
    assert rig.said() == ("True", "Applied")


async def test_a_repository_without_a_revision_is_waited_for(rig: Rig) -> None:
    rig.declare(A)
    rig.source(suspend=True)
    rig.application()
    rig.start()
    await rig.settle()
    assert rig.said() == ("Unknown", "Waiting")
    assert "waiting for the first revision" in rig.message()


async def test_a_broken_revision_is_told_and_the_last_good_one_is_healed_on(rig: Rig) -> None:
    await rig.sail(A)
    rig.git.commit({"shop": Problem("mapping values are not allowed here", reason="InvalidYaml")})
    rig.office.poke(REPO, "1")
    await rig.settle()
    assert rig.said() == ("False", "InvalidYaml")
    assert "shop/a.yaml:1" in rig.message()
    rig.edit(A, "data.mode", "edited")
    await rig.settle()
    assert rig.live(A)["data"] == {"mode": "fast"}
    assert rig.is_there(A), "nothing is pruned while the desired state is not known"
    rig.push(A, B)
    await rig.settle()
    assert rig.said() == ("True", "Applied")


async def test_a_broken_revision_is_healed_on_after_a_restart_too(rig: Rig) -> None:
    await rig.sail(A)
    rig.git.commit({"shop": Problem("mapping values are not allowed here", reason="InvalidYaml")})
    rig.office.poke(REPO, "1")
    await rig.settle()
    await rig.restart()
    rig.edit(A, "data.mode", "edited")
    await rig.settle()
    assert rig.live(A)["data"] == {"mode": "fast"}


async def test_objects_fail_alone_and_the_failure_is_tried_again(rig: Rig) -> None:
    rig.objects.refuse("apply", "ConfigMap/shop/b", SERVER_ERROR, times=2)
    rig.declare(A, B, C)
    rig.source()
    rig.application()
    rig.start()
    await rig.settle(0.5)
    assert rig.is_there(A)
    assert rig.is_there(C)
    assert rig.said()[0] == "False"
    assert "quota exceeded" in rig.message()
    assert "shop/a.yaml:2" in rig.message()
    assert rig.office.status(APP)["errorsTotal"] == 1
    await rig.settle(1200)
    assert rig.is_there(B)
    assert rig.said() == ("True", "Applied")
    assert "errorsTotal" not in rig.office.status(APP)


async def test_a_failure_waits_longer_each_time_and_news_of_health_do_not_shorten_it(rig: Rig) -> None:
    web = deployment("web")
    rig.objects.refuse("apply", "ConfigMap/shop/b", ApiError(503, "ServiceUnavailable", "later"))
    rig.declare(web, B)
    rig.source()
    rig.application(interval="100s")
    rig.start()
    await rig.settle(600)
    tries = rig.objects.take_requests().count(("apply", "ConfigMap/shop/b"))
    for replicas in range(40):
        rig.cluster.set_status(ObjectRef.of(web), {"observedGeneration": 0, "readyReplicas": replicas % 2})
        await rig.settle(5)
    more = rig.objects.take_requests().count(("apply", "ConfigMap/shop/b"))
    assert tries > more
    runs = 200 // 80 + 1
    assert more <= runs * 5, "every 80 to 120 seconds, with four quick retries inside each run"


async def test_nothing_is_pruned_while_a_kind_is_not_served(rig: Rig) -> None:
    await rig.sail(A, B)
    widget = {"apiVersion": "example.org/v1", "kind": "Widget", "metadata": {"name": "w", "namespace": "shop"}}
    rig.push(A, widget)
    await rig.settle()
    assert rig.said()[0] == "False"
    assert "does not serve example.org/v1 Widget" in rig.message()
    assert rig.is_there(B)


async def test_the_kind_of_a_definition_beside_it_is_applied_in_the_same_revision(rig: Rig) -> None:
    definition: dict[str, Any] = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.org"},
        "spec": {"group": "example.org", "names": {"kind": "Widget"}, "scope": "Namespaced"},
        "status": {"conditions": [{"type": "Established", "status": "True"}]},
    }
    widget = {"apiVersion": "example.org/v1", "kind": "Widget", "metadata": {"name": "w", "namespace": "shop"}}

    def establish(body: dict[str, Any], there: bool) -> None:
        ref = ObjectRef.of(body)
        if ref.name == "widgets.example.org" and there and "status" not in body:
            rig.cluster.settle()
            rig.cluster.set_status(ref, definition["status"])

    rig.cluster.listeners.append(establish)
    await rig.sail(definition, widget)
    await rig.settle(60)
    assert rig.is_there(widget)
    assert rig.said() == ("True", "Applied")


async def test_a_poke_looks_again_at_a_failure_at_once(rig: Rig) -> None:
    rig.objects.refuse("apply", "ConfigMap/shop/a", SERVER_ERROR, times=1)
    rig.declare(A)
    rig.source()
    rig.application()
    rig.start()
    await rig.settle(0.5)
    assert rig.said()[0] == "False"
    rig.office.poke(APP, "now")
    await rig.settle(0.5)
    assert rig.said() == ("True", "Applied")
    assert rig.office.status(APP)["lastHandledReconcileAt"] == "now"


async def test_a_newer_revision_gives_up_the_older(rig: Rig) -> None:
    await rig.sail(A)
    rig.objects.delay_seconds = 20
    many = [config_map(f"m{number}") for number in range(20)]
    old = rig.push(config_map("a", mode="old"), *many)
    await rig.settle(50)
    new = rig.push(config_map("a", mode="new"))
    await rig.settle(400)
    assert rig.live(A)["data"] == {"mode": "new"}
    assert [body for body in many if rig.is_there(body)] == []
    assert rig.objects.requests.count(("delete", "ConfigMap/shop/m0")) == 1
    assert ("apply", "ConfigMap/shop/m19") not in rig.objects.requests, "the older revision was not seen to its end"
    assert rig.office.status(APP)["lastAppliedRevision"] == revision(new)
    history = [(item["revision"], item["result"]) for item in rig.office.status(APP)["history"]]
    assert history[:2] == [(revision(new), "Applied"), (revision(old), "Superseded")]
    assert ("Application", "superseded") in [values[:2] for values in rig.metrics.all("reconciled")]


async def test_no_wait_of_an_older_revision_stands_in_the_way(rig: Rig) -> None:
    await rig.sail(A, B)
    rig.cluster.hold(ObjectRef.of(B))
    rig.push(A)
    await rig.settle(5)
    assert rig.said() == ("Unknown", "Applying"), "it waits for b to go"
    rig.push(A, C)
    await rig.settle(5)
    assert rig.is_there(C)


async def test_an_object_that_another_application_holds_stays_with_its_holder(rig: Rig) -> None:
    await rig.sail(A)
    other = Key(APP.kind, APP.namespace, "other")
    rig.office.create(other, sourceRef={"name": "fleet"}, path="shop", prune=True)
    await rig.settle()
    status, _ = rig.office.said(other)
    assert status == "False"
    assert "trimtab-system/shop" in str(rig.office.condition(other, "Ready")["message"])
    assert rig.live(A)["metadata"]["annotations"]["trimtab.dev/owner"].startswith("trimtab-system/shop/")
    assert rig.said() == ("True", "Applied")


async def test_another_spec_is_acted_on(rig: Rig) -> None:
    rig.git.commit({"shop": [A], "blog": [B]})
    rig.source()
    rig.application()
    rig.start()
    await rig.settle()
    assert rig.is_there(A)
    rig.office.change(APP, path="blog")
    await rig.settle()
    assert rig.is_there(B)
    assert not rig.is_there(A)


async def test_a_path_that_is_not_there_is_told(rig: Rig) -> None:
    rig.declare(A)
    rig.source()
    rig.application(path="elsewhere")
    rig.start()
    await rig.settle()
    assert rig.said() == ("False", "PathNotFound")


async def test_an_application_of_the_same_name_made_anew_starts_anew(rig: Rig) -> None:
    await rig.sail(A)
    rig.office.delete(APP)
    await rig.settle()
    assert APP not in rig.office.bodies
    assert not rig.is_there(A)
    rig.application()
    await rig.settle()
    assert rig.is_there(A)
    assert rig.said() == ("True", "Applied")


async def test_a_wake_from_a_stranger_is_nothing(rig: Rig) -> None:
    await rig.sail(A)
    rig.objects.take_requests()
    ref = ObjectRef(LOCAL_CLUSTER, "", "ConfigMap", "shop", "a")
    for owner in ("", "nonsense", "trimtab-system/nobody/uid", "trimtab-system/shop/an-earlier-uid"):
        rig.applications.wake(owner, ref)
    await rig.settle()
    assert rig.objects.take_requests() == []


async def test_the_back_off_is_bounded_by_the_interval(rig: Rig) -> None:
    await rig.sail(A, interval="90s")
    assert rig.applications.limit_seconds(APP) == 90
    assert rig.applications.limit_seconds(Key(APP.kind, "x", "gone")) == 60


async def test_created_namespace_comes_first_and_is_never_pruned(rig: Rig) -> None:
    await rig.sail(config_map("a"), targetNamespace="fresh", createNamespace=True)
    fresh = ObjectRef(LOCAL_CLUSTER, "", "Namespace", "", "fresh")
    assert fresh in rig.cluster.objects
    assert ObjectRef(LOCAL_CLUSTER, "", "ConfigMap", "fresh", "a") in rig.cluster.objects
    rig.office.delete(APP)
    await rig.settle(600)
    assert fresh in rig.cluster.objects
    assert ObjectRef(LOCAL_CLUSTER, "", "ConfigMap", "fresh", "a") not in rig.cluster.objects
