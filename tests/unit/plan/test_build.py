"""Whole plans: what is applied, pruned, let go, kept and refused."""

import pytest
from tests.fakes.plan_objects import INTENDED, OTHER, applied, live, manifest, options, owned, ref_of

from trimtab.api.application import DeletionPolicy
from trimtab.core.refs import ObjectRef
from trimtab.plan.build import build, teardown
from trimtab.plan.changes import Create, Delete, Forget, Held, Orphan, Plan, Unchanged
from trimtab.plan.sight import Foreign, Missing, Sight, Unsure

A, B, C = (manifest("ConfigMap", name) for name in "abc")
SPACE = ref_of("Namespace", "shop")
DEFINITION = ref_of("CustomResourceDefinition", "widgets.example.org")
WIDGET = ref_of("Widget", "one")


def by_name(plan: Plan) -> dict[str, str]:
    return {change.ref.name: type(change).__name__ for change in plan.changes}


def test_an_object_that_left_git_is_deleted():
    plan = build([A], {A.ref: applied(), B.ref: applied("u2")}, {A.ref: Missing(), B.ref: owned("u2")}, options())
    assert plan.changes == (Create(A, applied()), Delete(B.ref, applied("u2")))
    assert (plan.refused, plan.kept) == ((), ())


@pytest.mark.parametrize(
    ("entry", "sight", "change"),
    [
        (applied(), Missing(), Forget(B.ref, applied())),
        (INTENDED, owned(), Delete(B.ref, INTENDED, verify=True)),
        (applied("u0"), owned(), Delete(B.ref, applied("u0"), verify=True)),
        (applied(), Foreign(live("ConfigMap", "b")), Delete(B.ref, applied())),
        (applied("u0"), Foreign(live("ConfigMap", "b")), Delete(B.ref, applied("u0"), verify=True)),
        (applied(), owned(keep=True), Orphan(B.ref, applied(), "trimtab.dev/prune: disabled")),
        (
            applied(),
            Foreign(live("ConfigMap", "b", owner=OTHER)),
            Orphan(B.ref, applied(), "belongs to another Application by now", unmark=False),
        ),
    ],
)
def test_what_becomes_of_objects_that_left_git(entry, sight, change):
    plan = build([A], {B.ref: entry}, {A.ref: Missing(), B.ref: sight}, options())
    assert plan.changes[-1] == change


def test_without_prune_what_left_git_stays_tracked():
    plan = build([A], {B.ref: applied()}, {A.ref: Missing(), B.ref: owned()}, options(prune=False))
    assert by_name(plan) == {"a": "Create"}
    assert plan.kept == (B.ref,)
    assert plan.refused == ()


def test_nothing_is_pruned_while_something_could_not_be_read():
    plan = build([A], {B.ref: applied()}, {A.ref: Missing(), B.ref: owned()}, options(complete=False))
    assert by_name(plan) == {"a": "Create"}
    assert plan.kept == (B.ref,)
    assert plan.refused[0].reason == "PruneHeld"


def test_what_nobody_has_seen_is_neither_created_nor_pruned():
    plan = build([A], {B.ref: applied()}, {B.ref: Unsure("watch down")}, options())
    assert plan.changes == ()
    assert plan.kept == (B.ref,)
    assert [problem.reason for problem in plan.refused] == ["Unknown", "Unknown"]


def test_a_revision_without_objects_needs_a_confirmation_that_names_the_plan():
    inventory, sights = {B.ref: applied()}, {B.ref: owned()}
    plan = build([], inventory, sights, options())
    assert plan.changes == ()
    assert plan.kept == (B.ref,)
    assert plan.digest in plan.refused[0].remedy
    confirmed = build([], inventory, sights, options(confirmed=plan.digest))
    assert confirmed.changes == (Delete(B.ref, applied()),)
    assert confirmed.digest == plan.digest


def test_a_namespace_of_createnamespace_alone_is_no_object():
    namespace = manifest("Namespace", "shop")
    plan = build(
        [namespace],
        {namespace.ref: applied(), B.ref: applied()},
        {namespace.ref: owned(), B.ref: owned()},
        options(created_namespace=namespace.ref, declared_digests={namespace.ref: "decl"}),
    )
    assert plan.changes == (Unchanged(namespace),)
    assert plan.refused[0].reason == "ConfirmationNeeded"


def test_the_digest_follows_git_and_rules_but_not_the_cluster():
    def digest(**overrides):
        observed = overrides.pop("observed", {})
        return build([A], {}, observed, options(declared_digests={A.ref: "1"}, **overrides)).digest

    assert digest() == digest(observed={A.ref: Missing()})
    assert len({digest(), digest(base_revision="r"), digest(prune=False), digest(complete=False)}) == 4
    assert build([A], {}, {}, options(declared_digests={A.ref: "2"})).digest != digest()


def test_objects_are_refused_alone():
    stranger = live("ConfigMap", "b", owner=OTHER)
    plan = build([A, B], {}, {A.ref: Missing(), B.ref: Foreign(stranger)}, options())
    assert by_name(plan) == {"a": "Create"}
    assert [problem.ref for problem in plan.refused] == [B.ref]


