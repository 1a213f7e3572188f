"""Canaries in every kind of credential and in values that are kept from others, while each stage works and fails.

Git over http with a password and with a token, over TLS with a client's key, over ssh with a passphrase, as a GitHub
App, through proxies; registries and chart repositories; keys of SOPS and what they open; values out of Secrets.
"""

import base64
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pytest
from tests.e2e.canaries import Canaries, Processes, contents
from tests.fixtures.cluster import Kubectl, wait_for
from tests.fixtures.controller import Trimtab
from tests.fixtures.git_server import Authority, RunningServer
from tests.fixtures.github import AppKey, GitHubApi
from tests.fixtures.keyring import Keyring
from tests.fixtures.lab import Lab
from tests.fixtures.oci_registry import PASSWORD as REGISTRY_PASSWORD
from tests.fixtures.oci_registry import USERNAME as REGISTRY_USER
from tests.fixtures.oci_registry import digest_of, tgz
from tests.fixtures.proxies import HttpProxy, SocksProxy
from tests.fixtures.ssh_server import SshKey, SshServer
from tests.fixtures.web_server import Asked, Page, WebServer
from tests.integration.trust.conftest import Safe

from trimtab.localcluster.assets import Finder

CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\ndata: {key: value}\n"
CHART = {"web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n", "web/templates/a.yaml": CONFIG_MAP % "web"}
SOURCES = {
    "basic": "tgit",
    "bearer": "tgit",
    "tls": "tgit",
    "ssh": "tgit",
    "app": "tgit",
    "registry": "toci",
    "docker": "toci",
    "charts": "thelm",
}


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder for temporary files that nobody else writes to, and sops on the search path."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    programs = Finder.from_environment().find(["sops"])
    monkeypatch.setenv("PATH", f"{programs['sops'].parent}:{os.environ['PATH']}")


@pytest.fixture
def keyring() -> Iterator[Keyring]:
    # A socket's path must be short.
    home = Path(tempfile.mkdtemp(prefix="tt-", dir="/dev/shm"))
    ring = Keyring(home)
    yield ring
    ring.end()
    shutil.rmtree(home)


@pytest.fixture
def safe(tmp_path: Path) -> Safe:
    programs = Finder.from_environment().find(["sops", "age-keygen"])
    (tmp_path / "safe").mkdir()
    return Safe(programs["sops"], programs["age-keygen"], tmp_path / "safe")


@dataclass
class Stage:
    """The lab with everything declared."""

    lab: Lab
    canaries: Canaries
    secrets: dict[str, dict[str, str]]

    def put(self, name: str, **texts: str) -> None:
        """Create or change a Secret."""
        self.secrets[name] = texts
        metadata = {"name": name, "namespace": self.lab.namespace}
        body = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": texts}
        self.lab.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=json.dumps(body))

    def git(self, name: str, url: str, **spec: Any) -> None:
        """A GitRepository with a Secret of its name, and an Application of it."""
        self.lab.declare(
            "GitRepository",
            name,
            {"url": url, "interval": "10m", "secretRef": {"name": name}, "timeout": "30s", **spec},
        )
        self.lab.application(name, name, "app", targetNamespace=self.lab.namespace)

    def spoil(self) -> None:
        """Every secret by which somebody logs in becomes another one, as secret as the first."""
        for name, texts in list(self.secrets.items()):
            wrong = {
                key: self._wrong(key, value)
                for key, value in texts.items()
                if key in {"password", "bearerToken", "githubAppPrivateKey", ".dockerconfigjson"}
            }
            self.put(name, **(texts | wrong))

    def _wrong(self, key: str, value: str) -> str:
        if key == "githubAppPrivateKey":
            return self.canaries.key("another App's key", AppKey.make().private)
        if key == ".dockerconfigjson":
            return value.replace(REGISTRY_PASSWORD, self.canaries.make("a wrong registry password"))
        return self.canaries.make(f"a wrong {key}")


