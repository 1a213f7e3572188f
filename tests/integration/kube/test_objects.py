import pytest
from tests.fixtures.cluster import Kubectl

from trimtab.adapters.kube.objects import KubeObjects
from trimtab.core.api_error import ApiError
from trimtab.core.observed import Absent, Live, Unknown
from trimtab.core.refs import LOCAL_CLUSTER, ObjectRef


def config_map(namespace: str, name: str = "settings", **data: str) -> dict:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}, "data": data}


async def test_apply_owns_what_it_declares_and_takes_it_from_others(
    objects: KubeObjects, namespace: str, kubectl: Kubectl
) -> None:
    kubectl("create", "configmap", "settings", "-n", namespace, "--from-literal=colour=red", "--from-literal=size=1")

    answer = await objects.apply(config_map(namespace, colour="blue"))

    assert answer["data"] == {"colour": "blue", "size": "1"}
    ours = [entry for entry in answer["metadata"]["managedFields"] if entry["operation"] == "Apply"]
    assert [entry["manager"] for entry in ours] == ["trimtab"]
    assert ours[0]["fieldsV1"] == {"f:data": {"f:colour": {}}}


async def test_a_dry_run_answers_and_writes_nothing(objects: KubeObjects, namespace: str) -> None:
    body = config_map(namespace, colour="blue")

    answer = await objects.apply(body, dry_run=True)

    assert answer["data"] == {"colour": "blue"}
    assert await objects.get(ObjectRef.of(body), "v1") == Absent()


async def test_get_tells_live_from_absent(objects: KubeObjects, namespace: str) -> None:
    answer = await objects.apply(config_map(namespace, colour="blue"))
    ref = ObjectRef.of(answer)

    live = await objects.get(ref, "v1")
    nowhere_served = ObjectRef(LOCAL_CLUSTER, "absent.example.com", "Widget", namespace, "settings")

    assert isinstance(live, Live)
    assert live.uid == answer["metadata"]["uid"]
    assert await objects.get(nowhere_served, "v1") == Absent()


async def test_get_looks_in_another_version_where_the_old_one_is_gone(objects: KubeObjects, namespace: str) -> None:
    autoscaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {"maxReplicas": 3, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}},
    }
    await objects.apply(autoscaler)

    live = await objects.get(ObjectRef.of(autoscaler), "v2beta1")

    assert isinstance(live, Live)


async def test_delete_holds_to_its_preconditions(objects: KubeObjects, namespace: str) -> None:
    answer = await objects.apply(config_map(namespace, colour="blue"))
    ref, uid = ObjectRef.of(answer), answer["metadata"]["uid"]

    with pytest.raises(ApiError) as wrong_uid:
        await objects.delete(ref, "v1", uid="00000000-0000-0000-0000-000000000000")
    with pytest.raises(ApiError) as wrong_version:
        await objects.delete(ref, "v1", uid=uid, resource_version="1")
    await objects.delete(ref, "v1", uid=uid, resource_version=answer["metadata"]["resourceVersion"])
    await objects.delete(ref, "v1", uid=uid)

    assert wrong_uid.value.conflict
    assert wrong_version.value.conflict
    assert await objects.get(ref, "v1") == Absent()


async def test_merge_is_conditional_on_the_resource_version(objects: KubeObjects, namespace: str) -> None:
    answer = await objects.apply(config_map(namespace, colour="blue"))
    ref = ObjectRef.of(answer)

    merged = await objects.merge(ref, "v1", {"data": {"size": "2"}})
    stale = {"metadata": {"resourceVersion": answer["metadata"]["resourceVersion"]}, "data": {"size": "3"}}
    with pytest.raises(ApiError) as refused:
        await objects.merge(ref, "v1", stale)

    assert merged["data"] == {"colour": "blue", "size": "2"}
    assert refused.value.conflict


async def test_create_refuses_what_exists(objects: KubeObjects, namespace: str) -> None:
    await objects.create(config_map(namespace, colour="blue"))

    with pytest.raises(ApiError) as refused:
        await objects.create(config_map(namespace, colour="blue"))

    assert (refused.value.status, refused.value.reason) == (409, "AlreadyExists")


