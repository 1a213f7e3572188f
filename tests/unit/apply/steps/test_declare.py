"""The detours of one declared object, as transcripts."""

from typing import Any

import pytest
from tests.fakes.plan_objects import INTENDED, OTHER, OWNER, applied, live, manifest, options
from tests.fakes.playbook import Playbook

from trimtab.apply.commands import Apply, AwaitGone, Claim, Get, Record, Remove, Retry
from trimtab.apply.engine import ApplyRun
from trimtab.apply.events import Answered, Claimed, Gone, Got, Recorded, Refused, Removed, TimedOut
from trimtab.apply.results import Ending, ObjectResult, Operation
from trimtab.apply.retry import DELAYS_SECONDS
from trimtab.apply.steps.declare import LOOKS
from trimtab.apply.steps.moves import UnexpectedEvent
from trimtab.core.api_error import ApiError, Cause
from trimtab.core.fields.fieldset import fields_v1
from trimtab.core.fields.path import fields
from trimtab.core.manifest import Manifest
from trimtab.core.observed import Absent, Live, Unknown
from trimtab.plan.changes import Adopt, Create, Plan, Recreate, Update

A = manifest("ConfigMap", "a", spec={"mode": {"new": 1}})
FORCED = manifest("ConfigMap", "a", annotations={"trimtab.dev/force": "true"}, spec={"fixed": 1})
REF = A.ref
MISMATCH = ApiError(409, "Conflict", "uid mismatch")
WRONG_UID = ApiError(422, "Invalid", "", causes=(Cause("metadata.uid", "field is immutable"),))
COLLISION = ApiError(422, "Invalid", "no", causes=(Cause("spec.mode.old", "may not be specified beside new"),))
IMMUTABLE = ApiError(422, "Invalid", "no", causes=(Cause("spec.fixed", "field is immutable"),))
BUSY = ApiError(503, "ServiceUnavailable", "busy")
GET = Get(REF, "v1")


def start(change, **overrides):
    plan = Plan(options(**overrides), (change,), {})
    return Playbook(ApplyRun(plan, entry_of=lambda _, body: applied(body["metadata"]["uid"])))


def seen(uid: str = "uid-1", **state: Any) -> Got:
    return Got(REF, live("ConfigMap", "a", uid=uid, **state))


def answer(uid: str = "uid-1") -> Answered:
    return Answered(REF, live("ConfigMap", "a", uid=uid).body)


def result(book: Playbook) -> ObjectResult:
    return book.end().results[REF]


def succeed(book: Playbook, uid: str = "uid-1") -> ObjectResult:
    return result(book >> answer(uid) << [Record({REF: applied(uid)})] >> Recorded())


def problem_of(book: Playbook):
    ended = result(book)
    assert ended.ending is Ending.FAILED
    assert ended.problem is not None
    return ended.problem


def retried(book: Playbook):
    (command,) = book.take()
    assert isinstance(command, Retry)
    assert command.delay_seconds > 0
    return command.command


def with_stale_field(manager: str = "kubectl-edit", **state: Any) -> Live:
    """A live object whose spec.mode.old somebody else owns."""
    theirs = {"manager": manager, "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1"}
    there = live("ConfigMap", "a", **state)
    entries = there.body["metadata"].get("managedFields", [])
    stale = {**theirs, "fieldsV1": fields_v1([fields("spec", "mode", "old")])}
    there.body["metadata"]["managedFields"] = [*entries, stale]
    there.body["spec"] = {"mode": {"old": 1}}
    return there


OURS: dict[str, Any] = {"owner": OWNER, "applied": True}


