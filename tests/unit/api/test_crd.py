"""The CRDs made from the models: structural, complete, and the same as the files in crds/."""

from pathlib import Path

import pytest
from pydantic import BaseModel

from trimtab.api.crd import KINDS, crd_files, crds, stale
from trimtab.api.schema import structural

REPOSITORY = Path(__file__).parents[3]
SPECS = {each["spec"]["names"]["kind"]: each["spec"] for each in crds()}


def schema_of(kind: str) -> dict:
    return SPECS[kind]["versions"][0]["schema"]["openAPIV3Schema"]


def nodes(schema: dict):
    yield schema
    for each in schema.get("properties", {}).values():
        yield from nodes(each)
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            yield from nodes(schema[key])


def test_files_are_fresh():
    folder = REPOSITORY / "crds"
    assert stale(lambda name: (folder / name).read_text(encoding="utf-8")) == []
    assert sorted(path.name for path in folder.iterdir()) == sorted(crd_files())


def test_a_changed_or_missing_file_is_stale():
    files = crd_files()
    first, second, third, *_ = files
    files[first] += "# edited\n"
    del files[second]
    assert stale(files.get) == [first, second]
    assert third not in stale(files.get)


@pytest.mark.parametrize("kind", SPECS)
def test_schemas_are_structural(kind):
    for node in nodes(schema_of(kind)):
        assert "type" in node
        assert not node.keys() & {"$ref", "$defs", "anyOf", "allOf", "oneOf", "title", "const"}
        assert node.get("default", 0) is not None


@pytest.mark.parametrize("kind", SPECS)
def test_every_field_is_described(kind):
    for part in ("spec", "status"):
        top = schema_of(kind)["properties"].get(part, {})
        for node in nodes(top):
            for name, each in node.get("properties", {}).items():
                assert each.get("description"), name


def test_names():
    names = {kind: (spec["names"]["plural"], spec["names"]["shortNames"]) for kind, spec in SPECS.items()}
    assert names == {
        "Application": ("applications", ["tapp"]),
        "GitRepository": ("gitrepositories", ["tgit"]),
        "OCIRepository": ("ocirepositories", ["toci"]),
        "HelmRepository": ("helmrepositories", ["thelm"]),
        "Inventory": ("inventories", ["tinv"]),
    }
    for each in crds():
        assert each["metadata"]["name"] == f"{each['spec']['names']['plural']}.trimtab.dev"
        assert each["spec"]["group"] == "trimtab.dev"
        assert each["spec"]["scope"] == "Namespaced"
        assert each["spec"]["names"]["categories"] == ["trimtab"]


def test_only_kinds_with_a_status_have_the_subresource():
    assert {kind.resource.kind: kind.has_status for kind in KINDS} == {
        "Application": True,
        "GitRepository": True,
        "OCIRepository": True,
        "HelmRepository": True,
        "Inventory": False,
    }
    assert "subresources" not in SPECS["Inventory"]["versions"][0]
    assert SPECS["Application"]["versions"][0]["subresources"] == {"status": {}}


def test_defaults_as_designed():
    spec = schema_of("Application")["properties"]["spec"]
    defaults = {name: each["default"] for name, each in spec["properties"].items() if "default" in each}
    assert defaults == {
        "path": ".",
        "createNamespace": False,
        "deletionPolicy": "Delete",
        "adopt": "IfUnowned",
        "interval": "10m",
        "timeout": "5m",
        "wait": False,
        "suspend": False,
        "drift": {"mode": "Correct"},
    }
    assert spec["required"] == ["sourceRef", "prune"]


def test_the_default_branch_is_not_stored():
    """It would stay beside a tag that is declared later."""
    assert "default" not in schema_of("GitRepository")["properties"]["spec"]["properties"]["ref"]


def test_status_has_no_defaults():
    for kind in ("Application", "GitRepository"):
        for node in nodes(schema_of(kind)["properties"]["status"]):
            assert "default" not in node


def test_conditions_merge_by_type():
    conditions = schema_of("Application")["properties"]["status"]["properties"]["conditions"]
    assert conditions["x-kubernetes-list-type"] == "map"
    assert conditions["x-kubernetes-list-map-keys"] == ["type"]
    assert sorted(conditions["items"]["required"]) == ["lastTransitionTime", "message", "reason", "status", "type"]


def test_maps_of_models_are_inlined():
    class Part(BaseModel):
        size: int

    class Whole(BaseModel):
        parts: dict[str, Part]

    assert structural(Whole)["properties"]["parts"] == {
        "type": "object",
        "additionalProperties": {
            "type": "object",
            "required": ["size"],
            "properties": {"size": {"type": "integer", "format": "int64"}},
        },
    }
