import asyncio
import json
from typing import Any

import pytest
from tests.fixtures.cluster import Kubectl

from trimtab.adapters.kube.objects import KubeObjects
from trimtab.adapters.store.inventory import KubeInventoryStore
from trimtab.adapters.store.shards import OWNER_LABEL
from trimtab.api.inventory import RESOURCE
from trimtab.core.api_error import ApiError
from trimtab.core.inventory import Applied, Entry, Intended
from trimtab.core.names import FINALIZER
from trimtab.core.refs import LOCAL_CLUSTER, ObjectRef

pytestmark = pytest.mark.usefixtures("own_crds")

APP, UID = "shop", "6f0d2f2e-8a3e-4d1c-9d53-0f2a4c1f7b11"

KEY = b"k" * 32


def ref(number: int) -> ObjectRef:
    return ObjectRef(LOCAL_CLUSTER, "apps", "Deployment", "shop", f"web-{number}")


def applied(number: int) -> Applied:
    return Applied("v1", f"uid-{number}", f"baseline-{number}", f"declared-{number}")


def many(count: int) -> dict[ObjectRef, Entry | None]:
    return {ref(number): applied(number) for number in range(count)}


class Counting:
    """The real objects, with writes counted and, on demand, refused."""

    def __init__(self, objects: KubeObjects) -> None:
        self._objects = objects
        self.writes: list[str] = []
        self.refuse_after: int | None = None

    def _write(self, name: str) -> None:
        if self.refuse_after is not None and len(self.writes) >= self.refuse_after:
            raise ApiError(0, "Unreachable", "killed here")
        self.writes.append(name)

    async def create(self, body: dict[str, Any]) -> dict[str, Any]:
        self._write("create")
        return await self._objects.create(body)

    async def merge(self, *arguments: Any, **more: Any) -> dict[str, Any]:
        self._write("merge")
        return await self._objects.merge(*arguments, **more)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._objects, name)


@pytest.fixture
def counting(objects: KubeObjects) -> Counting:
    return Counting(objects)


@pytest.fixture
def store(counting: Counting) -> KubeInventoryStore:
    return KubeInventoryStore(counting, key=KEY)


@pytest.fixture
def fresh(objects: KubeObjects) -> KubeInventoryStore:
    """A store that knows nothing yet, as after a restart."""
    return KubeInventoryStore(objects, key=KEY)


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trimtab.core.inventory.SHARD_ENTRIES", 4)


def stored(kubectl: Kubectl, namespace: str) -> list[dict[str, Any]]:
    return kubectl.get("tinv", "-n", namespace)["items"]


async def test_entries_come_back_after_a_restart(
    store: KubeInventoryStore, fresh: KubeInventoryStore, counting: Counting, namespace: str, kubectl: Kubectl
) -> None:
    assert await store.load(namespace, APP, UID) == {}

    await store.change(namespace, APP, UID, {ref(0): Intended("v1"), ref(1): Intended("v1")})
    await store.change(namespace, APP, UID, {ref(0): applied(0), ref(2): Intended("v1beta1")})
    await store.change(namespace, APP, UID, {ref(1): None})

    expected = {ref(0): applied(0), ref(2): Intended("v1beta1")}
    assert await fresh.load(namespace, APP, UID) == expected
    assert counting.writes == ["create", "merge", "merge"]
    shard = stored(kubectl, namespace)[0]
    assert shard["metadata"]["finalizers"] == [FINALIZER]
    assert shard["metadata"]["labels"] == {OWNER_LABEL: UID}
    assert "ownerReferences" not in shard["metadata"]


async def test_a_change_that_changes_nothing_writes_nothing(
    store: KubeInventoryStore, counting: Counting, namespace: str
) -> None:
    await store.change(namespace, APP, UID, many(3))
    counting.writes.clear()

    await store.change(namespace, APP, UID, {ref(0): applied(0), ref(9): None})

    assert counting.writes == []


async def test_a_change_touches_only_its_shard(
    store: KubeInventoryStore,
    fresh: KubeInventoryStore,
    counting: Counting,
    small_shards: None,
    namespace: str,
    kubectl: Kubectl,
) -> None:
    await store.change(namespace, APP, UID, many(30))
    assert len(stored(kubectl, namespace)) == 8
    counting.writes.clear()

    await store.change(namespace, APP, UID, {ref(3): Applied("v1", "uid-3", "new", "new")})

    assert counting.writes == ["merge"]
    assert await fresh.load(namespace, APP, UID) == many(30) | {ref(3): Applied("v1", "uid-3", "new", "new")}


@pytest.mark.parametrize("survived", range(12))
async def test_an_inventory_that_grows_is_whole_wherever_it_is_interrupted(
    survived: int,
    store: KubeInventoryStore,
    fresh: KubeInventoryStore,
    counting: Counting,
    small_shards: None,
    namespace: str,
) -> None:
    await store.change(namespace, APP, UID, many(4))
    counting.writes.clear()
    counting.refuse_after = survived

    [ended] = await asyncio.gather(store.change(namespace, APP, UID, many(20) | {ref(0): None}), return_exceptions=True)
    assert isinstance(ended, ApiError) == (survived < 8)

    loaded = await fresh.load(namespace, APP, UID)
    assert loaded is not None
    assert {ref(1), ref(2), ref(3)} <= loaded.keys()
    await fresh.change(namespace, APP, UID, many(20) | {ref(0): None})
    loaded = await fresh.load(namespace, APP, UID)
    assert loaded == {ref(number): applied(number) for number in range(1, 20)}