class TestUidPrecondition:
    """409 (absent) or 422 (another object): look, decide anew."""

    @pytest.mark.parametrize("error", [MISMATCH, WRONG_UID])
    def test_a_vanished_object_is_created_behind_a_record(self, error):
        book = start(Update(A, applied(), "uid-1")) << [Apply(A, "uid-1")] >> Refused(REF, error) << [GET]
        book >> Got(REF, Absent()) << [Record({REF: INTENDED})] >> Recorded() << [Apply(A)]
        assert succeed(book, "uid-2").operation is Operation.CREATE

    def test_a_recreated_object_is_adopted_behind_a_record(self):
        book = start(Update(A, applied(), "uid-1")) << [Apply(A, "uid-1")] >> Refused(REF, WRONG_UID) << [GET]
        book >> seen("uid-2") << [Record({REF: INTENDED})] >> Recorded() << [Apply(A, "uid-2")]
        assert succeed(book, "uid-2").operation is Operation.ADOPT

    def test_even_claiming_it_waits_for_the_record(self):
        book = start(Update(A, applied(), "uid-1")) << [Apply(A, "uid-1")] >> Refused(REF, WRONG_UID) << [GET]
        there = with_stale_field("kubectl", uid="uid-2")
        book >> Got(REF, there) << [Record({REF: INTENDED})] >> Recorded()
        (claim,) = book.take()
        assert isinstance(claim, Claim)
        assert claim.resource_version == "5"
        assert fields_v1([fields("spec", "mode", "old")]) in [entry["fieldsV1"] for entry in claim.managed_fields]
        book >> Claimed(REF, there.body) << [Apply(A, "uid-2")]

    def test_an_object_that_somebody_else_holds_by_now_is_refused(self):
        book = start(Update(A, applied(), "uid-1")) << [Apply(A, "uid-1")] >> Refused(REF, WRONG_UID) << [GET]
        assert problem_of(book >> seen("uid-2", owner=OTHER)).reason == "HeldByOther"

    def test_the_same_object_had_a_passing_conflict(self):
        book = start(Update(A, applied(), "uid-1")) << [Apply(A, "uid-1")] >> Refused(REF, MISMATCH) << [GET]
        book >> seen("uid-1", **OURS)
        assert retried(book) == Apply(A, "uid-1")
        assert succeed(book).operation is Operation.UPDATE

    def test_endless_conflicts_end(self):
        book = start(Update(A, applied(), "uid-1")) << [Apply(A, "uid-1")]
        for _ in DELAYS_SECONDS:
            book >> Refused(REF, MISMATCH) << [GET] >> seen("uid-1", **OURS)
            assert retried(book) == Apply(A, "uid-1")
        book >> Refused(REF, MISMATCH) << [GET] >> seen("uid-1", **OURS)
        assert problem_of(book).reason == "Conflict"

    def test_endless_recreations_end(self):
        book = start(Update(A, INTENDED, "uid-1")) << [Apply(A, "uid-1")]
        for number in range(LOOKS):
            book >> Refused(REF, WRONG_UID) << [GET] >> seen(f"new-{number}", **OURS) << [Apply(A, f"new-{number}")]
        problem = problem_of(book >> Refused(REF, WRONG_UID))
        assert (problem.reason, problem.retry) == ("Conflict", True)


class TestAdoption:
    def test_what_was_seen_with_its_owners_is_claimed_at_once(self):
        there = with_stale_field("kubectl")
        book = start(Adopt(A, there, INTENDED))
        (claim,) = book.take()
        assert isinstance(claim, Claim)
        assert succeed(book >> Claimed(REF, there.body) << [Apply(A, "uid-1")]).operation is Operation.ADOPT

    def test_without_owners_it_is_looked_at_first(self):
        book = start(Adopt(A, live("ConfigMap", "a"))) << [Record({REF: INTENDED})] >> Recorded() << [GET]
        book >> seen() << [Apply(A, "uid-1")]
        assert succeed(book).operation is Operation.ADOPT

    def test_it_may_be_gone_by_then(self):
        book = start(Adopt(A, live("ConfigMap", "a"), INTENDED)) << [GET] >> Got(REF, Absent()) << [Apply(A)]
        assert succeed(book).operation is Operation.CREATE

    def test_or_have_become_somebody_elses(self):
        book = start(Adopt(A, live("ConfigMap", "a"), INTENDED)) << [GET]
        helm = seen(annotations={"meta.helm.sh/release-name": "x"})
        assert problem_of(book >> helm).reason == "AdoptionRefused"

    @pytest.mark.parametrize("status", [404, 409])
    def test_a_claim_that_comes_too_late_is_made_anew(self, status):
        book = start(Adopt(A, with_stale_field("kubectl"), INTENDED))
        book.take()
        book >> Refused(REF, ApiError(status, "", "modified")) << [GET]
        book >> Got(REF, with_stale_field("kubectl", version="6"))
        (claim,) = book.take()
        assert isinstance(claim, Claim)
        assert claim.resource_version == "6"

    def test_a_forbidden_claim_is_final(self):
        book = start(Adopt(A, with_stale_field("kubectl"), INTENDED))
        book.take()
        problem = problem_of(book >> Refused(REF, ApiError(403, "Forbidden", "no")))
        assert "refused to take over" in problem.message

    def test_nothing_is_deleted_to_be_adopted(self):
        book = start(Adopt(FORCED, with_stale_field("kubectl"), INTENDED))
        book.take()
        book >> Claimed(REF, {}) << [Apply(FORCED, "uid-1")] >> Refused(REF, IMMUTABLE) << [GET] >> seen()
        assert problem_of(book).reason == "Immutable"


