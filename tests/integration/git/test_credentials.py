"""Credentials and TLS: what is sent to whom, what is kept apart, and where a password must never be found."""

import base64
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fixtures.git_server import Fault
from tests.fixtures.processes import arguments
from tests.integration.git.conftest import offspring

from trimtab.adapters.git.mirrors import GitMirrors
from trimtab.core.errors import SourceError
from trimtab.reconcile.ports import GitCredentials

BOB = GitCredentials(username="bob", password="sesame-9Xq")
TOKEN = base64.b64encode(b"bob:sesame-9Xq").decode()


async def refused(mirrors: GitMirrors, url: str, credentials: GitCredentials | None) -> SourceError:
    with pytest.raises(SourceError) as caught:
        await mirrors.fetch(url, {}, credentials, timeout_seconds=20)
    assert "sesame" not in str(caught.value)
    assert TOKEN not in str(caught.value)
    assert caught.value.problems[0].remedy
    return caught.value


@pytest.fixture
def private(private_git_server):
    repository = private_git_server.repository("private")
    repository.commit({"a.yaml": "1"})
    return repository


async def test_basic_auth_opens_the_door(mirrors, private):
    fetched = await mirrors.fetch(private.url, {}, BOB, timeout_seconds=20)
    assert fetched.revision.sha == private.sha()


@pytest.mark.parametrize(
    "credentials", [None, GitCredentials(username="bob", password="sesame-no"), GitCredentials(password="sesame-9Xq")]
)
async def test_without_the_right_ones_it_stays_shut(mirrors, private, credentials):
    error = await refused(mirrors, private.url, credentials)
    assert error.reason == "AuthenticationFailed"
    assert "secretRef" in error.problems[0].remedy
    assert error.retry


async def test_what_one_may_read_another_may_not(mirrors, private, tmp_path):
    sha = (await mirrors.fetch(private.url, {}, BOB, timeout_seconds=20)).revision.sha
    for other in (None, GitCredentials(username="bob", password="guess")):
        with pytest.raises(SourceError) as caught:
            await mirrors.materialise(private.url, other, sha, [""], tmp_path / "out")
        assert caught.value.reason == "CommitNotFetched"
        with pytest.raises(SourceError):
            await mirrors.fetch(private.url, {"commit": sha}, other, timeout_seconds=20)


async def test_the_password_is_on_no_disk_and_in_no_argument(mirrors, private, private_git_server, tmp_path):
    seen: set[str] = set()

    def look(path: str) -> Fault | None:
        seen.update(" ".join(arguments(offspring(mirrors))).split())
        return None

    private_git_server.faults.next_fault = look
    await mirrors.fetch(private.url, {}, BOB, timeout_seconds=20)
    assert any("git-remote-http" in argument or argument == "remote-http" for argument in seen), seen
    assert not any("sesame" in argument or TOKEN in argument for argument in seen)
    for path in (tmp_path / "mirrors").rglob("*"):
        assert "sesame" not in path.name
        if path.is_file():
            data = path.read_bytes()
            assert b"sesame" not in data
            assert TOKEN.encode() not in data


async def test_credentials_do_not_show_in_repr():
    assert "sesame" not in repr(BOB)


async def test_a_netrc_and_a_git_config_of_the_user_are_not_read(private, tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    (home / ".netrc").write_text("machine 127.0.0.1 login bob password sesame-9Xq\n")
    (home / ".gitconfig").write_text(f'[http]\n\textraHeader = "Authorization: Basic {TOKEN}"\n')
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "http.extraHeader")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", f"Authorization: Basic {TOKEN}")
    mirrors = GitMirrors(tmp_path / "data")
    await mirrors.start()
    try:
        assert (await refused(mirrors, private.url, None)).reason == "AuthenticationFailed"
    finally:
        await mirrors.close()


