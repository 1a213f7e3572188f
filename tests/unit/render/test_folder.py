"""Plain files become manifests; JSON that is data is passed over."""

from dataclasses import replace

import pytest

from trimtab.adapters.process.parse_cache import ParseCache
from trimtab.api.application import ApplicationSpec
from trimtab.render.folder import no_manifests, read_files, read_generated
from trimtab.render.identity import render_key, render_spec
from trimtab.render.limits import DEFAULT_LIMITS

OBJECT = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
FILES = {
    "x/a.yaml": b"\n" + OBJECT,
    "x/b.json": b'{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "b"}}',
    "x/dashboard.json": b'{"title": "cpu"}',
    "x/array.json": b"[1]",
    "x/half.json": b'{"kind": "ConfigMap"}',
    "x/broken.json": b"{",
    "x/values.yaml": b"replicas: 3",
}


def read(*names, **changes):
    return read_files(names, FILES.__getitem__, limits=replace(DEFAULT_LIMITS, **changes))


def test_yaml_and_json_manifests_are_read_with_their_places():
    found = read("x/a.yaml", "x/b.json", "x/dashboard.json", "x/array.json")
    assert found.problems == ()
    assert [(m.ref.name, str(m.origin)) for m in found.manifests] == [("a", "x/a.yaml:2"), ("b", "x/b.json:1")]


def test_what_is_half_an_object_is_a_problem_and_so_is_any_other_yaml():
    found = read("x/half.json", "x/broken.json", "x/values.yaml")
    assert {problem.origin.file for problem in found.problems} == {"x/half.json", "x/broken.json", "x/values.yaml"}


def test_the_sum_of_all_files_is_bounded():
    found = read("x/a.yaml", "x/b.json", total_bytes=60)
    assert [m.ref.name for m in found.manifests] == ["a"]
    assert "hold more than 60 bytes" in str(found.problems[0])


def test_an_empty_path_is_told():
    assert str(no_manifests("")) == ".: no manifests (correct the path; to remove all objects, delete the Application)"


def test_the_render_key_follows_every_input_and_no_order():
    def key(trees="a=1 b=2", target="x", inputs="i", tool="v5"):
        hashes = dict(pair.split("=") for pair in trees.split())
        return render_key(trees=hashes, spec={"targetNamespace": target}, inputs=inputs, tools={"kustomize": tool})

    assert key() == key(trees="b=2 a=1")
    assert len({key(), key(trees="a=1"), key(trees="a=2 b=1"), key(target=""), key(inputs="j"), key(tool="v6")}) == 6


def test_whatever_may_change_manifests_is_part_of_the_key():
    spec = ApplicationSpec.model_validate({"sourceRef": {"name": "a"}, "prune": True})
    assert render_spec(spec) == {"sources": [], "path": ".", "createNamespace": False, "helm": spec.helm.to_body()}
    same = spec.model_copy(update={"prune": False, "suspend": True, "wait": True, "interval_seconds": 3.0})
    assert render_spec(same) == render_spec(spec)
    assert render_spec(spec.model_copy(update={"path": "b"})) != render_spec(spec)


@pytest.mark.parametrize(
    ("text", "limit"), [(b"a: [" + b"{}, " * 40 + b"{}]\n", 5600), (b'{"a": [' + b"{}," * 40 + b"{}]}\n", 6000)]
)
@pytest.mark.parametrize("memo", [None, ParseCache(10_000)])
def test_values_of_all_files_together_are_bounded(text, limit, memo):
    limits = replace(DEFAULT_LIMITS, value_bytes=limit)

    def told(*names):
        return [str(each) for each in read_files(names, lambda _: text, limits=limits, memo=memo).problems]

    assert not any("fit into memory" in each for each in told("a.yaml"))
    assert any("b.yaml" in each and "fit into memory" in each for each in told("a.yaml", "b.yaml"))


def test_what_a_program_made_is_placed_at_its_file():
    text = b'{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}\n---\n[1]\n---\n{"a": '
    found = read_generated(text, "app/a.jsonnet", limits=DEFAULT_LIMITS, shape=None)
    assert [str(each.origin) for each in found.manifests] == ["app/a.jsonnet"]
    assert {str(each.origin) for each in found.problems} == {"app/a.jsonnet"}