@pytest.mark.timeout(1200)
def test_no_credential_is_found_anywhere(
    lab: Lab,
    kubectl: Kubectl,
    tmp_path: Path,
    git_authority: Authority,
    start_registry: Any,
    start_web: Any,
    keyring: Keyring,
    safe: Safe,
):
    begun = time.time() - 1
    canaries = Canaries()
    stage = Stage(lab, canaries, {})
    processes = Processes(lab.controller.pid)
    processes.start()

    def search(when: str) -> None:
        places = _told(lab, kubectl) | processes.places() | _files(tmp_path, begun)
        assert not canaries.found(places), f"{when}:\n" + "\n\n".join(canaries.found(places))

    with _Servers(tmp_path, canaries, git_authority) as servers:
        servers.declare(stage)
        _registries(stage, start_registry)
        _charts(stage, start_web())
        for name, kind in SOURCES.items():
            lab.wait_condition(name, "Ready", of=kind, timeout_seconds=90)
            if kind != "thelm":
                lab.wait_condition(name, "Ready", timeout_seconds=90)
        search("all sources are there")

        _values(stage, safe, keyring)
        search("values are decrypted, put in and rendered, or refused")

        stage.spoil()
        for name, kind in SOURCES.items():
            lab.poke(name, kind)
            lab.wait_condition(name, "Ready", "False", of=kind, timeout_seconds=90)
        search("all credentials are wrong")

    for name, kind in SOURCES.items():
        lab.poke(name, kind)
    wait_for(
        lambda: lab.condition("bearer", "Ready", of="tgit").get("reason") == "ConnectionFailed", timeout_seconds=60
    )
    shown = Trimtab(lab.cluster, lab.namespace)
    words = [shown.run(*each) for each in (("get",), ("get", "opened", "--errors"), ("diff", "opened"), ("drift",))]
    lab.controller.stop()
    processes.stop()
    search("all servers are gone")
    assert not canaries.found({"what the verbs print": "\n".join(each.stdout + each.stderr for each in words)})
    assert not processes.open_environments
    assert {"git", "ssh", "kustomize", "helm", "sops"} <= processes.environments.keys(), processes.environments.keys()
    assert list((tmp_path / "temporary").iterdir()) == []
    carried = {"environment": "\n".join(each for variables in processes.environments.values() for each in variables)}
    assert canaries.found(carried), "the watch sees what travels to git"


class _Servers:
    """Git in five ways, each asking for a secret of its own."""

    def __init__(self, folder: Path, canaries: Canaries, authority: Authority) -> None:
        self._canaries = canaries
        self._authority = authority
        for name in ("basic", "bearer", "tls", "app", "keys"):
            (folder / name).mkdir()
        self._passwords = {name: canaries.make(f"the password of {name}") for name in ("basic", "bearer", "tls")}
        self._token = canaries.make("an App's token")
        self._app = AppKey.make()
        self._passphrase = canaries.make("a passphrase")
        self._key = SshKey.make(folder / "keys" / "id", passphrase=self._passphrase)
        self._proxy_password = canaries.make("a proxy's password")
        self._basic = RunningServer(folder / "basic", username="bob", password=self._passwords["basic"])
        self._bearer = RunningServer(folder / "bearer", token=self._passwords["bearer"])
        self._tls = RunningServer(
            folder / "tls", username="bob", password=self._passwords["tls"], tls=authority.demanding
        )
        self._hub = RunningServer(
            folder / "app", username="x-access-token", password=self._token, tls=authority.context
        )
        self._ssh = SshServer(folder / "sshd")
        self._api = GitHubApi(authority.context, self._app.public)
        self._api.behaviour.token = self._token
        self._http_proxy = HttpProxy(username="squid", password=self._proxy_password)
        self._socks_proxy = SocksProxy(username="squid", password=self._proxy_password)
        self._all = (
            self._basic, self._bearer, self._tls, self._hub, self._ssh, self._api, self._http_proxy, self._socks_proxy
        )  # fmt: skip

    def __enter__(self) -> Self:
        for server in self._all:
            server.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._all:
            server.__exit__(None, None, None)

    def declare(self, stage: Stage) -> None:
        """All of them, with the right secrets."""
        key = self._canaries.key
        self._ssh.authorize(self._key)
        login = {"username": "squid", "password": self._proxy_password}
        stage.put("http-proxy", address=self._http_proxy.address, **login)
        stage.put("socks-proxy", address=self._socks_proxy.address, **login)
        stage.put("basic", username="bob", password=self._passwords["basic"])
        stage.put("bearer", bearerToken=self._passwords["bearer"])
        certificate, private = self._authority.client
        stage.put(
            "tls",
            username="bob",
            password=self._passwords["tls"],
            **{"ca.crt": self._authority.pem, "tls.crt": certificate, "tls.key": key("a client's key", private)},
        )
        stage.put(
            "ssh",
            identity=key("an SSH key", self._key.private),
            password=self._passphrase,
            known_hosts=self._ssh.known_hosts(),
        )
        stage.put(
            "app",
            githubAppID="1234",
            githubAppInstallationID="5678",
            githubAppPrivateKey=key("an App's key", self._app.private),
            githubAppBaseURL=self._api.url,
            **{"ca.crt": self._authority.pem},
        )
        proxies = {"tls": "http-proxy", "ssh": "socks-proxy"}
        made = {
            "basic": self._basic.repository(),
            "bearer": self._bearer.repository(),
            "tls": self._tls.repository(),
            "ssh": self._ssh.repository(),
            "app": self._hub.repository(),
        }
        for name, repository in made.items():
            repository.commit({"app/a.yaml": CONFIG_MAP % f"from-{name}"})
            proxy = {"proxySecretRef": {"name": proxies[name]}} if name in proxies else {}
            stage.git(name, repository.url, **proxy)


