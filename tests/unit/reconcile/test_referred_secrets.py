"""Secrets by reference: asked for once per source, anew when somebody says so, and told apart when they fail."""

import base64
from typing import Any

import pytest
from tests.fakes.controller import namespace
from tests.fakes.sea import Sea

from trimtab.core.api_error import ApiError
from trimtab.core.errors import SourceError
from trimtab.reconcile.queue import Key
from trimtab.reconcile.referred_secrets import ReferredSecrets, secret_ref, texts

KEY = Key("GitRepository", "trimtab-system", "fleet")
ASKED: Any = {"field": "secretRef", "remedy": "create it"}


@pytest.fixture
def sea() -> Sea:
    sea = Sea()
    sea.cluster.other_applies(namespace("trimtab-system"))
    put(sea, a=b"1")
    return sea


def put(sea: Sea, **data: bytes) -> None:
    encoded = {name: base64.b64encode(value).decode() for name, value in data.items()}
    metadata = {"name": "keys", "namespace": KEY.namespace}
    body: dict[str, Any] = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": encoded}
    sea.cluster.other_applies(body)


async def test_each_source_asks_once_until_it_forgets(sea: Sea) -> None:
    secrets = ReferredSecrets(sea.objects)
    other = Key("HelmRepository", "trimtab-system", "fleet")
    for key in (KEY, KEY, other):
        assert await secrets.get(key, "keys", **ASKED) == {"a": b"1"}
    assert len(sea.objects.requests) == 2
    put(sea, a=b"2")
    secrets.forget(KEY)
    assert await secrets.get(KEY, "keys", **ASKED) == {"a": b"2"}
    assert await secrets.get(other, "keys", **ASKED) == {"a": b"1"}


async def test_anew_asks_and_what_was_found_is_known_from_then_on(sea: Sea) -> None:
    secrets = ReferredSecrets(sea.objects)
    await secrets.get(KEY, "keys", **ASKED)
    put(sea, a=b"2")
    assert await secrets.get(KEY, "keys", **ASKED, anew=True) == {"a": b"2"}
    assert await secrets.get(KEY, "keys", **ASKED) == {"a": b"2"}
    assert len(sea.objects.requests) == 2


async def test_a_failure_is_asked_again_and_names_field_and_remedy(sea: Sea) -> None:
    secrets = ReferredSecrets(sea.objects)
    with pytest.raises(SourceError, match=r"Secret of verify\.secretRef is missing.*put keys in") as missing:
        await secrets.get(KEY, "none", field="verify.secretRef", remedy="put keys in")
    assert (missing.value.reason, missing.value.retry) == ("SecretNotFound", True)
    sea.objects.refuse("get", "Secret/trimtab-system/keys", ApiError(503, "ServiceUnavailable", "later"))
    with pytest.raises(SourceError, match="later") as unknown:
        await secrets.get(KEY, "keys", **ASKED)
    assert (unknown.value.reason, unknown.value.retry) == ("SecretUnreadable", True)


def test_bytes_that_are_no_text_are_refused_without_showing_them() -> None:
    ref = secret_ref(KEY, "keys")
    assert texts(ref, {"a": "ü".encode()}) == {"a": "ü"}
    with pytest.raises(SourceError, match="no text") as refused:
        texts(ref, {"a": b"\xffcanary"})
    assert "canary" not in str(refused.value)
