"""ConfigMaps and Secrets that rendering reads: read once, watched while somebody refers to them, and told by digest."""

import asyncio
import base64
from typing import Any

import pytest
from tests.fakes.cluster import FakeWatches
from tests.fakes.controller import SIGNING_KEY, Rig, config_map, namespace
from tests.fakes.office import APP, NAMESPACE
from tests.fakes.sea import Sea

from trimtab.core.api_error import ApiError
from trimtab.core.errors import SourceError
from trimtab.core.refs import LOCAL_CLUSTER, ObjectRef
from trimtab.reconcile.inputs import KINDS, SYNC_SECONDS, InputStore
from trimtab.reconcile.queue import Key
from trimtab.render.inputs import InputRef

pytestmark = pytest.mark.looptime

SHOP, BLOG = Key("Application", NAMESPACE, "shop"), Key("Application", NAMESPACE, "blog")
VARS, SECRET = InputRef("ConfigMap", "vars"), InputRef("Secret", "keys")
VARS_OBJECT = ObjectRef(LOCAL_CLUSTER, "", "ConfigMap", NAMESPACE, "vars")
A = config_map("a")
FROM_VARS = {"postBuild": {"substituteFrom": [{"kind": "ConfigMap", "name": "vars"}]}}


def put(sea: Any, ref: InputRef, annotations: dict[str, str] | None = None, **data: str) -> None:
    if ref.kind == "Secret":
        data = {name: base64.b64encode(text.encode()).decode() for name, text in data.items()}
    metadata = {"name": ref.name, "namespace": NAMESPACE, "annotations": annotations or {}}
    sea.cluster.other_applies({"apiVersion": "v1", "kind": ref.kind, "metadata": metadata, "data": data})


class Harbour:
    """A store over a sea, and whom it woke."""

    def __init__(self, *, watched: bool = True) -> None:
        self.sea = Sea()
        self.sea.cluster.other_applies(namespace(NAMESPACE))
        self.woken: list[Key] = []
        self.store = InputStore(objects=self.sea.objects, key=SIGNING_KEY, wake=self.woken.append)
        self.watches = FakeWatches(self.sea.cluster, self.store.sink, namespace=NAMESPACE)
        if watched:
            self.store.watches = self.watches

    def asked(self) -> list[str]:
        return [about for _, about in self.sea.objects.take_requests()]


@pytest.fixture
async def harbour() -> Harbour:
    return Harbour()


async def test_nothing_wanted_is_nothing_watched_or_asked(harbour: Harbour) -> None:
    inputs = await harbour.store.get(SHOP, frozenset())
    assert (inputs.objects, inputs.digest) == ({}, "")
    assert harbour.watches.wanted == frozenset()
    assert harbour.asked() == []


async def test_data_is_decoded_and_asked_for_by_the_watch_alone(harbour: Harbour) -> None:
    put(harbour.sea, VARS, mode="fast")
    put(harbour.sea, SECRET, password="hunter2")
    inputs = await harbour.store.get(SHOP, frozenset({VARS, SECRET}))
    assert inputs.objects == {VARS: {"mode": b"fast"}, SECRET: {"password": b"hunter2"}}
    assert harbour.asked() == []
    assert harbour.watches.wanted == set(KINDS.values())
    assert "hunter2" not in repr(inputs)
    again = await harbour.store.get(SHOP, frozenset({VARS, SECRET}))
    assert again.digest == inputs.digest


async def test_binary_data_counts_too_and_what_is_no_base64_does_not(harbour: Harbour) -> None:
    metadata = {"name": "vars", "namespace": NAMESPACE}
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
    harbour.sea.cluster.other_applies({**body, "binaryData": {"logo": "AP8=", "odd": "not base64!"}})
    inputs = await harbour.store.get(SHOP, frozenset({VARS}))
    assert inputs.objects == {VARS: {"logo": b"\x00\xff"}}


async def test_a_missing_object_is_none_and_its_appearance_wakes(harbour: Harbour) -> None:
    inputs = await harbour.store.get(SHOP, frozenset({VARS}))
    assert inputs.objects == {VARS: None}
    put(harbour.sea, VARS, mode="fast")
    assert harbour.woken == [SHOP]
    assert (await harbour.store.get(SHOP, frozenset({VARS}))).objects == {VARS: {"mode": b"fast"}}
    assert harbour.asked() == []


