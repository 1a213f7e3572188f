"""Values in built objects: which types they take, what they cannot do, and what is told when one is wanting."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.api.post_build import PostBuild
from trimtab.core.errors import RenderError
from trimtab.core.manifest import Origin
from trimtab.core.refs import LOCAL_CLUSTER, ObjectRef
from trimtab.render.documents import Document
from trimtab.render.inputs import InputRef, RenderInputs
from trimtab.render.limits import DEFAULT_LIMITS, Limits
from trimtab.render.objects import Objects, to_manifests
from trimtab.render.source_lines import find_line
from trimtab.render.substitution import Substitution
from trimtab.render.variables import Variables, variables

VALUES = {
    "N": "3",
    "T": "true",
    "S": "shop",
    "F": "1.30",
    "Q": '"1.30"',
    "E": "",
    "FLOW": "{a: b}",
    "DOC": "x\n---\nkind: Evil",
    "INF": ".inf",
}
SOURCE = b"kind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: ${MISSING}\n"
AT = Origin("shop/web.yaml", 1)


def substitution(
    values: dict[str, str] = VALUES, *, strict: bool = True, limits: Limits = DEFAULT_LIMITS, secrets: Any = ()
) -> Substitution:
    known = Variables(values, frozenset(secrets))
    return Substitution(known, strict=strict, limits=limits, read_source=lambda _file: SOURCE)


def deployment(spec: Any = None, **metadata: Any) -> dict[str, Any]:
    metadata = {"name": "web", "namespace": "shop", **metadata}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec or {}}


def shaped(body: dict[str, Any], **options: Any) -> dict[str, Any]:
    result, problems = substitution(**options).shape(body, AT)
    assert problems == ()
    return result


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${N}", 3),
        ("1${N}", 13),
        ("${T}", True),
        ("${S}", "shop"),
        ("${F}", 1.3),
        ("${Q}", "1.30"),
        ("'${N}'", "3"),
        ("v${F}", "v1.30"),
        ("${E}", None),
        ("${N:=8080}", 3),
        ("${P:=8080}", 8080),
        ("${#S}", 4),
        ("${INF}", ".inf"),
        ("$$5", "$5"),
        ("plain", "plain"),
        ("${FLOW}", "{a: b}"),
        ("${DOC}", "x\n---\nkind: Evil"),
    ],
)
def test_a_value_is_read_as_a_plain_scalar_and_never_as_more(text: str, value: Any) -> None:
    assert shaped(deployment({"field": text}))["spec"]["field"] == value


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (deployment(labels={"n": "${N}"}), ("metadata", "labels", "n")),
        (deployment(annotations={"n": "${N}"}), ("metadata", "annotations", "n")),
        (
            deployment({"template": {"metadata": {"labels": {"n": "${N}"}}}}),
            ("spec", "template", "metadata", "labels", "n"),
        ),
        (deployment({"selector": {"matchLabels": {"n": "${N}"}}}), ("spec", "selector", "matchLabels", "n")),
        (deployment({"args": ["${N}"]}), ("spec", "args", 0)),
        (deployment({"command": ["${N}"]}), ("spec", "command", 0)),
        (deployment({"env": [{"name": "A", "value": "${N}"}]}), ("spec", "env", 0, "value")),
        (deployment({"volumes": [{"name": "${N}"}]}), ("spec", "volumes", 0, "name")),
        ({**deployment(), "metadata": {"name": "${N}"}}, ("metadata", "name")),
        ({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"n": "${N}"}}, ("data", "n")),
        (
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "stringData": {"n": "${N}"}},
            ("stringData", "n"),
        ),
    ],
)
def test_where_kubernetes_knows_only_strings_it_stays_one(body: dict[str, Any], path: tuple[Any, ...]) -> None:
    node: Any = shaped(body)
    for step in path:
        node = node[step]
    assert node == "3"


def test_a_field_named_value_elsewhere_may_become_a_number() -> None:
    assert shaped(deployment({"parameters": [{"name": "a", "value": "${N}"}]}))["spec"]["parameters"][0]["value"] == 3
    assert shaped({"apiVersion": "x/v1", "kind": "ConfigMap", "metadata": {}, "data": {"n": "${N}"}})["data"]["n"] == 3


def test_keys_are_substituted_and_the_input_is_left_alone() -> None:
    body = deployment(annotations={"${S}.example/mode": "fast"})
    assert shaped(body)["metadata"]["annotations"] == {"shop.example/mode": "fast"}
    assert body["metadata"]["annotations"] == {"${S}.example/mode": "fast"}


def test_a_value_cannot_replace_a_key() -> None:
    _, problems = substitution().shape(deployment({"shop": 1, "${S}": 2}), AT)
    assert [str(each).partition(" (")[0] for each in problems] == [
        "shop/web.yaml:1: Deployment.apps/shop/web: the key '${S}' becomes one that is there already"
    ]


@pytest.mark.parametrize("where", ["annotations", "labels"])
def test_an_object_may_ask_to_be_left_alone(where: str) -> None:
    body = deployment({"script": "${undefined[@]}"}, **{where: {"trimtab.dev/substitute": "disabled"}})
    assert shaped(body) is body
    body["metadata"][where] = {"trimtab.dev/substitute": "enabled"}
    assert substitution().shape(body, AT)[1]


@pytest.mark.parametrize("metadata", [None, "text", {"labels": "text"}])
def test_what_is_no_object_is_told_by_the_checks_that_follow(metadata: Any) -> None:
    body = {"kind": "Deployment", "metadata": metadata, "x": "${S}"}
    assert shaped(body)["x"] == "shop"


def test_a_variable_without_value_names_object_file_line_and_variable() -> None:
    body = deployment({"replicas": "${MISSING}", "again": "${OTHER}"})
    _, problems = substitution().shape(body, AT)
    first, second = problems
    assert first.origin == Origin("shop/web.yaml", 5)
    assert first.ref == ObjectRef(LOCAL_CLUSTER, "apps", "Deployment", "shop", "web")
    assert first.message == "variable MISSING has no value"
    assert "spec.postBuild" in first.remedy
    assert "trimtab.dev/substitute: disabled" in first.remedy
    assert (first.reason, first.retry) == ("SubstitutionFailed", False)
    assert second.origin == AT, "a line that cannot be found is that of the object"
    assert shaped(body, strict=False)["spec"] == {"replicas": None, "again": None}


def test_what_is_not_understood_shows_the_place_but_not_of_a_secret() -> None:
    _, (problem,) = substitution().shape(deployment({"script": "echo ${hunter2[@]}"}), AT)
    assert "${hunter2[" in problem.message
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "stringData": {"p": "${hunter2[@]}"}}
    _, (problem,) = substitution().shape(secret, AT)
    assert "hunter2" not in str(problem)


def test_all_values_together_are_bound() -> None:
    limits = Limits(total_bytes=10)
    _, (problem,) = substitution(limits=limits).shape(deployment({"a": ["${S}"] * 3}), AT)
    assert problem.message == "all substituted values together are larger than 10 bytes"


def test_checks_that_follow_do_not_tell_a_secrets_value() -> None:
    body = deployment({}, name="${P}")
    shaper = substitution({"P": "hunter2/%"}, secrets=["hunter2/%"])
    found = to_manifests([Document(body, 1)], locate=lambda _body, line: Origin("a.yaml", line), shape=shaper)
    assert "hunter2" not in str(found.problems[0])
    assert "metadata.name" in str(found.problems[0])


def test_names_namespaces_and_items_of_lists_are_substituted_before_they_are_checked() -> None:
    items = {"apiVersion": "v1", "kind": "List", "items": [deployment(name="${S}", namespace="${S}")]}
    found = to_manifests([Document(items, 1)], locate=lambda _body, line: AT, shape=substitution())
    assert isinstance(found, Objects)
    assert [str(each.ref) for each in found.manifests] == ["Deployment.apps/shop/shop"]


@given(st.dictionaries(st.sampled_from(["A", "B"]), st.text()), st.text(alphabet="${}AB:=- \n'\""))
def test_values_never_change_the_shape_of_an_object(values: dict[str, str], text: str) -> None:
    body = deployment({"list": [text, 1], "map": {"key": text}}, annotations={"note": text})
    result, problems = substitution(values).shape(body, AT)
    if problems:
        return
    assert result.keys() == body.keys()
    assert [type(each) in (str, int, float, bool, type(None)) for each in result["spec"]["list"]] == [True, True]
    assert result["spec"]["map"].keys() == {"key"}
    assert isinstance(result["metadata"]["annotations"]["note"], str)


def test_variables_come_in_order_and_inline_ones_win() -> None:
    post_build = PostBuild.model_validate(
        {
            "substitute": {"c": "inline", "multi": "a\nb\n"},
            "substituteFrom": [
                {"kind": "ConfigMap", "name": "first"},
                {"kind": "Secret", "name": "second"},
                {"kind": "ConfigMap", "name": "absent", "optional": True},
            ],
        }
    )
    first: dict[str, bytes] = {"a": b"1st", "b": b"1st", "c": b"1st"}
    second: dict[str, bytes] = {"b": b"2nd\n", "c": b"2nd", "short": b"x"}
    inputs = RenderInputs.of(
        {
            InputRef("ConfigMap", "first"): first,
            InputRef("Secret", "second"): second,
            InputRef("ConfigMap", "absent"): None,
        },
        key=b"k",
    )
    found = variables(post_build, inputs)
    assert found.values == {"a": "1st", "b": "2nd", "c": "inline", "multi": "ab", "short": "x"}
    assert found.secrets == {"2nd"}, "what is over-ridden or too short to be recognised is not masked"
    assert "2nd" not in repr(found)


def test_all_that_is_wrong_with_the_sources_is_told_at_once() -> None:
    sources = [{"kind": "ConfigMap", "name": "gone"}, {"kind": "Secret", "name": "odd"}]
    data: dict[str, bytes] = {"not-a-name": b"hunter2", "binary": b"\xff"}
    inputs = RenderInputs.of({InputRef("ConfigMap", "gone"): None, InputRef("Secret", "odd"): data}, key=b"k")
    with pytest.raises(RenderError) as refused:
        variables(PostBuild.model_validate({"substituteFrom": sources}), inputs)
    assert [problem.message for problem in refused.value.problems] == [
        "ConfigMap gone of spec.postBuild.substituteFrom: it does not exist",
        "Secret odd of spec.postBuild.substituteFrom: 'not-a-name' is no name of a variable",
        "Secret odd of spec.postBuild.substituteFrom: the value of 'binary' is no text",
    ]
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "word", "start", "line"),
    [
        ("a\n${X}\n${X}", "X", 1, 2),
        ("a\n${X}\n${X}", "X", 3, 3),
        ("${X}\nb", "X", 2, 1),
        ("${XY}\n${X:=1}", "X", 1, 2),
        ("${A:=${X}}", "X", 1, 1),
        ("X\n${Y}", "X", 1, 0),
        ("a\n${b[@]}", "${b[", 1, 2),
    ],
)
def test_lines_of_variables(text: str, word: str, start: int, line: int) -> None:
    assert find_line(text.encode(), word, start=start) == line
    assert find_line(None, word) == 0
