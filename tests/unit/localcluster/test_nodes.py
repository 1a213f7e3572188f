"""Nodes look like Linux workers and count as ready once Pods can be scheduled there."""

from typing import Any

import pytest

from trimtab.localcluster import nodes


def test_nodes_have_names_labels_and_addresses_of_their_own() -> None:
    bodies = [nodes.node(index, architecture="amd64") for index in range(600)]
    assert len({body["metadata"]["name"] for body in bodies}) == 600
    assert len({body["status"]["addresses"][0]["address"] for body in bodies}) == 600
    labels = bodies[4]["metadata"]["labels"]
    assert labels["kubernetes.io/hostname"] == "trimtab-node-4"
    assert labels["topology.kubernetes.io/zone"] == "local-b"


@pytest.mark.parametrize(
    ("body", "ready"),
    [
        ({}, False),
        ({"status": {"conditions": [{"type": "Ready", "status": "False"}]}}, False),
        ({"status": {"conditions": [{"type": "Ready", "status": "True"}]}}, True),
        (
            {
                "spec": {"taints": [{"key": "node.kubernetes.io/not-ready"}]},
                "status": {"conditions": [{"type": "Ready", "status": "True"}]},
            },
            False,
        ),
    ],
)
def test_a_tainted_node_is_not_ready(body: dict[str, Any], ready: bool) -> None:
    assert nodes.is_ready(body) is ready


def test_the_storage_class_is_the_default_one() -> None:
    body = nodes.storage_class()
    assert body["metadata"]["annotations"]["storageclass.kubernetes.io/is-default-class"] == "true"
