"""What an Application adds to a kustomization, and to every object."""

from typing import Any

import pytest

from trimtab.api.kustomize import CommonMetadata, KustomizeSpec
from trimtab.render.common_metadata import with_common_metadata
from trimtab.render.overlay import builds, generated, overlaid


def spec(**fields: Any) -> KustomizeSpec:
    return KustomizeSpec.model_validate(fields)


CONTENT: dict[str, Any] = {
    "namePrefix": "old-",
    "resources": ["a.yaml"],
    "images": [{"name": "a", "newTag": "1"}, {"name": "b"}, "odd"],
    "components": ["../x"],
}


def test_an_empty_spec_changes_nothing() -> None:
    assert overlaid(CONTENT, spec()) == CONTENT
    assert not builds(spec())
    assert not builds(None)
    assert not builds(spec(commonMetadata={"labels": {"a": "b"}}, ignoreMissingComponents=True))


@pytest.mark.parametrize(
    "fields",
    [
        {"namePrefix": ""},
        {"nameSuffix": "x"},
        {"patches": [{"patch": "a"}]},
        {"components": ["x"]},
        {"images": [{"name": "a"}]},
        {"replicas": [{"name": "a", "count": 0}]},
    ],
)
def test_everything_else_needs_kustomize(fields: dict[str, Any]) -> None:
    assert builds(spec(**fields))


def test_names_are_replaced_and_lists_are_continued() -> None:
    changed = overlaid(
        CONTENT,
        spec(
            namePrefix="new-",
            nameSuffix="-end",
            patches=[{"patch": "p", "target": {"kind": "X"}, "options": {"allowNameChange": True}}],
            components=["../y"],
            images=[{"name": "c", "digest": "sha256:0"}, {"name": "a", "newName": "d"}],
            replicas=[{"name": "web", "count": 3}],
        ),
    )
    assert changed == {
        "namePrefix": "new-",
        "nameSuffix": "-end",
        "resources": ["a.yaml"],
        "images": [{"name": "a", "newName": "d"}, {"name": "b"}, "odd", {"name": "c", "digest": "sha256:0"}],
        "components": ["../x", "../y"],
        "patches": [
            {
                "patch": "p",
                "target": {"kind": "X"},
                "options": {"allowNameChange": True, "allowKindChange": False},
            }
        ],
        "replicas": [{"name": "web", "count": 3}],
    }
    assert CONTENT["namePrefix"] == "old-"


def test_a_generated_kustomization_lists_files() -> None:
    assert generated(["a.yaml", "b"])["resources"] == ["a.yaml", "b"]


@pytest.mark.parametrize(
    ("metadata", "result"),
    [
        ({"name": "a"}, {"name": "a", "labels": {"team": "blue"}, "annotations": {"note": "all"}}),
        ({"labels": {"team": "red", "b": "c"}}, {"labels": {"team": "blue", "b": "c"}, "annotations": {"note": "all"}}),
        ({"labels": None}, {"labels": {"team": "blue"}, "annotations": {"note": "all"}}),
        ({"labels": "odd"}, {"labels": "odd", "annotations": {"note": "all"}}),
        (None, None),
    ],
)
def test_common_metadata_win(metadata: Any, result: Any) -> None:
    common = CommonMetadata(labels={"team": "blue"}, annotations={"note": "all"})
    body = {"kind": "X", "metadata": metadata}
    assert with_common_metadata(body, common) == {"kind": "X", "metadata": result}
    assert body["metadata"] is metadata


def test_nothing_common_adds_no_empty_maps() -> None:
    assert with_common_metadata({"metadata": {"name": "a"}}, CommonMetadata()) == {"metadata": {"name": "a"}}
