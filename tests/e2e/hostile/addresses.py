"""Addresses that sources may not reach, in every spelling and by every detour.

The controller is told to let its sources go to 127.0.0.1 and to public addresses, nowhere else.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from tests.e2e.hostile.attack import (
    CONFIG_MAP,
    INTERVAL,
    PASSWORD,
    Attack,
    Body,
    Elsewhere,
    Ground,
    Lay,
    Row,
    files,
    git_source,
    helm_source,
    oci_source,
)
from tests.fixtures.web_server import Page

_REPLAYS: Final = ("CVE-2026-44936",)
_HOSTS: Final[dict[str, str]] = {
    "metadata": "169.254.169.254",
    "loopback": "@refused@",
    "decimal": "2130706434:@refused-port@",
    "hexadecimal": "0x7f000002:@refused-port@",
    "hexadecimal-parts": "0x7f.0.0.2:@refused-port@",
    "octal": "0177.0.0.2:@refused-port@",
    "short": "127.2:@refused-port@",
    "six": "[::1]",
    "mapped": "[::ffff:127.0.0.2]:@refused-port@",
    "mapped-hexadecimal": "[::ffff:7f00:2]:@refused-port@",
    "compatible": "[::7f00:2]",
    "translated": "[64:ff9b::7f00:2]",
    "six-to-four": "[2002:7f00:2::1]",
    "private-10": "10.0.0.1",
    "private-172": "172.16.0.1",
    "private-192": "192.168.0.1",
    "shared": "100.64.0.1",
    "unspecified": "0.0.0.0",
    "zero": "0",
    "broadcast": "255.255.255.255",
    "multicast": "224.0.0.1",
    "local-six": "[fd00::1]",
    "link-six": "[fe80::1]",
    "metadata-decimal": "2852039166",
    "metadata-mapped": "[::ffff:169.254.169.254]",
}
_UNUSUAL: Final = frozenset({"decimal", "octal", "short", "zero", "metadata-decimal"})
_SOURCES: Final[tuple[tuple[str, str, Callable[[str], Lay]], ...]] = (
    ("git", "GitRepository", lambda host: git_source(url=f"http://{host}/x.git")),
    ("oci", "OCIRepository", lambda host: oci_source(url=f"oci://{host}/x/y")),
    ("helm", "HelmRepository", lambda host: helm_source(url=f"http://{host}/x")),
)


def _not_visited(ground: Ground) -> None:
    assert not ground.visited(), "somebody came to the address that sources may not reach"


def _attack(name: str, what: str, lay: Lay, *, kind: str, reason: str = "AddressRefused", **more: Any) -> Attack:
    return Attack(
        name=name, what=what, replays=_REPLAYS, lay=lay, kind=kind, reason=reason, afterwards=_not_visited, **more
    )


def _direct() -> Iterator[Row]:
    for short, kind, make in _SOURCES:
        for name, host in _HOSTS.items():
            shown = host.replace(":@refused-port@", "").replace("@refused@", "127.0.0.2")
            # Where the HTTP library knows no such spelling, nobody is asked who it is.
            reason = "InvalidURL" if short != "git" and name in _UNUSUAL else "AddressRefused"
            yield _attack(f"address-{short}-{name}", f"{kind} at {shown}", make(host), kind=kind, reason=reason)


def _redirects() -> Iterator[Row]:
    for name, target, reason in (
        ("loopback", "http://@refused@/x", "AddressRefused"),
        ("metadata", "http://169.254.169.254/latest/meta-data", "AddressRefused"),
        ("decimal", "http://2852039166/latest", "InvalidURL"),
        ("file", "file://@outside@", "InvalidURL"),
        ("gopher", "gopher://@refused@/x", "InvalidURL"),
    ):
        for short, kind, page in (
            ("git", "GitRepository", "/{}.git/info/refs"),
            ("oci", "OCIRepository", "/v2/{}/manifests/latest"),
            ("helm", "HelmRepository", "/{}/index.yaml"),
        ):
            what = f"{kind} that redirects to {target.replace('@refused@', '127.0.0.2').replace('@outside@', '/…')}"
            lay = _redirecting(short, page, target)
            yield _attack(
                f"redirect-{short}-{name}", what, lay, kind=kind, reason="Redirected" if short == "git" else reason
            )
    for short, kind, page in (
        ("oci", "OCIRepository", "/v2/{}/manifests/latest"),
        ("helm", "HelmRepository", "/{}/index.yaml"),
    ):
        yield _attack(
            f"redirect-{short}-circle",
            f"{kind} that redirects to itself",
            _redirecting(short, page, "@web@" + page.format("@name@")),
            kind=kind,
            reason="Redirected",
        )


def _redirecting(short: str, page: str, target: str) -> Lay:
    def lay(ground: Ground) -> Iterable[Body]:
        headers = {"Location": ground.filled(target)}
        ground.web.routes[page.format(ground.name)] = Page(status=302, headers=headers)
        return _source(short)(ground)

    return lay


def _source(short: str) -> Lay:
    made = {
        "git": git_source(url="@web@/@name@.git"),
        "oci": oci_source(url="oci://@web-host@/@name@"),
        "helm": helm_source(url="@web@/@name@"),
    }
    return made[short]


def _detours() -> Iterator[Row]:
    yield _attack(
        "detour-chart",
        "a chart whose index says that it lies at such an address",
        _chart_at("http://@refused@/c.tgz"),
        kind="Application",
    )
    yield _attack(
        "detour-chart-file",
        "a chart whose index says that it lies at file://",
        _chart_at("file://@outside@"),
        kind="Application",
        reason="InvalidURL",
    )
    yield _attack(
        "detour-token", "a registry that sends for a token to such an address", _token_at, kind="OCIRepository"
    )
    for scheme in ("http", "https", "socks5"):
        yield _attack(
            f"detour-proxy-{scheme}",
            f"a proxy ({scheme}) at such an address",
            _through_proxy(f"{scheme}://@refused@"),
            kind="GitRepository",
        )
    yield _attack("detour-ssh", "ssh to such an address", _over_ssh, kind="GitRepository")
    yield _attack("detour-app", "GitHub's API at such an address", _github_app, kind="GitRepository")
    dependency = (
        "apiVersion: v2\nname: c\nversion: 0.1.0\n"
        "dependencies: [{name: d, version: 1.0.0, repository: 'http://@refused@'}]\n"
    )
    lock = "dependencies: [{name: d, version: 1.0.0, repository: 'http://@refused@'}]\ndigest: x\ngenerated: x\n"
    yield _attack(
        "detour-dependency",
        "a chart in Git that depends on a repository at such an address",
        files({"app/Chart.yaml": dependency, "app/Chart.lock": lock, "app/templates/a.yaml": CONFIG_MAP}),
        kind="Application",
    )
    yield Elsewhere(
        replays=_REPLAYS,
        what="Names that change their mind between the look and the connection, for git, ssh, proxies and GitHub's "
        "API; no test can have the machine's resolver do so",
        tests=(
            "tests/integration/git/test_addresses.py::test_a_name_that_changes_its_mind_has_no_effect",
            "tests/integration/git/test_addresses.py::test_nor_has_a_proxy_that_does",
            "tests/integration/git/test_addresses.py::test_nor_has_githubs_api",
        ),
    )


def _chart_at(url: str) -> Lay:
    def lay(ground: Ground) -> list[Body]:
        entries = {"c": [{"name": "c", "version": "1.0.0", "urls": [ground.filled(url)]}]}
        page = Page(json.dumps({"apiVersion": "v1", "entries": entries}).encode())
        ground.web.routes[f"/{ground.name}/index.yaml"] = page
        return [*_source("helm")(ground), ground.application(kind="HelmRepository", chart={"name": "c"})]

    return lay


def _token_at(ground: Ground) -> Iterable[Body]:
    challenge = ground.filled('Bearer realm="http://@refused@/token",service="x",scope="y"')
    ground.web.routes[f"/v2/{ground.name}/manifests/latest"] = Page(status=401, headers={"WWW-Authenticate": challenge})
    return _source("oci")(ground)


def _through_proxy(address: str) -> Lay:
    def lay(ground: Ground) -> list[Body]:
        name = f"{ground.name}-proxy"
        secret = ground.secret(name, address=address, username="bob", password=PASSWORD)
        return [secret, *git_source(url="@git@/plain.git", proxySecretRef={"name": name})(ground)]

    return lay


def _over_ssh(ground: Ground) -> list[Body]:
    key = ground.ssh.folder / "host_key"
    secret = ground.secret(f"{ground.name}-key", identity=key.read_text(), known_hosts=ground.ssh.known_hosts())
    return [secret, *git_source(url="ssh://git@@refused@/x.git", secretRef={"name": f"{ground.name}-key"})(ground)]


def _github_app(ground: Ground) -> list[Body]:
    name = f"{ground.name}-app"
    key = (ground.ssh.folder / "app.pem").read_text()
    base = "https://@refused@/api/v3"
    secret = ground.secret(
        name, githubAppID="1", githubAppInstallationID="2", githubAppPrivateKey=key, githubAppBaseURL=base
    )
    spec = {"url": "https://127.0.0.1:1/x.git", "interval": INTERVAL, "provider": "github", "secretRef": {"name": name}}
    return [secret, ground.body("GitRepository", spec)]


ROWS: Final[tuple[Row, ...]] = (*_direct(), *_redirects(), *_detours())
STRICT_HOSTS: Final = ("localhost", "127.0.0.1", "127.1", "2130706433", "[::ffff:127.0.0.1]", "[::1]", "0x7f.1")
"""Spellings of loopback itself, refused where no network is allowed; the first is a name."""
