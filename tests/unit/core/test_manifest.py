"""Declared objects and where they were declared."""

import pytest

from trimtab.core.manifest import Manifest, Origin
from trimtab.core.refs import ObjectRef


def manifest(metadata: dict) -> Manifest:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", **metadata}}
    return Manifest(ObjectRef.of(body), "v1", body, Origin("a.yaml", 3))


def test_an_origin_reads_like_a_compilers():
    assert str(Origin("apps/web.yaml", 12)) == "apps/web.yaml:12"
    assert str(Origin("apps/web.yaml")) == "apps/web.yaml"


@pytest.mark.parametrize(
    ("metadata", "annotations"),
    [({}, {}), ({"annotations": None}, {}), ({"annotations": {"a": "b"}}, {"a": "b"})],
)
def test_annotations_are_a_map_whatever_was_declared(metadata, annotations):
    assert manifest(metadata).annotations == annotations


def test_a_body_without_metadata_has_no_annotations():
    assert Manifest(ObjectRef("local", "", "ConfigMap", "", "a"), "v1", {}, Origin("a.yaml")).annotations == {}