def test_an_object_lost_to_another_application_leaves_the_inventory_so_that_it_is_never_pruned_from_there():
    stranger = live("ConfigMap", "a", owner=OTHER)
    plan = build([A], {A.ref: applied()}, {A.ref: Foreign(stranger)}, options(held={A.ref: OTHER}))
    assert plan.changes == (Orphan(A.ref, applied(), "belongs to another Application", unmark=False),)
    assert plan.refused[0].reason == "HeldByOther"


def test_of_two_declarations_the_first_counts():
    again = manifest("ConfigMap", "a", line=9)
    plan = build([A, again], {}, {A.ref: Missing()}, options())
    assert plan.changes == (Create(A),)
    assert plan.refused[0].origin == again.origin


def test_a_namespace_that_is_only_to_be_there_makes_no_change():
    namespace = manifest("Namespace", "shop")
    sights: dict[ObjectRef, Sight] = {namespace.ref: Foreign(live("Namespace", "shop")), A.ref: Missing()}
    plan = build([namespace, A], {}, sights, options(created_namespace=namespace.ref))
    assert plan.changes == (Create(A),)
    assert plan.edges == {}


class TestContainers:
    """Namespaces and definitions take along what lives in them."""

    def test_go_with_their_contents(self):
        inventory = {SPACE: applied("n"), A.ref: applied("a")}
        plan = build([B_ELSEWHERE], inventory, {SPACE: owned("n"), A.ref: owned("a")}, options())
        assert by_name(plan) == {"shop": "Delete", "a": "Delete"}
        assert plan.edges == {SPACE: frozenset({A.ref})}

    def test_stay_where_something_declared_lives_in_them(self):
        plan = build([A], {SPACE: applied("n")}, {SPACE: owned("n"), A.ref: Missing()}, options())
        assert plan.changes[-1] == Orphan(SPACE, applied("n"), "other objects still need it")

    def test_stay_where_another_application_lives_in_them(self):
        plan = build([B_ELSEWHERE], {SPACE: applied("n")}, {SPACE: owned("n")}, options(held={A.ref: OTHER}))
        assert by_name(plan) == {"shop": "Orphan"}

    def test_stay_where_the_inventory_of_an_application_that_is_not_loaded_says_so(self):
        plan = build([B_ELSEWHERE], {SPACE: applied("n")}, {SPACE: owned("n")}, options(neighbours=[A.ref]))
        assert [type(change) for change in plan.changes if change.ref == SPACE] == [Orphan]
        plan = teardown({SPACE: applied("n")}, {SPACE: owned("n")}, options(neighbours=[A.ref]))
        assert [type(change) for change in plan.changes] == [Orphan]

    def test_stay_where_something_let_go_lives_in_them(self):
        inventory = {SPACE: applied("n"), A.ref: applied("a")}
        plan = build([B_ELSEWHERE], inventory, {SPACE: owned("n"), A.ref: owned("a", keep=True)}, options())
        assert by_name(plan) == {"shop": "Orphan", "a": "Orphan"}

    def test_are_kept_where_something_kept_lives_in_them(self):
        inventory = {DEFINITION: applied("d"), WIDGET: applied("w")}
        sights: dict[ObjectRef, Sight] = {DEFINITION: owned("d"), WIDGET: Unsure("watch down")}
        plan = build([A], inventory, {**sights, A.ref: Missing()}, options())
        assert set(plan.kept) == {DEFINITION, WIDGET}
        assert by_name(plan) == {"a": "Create"}
        assert [problem.ref for problem in plan.refused] == [WIDGET]


B_ELSEWHERE = manifest("ConfigMap", "b", namespace="blog")


class TestTeardown:
    def test_deletes_everything_unseen_objects_behind_a_look(self):
        inventory = {A.ref: applied("a"), B.ref: applied("b"), C.ref: applied("c"), SPACE: applied("n")}
        sights: dict[ObjectRef, Sight] = {A.ref: owned("a"), B.ref: Unsure("down"), C.ref: Missing(), SPACE: owned("n")}
        plan = teardown(inventory, sights, options())
        assert set(plan.changes) == {
            Delete(A.ref, applied("a")),
            Delete(B.ref, applied("b"), verify=True),
            Forget(C.ref, applied("c")),
            Delete(SPACE, applied("n")),
        }
        assert plan.teardown
        assert (plan.refused, plan.kept) == ((), ())

    def test_lets_go_of_what_a_guard_protects_and_of_what_that_lives_in(self):
        inventory = {A.ref: applied("a"), SPACE: applied("n")}
        plan = teardown(inventory, {A.ref: owned("a", keep=True), SPACE: owned("n")}, options())
        assert by_name(plan) == {"a": "Orphan", "shop": "Orphan"}

    def test_with_orphan_everything_stays(self):
        inventory = {A.ref: applied("a"), B.ref: applied("b"), C.ref: applied("c")}
        sights: dict[ObjectRef, Sight] = {
            A.ref: Unsure("down"),
            B.ref: Foreign(live("ConfigMap", "b", owner=OTHER)),
            C.ref: Missing(),
        }
        plan = teardown(inventory, sights, options(), policy=DeletionPolicy.ORPHAN)
        assert set(plan.changes) == {
            Orphan(A.ref, applied("a"), "deletionPolicy: Orphan"),
            Orphan(B.ref, applied("b"), "belongs to another Application by now", unmark=False),
            Forget(C.ref, applied("c")),
        }


def test_a_plan_without_requests_is_empty():
    assert Plan(options(), (Unchanged(A), Held(B))).empty
    assert not Plan(options(), (Create(A),)).empty
