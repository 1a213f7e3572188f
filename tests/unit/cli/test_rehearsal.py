"""The parts of a rehearsal that ask nobody."""

import pytest

from trimtab.cli.declared import _ref
from trimtab.cli.rehearsal import projected

SHA = "0123456789" * 4


def test_only_what_is_declared_is_compared():
    live = {
        "metadata": {"name": "web", "uid": "1", "labels": {"a": "1", "others": "2"}},
        "spec": {"replicas": 2, "paused": False},
        "status": {},
    }
    declared = {"metadata": {"name": "web", "labels": {"a": "2", "new": "3"}}, "spec": {"replicas": 3}}
    assert projected(live, declared) == {"metadata": {"name": "web", "labels": {"a": "1"}}, "spec": {"replicas": 2}}


def test_items_are_matched_by_name_then_by_place():
    live = [{"name": "b", "value": "1", "x": 0}, {"name": "a", "value": "2"}, {"name": "c", "value": "3"}]
    declared = [{"name": "a", "valueFrom": {}}, {"name": "b", "value": "9"}]
    assert projected(live, declared) == [{"name": "b", "value": "1"}, {"name": "a"}, {"name": "c", "value": "3"}]
    assert projected(live, declared, named={"value"})[1] == {"name": "a", "value": "2"}
    assert projected([{"port": 80, "protocol": "TCP"}], [{"port": 81}]) == [{"port": 80}]
    assert projected(["a"], ["b", "c"]) == ["a"]


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        ("", {}),
        (SHA, {"commit": SHA}),
        (f"main@sha1:{SHA}", {"commit": SHA}),
        ("feature/x", {"branch": "feature/x"}),
        ("0123abc", {"branch": "0123abc"}),
    ],
)
def test_revisions_as_users_write_them(text, ref):
    assert _ref(text) == ref
