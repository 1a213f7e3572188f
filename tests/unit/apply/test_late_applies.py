"""Admission policies judge the requests of their own revision: they are applied when all else has ended."""

from tests.fakes.plan_objects import ref_of

from trimtab.apply.schedule import Schedule
from trimtab.core.refs import ObjectRef
from trimtab.plan.order import last

CRD, CONFIG = ref_of("CustomResourceDefinition", "widgets.example.org"), ref_of("ConfigMap", "a")
POLICY, BINDING = (
    ObjectRef("local", "admissionregistration.k8s.io", f"ValidatingAdmissionPolicy{part}", "", "safe")
    for part in ("", "Binding")
)
GONE = ref_of("ConfigMap", "gone")


def schedule(**edges):
    return Schedule([BINDING, CRD, POLICY, CONFIG], [GONE], edges.get("edges", {}), late=last)


def test_late_applies_start_when_the_others_have_ended_in_whatever_way():
    plan = schedule()
    assert [plan.pop(), plan.pop(), plan.pop()] == [CRD, CONFIG, None]
    plan.succeeded(CRD)
    assert plan.pop() is None
    assert plan.failed(CONFIG) == []
    assert [plan.pop(), plan.pop(), plan.pop()] == [BINDING, POLICY, None]


def test_prunes_wait_for_late_applies_too():
    plan = schedule()
    for ref in (CRD, CONFIG):
        plan.succeeded(ref)
    assert [plan.pop(), plan.pop()] == [BINDING, POLICY]
    plan.succeeded(BINDING)
    assert plan.pop() is None
    plan.succeeded(POLICY)
    assert plan.pop() == GONE


def test_what_was_blocked_counts_as_ended():
    plan = schedule(edges={CONFIG: frozenset({CRD})})
    assert plan.pop() == CRD
    assert plan.failed(CRD) == [(CONFIG, CRD)]
    assert plan.pop() == BINDING


def test_what_is_dropped_holds_nothing_up():
    plan = schedule()
    assert plan.pop() == CRD
    assert plan.drop() == [CONFIG, BINDING, POLICY, GONE]
    plan.succeeded(CRD)
    assert plan.pop() is None
