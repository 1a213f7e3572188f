"""Credentials: in URLs, in servers' answers, on the way to other hosts, and those of the machine.

The controller's home holds credentials for every server here: none of them may ever be used.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from typing import Any, Final

from tests.e2e.hostile.attack import (
    PASSWORD,
    TOKEN,
    Attack,
    Body,
    Elsewhere,
    Ground,
    Lay,
    Row,
    git_source,
    helm_source,
    oci_source,
)
from tests.e2e.hostile.git import commit_of, tree_of
from tests.fixtures.web_server import Asked, Page

from trimtab.source.oci_manifest import OCI_MANIFEST

_ERRORS: Final = ("CVE-2023-25163", "GHSA-6w87-g839-9wv7", "CVE-2024-31216")
_HOSTS: Final = ("CVE-2021-32690", "CVE-2026-41506")
_SECRET: Final = (PASSWORD, TOKEN)
_LAYER: Final = "application/vnd.cncf.flux.content.v1.tar+gzip"
_SOURCES: Final[tuple[tuple[str, str, Callable[..., Lay], str, str], ...]] = (
    ("git", "GitRepository", git_source, "@web@/@name@.git", "/{}.git/info/refs"),
    ("oci", "OCIRepository", oci_source, "oci://@web-host@/@name@", "/v2/{}/manifests/latest"),
    ("helm", "HelmRepository", helm_source, "@web@/@name@", "/{}/index.yaml"),
)


def _login(ground: Ground) -> Body:
    return ground.secret(f"{ground.name}-login", username="bob", password=PASSWORD)


def _with_login(make: Callable[..., Lay], url: str, page: str, answer: Callable[[Ground, Asked], Page]) -> Lay:
    """A source with a password, on a server of which every answer for it is made by `answer`."""

    def lay(ground: Ground) -> Iterable[Body]:
        ground.web.routes[page.format(ground.name)] = lambda asked: answer(here, asked)
        here = ground
        return [_login(ground), *make(url=url, secretRef={"name": f"{ground.name}-login"})(ground)]

    return lay


def _urls() -> Iterator[Row]:
    for short, kind, make, _, _ in _SOURCES:
        for name, user in (("password", f"bob:{PASSWORD}"), ("token", PASSWORD), ("encoded", f"bob%3A{PASSWORD}")):
            scheme = "oci" if short == "oci" else "https"
            yield Attack(
                name=f"login-{short}-{name}",
                what=f"a {name} in the URL of a {kind}" + (", percent-encoded" if name == "encoded" else ""),
                replays=_ERRORS,
                lay=make(url=f"{scheme}://{user}@127.0.0.1/x"),
                kind=kind,
                reason="InvalidURL",
                api="url must hold no user name",
                unseen=_SECRET,
            )


def _echo(ground: Ground, asked: Asked) -> Page:
    """Everything that was told comes back, in body and headers."""
    told = f"fatal: {asked.authorization} {PASSWORD} http://bob:{PASSWORD}@127.0.0.1/x\n".encode()
    return Page(told, 403, {"Content-Type": "text/plain", "X-Echo": asked.authorization})


def _echo_in_basic(ground: Ground, asked: Asked) -> Page:
    challenge = f'Basic realm="{asked.authorization} {PASSWORD}"'
    return Page(_echo(ground, asked).body, 401, {"Content-Type": "text/plain", "WWW-Authenticate": challenge})


def _echo_in_redirect(ground: Ground, asked: Asked) -> Page:
    where = f"{ground.elsewhere.url}{asked.path.partition('?')[0]}?{TOKEN}#{PASSWORD}"
    return Page(status=302, headers={"Location": where})


def _echo_in_page(ground: Ground, asked: Asked) -> Page:
    kind = "application/x-git-upload-pack-advertisement" if "info/refs" in asked.path else "application/json"
    text = f"ERR {asked.authorization} {PASSWORD}"
    line = f"{len(text) + 4:04x}{text}"
    body = f"001e# service=git-upload-pack\n0000{line}" if "info/refs" in asked.path else f'{{"{PASSWORD}": ["{TOKEN}'
    return Page(body.encode(), headers={"Content-Type": kind})


def _echoes() -> Iterator[Row]:
    for name, what, answer in (
        ("body", "a server that says what it was told in a refusal", _echo),
        ("challenge", "a server that says what it was told in its challenge", _echo_in_basic),
        ("page", "a server that says what it was told in place of an answer", _echo_in_page),
    ):
        for short, kind, make, url, page in _SOURCES:
            yield Attack(
                name=f"echo-{name}-{short}",
                what=f"{what} ({kind})",
                replays=_ERRORS,
                lay=_with_login(make, url, page, answer),
                kind=kind,
                reason=_ANSWERS.get(f"{name}-{short}", "AuthenticationFailed"),
                unseen=_SECRET,
            )


_ANSWERS: Final = {"page-git": "GitFailed", "page-oci": "NotFound", "page-helm": "IndexRefused"}


def _strangers() -> Iterator[Row]:
    for short, kind, make, url, page in _SOURCES:
        yield Attack(
            name=f"redirected-{short}",
            what=f"a redirect of a {kind} with a password to another host",
            replays=(*_HOSTS, *_ERRORS),
            lay=_with_login(make, url, page, _echo_in_redirect),
            kind=kind,
            reason="Redirected" if short == "git" else "NotFound",
            unseen=_SECRET,
            afterwards=_anonymous if short != "git" else _unvisited,
        )
    yield Attack(
        name="redirected-layer",
        what="a layer that a registry redirects to another host",
        replays=_HOSTS,
        lay=_layer_elsewhere,
        kind="OCIRepository",
        reason="NotFound",
        afterwards=_anonymous,
    )
    yield Attack(
        name="challenged-elsewhere",
        what="another host that asks for the password after a redirect",
        replays=_HOSTS,
        lay=_challenged_elsewhere,
        kind="HelmRepository",
        reason="AuthenticationFailed",
        afterwards=_anonymous,
    )
    yield Attack(
        name="chart-elsewhere",
        what="a chart that lies at another host than its index",
        replays=("CVE-2021-32690",),
        lay=_chart_elsewhere,
        reason="NotFound",
        afterwards=_anonymous,
    )
    yield Attack(
        name="module-elsewhere",
        what="a submodule at another host",
        replays=("CVE-2026-41506",),
        lay=_module_elsewhere,
        kind="GitRepository",
        reason="RepositoryNotFound",
        afterwards=_anonymous,
    )
    yield Attack(
        name="lfs-elsewhere",
        what="an LFS server at another host",
        replays=("CVE-2026-41506",),
        lay=_lfs_elsewhere,
        kind="GitRepository",
        reason="LfsFailed",
        afterwards=_anonymous_if_asked,
    )
    yield Elsewhere(
        replays=_HOSTS,
        what="What a server of LFS leads to elsewhere, and tokens of registries, come without our password",
        tests=(
            "tests/integration/git/test_large_files.py::test_credentials_go_to_the_repositorys_host_only",
            "tests/integration/oci/test_hostile.py::test_a_redirect_gets_no_credentials_by_asking_for_them",
        ),
    )


def _asked_elsewhere(ground: Ground) -> list[Asked]:
    return [asked for asked in ground.elsewhere.asked if ground.name in asked.path]


def _anonymous(ground: Ground) -> None:
    assert _asked_elsewhere(ground), "the other host was asked"
    _anonymous_if_asked(ground)


def _anonymous_if_asked(ground: Ground) -> None:
    for asked in _asked_elsewhere(ground):
        told = json.dumps(dict(asked.headers))
        assert not asked.authorization, f"{asked.path}: {asked.authorization}"
        assert PASSWORD not in told
        assert TOKEN not in told


def _unvisited(ground: Ground) -> None:
    assert not _asked_elsewhere(ground), "a redirect of git is not followed"


def _layer_elsewhere(ground: Ground) -> list[Body]:
    content = b"x" * 100
    digest = f"sha256:{sha256(content).hexdigest()}"
    entry = {"mediaType": _LAYER, "digest": digest, "size": len(content)}
    body = json.dumps({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "layers": [entry]}).encode()
    own = f"sha256:{sha256(body).hexdigest()}"
    page = Page(body, headers={"Content-Type": OCI_MANIFEST, "Docker-Content-Digest": own})
    ground.web.routes |= {f"/v2/{ground.name}/manifests/{name}": page for name in ("latest", own)}
    where = f"{ground.elsewhere.url}/{ground.name}"
    ground.web.routes[f"/v2/{ground.name}/blobs/{digest}"] = Page(status=307, headers={"Location": where})
    secret = {"name": f"{ground.name}-login"}
    return [_login(ground), *oci_source(url="oci://@web-host@/@name@", secretRef=secret)(ground)]


def _challenged_elsewhere(ground: Ground) -> list[Body]:
    where = f"{ground.elsewhere.url}/{ground.name}"
    ground.web.routes[f"/{ground.name}/index.yaml"] = Page(status=302, headers={"Location": where})
    ground.elsewhere.routes[f"/{ground.name}"] = Page(status=401, headers={"WWW-Authenticate": "Basic realm=x"})
    return [_login(ground), *helm_source(url="@web@/@name@", secretRef={"name": f"{ground.name}-login"})(ground)]


def _chart_elsewhere(ground: Ground) -> list[Body]:
    entries = {"c": [{"name": "c", "version": "1.0.0", "urls": [f"{ground.elsewhere.url}/{ground.name}.tgz"]}]}
    page = Page(json.dumps({"apiVersion": "v1", "entries": entries}).encode())
    ground.web.routes[f"/{ground.name}/index.yaml"] = page
    source = helm_source(url="@web@/@name@", secretRef={"name": f"{ground.name}-login"})(ground)
    return [_login(ground), *source, ground.application(kind="HelmRepository", chart={"name": "c"})]


def _module_elsewhere(ground: Ground) -> list[Body]:
    repository = ground.server.repository(ground.name)
    text = f'[submodule "lib"]\n\tpath = lib\n\turl = {ground.elsewhere.url}/{ground.name}-lib.git\n'
    declared = repository.git("hash-object", "-w", "--stdin", stdin=text.encode())
    commit_of(repository, tree_of(repository, ("100644", b".gitmodules", declared), ("160000", b"lib", "1" * 40)))
    return [_login(ground), ground.source(recurseSubmodules=True, secretRef={"name": f"{ground.name}-login"})]


def _lfs_elsewhere(ground: Ground) -> list[Body]:
    repository = ground.server.repository(ground.name)
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 5\n"
    config = f"[lfs]\n\turl = {ground.elsewhere.url}/{ground.name}\n"
    repository.commit({"app/a.yaml": pointer, ".lfsconfig": config, ".gitattributes": "*.yaml filter=lfs\n"})
    return [_login(ground), ground.source(lfs=True, secretRef={"name": f"{ground.name}-login"})]


def _machine() -> Iterator[Row]:
    for short, kind, make, url, page in _SOURCES:
        yield Attack(
            name=f"machine-{short}",
            what=f"a {kind} without a Secret, on a server for which the machine has passwords",
            replays=("CVE-2022-39253", "CVE-2026-41506"),
            lay=_asking(make, url, page),
            kind=kind,
            reason="AuthenticationFailed",
            afterwards=_nothing_offered,
        )


def _asking(make: Callable[..., Lay], url: str, page: str) -> Lay:
    def lay(ground: Ground) -> Iterable[Body]:
        challenge = {"WWW-Authenticate": 'Basic realm="x"'}
        ground.web.routes[page.format(ground.name)] = Page(status=401, headers=challenge)
        return make(url=url)(ground)

    return lay


def _nothing_offered(ground: Ground) -> None:
    asked = [asked for asked in ground.web.asked if ground.name in asked.path]
    assert asked
    assert {each.authorization for each in asked} == {""}


def _hosts() -> Iterator[Row]:
    replays = ("CVE-2025-23390",)
    key: dict[str, Any] = {"kind": "GitRepository", "replays": replays}
    yield Attack(
        name="host-unknown",
        what="ssh without known_hosts",
        lay=_ssh(known=""),
        reason="SecretInvalid",
        words="known_hosts",
        **key,
    )
    yield Attack(
        name="host-other",
        what="ssh to a server with another host key",
        lay=_ssh(known="other"),
        reason="HostKeyRefused",
        **key,
    )
    yield Attack(
        name="host-elsewhere",
        what="ssh with the host key of another server",
        lay=_ssh(known="elsewhere"),
        reason="HostKeyRefused",
        **key,
    )


def _ssh(*, known: str) -> Lay:
    def lay(ground: Ground) -> list[Body]:
        identity = (ground.ssh.folder / "other_key").read_text()
        right = ground.ssh.known_hosts()
        place, kind, _ = right.split()
        lines = {
            "": {},
            "other": {"known_hosts": f"{place} {(ground.ssh.folder / 'other_key.pub').read_text()}"},
            "elsewhere": {"known_hosts": f"[127.0.0.1]:1 {right.partition(' ')[2]}"},
        }
        assert kind
        secret = ground.secret(f"{ground.name}-key", identity=identity, **lines[known])
        spec = {"url": f"ssh://git@127.0.0.1:{ground.ssh.port}/x.git", "secretRef": {"name": f"{ground.name}-key"}}
        return [secret, *git_source(**spec)(ground)]

    return lay


def _secrets() -> Iterator[Row]:
    for name, what, texts in (
        (
            "newline",
            "a password with a line break and a header behind it",
            {"username": "bob", "password": f"{PASSWORD}\r\nX: y"},
        ),
        ("colon", "a user name with a colon", {"username": "a:b", "password": PASSWORD}),
        ("half", "a password without a user name", {"password": PASSWORD}),
        ("both", "a password and a token", {"username": "bob", "password": PASSWORD, "bearerToken": PASSWORD}),
        ("token", "a token with a line break", {"bearerToken": f"{PASSWORD}\nX: y"}),
    ):

        def lay(ground: Ground, texts: dict[str, str] = texts) -> list[Body]:
            secret = ground.secret(f"{ground.name}-login", **texts)
            return [secret, *git_source(url="@git@/plain.git", secretRef={"name": f"{ground.name}-login"})(ground)]

        yield Attack(
            name=f"secret-{name}",
            what=what,
            replays=("CVE-2024-31216", "GHSA-wvpp-8hx9-p66j"),
            lay=lay,
            kind="GitRepository",
            reason="SecretInvalid" if name in {"half", "both"} else "InvalidCredentials",
            unseen=_SECRET,
        )
    yield Elsewhere(
        replays=(
            "CVE-2025-55190",
            "CVE-2025-23216",
            "CVE-2026-42880",
            "CVE-2026-45737",
            "CVE-2023-40029",
            "CVE-2024-52284",
        ),
        what="Canaries in every kind of credential and in Secrets that are applied, edited, invalid and broken; none "
        "is found in a log, Event, status, metric, diff, command line, environment of another process, or file",
        tests=(
            "tests/e2e/test_canary.py::test_no_canary_is_found_where_others_may_look",
            "tests/e2e/test_canary_credentials.py::test_no_credential_is_found_anywhere",
        ),
    )


ROWS: Final[tuple[Row, ...]] = (*_urls(), *_echoes(), *_strangers(), *_machine(), *_hosts(), *_secrets())