async def test_a_lost_shard_is_unknown_and_made_whole_by_the_next_change(
    store: KubeInventoryStore, fresh: KubeInventoryStore, small_shards: None, namespace: str, kubectl: Kubectl
) -> None:
    await store.change(namespace, APP, UID, many(10))
    victim = stored(kubectl, namespace)[1]["metadata"]["name"]
    kubectl("patch", "tinv", victim, "-n", namespace, "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    kubectl("delete", "tinv", victim, "-n", namespace)

    assert await fresh.load(namespace, APP, UID) is None
    await fresh.change(namespace, APP, UID, many(10))
    assert await fresh.load(namespace, APP, UID) == many(10)


async def test_a_shard_lost_behind_our_back_is_written_again(
    store: KubeInventoryStore, fresh: KubeInventoryStore, namespace: str, kubectl: Kubectl
) -> None:
    await store.change(namespace, APP, UID, many(3))
    victim = stored(kubectl, namespace)[0]["metadata"]["name"]
    kubectl("patch", "tinv", victim, "-n", namespace, "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    kubectl("delete", "tinv", victim, "-n", namespace)

    await store.change(namespace, APP, UID, {ref(7): Intended("v1")})

    assert await fresh.load(namespace, APP, UID) == many(3) | {ref(7): Intended("v1")}


async def test_a_deleted_shard_stays_readable_and_is_replaced(
    store: KubeInventoryStore, fresh: KubeInventoryStore, namespace: str, kubectl: Kubectl
) -> None:
    await store.change(namespace, APP, UID, many(3))
    victim = stored(kubectl, namespace)[0]["metadata"]["name"]
    kubectl("delete", "tinv", victim, "-n", namespace, "--wait=false")

    assert await fresh.load(namespace, APP, UID) == many(3)
    await fresh.change(namespace, APP, UID, {ref(7): Intended("v1")})

    left = stored(kubectl, namespace)
    assert len(left) == 1
    assert left[0]["metadata"]["name"] != victim
    assert "deletionTimestamp" not in left[0]["metadata"]
    assert await fresh.load(namespace, APP, UID) == many(3) | {ref(7): Intended("v1")}


async def test_what_somebody_else_wrote_meanwhile_is_kept(
    store: KubeInventoryStore, fresh: KubeInventoryStore, namespace: str
) -> None:
    await store.change(namespace, APP, UID, many(2))
    await fresh.change(namespace, APP, UID, {ref(5): Intended("v1")})

    await store.change(namespace, APP, UID, {ref(0): None, ref(6): Intended("v1")})

    assert await fresh.load(namespace, APP, UID) == {
        ref(1): applied(1),
        ref(5): Intended("v1"),
        ref(6): Intended("v1"),
    }


async def test_an_unreadable_shard_is_unknown_and_written_over(
    store: KubeInventoryStore, fresh: KubeInventoryStore, namespace: str, kubectl: Kubectl
) -> None:
    await store.change(namespace, APP, UID, many(2))
    victim = stored(kubectl, namespace)[0]["metadata"]["name"]
    entries = [{"key": "no-object-key", "version": "v1", "state": "Intended"}]
    patch = json.dumps({"spec": {"entries": entries}})
    kubectl("patch", "tinv", victim, "-n", namespace, "--type=merge", "-p", patch)

    assert await fresh.load(namespace, APP, UID) is None
    await fresh.change(namespace, APP, UID, many(2))
    assert await fresh.load(namespace, APP, UID) == many(2)


async def test_release_removes_everything_and_leaves_others_alone(
    store: KubeInventoryStore, fresh: KubeInventoryStore, small_shards: None, namespace: str, kubectl: Kubectl
) -> None:
    await store.change(namespace, APP, UID, many(10))
    await store.change(namespace, "other", "other-uid", many(1))
    first = stored(kubectl, namespace)[0]["metadata"]["name"]
    kubectl("delete", "tinv", first, "-n", namespace, "--wait=false")

    await store.release(namespace, APP, UID)
    await store.release(namespace, APP, UID)

    assert [shard["spec"]["application"]["name"] for shard in stored(kubectl, namespace)] == ["other"]
    assert await fresh.load(namespace, APP, UID) == {}


async def test_several_applications_may_write_at_once(
    store: KubeInventoryStore, fresh: KubeInventoryStore, namespace: str
) -> None:
    changes = [
        store.change(namespace, APP, f"uid-{number % 2}", {ref(number): applied(number)}) for number in range(10)
    ]
    await asyncio.gather(*changes)

    for uid in (0, 1):
        loaded = await fresh.load(namespace, APP, f"uid-{uid}")
        assert loaded == {ref(number): applied(number) for number in range(uid, 10, 2)}


async def test_five_thousand_entries_fit(
    store: KubeInventoryStore, fresh: KubeInventoryStore, namespace: str, kubectl: Kubectl
) -> None:
    await store.change(namespace, APP, UID, many(5000))

    sizes = [len(json.dumps(shard)) for shard in stored(kubectl, namespace)]
    assert len(sizes) == 8
    assert max(sizes) < 500_000
    assert await fresh.load(namespace, APP, UID) == many(5000)


async def test_where_the_kind_is_gone_there_is_nothing_to_release(
    store: KubeInventoryStore, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = type(RESOURCE)("absent.example.com", "v1", "Inventory", "inventories", namespaced=True)
    monkeypatch.setattr("trimtab.adapters.store.inventory.RESOURCE", absent)

    await store.release(namespace, APP, UID)

    with pytest.raises(ApiError) as refused:
        await store.load(namespace, APP, UID)
    assert refused.value.not_found
