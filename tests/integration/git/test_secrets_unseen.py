"""Where no secret must ever be found: arguments of any process, files, texts; whatever the transport and the proxy."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.git_server import Authority, RunningServer
from tests.fixtures.processes import arguments
from tests.fixtures.proxies import HttpProxy, SocksProxy
from tests.fixtures.ssh_server import SshKey, SshServer
from tests.integration.git.conftest import offspring

from trimtab.adapters.git.mirrors import GitMirrors
from trimtab.reconcile.ports import GitCredentials
from trimtab.source.proxy import Proxy

CANARY = "sesame-9Xq"


class Watching:
    """Notes the arguments of all processes of the mirrors whenever a proxy is asked for a connection."""

    def __init__(self, mirrors: GitMirrors, proxy: Any) -> None:
        self.arguments: set[str] = set()
        reach = proxy.reach

        def noted(target: tuple[str, int]) -> Any:
            self.arguments.update(arguments(offspring(mirrors)))
            return reach(target)

        proxy.reach = noted


def secrets_of(key: SshKey) -> list[str]:
    """A line from the middle of the key stands for all of it."""
    return [CANARY, key.private.splitlines()[2]]


def assert_unseen(secrets: list[str], watching: Watching, folder: Path, program: str) -> None:
    assert any(program in argument for argument in watching.arguments), watching.arguments
    for secret in secrets:
        assert not any(secret in argument for argument in watching.arguments)
        for path in folder.rglob("*"):
            assert not path.is_file() or secret.encode() not in path.read_bytes(), path


async def test_over_ssh_through_a_proxy(mirrors, tmp_path):
    (tmp_path / "keys").mkdir()
    key = SshKey.make(tmp_path / "keys" / "id", passphrase=CANARY)
    with SshServer(tmp_path / "sshd") as server, SocksProxy(username="squid", password=CANARY) as proxy:
        server.authorize(key)
        repository = server.repository()
        repository.commit({"a": "1"})
        watching = Watching(mirrors, proxy)
        credentials = GitCredentials(
            password=CANARY,
            identity=key.private,
            known_hosts=server.known_hosts(),
            proxy=Proxy(proxy.address, "squid", CANARY),
        )
        fetched = await mirrors.fetch(repository.url, {}, credentials, timeout_seconds=60)
        assert fetched.revision.sha == repository.sha()
        assert_unseen(secrets_of(key), watching, tmp_path / "mirrors", "trimtab.adapters.git.tunnel")


@pytest.mark.parametrize("token", [False, True])
async def test_over_https_through_a_proxy(mirrors, tmp_path, git_authority: Authority, token: bool):
    (tmp_path / "served").mkdir()
    login = {"token": CANARY} if token else {"username": "bob", "password": CANARY}
    given = GitCredentials(bearer_token=CANARY) if token else GitCredentials("bob", CANARY)
    with RunningServer(tmp_path / "served", tls=git_authority.demanding, **login) as server:
        repository = server.repository()
        repository.commit({"a": "1"})
        with HttpProxy(username="squid", password=CANARY) as proxy:
            watching = Watching(mirrors, proxy)
            credentials = replace(
                given,
                ca_pem=git_authority.pem,
                certificate=git_authority.client[0],
                certificate_key=git_authority.client[1],
                proxy=Proxy(proxy.address, "squid", CANARY),
            )
            fetched = await mirrors.fetch(repository.url, {}, credentials, timeout_seconds=60)
            assert fetched.revision.sha == repository.sha()
            secrets = [CANARY, git_authority.client[1].splitlines()[1]]
            assert_unseen(secrets, watching, tmp_path / "mirrors", "remote-http")


async def test_the_users_own_ssh_configuration_and_agent_are_not_asked(tmp_path, monkeypatch):
    """Nothing of the environment reaches ssh: an agent that holds the right key does not help the wrong one."""
    home = tmp_path / "home" / ".ssh"
    home.mkdir(parents=True)
    right, wrong = SshKey.make(home / "id_ed25519"), SshKey.make(tmp_path / "wrong")
    with SshServer(tmp_path / "sshd") as server:
        server.authorize(right)
        repository = server.repository()
        repository.commit({"a": "1"})
        (home / "config").write_text(f"Host *\n  IdentityFile {home}/id_ed25519\n  StrictHostKeyChecking no\n")
        monkeypatch.setenv("HOME", str(home.parent))
        monkeypatch.setenv("GIT_SSH_COMMAND", f"ssh -i {home}/id_ed25519 -o StrictHostKeyChecking=no")
        mirrors = GitMirrors(tmp_path / "mirrors")
        await mirrors.start()
        try:
            given = GitCredentials(identity=wrong.private, known_hosts=server.known_hosts())
            with pytest.raises(Exception, match="refused the SSH key"):
                await mirrors.fetch(repository.url, {}, given, timeout_seconds=60)
        finally:
            await mirrors.close()
