"""The grammar of --set: the tables of helm's own documentation, and its refusals."""

from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.render.helm_set import MAX_INDEX, SetError, assign


def set_in(values, path, text, **options):
    found = deepcopy(values)
    assign(found, path, text, **options)
    return found


@pytest.mark.parametrize(
    ("path", "text", "values"),
    [
        ("a", "b", {"a": "b"}),
        ("a", "", {"a": ""}),
        ("a", "true", {"a": True}),
        ("a", "FALSE", {"a": False}),
        ("a", "null", {"a": None}),
        ("a", "0", {"a": 0}),
        ("a", "-12", {"a": -12}),
        ("a", "+12", {"a": 12}),
        ("a", "012", {"a": "012"}),
        ("a", "1.5", {"a": "1.5"}),
        ("a", "1234567", {"a": "1234567"}),
        ("a", "99999999999999999999", {"a": "99999999999999999999"}),
        ("a", "'12'", {"a": "12"}),
        ("a", '"true"', {"a": "true"}),
        ("a", "'", {"a": "'"}),
        ("a.b.c", "d", {"a": {"b": {"c": "d"}}}),
        (r"a\.b", "c", {"a.b": "c"}),
        (r"a\\b", "c", {"a\\b": "c"}),
        ("a[0]", "b", {"a": ["b"]}),
        ("a[2]", "b", {"a": [None, None, "b"]}),
        ("a[0].b", "1", {"a": [{"b": 1}]}),
        ("a[0][1]", "b", {"a": [[None, "b"]]}),
        ("a[0].b[1].c", "d", {"a": [{"b": [None, {"c": "d"}]}]}),
        ("a", "{b,c}", {"a": ["b", "c"]}),
        ("a", "{1,true,x}", {"a": [1, True, "x"]}),
        ("a", "{}", {"a": [""]}),
        ("a[1]", "{x,y}", {"a": [None, ["x", "y"]]}),
        ("a", r"b\,c", {"a": "b,c"}),
        ("a", "b,c=d", {"a": "b", "c": "d"}),
        ("a", "{x,y},c=d", {"a": ["x", "y"], "c": "d"}),
        ("a", "b,", {"a": "b"}),
        ("a", "b=c", {"a": "b=c"}),
        ("a", "x\\", {"a": "x"}),
        ("", "b", {}),
        ("a", "line\nline", {"a": "line\nline"}),
    ],
)
def test_paths_and_values_are_read_as_helm_reads_them(path, text, values):
    assert set_in({}, path, text) == values


def test_what_is_there_stays_around_what_is_set():
    before = {"a": {"b": 1, "l": [{"x": 1}, "two"]}, "c": 2}
    assert set_in(before, "a.l[0].y", "3") == {"a": {"b": 1, "l": [{"x": 1, "y": 3}, "two"]}, "c": 2}
    assert set_in(before, "a.l[1].y", "3") == {"a": {"b": 1, "l": [{"x": 1}, {"y": 3}]}, "c": 2}
    assert set_in(before, "a", "over") == {"a": "over", "c": 2}
    assert set_in({"a": [[1]]}, "a[0][1]", "2") == {"a": [[1, 2]]}


@pytest.mark.parametrize(
    ("values", "path", "text"),
    [
        ({}, "a", "b,c"),
        ({}, "a", "b,c,d=e"),
        ({}, "a[", "b"),
        ({}, "a[x]", "b"),
        ({}, "a[-1]", "b"),
        ({}, f"a[{MAX_INDEX + 1}]", "b"),
        ({}, "a[0]x", "b"),
        ({}, "a", "{b"),
        ({}, ".".join("a" * 40), "b"),
        ({"a": 1}, "a.b", "c"),
        ({"a": 1}, "a[0]", "c"),
        ({"a": [1]}, "a[0][0]", "c"),
        ({}, f"a[{'1' * 5000}]", "b"),
        ({}, "a", "1" + "".join(f",k{number}[{MAX_INDEX}]=1" for number in range(3))),
        ({}, "a", "1" + "".join(f",k[{number}][{MAX_INDEX}]=1" for number in range(3))),
    ],
)
def test_what_helm_refuses_is_refused_without_showing_the_value(values, path, text):
    with pytest.raises(SetError) as caught:
        set_in(values, path, f"canary{text}" if text[0] != "{" else text + "canary")
    assert "canary" not in str(caught.value)


def test_lists_may_be_long_within_a_budget():
    assert len(set_in({}, f"a[{MAX_INDEX}]", "b")["a"]) == MAX_INDEX + 1
    many = "1" + "".join(f",k{number}[9]=1" for number in range(1000))
    assert len(set_in({}, "a", many)) == 1001
    assert set_in({}, "a", "1" * 5000) == {"a": "1" * 5000}


@given(st.text(max_size=50))
def test_a_literal_is_taken_as_it_is(text):
    assert set_in({}, "a.b[0]", text, literal=True) == {"a": {"b": [text]}}


@given(st.text(max_size=30), st.text(max_size=30))
def test_nothing_but_a_refusal_comes_of_any_text(path, text):
    try:
        found = set_in({}, path, text)
    except SetError:
        return
    assert isinstance(found, dict)
