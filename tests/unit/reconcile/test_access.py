"""What the Secrets of downloads must hold, and that no value shows."""

import base64
from typing import Any

import pytest
from tests.fakes.controller import namespace
from tests.fakes.sea import Sea

from trimtab.core.errors import SourceError
from trimtab.reconcile.access import Accesses
from trimtab.reconcile.ports.downloads import NO_ACCESS
from trimtab.reconcile.queue import Key
from trimtab.reconcile.referred_secrets import ReferredSecrets
from trimtab.source.proxy import Proxy

KEY = Key("OCIRepository", "trimtab-system", "shop")


@pytest.fixture
def sea() -> Sea:
    sea = Sea()
    sea.cluster.other_applies(namespace("trimtab-system"))
    return sea


def put(sea: Sea, **data: bytes) -> None:
    encoded = {name.replace("_", "."): base64.b64encode(value).decode() for name, value in data.items()}
    metadata = {"name": "keys", "namespace": KEY.namespace}
    body: dict[str, Any] = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": encoded}
    sea.cluster.other_applies(body)


async def test_without_references_there_is_none(sea: Sea) -> None:
    assert await Accesses(ReferredSecrets(sea.objects)).get(KEY, secret=None, certificates=None) is NO_ACCESS


async def test_a_docker_config_is_handed_on_unread(sea: Sea) -> None:
    put(sea, _dockerconfigjson=b"{canary")
    access = await Accesses(ReferredSecrets(sea.objects)).get(KEY, secret="keys", certificates=None)
    assert access.docker_config == b"{canary"
    assert "canary" not in repr(access)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"username": b"ann"}, "SecretInvalid"),
        ({"password": b"canary"}, "SecretInvalid"),
        ({"other": b"canary"}, "SecretInvalid"),
        ({"username": b"\xffcanary", "password": b"x"}, "SecretInvalid"),
        ({"username": b"ann", "password": b"canary\n"}, "InvalidCredentials"),
    ],
)
async def test_secrets_that_are_refused(sea: Sea, data: dict[str, bytes], reason: str) -> None:
    put(sea, **data)
    with pytest.raises(SourceError) as refused:
        await Accesses(ReferredSecrets(sea.objects)).get(KEY, secret="keys", certificates=None)
    assert refused.value.reason == reason
    assert "canary" not in str(refused.value)


async def test_data_that_is_no_base64_is_refused(sea: Sea) -> None:
    metadata = {"name": "keys", "namespace": KEY.namespace}
    sea.cluster.other_applies({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {"a": "canary!"}})
    with pytest.raises(SourceError) as refused:
        await Accesses(ReferredSecrets(sea.objects)).files(KEY, "keys", field="secretRef")
    assert refused.value.reason == "SecretInvalid"


async def test_a_secret_that_is_missing_is_named(sea: Sea) -> None:
    with pytest.raises(SourceError, match=r"Secret/trimtab-system/keys.*missing") as refused:
        await Accesses(ReferredSecrets(sea.objects)).files(KEY, "keys", field="secretRef")
    assert (refused.value.reason, refused.value.retry) == ("SecretNotFound", True)


async def test_a_proxy_is_read_with_its_login(sea: Sea) -> None:
    put(sea, address=b"socks5://proxy.example:1080", username=b"ann", password=b"canary", ca_crt=b"pem")
    access = await Accesses(ReferredSecrets(sea.objects)).get(KEY, secret=None, certificates=None, proxy="keys")
    assert access.proxy == Proxy("socks5://proxy.example:1080", "ann", "canary", "pem")
    assert "canary" not in repr(access)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"username": b"ann", "password": b"canary"}, "SecretInvalid"),
        ({"address": b"http://proxy.example", "username": b"canary"}, "SecretInvalid"),
        ({"address": b"http://canary@proxy.example"}, "InvalidProxy"),
        ({"address": b"\xffcanary"}, "SecretInvalid"),
    ],
)
async def test_proxies_that_are_refused(sea: Sea, data: dict[str, bytes], reason: str) -> None:
    put(sea, **data)
    with pytest.raises(SourceError) as refused:
        await Accesses(ReferredSecrets(sea.objects)).get(KEY, secret=None, certificates=None, proxy="keys")
    assert refused.value.reason == reason
    assert "canary" not in str(refused.value)
