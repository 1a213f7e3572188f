import asyncio

import pytest
from tests.fixtures.cluster import Kubectl

from trimtab.adapters.kube.objects import KubeObjects
from trimtab.adapters.store.instance import InstanceError, load_instance


async def test_the_identity_is_made_once_by_whoever_comes_first(
    objects: KubeObjects, namespace: str, kubectl: Kubectl
) -> None:
    together = await asyncio.gather(*(load_instance(objects, namespace) for _ in range(5)))
    again = await load_instance(objects, namespace)

    assert {each.id for each in together} == {again.id}
    assert {each.key for each in together} == {again.key}
    assert len(again.key) == 32
    assert len(again.id) == 8
    assert kubectl.get("configmap", "trimtab-instance", "-n", namespace)["data"] == {"id": again.id}
    assert repr(again.key)[2:-1] not in repr(again)


async def test_a_lost_key_is_made_anew(objects: KubeObjects, namespace: str, kubectl: Kubectl) -> None:
    before = await load_instance(objects, namespace)
    kubectl("delete", "secret", "trimtab-instance", "-n", namespace)
    after = await load_instance(objects, namespace)

    assert after.id == before.id
    assert after.key != before.key


async def test_a_missing_namespace_is_told_with_its_remedy(objects: KubeObjects) -> None:
    with pytest.raises(InstanceError, match="kubectl create namespace absent-namespace"):
        await load_instance(objects, "absent-namespace")


@pytest.mark.parametrize(("kind", "key"), [("configmap", "id=no/label"), ("secret", "key=short")])
async def test_a_broken_identity_is_refused_and_named(
    kind: str, key: str, objects: KubeObjects, namespace: str, kubectl: Kubectl
) -> None:
    flavour = ["generic"] if kind == "secret" else []
    kubectl("create", kind, *flavour, "trimtab-instance", "-n", namespace, f"--from-literal={key}")

    with pytest.raises(InstanceError, match="is not as Trimtab made it") as refused:
        await load_instance(objects, namespace)

    broken = refused.value.problems[0].ref
    assert broken is not None
    assert broken.kind.lower() == kind