def _registries(stage: Stage, start_registry: Any) -> None:
    registry = start_registry(passwords=True)
    stage.canaries.known[REGISTRY_PASSWORD] = "a registry's password"
    both = base64.b64encode(f"{REGISTRY_USER}:{REGISTRY_PASSWORD}".encode()).decode()
    config = {"auths": {registry.host: {"username": REGISTRY_USER, "password": REGISTRY_PASSWORD, "auth": both}}}
    stage.put("registry", username=REGISTRY_USER, password=REGISTRY_PASSWORD)
    stage.put("docker", **{".dockerconfigjson": json.dumps(config)})
    for name in ("registry", "docker"):
        registry.push_files(name, "latest", {"app/a.yaml": CONFIG_MAP % f"from-{name}"})
        spec = {
            "url": f"oci://{registry.host}/{name}",
            "insecure": True,
            "interval": "10m",
            "secretRef": {"name": name},
        }
        stage.lab.declare("OCIRepository", name, spec)
        stage.lab.declare(
            "Application",
            name,
            {"sourceRef": {"kind": "OCIRepository", "name": name}, "path": "app", "prune": True},
        )


def _charts(stage: Stage, web: WebServer) -> None:
    password = stage.canaries.make("a chart repository's password")
    wanted = f"Basic {base64.b64encode(f'ann:{password}'.encode()).decode()}"
    packed = tgz(CHART)
    entry = {"version": "1.0.0", "urls": ["web.tgz"], "digest": digest_of(packed).removeprefix("sha256:")}
    pages = {
        "/index.yaml": Page(json.dumps({"apiVersion": "v1", "entries": {"web": [entry]}}).encode()),
        "/web.tgz": Page(packed),
    }

    def guarded(asked: Asked) -> Page:
        if asked.authorization != wanted:
            return Page(f"you said {asked.authorization}".encode(), 401, {"WWW-Authenticate": "Basic realm=x"})
        return pages[asked.path]

    web.routes |= dict.fromkeys(pages, guarded)
    stage.put("charts", username="ann", password=password)
    stage.lab.declare("HelmRepository", "charts", {"url": web.url, "interval": "10m", "secretRef": {"name": "charts"}})