async def test_malformed_credentials_never_reach_a_request(mirrors, private, private_git_server):
    with pytest.raises(SourceError) as caught:
        await mirrors.fetch(
            private.url, {}, GitCredentials(username="bob", password="sesame\r\nX-Evil: 1"), timeout_seconds=20
        )
    assert caught.value.reason == "InvalidCredentials"
    assert private_git_server.faults.requests == []


async def test_a_redirect_is_refused_and_names_the_new_url(mirrors, private, private_git_server, git_server):
    git_server.repository("moved").commit({"a": "1"})
    private_git_server.faults.location = f"{git_server.url}/moved.git"
    private_git_server.faults.always(Fault.REDIRECT)
    error = await refused(mirrors, private.url, BOB)
    assert error.reason == "Redirected"
    assert error.problems[0].remedy == f"set spec.url to {git_server.url}/moved.git"
    assert git_server.faults.requests == [], "the credentials went nowhere else"


async def test_a_redirect_with_a_canary_in_its_url_shows_none(mirrors, git_repo, git_server):
    git_server.faults.location = "https://eve:sesame@evil.example/x"
    git_server.faults.always(Fault.REDIRECT)
    error = await refused(mirrors, git_repo.url, None)
    assert "evil.example/x" in str(error)


async def test_tls_with_an_own_authority(mirrors, tls_git_server, git_authority):
    repository = tls_git_server.repository("secure")
    sha = repository.commit({"a": "1"})
    error = await refused(mirrors, repository.url, None)
    assert error.reason == "TLSFailed"
    assert "ca.crt" in error.problems[0].remedy
    trusted = GitCredentials(ca_pem=git_authority.pem)
    assert (await mirrors.fetch(repository.url, {}, trusted, timeout_seconds=20)).revision.sha == sha
    again = await mirrors.fetch(repository.url, {}, trusted, timeout_seconds=20)
    assert not again.changed


async def test_another_authority_is_not_enough(mirrors, tls_git_server, tmp_path):
    from tests.fixtures.git_server import Authority

    other = tmp_path / "other"
    other.mkdir()
    repository = tls_git_server.repository("secure")
    repository.commit({"a": "1"})
    error = await refused(mirrors, repository.url, GitCredentials(ca_pem=Authority.make(other).pem))
    assert error.reason == "TLSFailed"


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that is taken, and on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


async def test_nobody_listens(mirrors, closed_port):
    error = await refused(mirrors, f"http://127.0.0.1:{closed_port}/a.git", None)
    assert error.reason == "ConnectionFailed"
    assert error.retry


@pytest.mark.parametrize(
    "url",
    [
        "ext::sh -c touch% {canary}",
        "--upload-pack=touch {canary}",
        "file://{canary}",
        "{canary}",
        "ssh://-oProxyCommand=touch%20{canary}/x",
        "https://$(touch {canary})/x",
        "https://example.org/a.git --config=core.sshCommand=x",
    ],
)
async def test_urls_that_would_run_or_read_something_are_refused(mirrors, tmp_path, url):
    canary = tmp_path / "canary"
    with pytest.raises(SourceError) as caught:
        await mirrors.fetch(url.format(canary=canary), {}, None, timeout_seconds=20)
    assert caught.value.reason == "InvalidURL"
    assert not canary.exists()
    assert offspring(mirrors), "the mirrors still run"


@pytest.mark.parametrize("ref", [{"branch": "--upload-pack=x"}, {"tag": "-x"}, {"commit": "--all"}, {"branch": "a:b"}])
async def test_refs_that_would_be_options_are_refused(mirrors, git_repo, git_server, ref):
    with pytest.raises(SourceError) as caught:
        await mirrors.fetch(git_repo.url, ref, None, timeout_seconds=20)
    assert caught.value.reason == "InvalidRef"
    assert git_server.faults.requests == []


async def test_the_data_folder_is_private(mirrors, git_repo, tmp_path):
    await mirrors.fetch(git_repo.url, {}, None, timeout_seconds=20)
    assert _mode(tmp_path / "mirrors") == 0o700


def _mode(path: Path) -> int:
    return path.stat().st_mode & 0o777
