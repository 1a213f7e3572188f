import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from aiohttp import web
from tests.fixtures.cluster import Kubectl
from tests.fixtures.fault_proxy import FaultProxy, fault_proxy
from tests.integration.kube.sink import Sink, until

from trimtab.adapters.kube.access import open_access
from trimtab.adapters.kube.connection import Connection
from trimtab.adapters.kube.discovery import Discovery
from trimtab.adapters.kube.objects import KubeObjects
from trimtab.adapters.kube.selector import bucket_selector
from trimtab.adapters.kube.type_watch import Scope, WatchTimes
from trimtab.adapters.kube.watcher import KubeWatches
from trimtab.core.names import BUCKET_LABEL
from trimtab.core.refs import ObjectRef, ResourceType
from trimtab.localcluster import Cluster, LocalCluster
from trimtab.reconcile.ports import Seen, Synced, Vanished, WatchSink, WatchTrouble

CONFIG_MAP = ResourceType("", "v1", "ConfigMap", "configmaps", namespaced=True)
FAST = WatchTimes(
    lifetime_seconds=60,
    idle_seconds=20,
    first_delay_seconds=0.05,
    longest_delay_seconds=0.2,
    refused_delay_seconds=0.1,
    trouble_after_seconds=0.3,
)
CALM = replace(FAST, trouble_after_seconds=30)
"""For what must be no trouble, however slow the machine is."""


def managed(instance: str, namespace: str, name: str, **data: str) -> dict:
    """A ConfigMap that carries a bucket of this installation; tests use their namespace as its ID."""
    metadata = {"name": name, "namespace": namespace, "labels": {BUCKET_LABEL: f"{instance}-7"}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


@pytest.fixture
def sink() -> Sink:
    return Sink()


Watch = Callable[..., KubeWatches]


@pytest.fixture
async def proxied(cluster: Cluster) -> AsyncIterator[tuple[FaultProxy, Connection]]:
    """A connection to the shared cluster through a proxy that misbehaves on demand."""
    access = await open_access(kubeconfig=str(cluster.kubeconfig_path))
    async with fault_proxy(access) as (proxy, through), Connection(through) as connection:
        yield proxy, connection


@pytest.fixture
async def watching(
    connection: Connection, namespace: str, sink: Sink, proxied: tuple[FaultProxy, Connection]
) -> AsyncIterator[Watch]:
    """Starts watches that end with the test, before the proxy does."""
    async with AsyncExitStack() as stack:

        def start(
            via: Connection = connection,
            *,
            times: WatchTimes = FAST,
            kind: ResourceType = CONFIG_MAP,
            to: WatchSink = sink,
        ) -> KubeWatches:
            watches = KubeWatches(via, to, scope=Scope(bucket_selector(namespace)), times=times)
            stack.push_async_callback(watches.close)
            watches.want(frozenset([kind]))
            return watches

        yield start


def watch_only(answer: Callable[[web.Request], web.Response | str | None], *, times: int = 1):
    """A fault for the next so many watch requests."""
    left = times

    def fault(request: web.Request) -> web.Response | str | None:
        nonlocal left
        if "watch" not in request.query or left == 0:
            return None
        found = answer(request)
        left -= found is not None
        return found

    return fault


def status(code: int, reason: str, message: str) -> dict:
    return {
        "apiVersion": "v1",
        "kind": "Status",
        "status": "Failure",
        "code": code,
        "reason": reason,
        "message": message,
    }


async def test_shows_what_is_there_then_what_changes(
    objects: KubeObjects, namespace: str, sink: Sink, watching: Watch
) -> None:
    for name in ("a", "b"):
        await objects.apply(managed(namespace, namespace, name, colour="red"))
    await objects.apply(managed("other", namespace, "foreign"))

    watches = watching()
    synced = await sink.next(Synced)

    assert {ref.name for ref in synced.keys} == {"a", "b"}
    assert watches.synced(CONFIG_MAP)
    assert sorted(seen.body["metadata"]["name"] for seen in sink.all(Seen)) == ["a", "b"]

    sink.forget()
    answer = await objects.apply(managed(namespace, namespace, "a", colour="blue"))
    seen = await sink.next(Seen)
    assert seen.body == answer | {"kind": "ConfigMap", "apiVersion": "v1"}

    await objects.delete(ObjectRef.of(answer), "v1", uid=answer["metadata"]["uid"])
    gone = await sink.next(Vanished)
    assert gone.body["metadata"]["name"] == "a"


async def test_a_stripped_label_makes_the_object_vanish_while_it_lives(
    objects: KubeObjects, namespace: str, sink: Sink, watching: Watch, kubectl: Kubectl
) -> None:
    await objects.apply(managed(namespace, namespace, "a"))
    watching()
    await sink.next(Synced)

    kubectl("label", "configmap", "a", "-n", namespace, f"{BUCKET_LABEL}-")

    gone = await sink.object(Vanished, "a")
    assert gone["metadata"]["labels"] == {BUCKET_LABEL: f"{namespace}-7"}
    assert kubectl.get("configmap", "a", "-n", namespace)["metadata"]["name"] == "a"


async def test_a_type_may_appear_and_go_at_run_time(
    connection: Connection, objects: KubeObjects, namespace: str, sink: Sink, watching: Watch, kubectl: Kubectl
) -> None:
    group = f"{namespace}.example.com"
    widget = ResourceType(group, "v1", "Widget", "widgets", namespaced=True)
    watches = watching(kind=widget)
    trouble = await sink.next(WatchTrouble)
    assert "could not find the requested resource" in trouble.reason or "404" in trouble.reason

    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"widgets.{group}"},
        "spec": {
            "group": group,
            "names": {"kind": "Widget", "plural": "widgets"},
            "scope": "Namespaced",
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
        },
    }
    await objects.apply(definition)
    try:
        await sink.next(Synced)
        assert watches.synced(widget)

        await asyncio.to_thread(kubectl, "wait", "--for=condition=Established", "crd", f"widgets.{group}")
        labels = {BUCKET_LABEL: f"{namespace}-0"}
        metadata = {"name": "w", "namespace": namespace, "labels": labels}
        await objects.apply({"apiVersion": f"{group}/v1", "kind": "Widget", "metadata": metadata})
        await sink.object(Seen, "w")
    finally:
        sink.forget()
        kubectl("delete", "crd", f"widgets.{group}")

    await sink.object(Vanished, "w")
    await sink.next(WatchTrouble)
    assert not watches.synced(widget)
    watches.want(frozenset())
    assert watches.oldest_sign_of_life_seconds() == 0.0


