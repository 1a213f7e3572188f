import pytest
from hypothesis import given
from tests.unit.core.fields.strategies import path_sets, paths

from trimtab.core.fields.fieldset import fields_v1, paths_of, under
from trimtab.core.fields.path import field, fields, keyed, valued

TREE: dict = {
    "f:metadata": {"f:finalizers": {'v:"x"': {}}},
    "f:spec": {
        "f:replicas": {},
        "f:template": {"f:containers": {'k:{"name":"web"}': {".": {}, "f:image": {}, "f:name": {}}}},
        "f:values": {".": {}, "f:a": {}},
    },
}
WEB = (*fields("spec", "template", "containers"), keyed({"name": "web"}))


def test_leaves_and_dots_are_members():
    assert paths_of(TREE) == {
        (*fields("metadata", "finalizers"), valued("x")),
        fields("spec", "replicas"),
        WEB,
        (*WEB, field("image")),
        (*WEB, field("name")),
        fields("spec", "values"),
        fields("spec", "values", "a"),
    }


def test_the_tree_is_written_as_the_server_writes_it():
    assert fields_v1(paths_of(TREE)) == TREE


@given(path_sets)
def test_any_set_survives_being_written_and_read(members):
    assert paths_of(fields_v1(members)) == members


@given(path_sets, paths)
def test_under_and_the_rest_make_the_whole(members, parent):
    below = under(members, parent)
    assert below <= members
    assert all(path[: len(parent)] == parent for path in below)
    assert all(path[: len(parent)] != parent for path in members - below)


def test_a_key_that_is_no_segment_is_refused():
    with pytest.raises(ValueError, match="not a FieldsV1 segment"):
        paths_of({"spec": {}})
