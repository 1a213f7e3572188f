"""The inputs of a rendering: which a spec refers to, and that equal digests mean equal inputs and tell nothing."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from trimtab.api.application import ApplicationSpec
from trimtab.render.inputs import Capabilities, InputRef, RenderInputs, object_digest, wanted_inputs

KEY = b"installation"
REFS = st.builds(InputRef, st.sampled_from(["ConfigMap", "Secret"]), st.sampled_from(["a", "b"]))
DATA = st.none() | st.dictionaries(st.text(max_size=3), st.binary(max_size=3), max_size=2)
OBJECTS = st.dictionaries(REFS, DATA, max_size=3)


def spec(**fields: Any) -> ApplicationSpec:
    return ApplicationSpec.model_validate({"sourceRef": {"name": "fleet"}, "prune": True, **fields})


def test_a_spec_without_references_wants_nothing() -> None:
    assert wanted_inputs(spec()) == frozenset()
    assert wanted_inputs(spec(postBuild={"substitute": {"a": "b"}})) == frozenset()


def test_substitute_from_is_wanted() -> None:
    sources = [{"kind": "ConfigMap", "name": "vars"}, {"kind": "Secret", "name": "keys", "optional": True}]
    wanted = wanted_inputs(spec(postBuild={"substituteFrom": sources}))
    assert wanted == {InputRef("ConfigMap", "vars"), InputRef("Secret", "keys")}


def test_decryption_refers_to_its_secret() -> None:
    decryption = {"provider": "sops", "secretRef": {"name": "keys"}}
    assert wanted_inputs(spec(decryption=decryption)) == {InputRef("Secret", "keys")}


def test_no_inputs_have_no_digest() -> None:
    assert RenderInputs.of({}, key=KEY) == RenderInputs()
    assert RenderInputs.of({}, key=KEY, capabilities=Capabilities("v1.36.3")).digest != ""


@given(OBJECTS, OBJECTS)
def test_digests_are_equal_just_where_the_inputs_are(one: Any, other: Any) -> None:
    left, right = RenderInputs.of(one, key=KEY), RenderInputs.of(other, key=KEY)
    assert (left.digest == right.digest) == (one == other)


def test_a_digest_is_keyed_and_hides_the_data() -> None:
    data: dict[str, bytes] = {"password": b"hunter2"}
    assert object_digest(data, key=KEY) != object_digest(data, key=b"another")
    inputs = RenderInputs.of({InputRef("Secret", "keys"): data}, key=KEY)
    assert repr(inputs) == f"RenderInputs({inputs.digest!r})"
