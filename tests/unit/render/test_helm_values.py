"""Values of all places are merged in helm's order; what is missing or wrong is told without what Secrets hold."""

import pytest

from trimtab.api.helm import HelmSpec
from trimtab.core.errors import RenderError
from trimtab.render.helm_values import compose, merge
from trimtab.render.inputs import InputRef

MAP, SECRET = InputRef("ConfigMap", "m"), InputRef("Secret", "s")


def spec(**fields):
    return HelmSpec.model_validate(fields)


def problems(helm, files=(), objects=None):
    with pytest.raises(RenderError) as caught:
        compose(helm, files, objects or {})
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("below", "above", "merged"),
    [
        ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({"a": 1}, {"a": 2}, {"a": 2}),
        ({"a": {"x": 1}}, {"a": {"y": 2}}, {"a": {"x": 1, "y": 2}}),
        ({"a": {"x": 1}}, {"a": 2}, {"a": 2}),
        ({"a": 2}, {"a": {"x": 1}}, {"a": {"x": 1}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": {"x": 1}}, {"a": None}, {"a": None}),
        ({"a": None}, {"a": {"x": 1}}, {"a": {"x": 1}}),
        ({"a": {"x": 1}}, {"a": {}}, {"a": {"x": 1}}),
        ({}, {"a": {"x": None}}, {"a": {"x": None}}),
    ],
)
def test_mappings_merge_and_all_else_is_replaced(below, above, merged):
    before = repr((below, above))
    assert merge(below, above) == merged
    assert repr((below, above)) == before


def test_later_places_win():
    helm = spec(
        valuesFrom=[
            {"kind": "ConfigMap", "name": "m"},
            {"kind": "Secret", "name": "s", "valuesKey": "v", "targetPath": "d"},
        ],
        values={"e": "inline", "gone": None},
    )
    files = [("1.yaml", b"{a: 1, b: 1, c: 1, d: 1, e: 1, gone: 1}"), ("2.yaml", b"{b: 2, c: 2, d: 2, e: 2}")]
    objects = {MAP: {"values.yaml": b"{c: map, d: map, e: map}"}, SECRET: {"v": b"secret"}}
    values = compose(helm, files, objects)
    assert values.merged == {"a": 1, "b": 2, "c": "map", "d": "secret", "e": "inline", "gone": None}
    assert values.secrets == {"secret"}
    assert "secret" not in repr(values)


def test_a_path_sets_into_what_came_before_without_changing_it():
    helm = spec(valuesFrom=[{"kind": "ConfigMap", "name": "m", "valuesKey": "v", "targetPath": "a.b"}])
    objects = {MAP: {"v": b"2"}}
    assert compose(helm, [("1.yaml", b"a: {b: 1, c: 1}")], objects).merged == {"a": {"b": 2, "c": 1}}


def test_all_that_secrets_hold_is_known_for_masking():
    helm = spec(valuesFrom=[{"kind": "Secret", "name": "s"}, {"kind": "ConfigMap", "name": "m"}])
    objects = {SECRET: {"values.yaml": b"a: {b: [one, 4711, true]}\nc: null\n"}, MAP: {"values.yaml": b"d: open"}}
    assert compose(helm, [], objects).secrets == {"one", "4711"}


def test_empty_and_optional_places_are_passed_over():
    helm = spec(
        valuesFrom=[
            {"kind": "ConfigMap", "name": "m"},
            {"kind": "ConfigMap", "name": "m", "valuesKey": "other", "optional": True},
            {"kind": "Secret", "name": "s", "optional": True},
        ]
    )
    assert compose(helm, [("1.yaml", b"# none\n")], {MAP: {"values.yaml": b""}, SECRET: None}).merged == {}


def test_all_that_is_wrong_is_told_together():
    helm = spec(
        valuesFrom=[
            {"kind": "ConfigMap", "name": "m"},
            {"kind": "Secret", "name": "s"},
            {"kind": "Secret", "name": "t"},
            {"kind": "Secret", "name": "t", "valuesKey": "v", "targetPath": "a"},
            {"kind": "Secret", "name": "u"},
        ]
    )
    objects = {MAP: {"other": b""}, SECRET: None, InputRef("Secret", "t"): {"values.yaml": b"canary: [", "v": b"x,y"}}
    comma = "a key without a value; a comma in a value needs a backslash, or literal: true"
    found = problems(helm, [("1.yaml", b"- a"), ("2.yaml", b"a: 1\n---\nb: 2\n"), ("3.yaml", b"a: 1\na: 2\n")], objects)
    assert found == [
        "1.yaml: values are not one mapping (write keys and their values)",
        "2.yaml: values are not one mapping (write keys and their values)",
        "3.yaml:2: duplicate key 'a' (keep one of them)",
        "spec.helm.valuesFrom: ConfigMap m has no key values.yaml "
        + (remedy := "(create it in the Application's namespace, or set optional: true)"),
        f"spec.helm.valuesFrom: Secret s does not exist {remedy}",
        "Secret t, key values.yaml:2: not valid YAML (correct the Secret)",
        f"Secret t, key v: targetPath a: {comma} (correct targetPath or the value)",
        f"spec.helm.valuesFrom: Secret u does not exist {remedy}",
    ]
