"""What is known of live objects."""

from trimtab.core.observed import Absent, Live, Unknown


def test_a_live_object_tells_who_it_is():
    live = Live({"metadata": {"uid": "u-1", "resourceVersion": "17"}})
    assert (live.uid, live.resource_version) == ("u-1", "17")


def test_unknown_is_never_absent():
    absent: object = Absent()
    assert Unknown("the watch was cut") != absent
    assert absent == Absent()
    assert Unknown("the watch was cut").reason == "the watch was cut"
