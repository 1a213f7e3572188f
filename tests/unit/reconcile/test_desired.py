"""What a commit declares: rendered where something changed, from memory where nothing did."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from tests.fakes.controller import Rig, config_map
from tests.fakes.office import APP, REPO

from trimtab.core.api_error import ApiError
from trimtab.core.errors import Problem
from trimtab.core.manifest import Origin
from trimtab.core.names import BUCKET_LABEL, OWNER_ANNOTATION
from trimtab.core.refs import LOCAL_CLUSTER, ObjectRef, ResourceType
from trimtab.reconcile.ports import Rendered, RenderJob
from trimtab.render.hooks import read_hook
from trimtab.render.inputs import Capabilities

pytestmark = pytest.mark.looptime

A, B = config_map("a"), config_map("b")
WIDGET = {"apiVersion": "example.org/v1", "kind": "Widget", "metadata": {"name": "w", "namespace": "shop"}}


def definition(group: str = "example.org", kind: str = "Widget") -> dict[str, Any]:
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.lower()}s.{group}"},
        "spec": {"group": group, "names": {"kind": kind}, "scope": "Namespaced"},
    }


async def test_a_commit_elsewhere_in_the_repository_renders_and_sends_nothing(rig: Rig) -> None:
    await rig.sail(A)
    assert rig.renderer.rendered == 1
    rig.objects.take_requests()
    written = len(rig.office.status_writes)
    sha = rig.push(A, blog=[B])
    await rig.settle()
    assert rig.renderer.rendered == 1
    assert rig.objects.take_requests() == []
    assert rig.office.status(APP)["lastAppliedRevision"] == f"main@sha1:{sha}"
    assert rig.office.status_writes[written:].count(APP) == 1, "there is nothing to announce"


async def test_a_revision_that_changes_something_is_announced_while_it_is_rendered(rig: Rig) -> None:
    await rig.sail(A)
    render, said = rig.renderer.render, []

    async def looking(job: RenderJob) -> Rendered:
        await asyncio.sleep(1)
        said.append((rig.said(), rig.office.status(APP)["lastAttemptedRevision"]))
        return await render(job)

    rig.renderer.render = looking  # type: ignore[method-assign]
    sha = rig.push(A, B)
    await rig.settle()
    assert said == [(("Unknown", "Applying"), f"main@sha1:{sha}")]


async def test_an_announcement_that_fails_costs_no_rendering(rig: Rig) -> None:
    await rig.sail(A)
    set_status = rig.office.set_status
    failed: list[str] = []

    async def failing_once(kind: ResourceType, namespace: str, name: str, status: Mapping[str, Any]) -> None:
        if kind.kind == APP.kind and not failed:
            failed.append(name)
            raise ApiError(503, "ServiceUnavailable", "etcd is not there")
        await set_status(kind, namespace, name, status)

    rig.office.set_status = failing_once  # type: ignore[method-assign]
    rig.push(A, B)
    await rig.settle(200)
    assert failed
    assert rig.renderer.rendered == 2
    assert rig.is_there(B)
    assert rig.said() == ("True", "Applied")


async def test_a_commit_in_its_folder_is_rendered_once(rig: Rig) -> None:
    await rig.sail(A)
    rig.push(A, B)
    await rig.settle(200)
    assert rig.renderer.rendered == 2


async def test_a_spec_that_changes_what_is_rendered_is_acted_on(rig: Rig) -> None:
    await rig.sail(A)
    rig.cluster.other_applies({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "blog"}})
    rig.office.change(APP, targetNamespace="blog")
    await rig.settle()
    assert ObjectRef(LOCAL_CLUSTER, "", "ConfigMap", "blog", "a") in rig.cluster.objects
    assert not rig.is_there(A), "what it declared before has left Git"


async def test_everything_is_marked(rig: Rig) -> None:
    await rig.sail(A)
    metadata = rig.live(A)["metadata"]
    uid = rig.office.bodies[APP]["metadata"]["uid"]
    assert metadata["annotations"][OWNER_ANNOTATION] == f"trimtab-system/shop/{uid}"
    assert metadata["labels"][BUCKET_LABEL].startswith("test-")


async def test_a_namespace_that_git_declares_is_gits(rig: Rig) -> None:
    own = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "fresh", "labels": {"team": "blue"}}}
    await rig.sail(own, A, targetNamespace="fresh", createNamespace=True)
    ref = ObjectRef(LOCAL_CLUSTER, "", "Namespace", "", "fresh")
    assert rig.cluster.objects[ref]["metadata"]["labels"]["team"] == "blue"


async def test_an_unserved_kind_is_named_and_the_rest_applied(rig: Rig) -> None:
    await rig.sail(A, WIDGET)
    assert rig.is_there(A)
    assert rig.said() == ("False", "KindNotServed")
    assert "shop/a.yaml:2" in rig.message()


async def test_a_kind_that_is_served_later_is_applied_without_a_commit(rig: Rig) -> None:
    await rig.sail(A, WIDGET, interval="60s")
    rig.cluster.other_applies(definition())
    rig.cluster.settle()
    await rig.settle(120)
    assert rig.is_there(WIDGET)
    assert rig.said() == ("True", "Applied")


async def test_a_broken_revision_is_not_rendered_again_for_every_event(rig: Rig) -> None:
    await rig.sail(A)
    rig.git.commit({"shop": Problem("mapping values are not allowed here", reason="InvalidYaml")})
    rig.office.poke(REPO, "1")
    await rig.settle()
    rendered = rig.renderer.rendered
    for number in range(4):
        rig.edit(A, "data.mode", f"slow {number}")
        await rig.settle(1)
    assert rig.renderer.rendered == rendered
    assert rig.live(A)["data"] == {"mode": "fast"}


async def test_a_poke_renders_a_broken_revision_again_at_once(rig: Rig) -> None:
    await rig.sail(A)
    rig.git.commit({"shop": Problem("a plugin timed out", reason="RenderFailed")})
    rig.office.poke(REPO, "1")
    await rig.settle()
    rendered = rig.renderer.rendered
    rig.office.poke(APP, "now")
    await rig.settle(1)
    assert rig.renderer.rendered == rendered + 1
    assert rig.office.status(APP)["lastHandledReconcileAt"] == "now"


async def test_other_tools_render_anew(rig: Rig) -> None:
    await rig.sail(A)
    rig.renderer.tools = {"fake": "2"}
    rig.office.poke(APP, "now")
    await rig.settle()
    assert rig.renderer.rendered == 2


async def test_two_documents_for_one_object_are_refused(rig: Rig) -> None:
    await rig.sail(A)
    rig.push(A, config_map("a", mode="slow"))
    await rig.settle()
    assert rig.said()[0] == "False"
    assert rig.live(A)["data"] == {"mode": "fast"}


async def test_a_commit_that_is_no_longer_at_hand_is_not_missed(rig: Rig) -> None:
    """After a restart with a newer revision, the old one only helps to tell which fields are dropped."""
    await rig.sail(A)
    await rig.stop()
    rig.git.lose_mirrors()
    rig.declare(A, B)
    rig.start()
    await rig.settle()
    assert rig.is_there(B)
    assert rig.said() == ("True", "Applied")


async def test_an_unreadable_applied_revision_is_not_missed_either(rig: Rig) -> None:
    await rig.sail(A)
    await rig.stop()
    rig.office.bodies[APP]["status"]["lastAppliedRevision"] = "nonsense"
    rig.start()
    await rig.settle()
    assert rig.said() == ("True", "Applied")


async def test_a_chart_that_asks_for_the_cluster_is_rendered_anew_when_the_cluster_changes(rig: Rig) -> None:
    rig.chart = {"reads_capabilities": True}
    await rig.sail(A)
    assert rig.renderer.jobs[0].inputs.capabilities == rig.capabilities.seen
    rig.queue.add(APP)
    await rig.settle()
    assert rig.renderer.rendered == 1
    rig.capabilities.seen = Capabilities("v1.37.0", ("v1",))
    rig.queue.add(APP)
    await rig.settle()
    assert rig.renderer.rendered == 2
    assert rig.renderer.jobs[1].inputs.capabilities.kube_version == "v1.37.0"


async def test_all_else_is_not_rendered_anew_when_the_cluster_changes(rig: Rig) -> None:
    await rig.sail(A)
    rig.capabilities.seen = Capabilities("v1.37.0", ("v1",))
    rig.queue.add(APP)
    await rig.settle()
    assert rig.renderer.rendered == 1


async def test_the_renderer_knows_whose_manifests_it_makes(rig: Rig) -> None:
    await rig.sail(A)
    assert (rig.renderer.jobs[0].name, rig.renderer.jobs[0].namespace) == ("shop", "trimtab-system")


async def test_objects_of_a_chart_keep_the_namespace_that_they_name(rig: Rig) -> None:
    rig.chart = {"keeps_namespaces": True}
    bare = {**B, "metadata": {"name": "bare"}}
    rig.cluster.other_applies({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "blog"}})
    rig.source()
    rig.application(targetNamespace="blog")
    rig.declare(A, bare)
    rig.start()
    await rig.settle()
    assert rig.is_there(A)
    assert ObjectRef(LOCAL_CLUSTER, "", "ConfigMap", "blog", "bare") in rig.cluster.objects


async def test_hooks_are_not_applied_and_status_says_so(rig: Rig) -> None:
    hook = read_hook(
        {"kind": "Job", "metadata": {"name": "migrate", "annotations": {"helm.sh/hook": "pre-upgrade"}}}, Origin("x")
    )
    rig.chart = {"hooks": (hook,)}
    await rig.sail(A)
    assert rig.said() == ("True", "Applied")
    assert rig.message().endswith("; Helm hooks are not run: Job/migrate (pre-upgrade)")