async def test_lists_are_whole_and_name_their_kind(
    objects: KubeObjects, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trimtab.adapters.kube.lists.PAGE_OBJECTS", 2)
    for number in range(5):
        body = config_map(namespace, f"settings-{number}", number=str(number))
        body["metadata"]["labels"] = {"app": "shop"}
        await objects.apply(body)
    kind = await objects.served("", "v1", "ConfigMap")
    assert kind is not None

    whole = await objects.list(kind, namespace, selector="app=shop")
    metadata = await objects.list_metadata(kind, namespace, selector="app in (shop,other)")

    names = [f"settings-{number}" for number in range(5)]
    assert [body["metadata"]["name"] for body in whole] == names
    assert [body["metadata"]["name"] for body in metadata] == names
    assert {body["kind"] for body in whole + metadata} == {"ConfigMap"}
    assert all("data" not in body and body["metadata"]["managedFields"] for body in metadata)


async def test_a_field_the_schema_lacks_is_refused_and_named(objects: KubeObjects, namespace: str) -> None:
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {"ports": [{"port": 80}], "selectr": {"app": "web"}},
    }

    with pytest.raises(ApiError) as refused:
        await objects.apply(service)

    assert refused.value.untypable
    assert not refused.value.transient
    assert ".spec.selectr: field not declared in schema" in refused.value.message


async def test_a_validation_error_carries_its_causes(objects: KubeObjects, namespace: str) -> None:
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {"ports": [{"port": 80_000}]},
    }

    with pytest.raises(ApiError) as refused:
        await objects.apply(service)

    assert refused.value.invalid
    assert "spec.ports[0].port" in {cause.field for cause in refused.value.causes}


@pytest.mark.parametrize(
    "data",
    [
        {"password": "canary not base64"},
        {"password": 4711_4711},
        ["canary", "Y2FuYXJ5"],
        {"password": {"canary": "canary"}},
    ],
)
async def test_a_refused_secret_shows_no_value(objects: KubeObjects, namespace: str, data: object) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "door", "namespace": namespace}, "data": data}

    with pytest.raises(ApiError) as refused:
        await objects.apply(secret)

    assert not refused.value.transient
    for value in ("canary", "47114711", "Y2FuYXJ5"):
        assert value not in str(refused.value)


async def test_a_missing_namespace_is_named(objects: KubeObjects) -> None:
    with pytest.raises(ApiError) as refused:
        await objects.apply(config_map("absent-namespace", colour="blue"))

    assert refused.value.not_found
    assert 'namespaces "absent-namespace" not found' in refused.value.message


async def test_an_unserved_kind_is_refused_before_anything_is_sent(objects: KubeObjects) -> None:
    widget = {"apiVersion": "absent.example.com/v1", "kind": "Widget", "metadata": {"name": "a"}}

    with pytest.raises(ApiError) as refused:
        await objects.apply(widget)

    assert refused.value.reason == "NoKindMatch"


async def test_names_with_colons_reach_their_object(objects: KubeObjects) -> None:
    ref = ObjectRef(LOCAL_CLUSTER, "rbac.authorization.k8s.io", "ClusterRole", "", "system:aggregate-to-view")

    assert isinstance(await objects.get(ref, "v1"), Live)


async def test_numbers_beyond_json_read_like_a_refusal(objects: KubeObjects, namespace: str) -> None:
    body = config_map(namespace) | {"data": {"big": 2**70}}

    with pytest.raises(ApiError) as refused:
        await objects.apply(body)

    assert refused.value.invalid
    assert "cannot be written as JSON" in refused.value.message


async def test_an_object_of_a_group_whose_server_is_away_is_unknown(
    objects: KubeObjects, kubectl: Kubectl, namespace: str
) -> None:
    group = f"{namespace}.example.com"
    service = {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": f"v1.{group}"},
        "spec": {
            "group": group,
            "version": "v1",
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
            "insecureSkipTLSVerify": True,
            "service": {"namespace": namespace, "name": "absent"},
        },
    }
    await objects.apply(service)
    try:
        ref = ObjectRef(LOCAL_CLUSTER, group, "Widget", namespace, "a")
        seen = await objects.get(ref, "v1")
        while seen == Absent():
            seen = await objects.get(ref, "v1")
    finally:
        kubectl("delete", "apiservice", f"v1.{group}")

    assert isinstance(seen, Unknown)
    assert "its server does not answer" in seen.reason
