"""What charts may know of a cluster, from discovery; an outage of a part of it takes nothing away."""

from typing import Any, cast

import pytest

from trimtab.adapters.kube.capabilities import KubeCapabilities, read_capabilities
from trimtab.adapters.kube.discovery import Catalogue, Served
from trimtab.core.api_error import ApiError
from trimtab.core.refs import ResourceType
from trimtab.render.inputs import Capabilities


def catalogue(*names, stale=()):
    types = {}
    for group, version, kind in names:
        types[group, version, kind] = Served(ResourceType(group, version, kind, kind.lower(), True), frozenset())
    return Catalogue(types, frozenset(stale))


POD, METRICS = ("", "v1", "Pod"), ("metrics.k8s.io", "v1beta1", "NodeMetrics")


def test_versions_and_kinds_are_named_as_charts_ask_for_them():
    found = read_capabilities(catalogue(POD, ("apps", "v1", "Deployment")), "v1.36.3", None)
    assert found == Capabilities("v1.36.3", ("apps/v1", "apps/v1/Deployment", "v1", "v1/Pod"))


def test_what_is_away_for_a_while_is_still_there():
    before = read_capabilities(catalogue(POD, METRICS), "v1", None)
    away = catalogue(POD, stale=("metrics.k8s.io/v1beta1",))
    assert read_capabilities(away, "v1", before) == before
    assert read_capabilities(away, "v1", None).api_versions == ("metrics.k8s.io/v1beta1", "v1", "v1/Pod")
    assert read_capabilities(catalogue(POD), "v1", before).api_versions == ("v1", "v1/Pod")


class Server:
    """Discovery and connection in one."""

    def __init__(self):
        self.shown = catalogue(POD)
        self.trouble = None
        self.asked = []

    async def catalogue(self):
        if self.trouble:
            raise self.trouble
        return self.shown

    async def send(self, request):
        self.asked.append(request.path)
        return {"gitVersion": "v1.36.3"}


def looking_at(server):
    return KubeCapabilities(cast("Any", server), cast("Any", server))


async def test_the_version_is_asked_for_when_discovery_has_looked_anew():
    server = Server()
    capabilities = looking_at(server)
    first = await capabilities.look()
    assert await capabilities.look() is first
    assert server.asked == ["/version"]
    server.shown = catalogue(POD, METRICS)
    assert (await capabilities.look()).api_versions[0] == "metrics.k8s.io/v1beta1"
    assert server.asked == ["/version"] * 2


async def test_a_server_that_is_away_is_as_it_was_last():
    server = Server()
    capabilities = looking_at(server)
    server.trouble = ApiError(503, "ServiceUnavailable", "away")
    with pytest.raises(ApiError, match="away"):
        await capabilities.look()
    server.trouble = None
    known = await capabilities.look()
    server.trouble = ApiError(503, "ServiceUnavailable", "away")
    assert await capabilities.look() is known
