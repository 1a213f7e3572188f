"""Every way to a repository in one table: transport, credential, ref and proxy, against real servers on loopback.

A right row fetches the commit that is wanted; a wrong one fails with the reason and the words of its row, shows no
secret, names a remedy and leaves the mirrors at work.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.git_server import Authority, GitRepo, RunningServer
from tests.fixtures.proxies import HttpProxy, SocksProxy
from tests.fixtures.ssh_server import KEY_TYPES, SshKey, SshServer

from trimtab.core.errors import SourceError
from trimtab.reconcile.ports import GitCredentials
from trimtab.source.proxy import Proxy

CANARY = "sesame-9Xq"
SHA = "sha"
"""Stands in a ref for the commit's SHA."""


@dataclass(frozen=True)
class World:
    """All servers: a repository for each transport, credentials, refs and proxies by the names of the table."""

    repositories: dict[str, GitRepo]
    credentials: dict[str, GitCredentials]
    proxies: dict[str, Proxy]
    fingerprints: dict[str, str]


@dataclass(frozen=True)
class Row:
    """`credential` is the transport's own where it is empty; `reason` is empty where the row is right."""

    transport: str
    ref: str = "branch"
    proxy: str = ""
    credential: str = ""
    reason: str = ""
    words: str = ""

    def __str__(self) -> str:
        return "-".join(filter(None, (self.transport, self.credential, self.ref, self.proxy, self.reason)))


TRANSPORTS = ("http", "https", "bearer", "mtls", *(f"ssh-{kind}" for kind in KEY_TYPES))
PROXIES = ("http-proxy", "https-proxy", "socks5-proxy")
REFS: dict[str, dict[str, str]] = {
    "default": {},
    "branch": {"branch": "main"},
    "tag": {"tag": "v1.1.0"},
    "annotated-tag": {"tag": "v1.2.0"},
    "semver": {"semver": ">=1.0.0 <2.0.0"},
    "semver-pre": {"semver": ">=1.0.0-0 <3.0.0"},
    "name-pull": {"name": "refs/pull/1/head"},
    "name-branch": {"name": "refs/heads/main"},
    "name-tag": {"name": "refs/tags/v1.2.0"},
    "commit": {"commit": SHA},
    "commit-on-branch": {"commit": SHA, "branch": "main"},
    "branch-gone": {"branch": "gone"},
    "tag-gone": {"tag": "v9"},
    "semver-none": {"semver": ">=7"},
    "semver-pre-only": {"semver": ">=2.0.0"},
    "semver-bad": {"semver": ">= one"},
    "name-gone": {"name": "refs/pull/2/head"},
    "name-short": {"name": "main"},
    "commit-gone": {"commit": "1" * 40},
    "commit-elsewhere": {"commit": SHA, "branch": "side"},
    "two": {"tag": "v1.1.0", "semver": "1.x"},
}
WANTED = {"tag": "first", "semver-pre": "pre", "name-pull": "pull"}
"""The commit that a ref means where it is not the tip of main."""

