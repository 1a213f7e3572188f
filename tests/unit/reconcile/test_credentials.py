"""Credentials of repositories: what a Secret must hold, and that no value shows."""

import base64
from typing import Any

import pytest
from tests.fakes.controller import namespace
from tests.fakes.sea import Sea

from trimtab.api.git_repository import GitRepository
from trimtab.core.api_error import ApiError
from trimtab.core.errors import SourceError
from trimtab.reconcile.credentials import CredentialCache
from trimtab.reconcile.ports import GitCredentials
from trimtab.reconcile.queue import Key
from trimtab.reconcile.referred_secrets import ReferredSecrets
from trimtab.source.credentials import GitHubApp
from trimtab.source.proxy import Proxy

KEY = Key("GitRepository", "trimtab-system", "fleet")


def repository(
    secret: str | None = "keys", *, url: str = "https://git.example/fleet", proxy: str = "", provider: str = "generic"
) -> GitRepository:
    spec: dict[str, Any] = {"url": url, "provider": provider}
    if secret:
        spec["secretRef"] = {"name": secret}
    if proxy:
        spec["proxySecretRef"] = {"name": proxy}
    return GitRepository.parse({"metadata": {"name": KEY.name, "namespace": KEY.namespace}, "spec": spec})


@pytest.fixture
def sea() -> Sea:
    sea = Sea()
    sea.cluster.other_applies(namespace("trimtab-system"))
    return sea


def credentials_in(sea: Sea) -> CredentialCache:
    return CredentialCache(ReferredSecrets(sea.objects))


def put(sea: Sea, data: dict[str, str] | None, name: str = "keys") -> None:
    body: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": KEY.namespace},
    }
    if data is not None:
        body["data"] = data
    sea.cluster.other_applies(body)


def encoded(**texts: str) -> dict[str, str]:
    return {name.replace("_", "."): base64.b64encode(text.encode()).decode() for name, text in texts.items()}


async def test_without_a_reference_there_are_none_and_nothing_is_asked(sea: Sea) -> None:
    assert await credentials_in(sea).get(KEY, repository(None)) is None
    assert sea.objects.requests == []


@pytest.mark.parametrize(
    ("data", "credentials"),
    [
        (encoded(username="ann", password="x"), GitCredentials("ann", "x")),
        (encoded(ca_crt="PEM"), GitCredentials(ca_pem="PEM")),
        ({}, GitCredentials()),
        (None, GitCredentials()),
    ],
)
async def test_what_a_secret_may_hold(sea: Sea, data: dict[str, str] | None, credentials: GitCredentials) -> None:
    put(sea, data)
    assert await credentials_in(sea).get(KEY, repository()) == credentials


async def test_it_is_read_once_until_it_is_forgotten_or_another_is_named(sea: Sea) -> None:
    put(sea, encoded(username="ann", password="x"))
    put(sea, encoded(username="ben", password="y"), "others")
    cache = credentials_in(sea)
    await cache.get(KEY, repository())
    await cache.get(KEY, repository())
    assert len(sea.objects.requests) == 1
    other = await cache.get(KEY, repository("others"))
    assert other is not None
    assert other.username == "ben"
    cache.forget(KEY)
    await cache.get(KEY, repository("others"))
    assert len(sea.objects.requests) == 3


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (encoded(username="ann"), "only one of username and password"),
        (encoded(password="hunter2"), "only one of username and password"),
        ({"username": "not base64!"}, "no Base64"),
        ({"password": base64.b64encode(b"\xff\xfe").decode()}, "bytes that are no text"),
    ],
)
async def test_what_it_may_not(sea: Sea, data: dict[str, str], words: str) -> None:
    put(sea, data)
    with pytest.raises(SourceError, match=words) as refused:
        await credentials_in(sea).get(KEY, repository())
    assert refused.value.reason == "SecretInvalid"
    assert not refused.value.retry
    assert "hunter2" not in str(refused.value)
    assert "Secret/trimtab-system/keys" in str(refused.value)


async def test_the_proxy_comes_from_a_secret_of_its_own(sea: Sea) -> None:
    put(sea, encoded(username="ann", password="x"))
    put(sea, encoded(address="http://proxy.example:3128", username="squid", password="hunter2"), "proxy")
    both = await credentials_in(sea).get(KEY, repository(proxy="proxy"))
    proxy = Proxy("http://proxy.example:3128", "squid", "hunter2")
    assert both == GitCredentials("ann", "x", proxy=proxy)
    assert await credentials_in(sea).get(KEY, repository(None, proxy="proxy")) == GitCredentials(proxy=proxy)


async def test_a_missing_proxy_is_named_by_its_field(sea: Sea) -> None:
    with pytest.raises(SourceError, match="proxySecretRef is missing") as refused:
        await credentials_in(sea).get(KEY, repository(None, proxy="proxy"))
    assert refused.value.reason == "SecretNotFound"


async def test_another_transport_reads_the_secret_anew(sea: Sea) -> None:
    put(sea, encoded(identity="K") | {"known_hosts": base64.b64encode(b"H").decode()})
    cache = credentials_in(sea)
    ssh = await cache.get(KEY, repository(url="ssh://git@git.example/fleet"))
    assert ssh == GitCredentials(identity="K", known_hosts="H")
    with pytest.raises(SourceError, match="identity, which an https URL"):
        await cache.get(KEY, repository())


async def test_provider_github_wants_an_app(sea: Sea) -> None:
    put(sea, encoded(username="ann", password="x"))
    put(sea, encoded(githubAppID="1", githubAppInstallationID="2", githubAppPrivateKey="PEM"), "app")
    cache = credentials_in(sea)
    for secret in ("keys", None):
        with pytest.raises(SourceError, match="GitHub App") as refused:
            await cache.get(KEY, repository(secret, provider="github"))
        assert refused.value.reason == "SecretInvalid"
    app = await cache.get(KEY, repository("app", provider="github"))
    assert app is not None
    assert app.github_app == GitHubApp("1", "2", "PEM")


async def test_a_missing_secret_may_still_come(sea: Sea) -> None:
    with pytest.raises(SourceError, match="is missing") as refused:
        await credentials_in(sea).get(KEY, repository())
    assert (refused.value.reason, refused.value.retry) == ("SecretNotFound", True)


async def test_unknown_is_not_missing(sea: Sea) -> None:
    sea.objects.refuse("get", "Secret/trimtab-system/keys", ApiError(503, "ServiceUnavailable", "later"))
    with pytest.raises(SourceError, match="cannot be read: ServiceUnavailable: later") as refused:
        await credentials_in(sea).get(KEY, repository())
    assert (refused.value.reason, refused.value.retry) == ("SecretUnreadable", True)


def test_credentials_never_show() -> None:
    assert "hunter2" not in repr(GitCredentials("ann", "hunter2"))
