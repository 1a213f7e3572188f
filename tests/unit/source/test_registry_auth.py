"""Challenges of registries, and Docker configs."""

import base64
import json

import pytest

from trimtab.core.errors import SourceError
from trimtab.source.registry_auth import docker_credentials, parse_challenge


def test_challenges():
    bearer = parse_challenge('Bearer realm="https://auth.example/token",service="reg",scope="repository:a/b:pull"')
    assert (bearer.scheme, bearer.parameters["realm"]) == ("bearer", "https://auth.example/token")
    assert bearer.parameters["scope"] == "repository:a/b:pull"
    assert parse_challenge("Basic realm=x").scheme == "basic"
    assert parse_challenge("").scheme == ""


def config(entry, host="registry.example"):
    return json.dumps({"auths": {host: entry}}).encode()


@pytest.mark.parametrize("host", ["registry.example", "https://registry.example", "https://registry.example/v2/"])
@pytest.mark.parametrize(
    "entry", [{"username": "ann", "password": "word"}, {"auth": base64.b64encode(b"ann:word").decode()}]
)
def test_credentials_are_found_by_host(host, entry):
    assert docker_credentials(config(entry, host), "registry.example") == ("ann", "word")
    assert docker_credentials(config(entry, host), "other.example") is None


def test_the_docker_hub_has_many_names():
    entry = {"username": "ann", "password": "word"}
    assert docker_credentials(config(entry, "https://index.docker.io/v1/"), "registry-1.docker.io") == ("ann", "word")


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"[]",
        b'{"auths": []}',
        config({}),
        config({"auth": "canary!"}),
        config({"auth": base64.b64encode(b"canary").decode()}),
        config({"identitytoken": "canary"}),
    ],
)
def test_what_holds_no_credentials_is_refused_without_showing_it(content):
    with pytest.raises(SourceError) as refused:
        docker_credentials(content, "registry.example")
    assert refused.value.reason == "SecretInvalid"
    assert "canary" not in str(refused.value)