class TestInvalid:
    def test_a_stale_field_is_claimed_and_the_apply_tried_again(self):
        book = start(Update(A, applied(), "uid-1")) << [Apply(A, "uid-1")] >> Refused(REF, COLLISION) << [GET]
        book >> Got(REF, with_stale_field(**OURS))
        (claim,) = book.take()
        assert isinstance(claim, Claim)
        assert [entry["manager"] for entry in claim.managed_fields] == ["trimtab"]
        assert succeed(book >> Claimed(REF, {}) << [Apply(A, "uid-1")]).operation is Operation.UPDATE

    def test_a_claim_that_came_too_late_is_not_used_up(self):
        book = start(Update(A, applied(), "uid-1")) << [Apply(A, "uid-1")] >> Refused(REF, COLLISION) << [GET]
        book >> Got(REF, with_stale_field(**OURS))
        (first,) = book.take()
        book >> Refused(REF, ApiError(409, "Conflict", "modified")) << [GET] >> Got(REF, with_stale_field(**OURS))
        assert book.take() == [first]

    def test_what_no_claim_mends_is_a_problem_with_its_place(self):
        book = start(Update(A, applied(), "uid-1")) << [Apply(A, "uid-1")] >> Refused(REF, COLLISION) << [GET]
        problem = problem_of(book >> seen(**OURS))
        assert (problem.reason, problem.origin, problem.retry) == ("Invalid", A.origin, False)

    def test_a_refused_creation_has_nothing_to_mend(self):
        book = start(Create(A, INTENDED)) << [Apply(A)] >> Refused(REF, COLLISION) << [GET]
        assert problem_of(book >> Got(REF, Absent())).reason == "Invalid"

    def test_an_object_that_vanished_meanwhile_is_created(self):
        book = start(Update(A, INTENDED, "uid-1")) << [Apply(A, "uid-1")] >> Refused(REF, COLLISION) << [GET]
        book >> Got(REF, Absent()) << [Apply(A)]
        assert succeed(book, "uid-2").operation is Operation.CREATE

    def test_refusals_that_name_no_field_are_not_looked_into(self):
        book = start(Update(A, applied(), "uid-1")) << [Apply(A, "uid-1")]
        assert problem_of(book >> Refused(REF, ApiError(422, "Invalid", "no"))).reason == "Invalid"