async def test_a_cut_watch_resumes_where_it_was(
    objects: KubeObjects, namespace: str, sink: Sink, watching: Watch, proxied: tuple[FaultProxy, Connection]
) -> None:
    proxy, through = proxied
    watches = watching(through, times=CALM)
    await sink.next(Synced)
    first = await objects.apply(managed(namespace, namespace, "a", colour="red"))
    await sink.object(Seen, "a")
    sink.forget()

    proxy.cut()
    await objects.apply(managed(namespace, namespace, "b"))
    await sink.object(Seen, "b")

    assert sink.all(Synced) == []
    assert sink.all(WatchTrouble) == []
    assert watches.synced(CONFIG_MAP)
    assert proxy.requests[-1].query["resourceVersion"] == first["metadata"]["resourceVersion"]


@pytest.mark.parametrize("form", ["status", "event"])
async def test_a_version_too_old_leads_to_a_new_list_that_tells_the_deletions(
    form: str,
    objects: KubeObjects,
    namespace: str,
    sink: Sink,
    watching: Watch,
    proxied: tuple[FaultProxy, Connection],
) -> None:
    proxy, through = proxied
    await objects.apply(managed(namespace, namespace, "stays"))
    goes = await objects.apply(managed(namespace, namespace, "goes"))
    watching(through, times=CALM)
    await sink.next(Synced)
    gone = status(410, "Expired", "too old resource version")

    def resumed(request: web.Request) -> web.Response | str | None:
        if "sendInitialEvents" in request.query:
            return None
        if form == "status":
            return web.json_response(gone, status=410)
        return json.dumps({"type": "ERROR", "object": gone})

    proxy.fault = watch_only(resumed)
    sink.forget()
    await objects.delete(ObjectRef.of(goes), "v1", uid=goes["metadata"]["uid"])
    await sink.object(Vanished, "goes")
    sink.forget()

    proxy.cut()

    synced = await sink.next(Synced)
    assert {ref.name for ref in synced.keys} == {"stays"}
    assert sink.all(WatchTrouble) == []


