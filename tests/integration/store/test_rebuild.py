from typing import Any

import pytest
from tests.fixtures.cluster import Kubectl

from trimtab.adapters.kube.discovery import Discovery
from trimtab.adapters.kube.objects import KubeObjects
from trimtab.adapters.kube.selector import bucket_selector
from trimtab.adapters.store.rebuild import InventoryRebuilder
from trimtab.core.api_error import ApiError
from trimtab.core.inventory import Intended
from trimtab.core.names import BUCKET_LABEL, OWNER_ANNOTATION
from trimtab.core.refs import ObjectRef
from trimtab.plan.ownership import Owner


def marked(owner: Owner, body: dict) -> dict:
    """A manifest as Trimtab would apply it for this owner; its namespace is the installation's ID."""
    metadata = {
        **body["metadata"],
        "namespace": owner.namespace,
        "labels": {BUCKET_LABEL: f"{owner.namespace}-3"},
        "annotations": {OWNER_ANNOTATION: str(owner)},
    }
    return {**body, "metadata": metadata}


def config_map(name: str) -> dict:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}


AUTOSCALER = {
    "apiVersion": "autoscaling/v1",
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "web"},
    "spec": {"maxReplicas": 3, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}},
}


@pytest.fixture
def owner(namespace: str) -> Owner:
    return Owner(namespace, "shop", "uid-1")


@pytest.fixture
def rebuilder(objects: KubeObjects, discovery: Discovery, namespace: str) -> InventoryRebuilder:
    return InventoryRebuilder(objects, discovery, bucket_selector(namespace))


async def test_finds_what_carries_our_marks_and_our_apply_entry(
    rebuilder: InventoryRebuilder, objects: KubeObjects, owner: Owner, kubectl: Kubectl
) -> None:
    mine = [await objects.apply(marked(owner, body)) for body in (config_map("a"), AUTOSCALER)]
    await objects.apply(marked(Owner(owner.namespace, "other", "uid-2"), config_map("others")))
    copy = marked(owner, config_map("copied-by-a-user"))
    await objects.create(copy)

    found = await rebuilder.rebuild(owner)

    assert found == {ObjectRef.of(mine[0]): Intended("v1"), ObjectRef.of(mine[1]): Intended("v1")}


async def test_a_type_we_may_not_list_is_left_out_and_named(
    objects: KubeObjects, discovery: Discovery, owner: Owner, caplog: pytest.LogCaptureFixture
) -> None:
    class Forbidding:
        async def list_metadata(self, kind, namespace, *, selector=""):
            if kind.kind == "Secret":
                raise ApiError(403, "Forbidden", "secrets is forbidden")
            return await objects.list_metadata(kind, namespace, selector=selector)

    await objects.apply(marked(owner, config_map("a")))

    forbidding: Any = Forbidding()
    found = await InventoryRebuilder(forbidding, discovery, bucket_selector(owner.namespace)).rebuild(owner)

    assert [ref.name for ref in found] == ["a"]
    assert "without secrets" in caplog.text


async def test_a_list_that_fails_fails_the_rebuild(objects: KubeObjects, discovery: Discovery, owner: Owner) -> None:
    class Failing:
        async def list_metadata(self, kind, namespace, *, selector=""):
            if kind.kind == "Secret":
                raise ApiError(503, "ServiceUnavailable", "later")
            return []

    failing: Any = Failing()
    with pytest.raises(ApiError) as refused:
        await InventoryRebuilder(failing, discovery, bucket_selector(owner.namespace)).rebuild(owner)

    assert refused.value.transient
