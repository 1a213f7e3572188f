"""The ladder, rung by rung: entry, sight and mode in, change out."""

import pytest
from tests.fakes.plan_objects import INTENDED, OTHER, OWNER, applied, live, manifest, options, owned

from trimtab.api.application import DriftMode
from trimtab.plan.changes import Adopt, Create, Held, Unchanged, Update
from trimtab.plan.decide import decide, drift_mode
from trimtab.plan.guards.adoption import AdoptionRefused
from trimtab.plan.guards.foreign_owner import HeldByOther
from trimtab.plan.guards.terminating import BeingDeleted
from trimtab.plan.guards.unsure import NotKnown
from trimtab.plan.sight import Foreign, Missing, Owned, Unsure, sight_of

MANIFEST = manifest("ConfigMap", "a")
LIVE = live("ConfigMap", "a")
OPTIONS = options(declared_digests={MANIFEST.ref: "decl"})
REPORT = options(declared_digests={MANIFEST.ref: "decl"}, drift=DriftMode.REPORT)


@pytest.mark.parametrize(
    ("entry", "sight", "change"),
    [
        (None, Missing(), Create(MANIFEST)),
        (INTENDED, Missing(), Create(MANIFEST, INTENDED)),
        (applied(), Missing(), Create(MANIFEST, applied())),
        (None, owned(), Update(MANIFEST, None, "uid-1")),
        (INTENDED, owned(), Update(MANIFEST, INTENDED, "uid-1")),
        (applied(), owned(), Unchanged(MANIFEST)),
        (applied(), owned(baseline="other"), Update(MANIFEST, applied(), "uid-1")),
        (applied("uid-0"), owned(), Update(MANIFEST, applied("uid-0"), "uid-1")),
        (applied(declared="old"), owned(), Update(MANIFEST, applied(declared="old"), "uid-1")),
        (None, Foreign(LIVE), Adopt(MANIFEST, LIVE)),
        (INTENDED, Foreign(LIVE), Adopt(MANIFEST, LIVE, INTENDED)),
        (applied("uid-0"), Foreign(LIVE), Adopt(MANIFEST, LIVE, applied("uid-0"))),
        (applied(), Foreign(LIVE), Update(MANIFEST, applied(), "uid-1")),
    ],
)
def test_what_is_done(entry, sight, change):
    assert decide(MANIFEST, entry, sight, OPTIONS) == change


@pytest.mark.parametrize(
    ("sight", "refusal"),
    [
        (Unsure("no answer"), NotKnown),
        (Foreign(live("ConfigMap", "a", owner=OTHER)), HeldByOther),
        (Foreign(live("ConfigMap", "a", annotations={"meta.helm.sh/release-name": "x"})), AdoptionRefused),
        (Foreign(live("ConfigMap", "a", deletionTimestamp="2026-01-01T00:00:00Z")), BeingDeleted),
    ],
)
def test_what_is_refused(sight, refusal):
    with pytest.raises(refusal):
        decide(MANIFEST, None, sight, OPTIONS)


REPLACED = live("ConfigMap", "a", uid="uid-9")


@pytest.mark.parametrize(
    "sight", [Missing(), owned(baseline="other"), owned("uid-2"), Foreign(LIVE), Foreign(REPLACED)]
)
def test_drift_that_is_only_reported_is_held(sight):
    assert decide(MANIFEST, applied(), sight, REPORT) == Held(MANIFEST)


@pytest.mark.parametrize("entry", [None, INTENDED, applied(declared="old")])
def test_what_git_newly_asks_for_is_applied_in_report_mode_too(entry):
    assert isinstance(decide(MANIFEST, entry, owned(baseline="other"), REPORT), Update)


def test_what_is_not_drifted_is_not_held():
    assert decide(MANIFEST, applied(), owned(), REPORT) == Unchanged(MANIFEST)


@pytest.mark.parametrize(
    ("stated", "mode"),
    [("Ignore", DriftMode.IGNORE), ("Correct", DriftMode.CORRECT), ("nonsense", DriftMode.REPORT)],
)
def test_an_object_may_state_its_own_mode(stated, mode):
    assert drift_mode(manifest("ConfigMap", "a", annotations={"trimtab.dev/drift": stated}), REPORT) is mode


def test_a_namespace_that_is_only_to_be_there_is_not_taken_over():
    namespace = manifest("Namespace", "shop")
    asked = options(created_namespace=namespace.ref)
    assert decide(namespace, None, Foreign(live("Namespace", "shop")), asked) is None
    assert decide(namespace, None, Missing(), asked) == Create(namespace)


class TestLookingBeforeAnUpdate:
    def test_at_a_deployment_that_leaves_replicas_out(self):
        change = decide(manifest("Deployment", "web", spec={}), applied(declared="old"), owned(), options())
        assert isinstance(change, Update)
        assert change.look

    def test_not_where_the_last_revision_left_them_out_as_well(self):
        now = manifest("Deployment", "web", spec={})
        change = decide(
            now, applied(declared="old"), owned(), options(previous={now.ref: now}, previous_digests={now.ref: "old"})
        )
        assert isinstance(change, Update)
        assert not change.look

    def test_where_a_revision_in_between_may_have_declared_them(self):
        now = manifest("Deployment", "web", spec={})
        older = options(previous={now.ref: now}, previous_digests={now.ref: "older"})
        change = decide(now, applied(declared="old"), owned(), older)
        assert isinstance(change, Update)
        assert change.look

    def test_not_where_they_are_declared(self):
        now = manifest("Deployment", "web", spec={"replicas": 2})
        change = decide(now, applied(declared="old"), owned(), options())
        assert isinstance(change, Update)
        assert not change.look

    def test_not_to_heal_drift(self):
        now = manifest("Deployment", "web", spec={})
        same = options(declared_digests={now.ref: "decl"})
        change = decide(now, applied(), owned(baseline="other"), same)
        assert isinstance(change, Update)
        assert not change.look

    def test_where_fields_to_be_dropped_may_be_others_by_now(self):
        before = manifest("ConfigMap", "a", data={"x": "1"})
        known = options(previous={MANIFEST.ref: before}, previous_digests={MANIFEST.ref: "old"})
        change = decide(MANIFEST, applied(declared="old"), owned(baseline="other"), known)
        assert change == Update(MANIFEST, applied(declared="old"), "uid-1", look=True, previous=before)


def test_sights_of_live_objects():
    ours = live("ConfigMap", "a", owner=OWNER, applied=True, annotations={"trimtab.dev/prune": "disabled"})
    assert sight_of(ours, OWNER, baseline="b") == Owned("uid-1", "b", "5", keep=True)
    copied = live("ConfigMap", "a", owner=OWNER)
    assert sight_of(copied, OWNER, baseline="b") == Foreign(copied)