def _values(stage: Stage, safe: Safe, keyring: Keyring) -> None:
    """Values out of Secrets and out of SOPS, in builds that work and in builds that fail at each step."""
    lab, canaries = stage.lab, stage.canaries
    recipient, age = safe.age()
    pgp = keyring.make_for_encryption("Ada <ada@example.org>")
    stage.put(
        "keys",
        **{
            "a.agekey": canaries.key("an age key", age.decode()),
            "b.asc": canaries.key("a PGP key", keyring.secret(pgp).decode()),
        },
    )
    value = canaries.make("a value in a Secret")
    stage.put("values", SECRET=value, **{"values.yaml": f"secret: {value}\n"})

    def sealed(text: str, **who: Any) -> str:
        return safe.encrypt(text, also=("--encrypted-regex", "^(data|stringData)$"), **who)

    def secret(what: str, **more: Any) -> str:
        body = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "x"},
            "stringData": {"a": canaries.make(what)},
        }
        return json.dumps(body | more)

    age_sealed = sealed(secret("what age opens", metadata={"name": "by-age"}), age=recipient)
    tampered = age_sealed.replace("ENC[AES256_GCM,data:", "ENC[AES256_GCM,data:AAAA", 1)
    no_mapping = {"stringData": [canaries.make("no mapping")]}
    quoted = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${SECRET}/x}\n"
    files = {
        "opened/age.yaml": age_sealed,
        "opened/pgp.yaml": sealed(
            secret("what PGP opens", metadata={"name": "by-pgp"}), pgp=pgp, gnupg=keyring.home
        ),
        "opened/kustomization.yaml": "resources: [age.yaml, pgp.yaml]\n",
        "tampered/a.yaml": tampered,
        "broken/a.yaml": sealed(secret("x", **no_mapping), age=recipient),
        "patched/kustomization.yaml": "resources: [a.yaml]\npatches: [{path: p.yaml}]\n",
        "patched/a.yaml": CONFIG_MAP % "patched",
        "patched/p.yaml": sealed(secret("a patch", kind="ConfigMap", metadata={"name": "nobody"}), age=recipient),
        "substituted/a.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {key: '${SECRET}!'}\n",
        "quoted/a.yaml": quoted,
        "chart/Chart.yaml": CHART["web/Chart.yaml"],
        "chart/templates/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"
        'data: {{ fail (printf "no %s" .Values.secret) }}\n',
        "chart-yaml/Chart.yaml": CHART["web/Chart.yaml"],
        "chart-yaml/templates/a.yaml": "apiVersion: v1\nkind: {{ .Values.secret }}: {{ .Values.secret }}\n",
        "refused/a.yaml": sealed(secret("a refused value", type="kubernetes.io/tls"), age=recipient),
    }  # fmt: skip
    lab.repository("fleet", files)
    decryption = {"provider": "sops", "secretRef": {"name": "keys"}}
    substitution = {"substituteFrom": [{"kind": "Secret", "name": "values"}]}
    helm = {"valuesFrom": [{"kind": "Secret", "name": "values"}]}
    for name in ("opened", "tampered", "broken", "patched", "refused"):
        lab.application(name, "fleet", name, targetNamespace=lab.namespace, decryption=decryption)
    for name in ("substituted", "quoted"):
        lab.application(name, "fleet", name, targetNamespace=lab.namespace, postBuild=substitution)
    for name in ("chart", "chart-yaml"):
        lab.application(name, "fleet", name, targetNamespace=lab.namespace, helm=helm)
    lab.wait_condition("opened", "Ready", timeout_seconds=90)
    failing = ("tampered", "broken", "patched", "refused", "substituted", "quoted", "chart", "chart-yaml")
    for name in failing:
        lab.wait_condition(name, "Ready", "False", timeout_seconds=90)


def _told(lab: Lab, kubectl: Kubectl) -> dict[str, str]:
    """What somebody sees who may read all but Secrets."""
    kinds = "applications,gitrepositories,ocirepositories,helmrepositories,inventories,events,configmaps"
    return {
        "our kinds, Events, ConfigMaps": kubectl(
            "get", kinds, "-n", lab.namespace, "-o", "json", "--show-managed-fields"
        ),
        "log": lab.controller.log(),
        **({"metrics": lab.controller.metrics()} if lab.controller.running else {}),
    }


def _files(folder: Path, begun: float) -> dict[str, str]:
    """All files of the controller, and those that came into the system's folders meanwhile."""
    own = contents([folder / "controller", folder / "temporary"])
    base = folder.parent.parent
    return own | contents([Path("/tmp"), Path("/dev/shm")], since=begun, without=[base])
