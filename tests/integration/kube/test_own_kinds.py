import pytest
from tests.fixtures.cluster import Kubectl

from trimtab.adapters.kube.connection import Connection
from trimtab.adapters.kube.objects import KubeObjects
from trimtab.adapters.kube.own_kinds import KubeOwnKinds
from trimtab.api.git_repository import RESOURCE
from trimtab.core.names import FINALIZER, GROUP_VERSION

pytestmark = pytest.mark.usefixtures("own_crds")

READY = {
    "type": "Ready",
    "status": "True",
    "reason": "Fetched",
    "message": "stored",
    "lastTransitionTime": "2026-01-01T00:00:00Z",
}


@pytest.fixture
def own(connection: Connection) -> KubeOwnKinds:
    return KubeOwnKinds(connection)


@pytest.fixture
async def repository(objects: KubeObjects, namespace: str) -> dict:
    """A GitRepository that somebody else's finalizer holds too."""
    return await objects.create(
        {
            "apiVersion": GROUP_VERSION,
            "kind": "GitRepository",
            "metadata": {"name": "fleet", "namespace": namespace, "finalizers": ["example.com/other"]},
            "spec": {"url": "https://git.example.test/fleet.git"},
        }
    )


@pytest.mark.usefixtures("repository")
async def test_a_status_is_replaced_as_a_whole(own: KubeOwnKinds, namespace: str, kubectl: Kubectl) -> None:
    first = {"observedGeneration": 1, "conditions": [READY], "lastHandledReconcileAt": "noon"}
    await own.set_status(RESOURCE, namespace, "fleet", first)
    before = kubectl.get("tgit", "fleet", "-n", namespace)
    await own.set_status(RESOURCE, namespace, "fleet", {"observedGeneration": 1, "conditions": [READY]})
    after = kubectl.get("tgit", "fleet", "-n", namespace)

    assert before["status"] == first
    assert after["status"] == {"observedGeneration": 1, "conditions": [READY]}
    assert after["metadata"]["generation"] == 1


async def test_the_status_of_an_object_that_is_gone_is_no_error_and_makes_none(
    own: KubeOwnKinds, namespace: str, kubectl: Kubectl
) -> None:
    await own.set_status(RESOURCE, namespace, "absent", {"conditions": [READY]})

    assert kubectl.get("tgit", "-n", namespace)["items"] == []


async def test_the_finalizer_comes_and_goes_beside_others(
    own: KubeOwnKinds, repository: dict, namespace: str, kubectl: Kubectl
) -> None:
    def finalizers() -> list[str]:
        return kubectl.get("tgit", "fleet", "-n", namespace)["metadata"]["finalizers"]

    await own.set_finalizer(RESOURCE, namespace, "fleet", present=True)
    assert finalizers() == ["example.com/other", FINALIZER]
    await own.set_finalizer(RESOURCE, namespace, "fleet", present=True)
    assert finalizers() == ["example.com/other", FINALIZER]
    await own.set_finalizer(RESOURCE, namespace, "fleet", present=False)
    assert finalizers() == ["example.com/other"]
    await own.set_finalizer(RESOURCE, namespace, "absent", present=False)


async def test_events_are_told_counted_and_never_fail(
    own: KubeOwnKinds, repository: dict, namespace: str, kubectl: Kubectl, caplog: pytest.LogCaptureFixture
) -> None:
    body = {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": "fleet.1", "namespace": namespace},
        "regarding": {
            "apiVersion": GROUP_VERSION,
            "kind": "GitRepository",
            "namespace": namespace,
            "name": "fleet",
            "uid": repository["metadata"]["uid"],
        },
        "eventTime": "2026-01-01T00:00:00.000000Z",
        "reportingController": "trimtab.dev/controller",
        "reportingInstance": "trimtab-0",
        "action": "Fetch",
        "reason": "Fetched",
        "note": "stored",
        "type": "Normal",
    }
    await own.post_event(body)
    series = {"count": 2, "lastObservedTime": "2026-01-01T00:01:00.000000Z"}
    await own.count_event(namespace, "fleet.1", {"series": series})
    shown = kubectl.get("events.events.k8s.io", "fleet.1", "-n", namespace)

    assert (shown["note"], shown["series"]["count"]) == ("stored", 2)
    assert caplog.text == ""

    await own.post_event(body)
    await own.count_event(namespace, "absent", {"series": series})
    assert caplog.text.count("an Event in") == 2