async def test_only_those_who_refer_to_it_are_woken_and_only_by_data(harbour: Harbour) -> None:
    put(harbour.sea, VARS, mode="fast")
    await harbour.store.get(SHOP, frozenset({VARS}))
    await harbour.store.get(BLOG, frozenset({SECRET}))
    put(harbour.sea, VARS, {"note": "of no matter"}, mode="fast")
    put(harbour.sea, InputRef("ConfigMap", "others"), mode="fast")
    assert harbour.woken == []
    put(harbour.sea, VARS, mode="slow")
    assert harbour.woken == [SHOP]
    assert (harbour.store.outdated(SHOP), harbour.store.outdated(BLOG)) == (True, False)
    await harbour.store.get(SHOP, frozenset({VARS}))
    assert not harbour.store.outdated(SHOP)


async def test_a_deleted_object_is_none(harbour: Harbour) -> None:
    put(harbour.sea, VARS, mode="fast")
    await harbour.store.get(SHOP, frozenset({VARS}))
    uid = harbour.sea.cluster.objects[VARS_OBJECT]["metadata"]["uid"]
    harbour.sea.cluster.delete(VARS_OBJECT, uid=uid)
    assert harbour.woken == [SHOP]
    assert (await harbour.store.get(SHOP, frozenset({VARS}))).objects == {VARS: None}


async def test_what_is_wanted_after_the_list_is_asked_for_once(harbour: Harbour) -> None:
    put(harbour.sea, VARS, mode="fast")
    other = InputRef("ConfigMap", "other")
    await harbour.store.get(SHOP, frozenset({VARS}))
    await harbour.store.get(BLOG, frozenset({other}))
    assert harbour.asked() == [f"ConfigMap/{NAMESPACE}/other"]
    await harbour.store.get(BLOG, frozenset({other, VARS}))
    assert harbour.asked() == []
    put(harbour.sea, other, mode="slow")
    assert harbour.woken == [BLOG]


async def test_what_nobody_refers_to_is_forgotten_and_watched_no_longer(harbour: Harbour) -> None:
    put(harbour.sea, VARS, mode="fast")
    await harbour.store.get(SHOP, frozenset({VARS}))
    await harbour.store.get(BLOG, frozenset({VARS, SECRET}))
    harbour.store.forget(SHOP)
    assert harbour.watches.wanted == set(KINDS.values())
    await harbour.store.get(BLOG, frozenset({SECRET}))
    assert harbour.watches.wanted == {KINDS["Secret"]}
    harbour.store.forget(BLOG)
    assert harbour.watches.wanted == frozenset()
    put(harbour.sea, VARS, mode="slow")
    assert harbour.woken == []


async def test_an_outage_of_the_watch_is_bridged_by_asking_and_its_end_tells_what_happened(harbour: Harbour) -> None:
    put(harbour.sea, VARS, mode="fast")
    await harbour.store.get(SHOP, frozenset({VARS}))
    harbour.watches.cut(KINDS["ConfigMap"])
    put(harbour.sea, VARS, mode="slow")
    assert (await harbour.store.get(SHOP, frozenset({VARS}))).objects == {VARS: {"mode": b"slow"}}
    assert len(harbour.asked()) == 1
    harbour.woken.clear()
    uid = harbour.sea.cluster.objects[VARS_OBJECT]["metadata"]["uid"]
    harbour.sea.cluster.delete(VARS_OBJECT, uid=uid)
    harbour.watches.mend(KINDS["ConfigMap"])
    assert harbour.woken == [SHOP]


async def test_what_was_seen_last_goes_on_while_the_server_is_away(harbour: Harbour) -> None:
    put(harbour.sea, VARS, mode="fast")
    await harbour.store.get(SHOP, frozenset({VARS}))
    harbour.watches.cut(KINDS["ConfigMap"])
    harbour.sea.objects.refuse("get", str(VARS_OBJECT), ApiError(503, "ServiceUnavailable", "later"))
    assert (await harbour.store.get(SHOP, frozenset({VARS}))).objects == {VARS: {"mode": b"fast"}}


async def test_what_was_never_seen_is_not_missing(harbour: Harbour) -> None:
    put(harbour.sea, VARS, mode="fast")
    harbour.sea.objects.refuse("get", str(VARS_OBJECT), ApiError(403, "Forbidden", "no"))
    store = Harbour(watched=False).store
    store._objects = harbour.sea.objects
    with pytest.raises(SourceError, match=f"ConfigMap/{NAMESPACE}/vars: it cannot be read: Forbidden") as refused:
        await store.get(SHOP, frozenset({VARS}))
    assert (refused.value.reason, refused.value.retry) == ("InputUnreadable", True)