async def test_a_watch_pushed_back_waits_as_told(
    objects: KubeObjects, namespace: str, sink: Sink, watching: Watch, proxied: tuple[FaultProxy, Connection]
) -> None:
    proxy, through = proxied
    proxy.fault = watch_only(
        lambda _: web.json_response(status(429, "TooManyRequests", "busy"), status=429, headers={"Retry-After": "1"})
    )
    began = asyncio.get_running_loop().time()

    watching(through)
    await sink.next(Synced)

    assert asyncio.get_running_loop().time() - began >= 1.0
    assert len(proxy.requests) == 2


async def test_a_server_without_streamed_lists_is_listed(
    objects: KubeObjects, namespace: str, sink: Sink, watching: Watch, proxied: tuple[FaultProxy, Connection]
) -> None:
    proxy, through = proxied
    await objects.apply(managed(namespace, namespace, "a"))
    forbidden = status(422, "Invalid", "sendInitialEvents: Forbidden: feature is disabled")

    def refuse(request: web.Request) -> web.Response | None:
        return web.json_response(forbidden, status=422) if "sendInitialEvents" in request.query else None

    proxy.fault = refuse
    watching(through)
    synced = await sink.next(Synced)
    await objects.apply(managed(namespace, namespace, "b"))
    await sink.object(Seen, "b")

    assert {ref.name for ref in synced.keys} == {"a"}
    assert (await sink.object(Seen, "a"))["kind"] == "ConfigMap"
    assert [("watch" in request.query) for request in proxy.requests] == [True, False, True]


async def test_a_server_that_takes_a_streamed_list_and_says_nothing_is_listed(
    objects: KubeObjects, namespace: str, sink: Sink, watching: Watch, proxied: tuple[FaultProxy, Connection]
) -> None:
    proxy, through = proxied
    latest = await objects.apply(managed("other", namespace, "foreign"))

    def ignore(query: dict[str, str]) -> None:
        if query.pop("sendInitialEvents", None):
            del query["resourceVersionMatch"]
            query["resourceVersion"] = latest["metadata"]["resourceVersion"]

    proxy.rewrite = ignore
    watching(through, times=WatchTimes(idle_seconds=0.5))
    await sink.next(Synced)

    assert "limit" in proxy.requests[1].query


async def test_a_silent_watch_is_renewed(
    objects: KubeObjects, namespace: str, sink: Sink, watching: Watch, proxied: tuple[FaultProxy, Connection]
) -> None:
    proxy, through = proxied
    times = WatchTimes(idle_seconds=2, first_delay_seconds=0.01)
    watches = watching(through, times=times)
    await sink.next(Synced)

    proxy.flowing.clear()
    await objects.apply(managed(namespace, namespace, "a"))
    ages = []
    for _ in range(35):
        await asyncio.sleep(0.1)
        ages.append(watches.oldest_sign_of_life_seconds())
    proxy.flowing.set()

    await sink.object(Seen, "a")
    assert len(proxy.requests) >= 2
    assert 1 < max(ages) < 3.4, "it was taken for dead and opened anew"


async def test_a_server_that_is_gone_is_trouble_until_a_new_list(
    objects: KubeObjects, namespace: str, sink: Sink, watching: Watch, proxied: tuple[FaultProxy, Connection]
) -> None:
    proxy, through = proxied
    await objects.apply(managed(namespace, namespace, "a"))
    watches = watching(through)
    await sink.next(Synced)
    sink.forget()

    proxy.fault = lambda _: web.Response(status=503, text="the server is on its way out")
    proxy.cut()
    trouble = await sink.next(WatchTrouble)
    await asyncio.sleep(0.5)
    assert "on its way out" in trouble.reason
    assert len(sink.all(WatchTrouble)) == 1
    assert not watches.synced(CONFIG_MAP)
    # Each try is a sign of life; without them, the last one were older than what was slept.
    await until(lambda: watches.oldest_sign_of_life_seconds() < 0.3)

    proxy.fault = None
    synced = await sink.next(Synced)
    assert {ref.name for ref in synced.keys} == {"a"}


