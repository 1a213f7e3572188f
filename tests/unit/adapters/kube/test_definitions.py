from typing import Any

import pytest

from trimtab.adapters.kube.definitions import instances_path

ESTABLISHED = [{"type": "NamesAccepted", "status": "True"}, {"type": "Established", "status": "True"}]


def version(name: str, *, served: bool = True, storage: bool = False) -> dict[str, Any]:
    return {"name": name, "served": served, "storage": storage}


def definition(*versions: dict[str, Any], conditions: Any = ESTABLISHED, **metadata: str) -> dict[str, Any]:
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"} | metadata,
        "spec": {"group": "example.com", "names": {"plural": "widgets"}, "versions": list(versions)},
        "status": {"conditions": conditions},
    }


@pytest.mark.parametrize(
    ("versions", "path"),
    [
        ([version("v1", storage=True)], "/apis/example.com/v1/widgets"),
        ([version("v1"), version("v2", storage=True)], "/apis/example.com/v2/widgets"),
        ([version("v1"), version("v2", storage=True, served=False)], "/apis/example.com/v1/widgets"),
        ([version("v1", storage=True, served=False)], None),
    ],
)
def test_instances_are_listed_in_the_version_they_are_stored_in(versions: list, path: str | None) -> None:
    assert instances_path(definition(*versions)) == path


@pytest.mark.parametrize("conditions", [None, [], [{"type": "Established", "status": "False"}]])
def test_what_was_never_served_has_no_instances_to_list(conditions: Any) -> None:
    assert instances_path(definition(version("v1", storage=True), conditions=conditions)) is None
    assert instances_path(definition(version("v1", storage=True)) | {"status": None}) is None


def test_what_is_going_already_is_left_to_the_server() -> None:
    assert instances_path(definition(version("v1", storage=True), deletionTimestamp="2026-01-01T00:00:00Z")) is None