class TestForce:
    def test_an_immutable_field_of_ours_is_changed_by_deletion_and_creation(self):
        book = start(Update(FORCED, applied(), "uid-1")) << [Apply(FORCED, "uid-1")] >> Refused(REF, IMMUTABLE)
        book << [GET] >> seen(**OURS) << [Remove(REF, "v1", "uid-1")] >> Removed(REF)
        book << [AwaitGone(REF, "v1", "uid-1")] >> Gone(REF) << [Record({REF: INTENDED})] >> Recorded()
        book << [Apply(FORCED)]
        assert succeed(book, "uid-2").operation is Operation.RECREATE

    def test_without_the_annotation_the_remedy_says_so(self):
        book = start(Update(A, applied(), "uid-1")) << [Apply(A, "uid-1")]
        problem = problem_of(book >> Refused(REF, IMMUTABLE))
        assert problem.reason == "Immutable"
        assert "trimtab.dev/force" in problem.remedy

    @pytest.mark.parametrize("kind", ["Namespace", "CustomResourceDefinition"])
    def test_what_others_live_in_is_never_deleted_for_it(self, kind):
        declared = manifest(kind, "x", annotations={"trimtab.dev/force": "true"})
        book = start(Update(declared, applied(), "uid-1")) << [Apply(declared, "uid-1")]
        run = (book >> Refused(declared.ref, IMMUTABLE)).end()
        assert run.results[declared.ref].ending is Ending.FAILED

    def test_what_only_carries_our_annotation_is_not_deleted(self):
        book = start(Update(FORCED, INTENDED, "uid-1")) << [Apply(FORCED, "uid-1")] >> Refused(REF, IMMUTABLE)
        assert problem_of(book << [GET] >> seen(owner=OWNER)).reason == "Immutable"

    def test_what_is_proven_ours_is(self):
        book = start(Update(FORCED, INTENDED, "uid-1")) << [Apply(FORCED, "uid-1")] >> Refused(REF, IMMUTABLE)
        book << [GET] >> seen(**OURS) << [Remove(REF, "v1", "uid-1")] >> Gone(REF) << [Apply(FORCED)]
        assert succeed(book, "uid-2").operation is Operation.RECREATE

    def test_once_is_enough(self):
        book = start(Update(FORCED, INTENDED, "uid-1")) << [Apply(FORCED, "uid-1")] >> Refused(REF, IMMUTABLE)
        book << [GET] >> seen(**OURS) << [Remove(REF, "v1", "uid-1")] >> Gone(REF) << [Apply(FORCED)]
        assert problem_of(book >> Refused(REF, IMMUTABLE)).reason == "Immutable"

    def test_a_planned_recreation_is_recorded_first(self):
        book = start(Recreate(FORCED, "uid-1", applied())) << [Record({REF: INTENDED})] >> Recorded()
        book << [Remove(REF, "v1", "uid-1")] >> Gone(REF) << [Apply(FORCED)]
        assert succeed(book, "uid-2").operation is Operation.RECREATE

    @pytest.mark.parametrize("after_removal", [False, True])
    def test_its_trouble(self, after_removal):
        book = start(Recreate(FORCED, "uid-1", INTENDED)) << [Remove(REF, "v1", "uid-1")]
        if after_removal:
            book >> Removed(REF) << [AwaitGone(REF, "v1", "uid-1")] >> Refused(REF, BUSY)
            assert retried(book) == AwaitGone(REF, "v1", "uid-1")
            assert problem_of(book >> TimedOut(REF)).reason == "Terminating"
        else:
            book >> Refused(REF, BUSY)
            assert retried(book) == Remove(REF, "v1", "uid-1")
            book >> Refused(REF, MISMATCH) << [GET] >> Got(REF, Absent()) << [Apply(FORCED)]


