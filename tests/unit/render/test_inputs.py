"""Which objects of the cluster a spec refers to."""

from trimtab.api.application import ApplicationSpec
from trimtab.render.inputs import InputRef, wanted_inputs

SPEC = {"sourceRef": {"name": "fleet"}, "prune": True}


def test_a_plain_spec_refers_to_none():
    assert wanted_inputs(ApplicationSpec.model_validate(SPEC)) == frozenset()


def test_decryption_refers_to_its_secret():
    decryption = {"provider": "sops", "secretRef": {"name": "keys"}}
    spec = ApplicationSpec.model_validate({**SPEC, "decryption": decryption})
    assert wanted_inputs(spec) == {InputRef("Secret", "keys")}