async def test_without_watches_each_look_asks() -> None:
    harbour = Harbour(watched=False)
    put(harbour.sea, VARS, mode="fast")
    await harbour.store.get(SHOP, frozenset({VARS}))
    put(harbour.sea, VARS, mode="slow")
    assert (await harbour.store.get(SHOP, frozenset({VARS}))).objects == {VARS: {"mode": b"slow"}}
    assert len(harbour.asked()) == 2


async def test_a_silent_watch_is_waited_for_in_vain_and_the_object_asked_for(harbour: Harbour) -> None:
    class Silent(FakeWatches):
        def _list(self, kind: Any) -> None:
            """Show nothing."""

        def synced(self, kind: Any) -> bool:
            return False

    put(harbour.sea, VARS, mode="fast")
    harbour.store.watches = Silent(harbour.sea.cluster, harbour.store.sink, namespace=NAMESPACE)
    before = asyncio.get_running_loop().time()
    assert (await harbour.store.get(SHOP, frozenset({VARS}))).objects == {VARS: {"mode": b"fast"}}
    assert asyncio.get_running_loop().time() - before == pytest.approx(SYNC_SECONDS)


async def test_the_loop_renders_again_when_an_input_changes_and_only_then(rig: Rig) -> None:
    put(rig, VARS, mode="fast")
    await rig.sail(A, **FROM_VARS)
    assert rig.renderer.rendered == 1
    rig.objects.take_requests()
    put(rig, InputRef("ConfigMap", "others"), mode="slow")
    await rig.settle()
    assert (rig.renderer.rendered, rig.objects.take_requests()) == (1, [])
    put(rig, VARS, mode="slow")
    await rig.settle()
    assert rig.renderer.rendered == 2
    assert rig.renderer.jobs[-1].inputs.objects == {VARS: {"mode": b"slow"}}


async def test_secrets_are_told_neither_in_status_nor_in_events(rig: Rig) -> None:
    put(rig, SECRET, token="hunter2secret", line='with "quotes"\n', short="a")
    source = {"substituteFrom": [{"kind": "Secret", "name": "keys"}]}
    rig.objects.refuse("apply", "ConfigMap/shop/a", ApiError(422, "Invalid", 'hunter2secret: with "quotes" is wrong'))
    await rig.sail(A, postBuild=source)
    assert rig.said()[0] == "False"
    assert "*** is wrong" in rig.message()
    assert any("*** is wrong" in event["note"] for event in rig.office.events)
    for text in (str(rig.office.status(APP)), str(rig.office.events)):
        assert "hunter2secret" not in text
        assert "quotes" not in text
    assert "ConfigMap/shop/a" in rig.message(), "values too short to be recognised are left"


async def test_drift_shows_nothing_that_came_from_a_secret(rig: Rig) -> None:
    put(rig, SECRET, token="hunter2secret")
    declared = config_map("a", mode="hunter2secret")
    source = {"substituteFrom": [{"kind": "Secret", "name": "keys"}]}
    await rig.sail(declared, postBuild=source, drift={"mode": "Report"})
    rig.edit(declared, "data.mode", "slow")
    await rig.settle()
    (drift,) = rig.office.status(APP)["drift"]
    assert (drift["declared"], drift["live"]) == ('"***"', '"slow"')


async def test_a_changed_input_preempts_an_apply_that_waits(rig: Rig) -> None:
    put(rig, VARS, mode="fast")
    await rig.sail(A, **FROM_VARS)
    rig.objects.delay_seconds = 20
    rig.push(config_map("a", mode="old"), *(config_map(f"m{number}") for number in range(20)))
    await rig.settle(50)
    put(rig, VARS, mode="slow")
    await rig.settle(400)
    ended = [str(result) for kind, result, _ in rig.metrics.all("reconciled") if kind == APP.kind]
    assert ended.count("superseded") == 1
    assert rig.renderer.rendered == 3
    assert rig.said() == ("True", "Applied")


async def test_a_deleted_application_refers_to_nothing_any_more(rig: Rig) -> None:
    await rig.sail(A, **FROM_VARS)
    assert rig.input_watches.wanted == {KINDS["ConfigMap"]}
    rig.office.delete(APP)
    await rig.settle()
    assert rig.input_watches.wanted == frozenset()