class TestTransience:
    def test_a_few_tries_then_a_problem_that_time_may_mend(self):
        book = start(Create(A, INTENDED)) << [Apply(A)]
        for _ in DELAYS_SECONDS:
            book >> Refused(REF, BUSY)
            assert retried(book) == Apply(A)
        assert problem_of(book >> Refused(REF, BUSY)).retry

    def test_a_conflict_of_a_creation_is_one_of_them(self):
        book = start(Create(A, INTENDED)) << [Apply(A)] >> Refused(REF, MISMATCH)
        assert retried(book) == Apply(A)

    def test_a_shape_that_does_not_fit_is_final(self):
        book = start(Create(A, INTENDED)) << [Apply(A)]
        error = ApiError(500, "InternalError", "failed to create typed patch object")
        assert problem_of(book >> Refused(REF, error)).reason == "SchemaMismatch"

    @pytest.mark.parametrize("event", [Got(REF, Unknown("watch down")), Refused(REF, BUSY)])
    def test_a_look_that_fails_is_repeated(self, event):
        book = start(Adopt(A, live("ConfigMap", "a"), INTENDED)) << [GET] >> event
        assert retried(book) == GET

    def test_a_lost_claim_is_repeated(self):
        book = start(Adopt(A, with_stale_field("kubectl"), INTENDED))
        (claim,) = book.take()
        assert retried(book >> Refused(REF, BUSY)) == claim

    def test_whoever_is_given_up_may_come_again(self):
        book = start(Create(A, INTENDED)) << [Apply(A)]
        assert problem_of(book >> TimedOut(REF)).retry

    def test_a_kind_that_was_only_just_defined_is_waited_for(self):
        widget, space = manifest("Widget", "one"), manifest("Namespace", "shop")
        changes = (Create(space, INTENDED), Create(widget, INTENDED))
        plan = Plan(options(), changes, {widget.ref: frozenset({space.ref})})
        book = Playbook(ApplyRun(plan, entry_of=lambda *_: applied())) << [Apply(space)]
        book >> Answered(space.ref, {}) << [Apply(widget)]
        for _ in DELAYS_SECONDS:
            book >> Refused(widget.ref, ApiError(404, "NotFound", "not found"))
            assert retried(book) == Apply(widget)
        book >> Refused(widget.ref, ApiError(404, "NotFound", "not found"))
        book.take()
        assert book.run.results[widget.ref].ending is Ending.FAILED

    def test_one_that_nobody_defines_is_not(self):
        book = start(Create(A, INTENDED)) << [Apply(A)]
        assert problem_of(book >> Refused(REF, ApiError(404, "NotFound", "not found"))).reason == "KindNotServed"


def test_an_update_that_asks_for_it_is_looked_at_first():
    deployed: Manifest = manifest("Deployment", "web", spec={"image": "v2"})
    there = live("Deployment", "web", **OURS)
    entry = there.body["metadata"]["managedFields"][0]
    entry |= {"apiVersion": "apps/v1", "fieldsV1": {"f:spec": {"f:replicas": {}}}}
    there.body["spec"] = {"replicas": 3}
    book = start(Update(deployed, applied(), "uid-1", look=True)) << [Get(deployed.ref, "v1")]
    book >> Got(deployed.ref, there)
    (claim,) = book.take()
    assert isinstance(claim, Claim)
    assert [each["manager"] for each in claim.managed_fields] == ["trimtab", "trimtab-handed-over"]
    book >> Claimed(deployed.ref, {}) << [Apply(deployed, "uid-1")]


def test_a_namespace_that_was_only_to_be_there_and_is_by_now_needs_no_entry():
    space = manifest("Namespace", "shop")
    book = start(Create(space, INTENDED), created_namespace=space.ref) << [Apply(space)]
    book >> Refused(space.ref, COLLISION) << [Get(space.ref, "v1")] >> Got(space.ref, live("Namespace", "shop"))
    book << [Record({space.ref: None})] >> Recorded()
    assert book.end().results[space.ref].ending is Ending.DONE


@pytest.mark.parametrize(
    ("change", "event"),
    [
        (Create(A, INTENDED), Gone(REF)),
        (Adopt(A, live("ConfigMap", "a"), INTENDED), Gone(REF)),
        (Adopt(A, with_stale_field("kubectl"), INTENDED), Gone(REF)),
        (Recreate(A, "uid-1", INTENDED), answer()),
    ],
)
def test_an_event_that_does_not_fit_is_the_interpreters_mistake(change, event):
    book = start(change)
    book.take()
    with pytest.raises(UnexpectedEvent):
        book >> event


def test_the_uid_goes_along_as_a_precondition_only():
    assert Apply(A, "uid-1").body["metadata"] == {"name": "a", "namespace": "shop", "uid": "uid-1"}
    assert Apply(A).body is A.body
    assert Apply(A).ref == REF
    assert "uid" not in A.body["metadata"]
