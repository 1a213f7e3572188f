"""GitHub Apps: a token is obtained with the App's signature, used, kept, renewed, and never shown."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.fixtures.git_server import Authority, GitRepo, RunningServer
from tests.fixtures.github import AppKey, GitHubApi
from tests.fixtures.proxies import HttpProxy, SocksProxy

from trimtab.core.errors import SourceError
from trimtab.reconcile.ports import GitCredentials
from trimtab.source.credentials import GitHubApp
from trimtab.source.proxy import Proxy


@pytest.fixture(scope="module")
def key() -> AppKey:
    return AppKey.make()


@pytest.fixture
def api(git_authority: Authority, key: AppKey) -> Iterator[GitHubApi]:
    with GitHubApi(git_authority.context, key.public) as api:
        yield api


@pytest.fixture
def repository(tmp_path: Path, git_authority: Authority, api: GitHubApi) -> Iterator[GitRepo]:
    (tmp_path / "hub").mkdir()
    login = {"username": "x-access-token", "password": api.behaviour.token}
    with RunningServer(tmp_path / "hub", tls=git_authority.context, **login) as server:
        made = server.repository()
        made.commit({"a": "1"})
        yield made


@pytest.fixture
def credentials(api: GitHubApi, key: AppKey, git_authority: Authority) -> GitCredentials:
    return GitCredentials(ca_pem=git_authority.pem, github_app=GitHubApp("1234", "5678", key.private, api.url))


async def refused(mirrors, repository: GitRepo, credentials: GitCredentials) -> SourceError:
    with pytest.raises(SourceError) as caught:
        await mirrors.fetch(repository.url, {}, credentials, timeout_seconds=30)
    assert "sesame" not in str(caught.value)
    assert "PRIVATE KEY" not in str(caught.value)
    assert caught.value.problems[0].remedy
    return caught.value


async def test_one_token_serves_many_fetches(mirrors, repository, credentials, api):
    for ref in ({}, {"branch": "main"}, {"semver": "*"}):
        if ref.get("semver"):
            repository.tag("v1.0.0")
        fetched = await mirrors.fetch(repository.url, ref, credentials, timeout_seconds=30)
        assert fetched.revision.sha == repository.sha()
    assert len(api.behaviour.requests) == 1


async def test_a_token_about_to_expire_is_renewed(mirrors, repository, credentials, api):
    api.behaviour.lifetime = timedelta(minutes=9)
    for _ in range(2):
        await mirrors.fetch(repository.url, {}, credentials, timeout_seconds=30)
    assert len(api.behaviour.requests) == 2


async def test_a_token_that_is_refused_is_obtained_anew(mirrors, repository, credentials, api):
    right = api.behaviour.token
    api.behaviour.token = "revoked-sesame"
    assert (await refused(mirrors, repository, credentials)).reason == "AuthenticationFailed"
    api.behaviour.token = right
    assert (await mirrors.fetch(repository.url, {}, credentials, timeout_seconds=30)).changed


@pytest.mark.parametrize("kind", [HttpProxy, SocksProxy])
async def test_both_requests_go_through_the_proxy(mirrors, repository, credentials, api, kind):
    with kind(username="squid", password="sesame-proxy") as proxy:
        through = replace(credentials, proxy=Proxy(proxy.address, "squid", "sesame-proxy"))
        await mirrors.fetch(repository.url, {}, through, timeout_seconds=30)
        assert {port for _, port in proxy.asked} == {api.port, int(repository.url.split(":")[2].split("/")[0])}
        wrong = replace(credentials, proxy=Proxy(proxy.address, "squid", "sesame-no"))
        assert (await refused(mirrors, repository, wrong)).reason == "ProxyAuthenticationFailed"


async def test_https_proxy_around_https(mirrors, repository, credentials, git_authority):
    with HttpProxy(tls=git_authority.context) as proxy:
        through = replace(credentials, proxy=Proxy(proxy.address, ca_pem=git_authority.pem))
        assert (await mirrors.fetch(repository.url, {}, through, timeout_seconds=30)).changed


async def test_the_wrong_key_says_so(mirrors, repository, credentials):
    stranger = replace(credentials.github_app, private_key=AppKey.make().private)
    error = await refused(mirrors, repository, replace(credentials, github_app=stranger))
    assert error.reason == "AuthenticationFailed"
    assert "githubAppPrivateKey" in error.problems[0].remedy


async def test_no_such_installation_says_so(mirrors, repository, credentials):
    elsewhere = replace(credentials.github_app, installation_id="99")
    error = await refused(mirrors, repository, replace(credentials, github_app=elsewhere))
    assert "installation 99" in str(error)
    assert "githubAppInstallationID" in error.problems[0].remedy


async def test_the_api_is_trusted_by_ca_crt_only(mirrors, repository, credentials):
    error = await refused(mirrors, repository, replace(credentials, ca_pem=""))
    assert error.reason == "TLSFailed"
    assert "ca.crt" in error.problems[0].remedy


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [(201, b"<html>", "ServerError"), (503, b"", "ServerError"), (429, b"", "RateLimited")],
)
async def test_a_sick_api_is_tried_again(mirrors, repository, credentials, api, status, body, reason):
    api.behaviour.status, api.behaviour.body = status, body
    error = await refused(mirrors, repository, credentials)
    assert (error.reason, error.retry) == (reason, True)


async def test_a_redirect_is_not_followed(mirrors, repository, credentials, api):
    api.behaviour.status, api.behaviour.location = 307, "https://elsewhere.example.org/api"
    error = await refused(mirrors, repository, credentials)
    assert error.reason == "Redirected"
    assert "elsewhere.example.org" in str(error)
    assert len(api.behaviour.requests) == 1


async def test_a_key_that_is_none_never_leaves(mirrors, repository, credentials, api, git_authority):
    ec_key = replace(credentials.github_app, private_key=git_authority.client[1])
    error = await refused(mirrors, repository, replace(credentials, github_app=ec_key))
    assert error.reason == "InvalidCredentials"
    assert api.behaviour.requests == []
