"""LFS, history, blame and submodules go the ways of fetching: its credentials, its proxy, its bounds."""

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.git_server import Authority, GitRepo, RunningServer, with_module
from tests.fixtures.github import AppKey, GitHubApi
from tests.fixtures.large_files import oid, pointer, serving
from tests.fixtures.proxies import HttpProxy, SocksProxy
from tests.fixtures.ssh_server import SshKey, SshServer

from trimtab.adapters.git.histories import GitHistories
from trimtab.adapters.git.large_file_server import LargeFileServer
from trimtab.adapters.git.mirrors import GitMirrors
from trimtab.api.git_repository import GitRepositorySpec
from trimtab.core.authorship import LastChange
from trimtab.core.errors import SourceError
from trimtab.core.manifest import Origin
from trimtab.reconcile.ports import GitCredentials, Span
from trimtab.reconcile.source_trees import SourceTrees, Tree
from trimtab.source.addresses import ANYWHERE, AddressPolicy
from trimtab.source.credentials import GitHubApp
from trimtab.source.lfs import Pointer
from trimtab.source.proxy import Proxy

CANARY = "sesame-9Xq"
CONTENT = b"kind: ConfigMap\n" * 100_000
PUBLIC = AddressPolicy()
ONE = AddressPolicy(("127.0.0.1/32",))
PLACE = Origin("app.yaml", 1)


async def made(
    mirrors: GitMirrors,
    repository: GitRepo,
    credentials: GitCredentials | None,
    *,
    addresses: AddressPolicy = ONE,
    **fields: Any,
) -> Tree:
    spec = GitRepositorySpec.model_validate({"url": repository.url, "timeout": "20s", **fields})
    fetched = await mirrors.fetch(repository.url, {}, credentials, timeout_seconds=20, addresses=addresses)
    return await SourceTrees(git=mirrors).make(spec, fetched.revision.sha, credentials, addresses=addresses)


async def everything(
    mirrors: GitMirrors, server: RunningServer, credentials: GitCredentials, target: Path
) -> tuple[Span, dict[Origin, LastChange]]:
    """Fetch a repository with a submodule and a file in LFS, ask who did what, and check the tree."""
    other = server.repository("other")
    other.commit({"lib.yaml": "lib"})
    repository = server.repository()
    first = repository.commit({"app.yaml": "a: 1\n", "film": pointer(CONTENT)})
    with_module(repository, "lib", "../other.git", other.sha())
    serving(server, CONTENT)
    tree = await made(mirrors, repository, credentials, lfs=True, recurseSubmodules=True)
    await tree.materialise([""], target)
    assert (target / "film").read_bytes() == CONTENT
    assert (target / "lib/lib.yaml").read_text() == "lib"
    histories = GitHistories(mirrors)
    sha = repository.sha()
    span = await histories.between(
        repository.url, credentials, newer=sha, older=first, timeout_seconds=20, addresses=ONE
    )
    changes = await histories.last_changes(repository.url, credentials, sha, [PLACE], addresses=ONE)
    assert changes == {PLACE: LastChange(first, repository.author, of_line=True)}
    return span, dict(changes)


@pytest.mark.parametrize("through", ["", "http", "https", "socks5"])
@pytest.mark.parametrize("transport", ["basic", "bearer", "mtls"])
async def test_all_requests_with_all_credentials_through_all_proxies(
    mirrors, tmp_path, git_authority: Authority, transport, through
):
    trusting = GitCredentials(ca_pem=git_authority.pem)
    certificate, key = git_authority.client
    options, credentials = {
        "basic": ({"username": "bob", "password": CANARY}, replace(trusting, username="bob", password=CANARY)),
        "bearer": ({"token": CANARY}, replace(trusting, bearer_token=CANARY)),
        "mtls": ({}, replace(trusting, certificate=certificate, certificate_key=key)),
    }[transport]
    context = git_authority.demanding if transport == "mtls" else git_authority.context
    login = {"username": "squid", "password": CANARY}
    (tmp_path / "served").mkdir()
    with ExitStack() as stack:
        server = stack.enter_context(RunningServer(tmp_path / "served", tls=context, **options))
        proxy = None
        if through:
            kind = SocksProxy if through == "socks5" else HttpProxy
            tls = git_authority.context if through == "https" else None
            proxy = stack.enter_context(kind(tls=tls, **login))
            credentials = replace(credentials, proxy=Proxy(proxy.address, **login, ca_pem=git_authority.pem))
        span, _ = await everything(mirrors, server, credentials, tmp_path / "out")
        assert len(span.added) == 2
        assert proxy is None or {f"https://{host}:{port}" for host, port in proxy.asked} == {server.url}


