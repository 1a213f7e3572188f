from tests.unit.drift.objects import T0, T1, entry

from trimtab.core.fields.managed import APPLY
from trimtab.core.fields.path import field, fields, keyed
from trimtab.drift.actor import UNKNOWN, actor_of

PATH = fields("spec", "replicas")
SELECTOR = fields("spec", "selector")


def held(manager, *paths, **more):
    return entry(manager, frozenset(paths), **more)


def test_the_holder_is_named():
    assert actor_of(PATH, [held("a", SELECTOR), held("b", PATH)]) == "b"


def test_the_latest_of_several_is_named():
    assert (
        actor_of(PATH, [held("none", PATH, time=""), held("new", PATH, time=T1), held("old", PATH, time=T0)]) == "new"
    )


def test_we_are_never_named():
    assert actor_of(PATH, [held("trimtab", PATH, operation=APPLY)]) == UNKNOWN


def test_somebody_updating_under_our_name_is():
    assert actor_of(PATH, [held("trimtab", PATH)]) == "trimtab"


def test_the_holder_of_something_inside_is_named():
    assert actor_of(SELECTOR, [held("a", (*SELECTOR, field("x")))]) == "a"


def test_the_holder_of_an_undivided_whole_is_named_and_that_of_a_container_is_not():
    below = (*SELECTOR, field("matchLabels"), field("app"))
    assert actor_of(below, [held("a", SELECTOR)]) == "a"
    assert actor_of(below, [held("a", SELECTOR, (*SELECTOR, field("other")))]) == UNKNOWN


def test_a_list_that_somebody_made_is_no_whole_where_others_hold_items_of_it():
    mounts = fields("spec", "volumeMounts")
    renamed = (*mounts, keyed({"mountPath": "/new"}))
    gone = (*mounts, keyed({"mountPath": "/old"}))
    assert actor_of(gone, [held("creator", mounts), held("editor", renamed)]) == UNKNOWN


def test_holding_neighbours_is_not_holding_it():
    item = (*fields("spec", "ports"), keyed({"port": 80}))
    other = (*fields("spec", "ports"), keyed({"port": 81}))
    assert actor_of(item, [held("a", other, (*other, field("port")))]) == UNKNOWN
    assert actor_of(item, []) == UNKNOWN