RIGHT = [
    *(Row(transport, proxy=proxy) for transport in TRANSPORTS for proxy in ("", *PROXIES)),
    *(
        Row(transport, ref)
        for transport in ("https", "ssh-ed25519")
        for ref in REFS
        if not any(word in ref for word in ("gone", "none", "only", "bad", "short", "elsewhere", "two", "branch"))
    ),
    *(Row(transport, "commit-on-branch") for transport in ("https", "ssh-rsa")),
    *(Row("ssh-ed25519", credential=f"client-{kind}") for kind in (*KEY_TYPES, "locked", "locked-pem")),
    Row("ssh-ed25519", credential="hashed-known-hosts"),
    Row("ssh-ed25519", credential="open-proxy", proxy="open-socks5"),
]
WRONG = [
    Row("http", credential="none", reason="AuthenticationFailed", words="secretRef"),
    Row("http", credential="wrong-password", reason="AuthenticationFailed", words="secretRef"),
    Row("bearer", credential="wrong-token", reason="AuthenticationFailed", words="secretRef"),
    Row("https", credential="no-ca", reason="TLSFailed", words="ca.crt"),
    Row("https", credential="other-ca", reason="TLSFailed", words="ca.crt"),
    Row("mtls", credential="no-client", reason="TLSFailed"),
    Row("mtls", credential="other-client", reason="TLSFailed"),
    Row("mtls", credential="half-client", reason="InvalidCredentials", words="tls.key"),
    Row("ssh-ed25519", credential="none", reason="InvalidCredentials", words="identity and known_hosts"),
    Row("ssh-ed25519", credential="stranger", reason="AuthenticationFailed", words="public half of identity"),
    Row("ssh-ed25519", credential="still-locked", reason="InvalidCredentials", words="passphrase"),
    Row("ssh-ed25519", credential="wrong-passphrase", reason="InvalidCredentials", words="does not open"),
    Row("ssh-ed25519", credential="garbled-key", reason="InvalidCredentials", words="identity"),
    Row("ssh-ed25519", credential="empty-known-hosts", reason="InvalidCredentials", words="known_hosts"),
    *(
        Row(f"ssh-{kind}", credential=f"{fault}-known-hosts", reason="HostKeyRefused", words="known_hosts has")
        for kind in KEY_TYPES
        for fault in ("wrong", "missing")
    ),
    Row("ssh-ed25519", credential="other-type-known-hosts", reason="HostKeyRefused", words="ssh-rsa SHA256:"),
    *(
        Row(transport, ref, reason=reason, words=words)
        for transport in ("https", "ssh-ed25519")
        for ref, reason, words in (
            ("branch-gone", "RefNotFound", "branch gone"),
            ("tag-gone", "RefNotFound", "tag v9"),
            ("semver-none", "RefNotFound", ">=7"),
            ("semver-pre-only", "RefNotFound", "pre-releases"),
            ("name-gone", "RefNotFound", "refs/pull/2/head"),
            ("commit-gone", "RefNotFound", ""),
            ("commit-elsewhere", "CommitNotOnBranch", "side"),
        )
    ),
    Row("https", "semver-bad", reason="InvalidRef", words="ref.semver"),
    Row("https", "name-short", reason="InvalidRef", words="refs/heads/main"),
    Row("https", "two", reason="InvalidRef", words="ref.tag"),
    *(
        Row(transport, proxy=f"wrong-login-{proxy}", reason="ProxyAuthenticationFailed", words="proxySecretRef")
        for transport in ("http", "https", "ssh-ed25519")
        for proxy in PROXIES
    ),
    *(
        Row(transport, proxy=f"silent-{proxy}", reason=reason, words="proxy")
        for transport, reason in (("https", "ConnectionFailed"), ("ssh-ed25519", "ProxyFailed"))
        for proxy in ("http-proxy", "socks5-proxy")
    ),
    Row("https", proxy="untrusted-https-proxy", reason="TLSFailed", words="ca.crt"),
]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, git_authority: Authority) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    with ExitStack() as stack:
        yield make_world(folder, git_authority, stack)


def make_world(folder: Path, authority: Authority, stack: ExitStack) -> World:
    (folder / "other").mkdir()
    stranger = Authority.make(folder / "other")
    repositories: dict[str, GitRepo] = {}
    bob = GitCredentials(username="bob", password=CANARY)
    trusting = replace(bob, ca_pem=authority.pem)
    mutual = GitCredentials(ca_pem=authority.pem, certificate=authority.client[0], certificate_key=authority.client[1])
    credentials = {
        "none": GitCredentials(),
        "http": bob,
        "wrong-password": replace(bob, password=f"{CANARY}-no"),
        "https": trusting,
        "no-ca": bob,
        "other-ca": replace(bob, ca_pem=stranger.pem),
        "bearer": GitCredentials(ca_pem=authority.pem, bearer_token=CANARY),
        "wrong-token": GitCredentials(ca_pem=authority.pem, bearer_token=f"{CANARY}-no"),
        "mtls": mutual,
        "no-client": GitCredentials(ca_pem=authority.pem),
        "half-client": replace(mutual, certificate_key=""),
        "other-client": replace(mutual, certificate=stranger.client[0], certificate_key=stranger.client[1]),
    }
    servers: dict[str, dict[str, Any]] = {
        "http": {"username": "bob", "password": CANARY},
        "https": {"username": "bob", "password": CANARY, "tls": authority.context},
        "bearer": {"token": CANARY, "tls": authority.context},
        "mtls": {"tls": authority.demanding},
    }
    for name, options in servers.items():
        (folder / name).mkdir()
        server = stack.enter_context(RunningServer(folder / name, **options))
        repositories[name] = fill(server.repository())
    fingerprints = add_ssh(folder / "ssh", repositories, credentials, stack)
    return World(repositories, credentials, add_proxies(authority, stranger, stack), fingerprints)