async def test_with_a_github_apps_token(mirrors, tmp_path, git_authority):
    key = AppKey.make()
    (tmp_path / "served").mkdir()
    with GitHubApi(git_authority.context, key.public) as api:
        app = GitHubApp("1234", "5678", key.private, api.url)
        token = api.behaviour.token
        with RunningServer(
            tmp_path / "served", username="x-access-token", password=token, tls=git_authority.context
        ) as server:
            credentials = GitCredentials(ca_pem=git_authority.pem, github_app=app)
            assert (await everything(mirrors, server, credentials, tmp_path / "out"))[0].related


async def test_nothing_of_it_leaves_the_policy(mirrors, git_server):
    repository = git_server.repository()
    first = repository.commit({"app.yaml": "a: 1\n", "film": pointer(CONTENT)})
    second = repository.commit({"app.yaml": "a: 2\n"})
    serving(git_server, CONTENT)
    await made(mirrors, repository, None)
    asked = len(git_server.faults.requests)
    histories = GitHistories(mirrors)
    for work in (
        histories.between(repository.url, None, newer=second, older=first, timeout_seconds=20, addresses=PUBLIC),
        histories.last_changes(repository.url, None, second, [PLACE], addresses=PUBLIC),
        mirrors.fetch_large(repository.url, None, second, timeout_seconds=20, addresses=PUBLIC),
    ):
        with pytest.raises(SourceError) as caught:
            await work
        assert caught.value.reason == "AddressRefused"
    assert len(git_server.faults.requests) == asked
    assert await histories.last_changes(repository.url, None, second, [PLACE], addresses=ANYWHERE), (
        "what one may not is no reason to refuse the other"
    )


async def test_where_files_lie_is_judged_too(mirrors, git_server):
    repository = git_server.repository()
    repository.commit({"film": pointer(CONTENT)})
    store = serving(git_server, CONTENT)
    store.base = git_server.url.replace("127.0.0.1", "127.0.0.2")
    with pytest.raises(SourceError) as caught:
        await made(mirrors, repository, None, lfs=True)
    assert caught.value.reason == "AddressRefused"
    assert "the host of files in LFS" in str(caught.value)
    assert store.asked == []


async def test_submodules_are_judged_too(mirrors, git_server):
    repository = git_server.repository()
    url = git_server.url.replace("127.0.0.1", "127.0.0.2")
    with_module(repository, "lib", f"{url}/other.git", "1" * 40)
    with pytest.raises(SourceError) as caught:
        await made(mirrors, repository, None, recurseSubmodules=True)
    assert caught.value.reason == "AddressRefused"
    assert "submodule 'lib'" in str(caught.value)


def test_a_name_is_looked_up_once_and_connected_to_as_judged(tls_git_server, git_authority):
    store = serving(tls_git_server, CONTENT)
    named = tls_git_server.url.replace("127.0.0.1", "git.test")
    store.base = named
    asked = []

    def lookup(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.255.255.1"]

    server = LargeFileServer(f"{named}/app.git", GitCredentials(ca_pem=git_authority.pem), ONE, lookup=lookup)
    (found,) = server.ask([Pointer(oid(CONTENT), len(CONTENT))])
    assert b"".join(server.pieces(found)) == CONTENT
    server.close()
    assert asked == ["git.test"]


async def test_files_in_lfs_are_not_had_over_ssh(mirrors, tmp_path):
    key = SshKey.make(tmp_path / "key")
    with SshServer(tmp_path / "sshd") as server:
        server.authorize(key)
        repository = server.repository()
        first = repository.commit({"app.yaml": "a: 1\n"})
        credentials = GitCredentials(identity=key.private, known_hosts=server.known_hosts())
        assert (await made(mirrors, repository, credentials, lfs=True)).revision == first
        second = repository.commit({"film": pointer(CONTENT)})
        with pytest.raises(SourceError) as caught:
            await made(mirrors, repository, credentials, lfs=True)
        assert (caught.value.reason, caught.value.retry) == ("LfsOverSsh", False)
        assert "spec.lfs" in caught.value.problems[0].remedy
        histories = GitHistories(mirrors)
        span = await histories.between(repository.url, credentials, newer=second, older=first, timeout_seconds=20)
        assert [commit.sha for commit in span.added] == [second]
        changes = await histories.last_changes(repository.url, credentials, second, [PLACE])
        assert changes[PLACE].commit == first


async def test_on_another_host_a_submodule_goes_through_the_proxy_without_credentials(mirrors, tmp_path, git_server):
    library = git_server.repository("library")
    library.commit({"lib.yaml": "lib"})
    (tmp_path / "own").mkdir()
    with RunningServer(tmp_path / "own", username="bob", password=CANARY) as own, SocksProxy() as proxy:
        repository = own.repository()
        with_module(repository, "lib", library.url, library.sha())
        credentials = GitCredentials(username="bob", password=CANARY, proxy=Proxy(proxy.address))
        tree = await made(mirrors, repository, credentials, recurseSubmodules=True)
        assert await tree.digest("lib")
        assert {f"http://{host}:{port}" for host, port in proxy.asked} == {own.url, git_server.url}
    assert not [headers for headers in git_server.faults.headers if "Authorization" in headers]
