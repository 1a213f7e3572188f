"""What happens to objects between build and checks, and in which order."""

from typing import Any

import pytest

from trimtab.api.application import ApplicationSpec
from trimtab.core.errors import Problem, RenderError
from trimtab.core.manifest import Origin
from trimtab.render.inputs import InputRef, RenderInputs
from trimtab.render.limits import DEFAULT_LIMITS
from trimtab.render.shaping import Provisional, Shaping

AT = Origin("a.yaml", 1)
FROM_SECRET: dict[str, Any] = {"postBuild": {"substituteFrom": [{"kind": "Secret", "name": "keys", "optional": True}]}}


def shaping(inputs: dict[str, bytes] | None = None, **fields: Any) -> Shaping:
    spec = ApplicationSpec.model_validate({"sourceRef": {"name": "fleet"}, "prune": True, **fields})
    given = RenderInputs.of({InputRef("Secret", "keys"): inputs}, key=b"k")
    return Shaping(spec, given, limits=DEFAULT_LIMITS, read_source=lambda _file: None)


def body(text: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "X", "metadata": {"name": "a"}, "text": text}


def test_without_a_word_in_the_spec_an_object_stays() -> None:
    given = body("${A}")
    assert shaping().shape(given, AT) == (given, ())
    problem = Problem("as it is")
    assert shaping().masked(problem) is problem


def test_values_come_first_and_common_metadata_last() -> None:
    common: dict[str, Any] = {"kustomize": {"commonMetadata": {"labels": {"note": "${A}"}}}}
    shaped, problems = shaping({"A": b"value"}, **FROM_SECRET, **common).shape(body("${A}"), AT)
    assert (shaped["text"], shaped["metadata"]["labels"], problems) == ("value", {"note": "${A}"}, ())


def test_without_variables_text_is_left_alone_unless_always() -> None:
    assert shaping(**FROM_SECRET).shape(body("${A}"), AT)[1] == ()
    always: dict[str, Any] = {"postBuild": {"substituteStrategy": "Always"}}
    assert len(shaping(**always).shape(body("${A}"), AT)[1]) == 1


def test_variables_that_cannot_be_had_stop_it() -> None:
    with pytest.raises(RenderError, match="Secret keys"):
        shaping(postBuild={"substituteFrom": [{"kind": "Secret", "name": "keys"}]})


def test_secret_values_are_masked() -> None:
    assert shaping({"A": b"hunter2"}, **FROM_SECRET).masked(Problem("name 'hunter2' is wrong")).message == (
        "name '…' is wrong"
    )


def test_stand_ins_are_equal_where_names_are() -> None:
    look = Provisional()
    one, two = ({**body("${A}"), "kind": "K", "metadata": {"name": name}} for name in ("${A}-x", "${B}-x"))
    first, _ = look.shape(one, AT)
    again, _ = look.shape(one, AT)
    other, _ = look.shape(two, AT)
    assert first == again
    assert first["metadata"]["name"] != other["metadata"]["name"]
    assert first["metadata"]["name"].isalnum()
    assert first["text"] == "${A}"
    assert look.shape({"metadata": "odd", "kind": "${K}"}, AT)[0]["kind"].isalnum()
    problem = Problem("as it is")
    assert look.masked(problem) is problem
