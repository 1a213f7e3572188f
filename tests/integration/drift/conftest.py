import secrets
from dataclasses import dataclass
from typing import Any

import pytest
from tests.fixtures.cluster import wait_for
from tests.integration.drift.server import PLURALS, Server

from trimtab.core.api_error import ApiError


@pytest.fixture
def server(cluster, namespace):
    return Server(cluster.client, namespace)


@dataclass
class Widgets:
    """A custom resource type of this test's own."""

    server: Server
    group: str

    def definition(self, *, default: bool = False) -> dict[str, Any]:
        colour: dict[str, Any] = {"type": "string"} | ({"default": "blue"} if default else {})
        text = {"type": "string"}
        spec = {
            "size": {"type": "integer"},
            "colour": colour,
            "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
            "nested": {"type": "object", "properties": {"one": text, "two": text}},
        }
        schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": spec}}}
        version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
        return {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": f"widgets.{self.group}"},
            "spec": {
                "group": self.group,
                "scope": "Namespaced",
                "names": {"kind": "Widget", "plural": PLURALS["Widget"]},
                "versions": [version],
            },
        }

    def body(self, **spec: Any) -> dict[str, Any]:
        return {"apiVersion": f"{self.group}/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": spec}

    def add_default(self) -> None:
        self.server.apply(self.definition(default=True), "crd-author")
        wait_for(lambda: "colour" in self.server.get(self.body())["spec"], what="the new default")


@pytest.fixture
def widgets(server):
    own = Widgets(server, f"{secrets.token_hex(4)}.example.com")
    server.apply(own.definition(), "crd-author")
    collection = server.path(own.body()).rpartition("/")[0]

    def served():
        try:
            return server.send("GET", collection)
        except ApiError:
            return None

    wait_for(served, what="the custom resource type")
    yield own
    server.delete(own.definition())
