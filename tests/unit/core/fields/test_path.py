import pytest
from hypothesis import given
from tests.unit.core.fields.strategies import paths, segments

from trimtab.core.fields.path import (
    MISSING,
    Segment,
    SegmentKind,
    field,
    fields,
    is_under,
    keyed,
    names_of,
    resolve,
    same,
    segment,
    text_of,
    valued,
)

POD = {
    "metadata": {"labels": {"app.kubernetes.io/name": "shop", "tier": "web"}, "finalizers": ["a", "b"]},
    "spec": {
        "containers": [
            {"name": "web", "image": "web:1", "ports": [{"containerPort": 80, "protocol": "TCP"}]},
            {"name": "side", "image": "side:1"},
        ],
        "nothing": None,
    },
}
WEB = (*fields("spec", "containers"), keyed({"name": "web"}))


@given(segments)
def test_a_segment_survives_being_written_and_read(step):
    assert segment(str(step)) == step


@given(paths)
def test_every_path_has_a_text(path):
    assert text_of(path)


@pytest.mark.parametrize("bad", ["spec", ".", "x:spec", "", "i:one", "k:{"])
def test_what_is_no_segment_is_refused(bad):
    with pytest.raises(ValueError, match=r".+"):
        segment(bad)


def test_spelling_of_a_key_does_not_matter():
    assert segment('k:{"protocol": "TCP", "containerPort": 80}') == keyed({"containerPort": 80, "protocol": "TCP"})
    assert segment('v:"a\\u003cb"') == valued("a<b")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((*WEB, field("image")), "spec.containers[name=web].image"),
        (
            (*WEB, field("ports"), keyed({"containerPort": 80, "protocol": "TCP"})),
            "spec.containers[name=web].ports[containerPort=80,protocol=TCP]",
        ),
        (fields("metadata", "labels", "app.kubernetes.io/name"), "metadata.labels[app.kubernetes.io/name]"),
        ((*fields("metadata", "finalizers"), valued("a")), "metadata.finalizers[=a]"),
        ((*fields("spec", "rules"), segment("i:2")), "spec.rules[2]"),
    ],
)
def test_text_is_what_people_write(path, text):
    assert text_of(path) == text


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((*WEB, field("image")), "web:1"),
        ((*WEB, field("ports"), keyed({"containerPort": 80, "protocol": "TCP"}), field("protocol")), "TCP"),
        ((*WEB, field("ports"), keyed({"containerPort": 81, "protocol": "TCP"})), MISSING),
        ((*fields("spec", "containers"), segment("i:1"), field("name")), "side"),
        ((*fields("spec", "containers"), segment("i:2")), MISSING),
        ((*fields("metadata", "finalizers"), valued("b")), "b"),
        ((*fields("metadata", "finalizers"), valued("c")), MISSING),
        (fields("metadata", "labels", "tier", "deeper"), MISSING),
        ((*fields("metadata", "labels", "tier"), segment("i:0")), MISSING),
        (fields("spec", "nothing"), None),
        ((*fields("spec", "nothing"), valued("x")), MISSING),
        ((), POD),
    ],
)
def test_resolve_finds_what_stands_there(path, value):
    assert resolve(POD, path) is value if value is MISSING else resolve(POD, path) == value


def test_an_item_without_a_key_field_is_found_where_the_key_says_null():
    step = keyed({"port": 1, "protocol": None})
    assert resolve([{"port": 1}], (step,)) == {"port": 1}


def test_names_leave_list_items_out():
    assert names_of((*WEB, field("image"))) == ("spec", "containers", "image")


def test_a_path_is_under_itself_and_its_parents_only():
    image = (*WEB, field("image"))
    assert is_under(image, WEB)
    assert is_under(image, image)
    assert not is_under(WEB, image)


def test_parents_sort_before_children():
    assert sorted([(*WEB, field("image")), WEB]) == [WEB, (*WEB, field("image"))]


def test_a_field_has_no_key():
    assert Segment(SegmentKind.FIELD, "a").key == {}
    assert keyed({"name": "x"}).key == {"name": "x"}


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        (1, 1.0, True),
        (1, True, False),
        (True, True, True),
        ("1", 1, False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ([1, 2], [2, 1], False),
        ([{"a": True}], [{"a": 1}], False),
        ([1], [1, 2], False),
        (None, {}, False),
    ],
)
def test_equality_is_that_of_json(left, right, equal):
    assert same(left, right) is equal
    assert same(right, left) is equal


def test_missing_says_so():
    assert repr(MISSING) == "MISSING"
