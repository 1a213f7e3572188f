"""Addresses of sources: private ones are refused before a byte is sent, and the judged one is the one connected to.

The names here are known to no resolver: a connection that comes about went to the address that was pinned.
"""

import os
import socket
from dataclasses import replace
from pathlib import Path

import git
import pytest
from tests.fixtures.git_server import Authority, RunningServer
from tests.fixtures.github import AppKey, GitHubApi
from tests.fixtures.proxies import HttpProxy, SocksProxy
from tests.fixtures.ssh_server import SshKey, SshServer

from trimtab.adapters.git.environment import local_environment
from trimtab.adapters.git.github_app import app_token
from trimtab.adapters.git.messages import AppToken
from trimtab.adapters.git.opening import opened
from trimtab.core.errors import SourceError
from trimtab.reconcile.ports import GitCredentials
from trimtab.source.addresses import AddressPolicy
from trimtab.source.credentials import GitHubApp
from trimtab.source.proxy import Proxy
from trimtab.source.ref import Branch

PUBLIC = AddressPolicy()
LOOPBACK = AddressPolicy(("127.0.0.0/8",))


class Rebinding:
    """A resolver that answers with loopback once, and with something else ever after."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        if host.replace(".", "").isdigit():
            return [host]
        return ["127.0.0.1"] if self.asked.count(host) == 1 else ["10.255.255.1"]


@pytest.fixture
def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> git.Git:
    """Commands in the environment of a worker."""
    for name, value in local_environment(search_path=os.environ["PATH"], ceiling=str(tmp_path)).items():
        monkeypatch.setenv(name, value)
    return git.Git(tmp_path)


def tip(worker: git.Git, url: str, credentials: GitCredentials, lookup: Rebinding) -> str:
    with opened(url, credentials, LOOPBACK, lookup=lookup) as remote:
        first = remote.tip(worker, Branch("main")).sha
        assert remote.tip(worker, Branch("main")).sha == first
    return first


@pytest.fixture
def trusted(tls_git_server: RunningServer, git_authority: Authority) -> tuple[str, str, GitCredentials]:
    repository = tls_git_server.repository()
    sha = repository.commit({"a": "1"})
    return repository.url.replace("127.0.0.1", "git.test"), sha, GitCredentials(ca_pem=git_authority.pem)


@pytest.fixture
def over_ssh(tmp_path: Path):
    key = SshKey.make(tmp_path / "key")
    with SshServer(tmp_path / "sshd") as server:
        server.authorize(key)
        repository = server.repository(host="git.test")
        sha = repository.commit({"a": "1"})
        yield repository.url, sha, GitCredentials(identity=key.private, known_hosts=server.known_hosts(name="git.test"))


@pytest.mark.parametrize("transport", ["trusted", "over_ssh"])
def test_a_name_that_changes_its_mind_has_no_effect(worker, request, transport):
    url, sha, credentials = request.getfixturevalue(transport)
    lookup = Rebinding()
    assert tip(worker, url, credentials, lookup) == sha
    assert lookup.asked == ["git.test"]


@pytest.mark.parametrize("transport", ["trusted", "over_ssh"])
@pytest.mark.parametrize("kind", [HttpProxy, SocksProxy])
def test_nor_has_a_proxy_that_does(worker, request, transport, kind):
    url, sha, credentials = request.getfixturevalue(transport)
    with kind(username="squid", password="x") as proxy:
        proxy.hosts["git.test"] = "127.0.0.1"
        at = Proxy(proxy.address.replace("127.0.0.1", "proxy.test"), "squid", "x")
        lookup = Rebinding()
        assert tip(worker, url, replace(credentials, proxy=at), lookup) == sha
        assert lookup.asked == ["git.test", "proxy.test"]
        # Only the HTTP library's CONNECT names the server by name; elsewhere the proxy is told the judged address.
        by_name = transport == "trusted" and kind is HttpProxy
        assert {host for host, _ in proxy.asked} == {"git.test" if by_name else "127.0.0.1"}


def test_nor_has_githubs_api(worker, git_authority):
    key = AppKey.make()
    with GitHubApi(git_authority.context, key.public) as api:
        app = GitHubApp("1234", "5678", key.private, api.url.replace("127.0.0.1", "api.test"))
        credentials = GitCredentials(ca_pem=git_authority.pem, github_app=app)
        lookup = Rebinding()
        request = AppToken(credentials=credentials.to_body(), addresses=LOOPBACK.to_body())
        assert app_token(request, lookup=lookup).token == api.behaviour.token
        assert api.behaviour.hosts == [f"api.test:{api.port}"]
        with pytest.raises(SourceError) as caught:
            app_token(AppToken(credentials=credentials.to_body(), addresses=PUBLIC.to_body()), lookup=Rebinding())
        assert caught.value.reason == "AddressRefused"
        assert "githubAppBaseURL" in str(caught.value)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0"],
)
async def test_loopback_is_refused_in_every_spelling(mirrors, git_repo, git_server, host):
    url = git_repo.url.replace("127.0.0.1", host)
    with pytest.raises(SourceError) as caught:
        await mirrors.fetch(url, {}, None, timeout_seconds=20, addresses=PUBLIC)
    assert caught.value.reason == "AddressRefused", caught.value
    assert "--source-network" in caught.value.problems[0].remedy
    assert git_server.faults.requests == []


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "https://[fd00:ec2::254]/a",
        "ssh://git@10.0.0.1/a",
        "https://[64:ff9b::a9fe:a9fe]/a",
    ],
)
async def test_private_networks_are_refused(mirrors, url):
    credentials = None
    if url.startswith("ssh"):
        key = "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n"
        known = "h ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGmFkH0l2FTVYkpFNLXbLTQOJmWKRRjDyoUZZkrN6q3i"
        credentials = GitCredentials(identity=key, known_hosts=known)
    with pytest.raises(SourceError) as caught:
        await mirrors.fetch(url, {}, credentials, timeout_seconds=20, addresses=PUBLIC)
    assert caught.value.reason == "AddressRefused"


async def test_an_allowed_network_is_open(mirrors, git_repo):
    assert (await mirrors.fetch(git_repo.url, {}, None, timeout_seconds=20, addresses=LOOPBACK)).changed


async def test_what_another_may_fetch_is_not_had_from_the_mirror(mirrors, git_repo):
    sha = (await mirrors.fetch(git_repo.url, {"branch": "main"}, None, timeout_seconds=20)).revision.sha
    await mirrors.fetch(git_repo.url, {"commit": sha}, None, timeout_seconds=20)
    for ref in ({"branch": "main"}, {"commit": sha}):
        with pytest.raises(SourceError) as caught:
            await mirrors.fetch(git_repo.url, ref, None, timeout_seconds=20, addresses=PUBLIC)
        assert caught.value.reason == "AddressRefused"


async def test_a_proxy_inside_is_refused(mirrors, git_repo, git_server):
    with HttpProxy() as proxy:
        through = GitCredentials(proxy=Proxy(proxy.address))
        url = git_repo.url.replace("127.0.0.1", "1.1.1.1")
        with pytest.raises(SourceError) as caught:
            await mirrors.fetch(url, {}, through, timeout_seconds=20, addresses=PUBLIC)
        assert caught.value.reason == "AddressRefused"
        assert "proxySecretRef" in str(caught.value)
        assert proxy.asked == []


def test_the_names_here_are_known_to_no_resolver():
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("git.test", 443)