def add_ssh(
    folder: Path, repositories: dict[str, GitRepo], credentials: dict[str, GitCredentials], stack: ExitStack
) -> dict[str, str]:
    folder.mkdir()
    keys = {kind: SshKey.make(folder / kind, kind) for kind in KEY_TYPES}
    keys["locked"] = SshKey.make(folder / "locked", passphrase=CANARY)
    keys["locked-pem"] = SshKey.make(folder / "locked-pem", "rsa", passphrase=CANARY, pem=True)
    stranger = SshKey.make(folder / "stranger")
    servers = {kind: stack.enter_context(SshServer(folder / f"server-{kind}", host_kind=kind)) for kind in KEY_TYPES}
    for kind, server in servers.items():
        for key in keys.values():
            server.authorize(key)
        repositories[f"ssh-{kind}"] = fill(server.repository())
        right = GitCredentials(identity=keys[kind].private, known_hosts=server.known_hosts())
        credentials[f"ssh-{kind}"] = right
        wrong = f"[127.0.0.1]:{server.port} {' '.join(stranger.public.split()[:2])}\n"
        credentials[f"ssh-{kind}/wrong-known-hosts"] = replace(right, known_hosts=wrong)
        elsewhere = f"git.example.org {' '.join(server.host_key.public.split()[:2])}\n"
        credentials[f"ssh-{kind}/missing-known-hosts"] = replace(right, known_hosts=elsewhere)
    base, server = credentials["ssh-ed25519"], servers["ed25519"]
    for kind, key in keys.items():
        password = CANARY if kind.startswith("locked") else ""
        credentials[f"client-{kind}"] = replace(base, identity=key.private, password=password)
    credentials["still-locked"] = replace(base, identity=keys["locked"].private)
    credentials["wrong-passphrase"] = replace(base, identity=keys["locked"].private, password=f"{CANARY}-no")
    credentials["stranger"] = replace(base, identity=stranger.private)
    body = keys["ed25519"].private.splitlines()
    credentials["garbled-key"] = replace(base, identity="\n".join([body[0], body[2], body[-1]]))
    credentials["empty-known-hosts"] = replace(base, known_hosts="# none yet\n")
    rsa = " ".join(keys["rsa"].public.split()[:2])
    credentials["other-type-known-hosts"] = replace(base, known_hosts=f"[127.0.0.1]:{server.port} {rsa}\n")
    credentials["hashed-known-hosts"] = replace(base, known_hosts=server.hashed_known_hosts())
    credentials["open-proxy"] = base
    return {f"ssh-{kind}": each.host_key.fingerprint for kind, each in servers.items()}


def add_proxies(authority: Authority, stranger: Authority, stack: ExitStack) -> dict[str, Proxy]:
    login = {"username": "squid", "password": f"p@ss:{CANARY}"}
    running = {
        "http-proxy": stack.enter_context(HttpProxy(**login)),
        "https-proxy": stack.enter_context(HttpProxy(tls=authority.context, **login)),
        "socks5-proxy": stack.enter_context(SocksProxy(**login)),
    }
    proxies = {name: Proxy(proxy.address, **login, ca_pem=authority.pem) for name, proxy in running.items()}
    proxies |= {f"wrong-login-{name}": replace(proxy, password="no") for name, proxy in proxies.items()}
    proxies["open-socks5"] = Proxy(stack.enter_context(SocksProxy()).address)
    proxies["untrusted-https-proxy"] = Proxy(stack.enter_context(HttpProxy(tls=stranger.context)).address)
    proxies["silent-http-proxy"] = Proxy("http://127.0.0.1:1")
    proxies["silent-socks5-proxy"] = Proxy("socks5://127.0.0.1:1")
    return proxies


