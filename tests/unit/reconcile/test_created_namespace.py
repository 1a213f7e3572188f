from tests.fakes.plan_objects import applied, manifest, options, owned

from trimtab.api.application import Application
from trimtab.core.manifest import Manifest
from trimtab.plan.build import build, teardown
from trimtab.plan.changes import Orphan
from trimtab.reconcile.desired import DesiredStates
from trimtab.render.qualify import Qualified


def made(name: str) -> Manifest:
    spec = {"sourceRef": {"name": "shop"}, "path": ".", "prune": True, "targetNamespace": name, "createNamespace": True}
    (namespace,) = DesiredStates._namespace(Application.parse({"metadata": {"name": "shop"}, "spec": spec}), NOTHING)
    return namespace


NOTHING = Qualified((), ())


def test_a_namespace_made_on_request_stays_when_another_is_asked_for():
    old, new = made("old"), made("new")
    seen = owned("n", keep=old.annotations.get("trimtab.dev/prune") == "disabled")
    inventory, sights = {old.ref: applied("n")}, {old.ref: seen, new.ref: owned("m")}

    moved = build(
        [new, manifest("ConfigMap", "web", namespace="new")], inventory, sights, options(created_namespace=new.ref)
    )
    ended = teardown(inventory, sights, options(created_namespace=new.ref))

    for plan in (moved, ended):
        assert [type(change) for change in plan.changes if change.ref == old.ref] == [Orphan]