async def test_a_forbidden_type_is_told_and_tried_again(
    namespace: str, sink: Sink, watching: Watch, kubectl: Kubectl, tmp_path: Path, cluster: Cluster
) -> None:
    kubectl("create", "serviceaccount", "watcher", "-n", namespace)
    token = kubectl("create", "token", "watcher", "-n", namespace).strip()
    own = yaml.safe_load(cluster.kubeconfig_path.read_text())
    own["users"] = [{"name": user["name"], "user": {"token": token}} for user in own["users"]]
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(yaml.safe_dump(own))

    async with Connection(await open_access(kubeconfig=str(kubeconfig))) as limited:
        watches = watching(limited)
        trouble = await sink.next(WatchTrouble)
        assert "configmaps is forbidden" in trouble.reason
        assert not watches.synced(CONFIG_MAP)

        role = f"{namespace}-watcher"
        kubectl("create", "clusterrole", role, "--verb=list,watch", "--resource=configmaps")
        kubectl("create", "clusterrolebinding", role, f"--clusterrole={role}", f"--serviceaccount={namespace}:watcher")
        try:
            await sink.next(Synced)
        finally:
            kubectl("delete", f"clusterrole/{role}", f"clusterrolebinding/{role}")
        assert watches.synced(CONFIG_MAP)
        await watches.close()


async def test_objects_of_a_megabyte_come_whole(
    objects: KubeObjects, namespace: str, sink: Sink, watching: Watch
) -> None:
    text = "x" * 1_000_000
    await objects.apply(managed(namespace, namespace, "big", text=text))
    watching()
    synced = await sink.next(Synced)
    listed = await sink.object(Seen, "big")
    sink.forget()
    await objects.apply(managed(namespace, namespace, "big", text=text[1:] + "y"))
    changed = await sink.object(Seen, "big")

    assert len(synced.keys) == 1
    assert listed["data"]["text"] == text
    assert changed["data"]["text"].endswith("xy")


async def test_a_sink_that_fails_is_shown_everything_again(
    objects: KubeObjects, namespace: str, sink: Sink, watching: Watch, caplog: pytest.LogCaptureFixture
) -> None:
    await objects.apply(managed(namespace, namespace, "a"))
    broken = True

    def fragile(event) -> None:
        nonlocal broken
        if broken:
            broken = False
            raise LookupError("a defect")
        sink(event)

    watching(to=fragile)

    await sink.next(Synced)
    assert "starts over" in caplog.text
    assert (await sink.object(Seen, "a"))["kind"] == "ConfigMap"


async def test_at_rest_there_is_nothing_but_watches(
    cluster: LocalCluster, objects: KubeObjects, connection: Connection, namespace: str, sink: Sink, watching: Watch
) -> None:
    kinds = [item.kind for item in (await Discovery(connection).catalogue()).types.values() if "watch" in item.verbs]
    watches = watching()
    watches.want(frozenset(kinds))
    await until(lambda: all(watches.synced(kind) for kind in kinds))
    offset = cluster.audit_log_path.stat().st_size
    await asyncio.sleep(3)

    with cluster.audit_log_path.open() as log:
        log.seek(offset)
        events = [json.loads(line) for line in log]
    ours = [event for event in events if event["userAgent"].startswith("trimtab/") and event["verb"] != "watch"]
    assert len(kinds) > 30
    assert ours == []


async def test_an_api_server_restart_is_survived(fresh_cluster: LocalCluster) -> None:
    told, patient = Sink(), Sink()
    access = await open_access(kubeconfig=str(fresh_cluster.kubeconfig_path))
    async with Connection(access) as connection:
        objects = KubeObjects(connection, Discovery(connection))
        scope = Scope(bucket_selector("one"))
        watches = KubeWatches(connection, told, scope=scope, times=FAST)
        # This one resumes instead of listing: its version is older than all that the new server remembers.
        resuming = KubeWatches(connection, patient, scope=scope, times=replace(FAST, trouble_after_seconds=600))
        for each in (watches, resuming):
            each.want(frozenset([CONFIG_MAP]))
        await objects.apply(managed("one", "default", "before"))
        for sink in (told, patient):
            await sink.next(Synced)
            await sink.object(Seen, "before")
            sink.forget()

        await asyncio.to_thread(fresh_cluster.stop_component, "kube-apiserver")
        trouble = await told.next(WatchTrouble)
        assert "cannot be reached" in trouble.reason
        assert not watches.synced(CONFIG_MAP)
        await asyncio.to_thread(fresh_cluster.start_component, "kube-apiserver")
        await asyncio.to_thread(fresh_cluster.wait_ready)

        for sink in (told, patient):
            synced = await sink.next(Synced)
            assert {ref.name for ref in synced.keys} == {"before"}
        await objects.apply(managed("one", "default", "after"))
        for sink in (told, patient):
            await sink.object(Seen, "after")
        assert patient.all(WatchTrouble) == []
        await watches.close()
        await resuming.close()