def fill(repository: GitRepo) -> GitRepo:
    """Branches, tags of both sorts with and without versions, and a pull request."""
    commits = {"first": repository.commit({"a.yaml": "1"})}
    repository.tag("v1.1.0")
    repository.tag("not-a-version")
    repository.commit({"b.yaml": "1"}, branch="side")
    commits["pull"] = repository.commit({"a.yaml": "9"}, branch="topic", parent=commits["first"])
    repository.git("update-ref", "refs/pull/1/head", commits["pull"])
    repository.delete_branch("topic")
    commits["pre"] = repository.commit({"a.yaml": "8"}, branch="next", parent=commits["first"])
    repository.tag("v2.0.0-rc.1", commits["pre"], message="A candidate")
    repository.commit({"a.yaml": "2"})
    repository.tag("v1.2.0", message="Annotated")
    for name, sha in commits.items():
        repository.git("update-ref", f"refs/test/{name}", sha)
    return repository


def prepared(world: World, row: Row) -> tuple[GitRepo, dict[str, str], GitCredentials]:
    repository = world.repositories[row.transport]
    sha = repository.sha()
    ref = {key: sha if value == SHA else value for key, value in REFS[row.ref].items()}
    name = row.credential or row.transport
    credentials = world.credentials.get(f"{row.transport}/{name}") or world.credentials[name]
    return repository, ref, replace(credentials, proxy=world.proxies[row.proxy]) if row.proxy else credentials


@pytest.mark.parametrize("row", RIGHT, ids=str)
async def test_right_rows_fetch(mirrors, world: World, row: Row) -> None:
    repository, ref, credentials = prepared(world, row)
    fetched = await mirrors.fetch(repository.url, ref, credentials, timeout_seconds=60)
    assert fetched.changed
    assert fetched.revision.sha == repository.sha(f"refs/test/{WANTED[row.ref]}" if row.ref in WANTED else "main")
    again = await mirrors.fetch(repository.url, ref, credentials, timeout_seconds=60)
    assert not again.changed
    assert again.revision == fetched.revision


@pytest.mark.parametrize("row", WRONG, ids=str)
async def test_wrong_rows_say_why(mirrors, world: World, row: Row, tmp_path) -> None:
    repository, ref, credentials = prepared(world, row)
    with pytest.raises(SourceError) as caught:
        await mirrors.fetch(repository.url, ref, credentials, timeout_seconds=60)
    problem = caught.value.problems[0]
    assert caught.value.reason == row.reason, caught.value
    assert row.words in f"{problem.message} {problem.remedy}"
    assert problem.remedy
    assert CANARY not in str(caught.value)
    if row.reason == "HostKeyRefused":
        assert world.fingerprints[row.transport] in problem.message, "the key to look for is named"
    good, ref, credentials = prepared(world, Row("https"))
    assert (await mirrors.fetch(good.url, ref, credentials, timeout_seconds=60)).revision.sha == good.sha()


@pytest.mark.parametrize(
    ("ref", "shown"),
    [
        ("default", "main"),
        ("annotated-tag", "v1.2.0"),
        ("semver", "v1.2.0"),
        ("semver-pre", "v2.0.0-rc.1"),
        ("name-pull", "refs/pull/1/head"),
        ("name-branch", "main"),
        ("name-tag", "v1.2.0"),
        ("commit", ""),
        ("commit-on-branch", "main"),
    ],
)
async def test_the_revision_names_what_was_found(mirrors, world: World, ref: str, shown: str) -> None:
    repository, wanted, credentials = prepared(world, Row("https", ref))
    assert (await mirrors.fetch(repository.url, wanted, credentials, timeout_seconds=60)).revision.ref == shown


async def test_a_new_version_is_followed_and_a_removed_one_fallen_back_from(mirrors, world: World) -> None:
    repository, wanted, credentials = prepared(world, Row("ssh-ecdsa", "semver"))
    first = await mirrors.fetch(repository.url, wanted, credentials, timeout_seconds=60)
    repository.tag("v1.3.0", repository.sha("refs/test/pull"))
    second = await mirrors.fetch(repository.url, wanted, credentials, timeout_seconds=60)
    assert (second.revision.ref, second.changed) == ("v1.3.0", True)
    repository.git("tag", "-d", "v1.3.0")
    assert (await mirrors.fetch(repository.url, wanted, credentials, timeout_seconds=60)).revision == first.revision
