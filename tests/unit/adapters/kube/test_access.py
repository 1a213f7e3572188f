from pathlib import Path

import pytest
import yaml

from trimtab.adapters.kube import access
from trimtab.adapters.kube.access import AccessError, open_access

TOKEN = {"token": "letmein"}


def write(folder: Path, user: dict = TOKEN, *, name: str = "kubeconfig", cluster: dict | None = None) -> str:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "one",
        "contexts": [
            {"name": "one", "context": {"cluster": "c", "user": "u"}},
            {"name": "two", "context": {"cluster": "c", "user": "u", "namespace": "shop"}},
        ],
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1/", **(cluster or {})}}],
        "users": [{"name": "u", "user": user}],
    }
    path = folder / name
    path.write_text(yaml.safe_dump(config))
    return str(path)


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the user's kubeconfig nor a pod's service account is in reach."""
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(access, "SERVICE_ACCOUNT", tmp_path / "no-service-account")


async def test_a_context_gives_address_namespace_and_token(tmp_path: Path) -> None:
    path = write(tmp_path)

    one = await open_access(kubeconfig=path)
    two = await open_access(kubeconfig=path, context="two")

    assert (one.host, one.namespace, two.namespace) == ("https://127.0.0.1:1", "default", "shop")
    assert await one.authorization() == "Bearer letmein"
    assert "letmein" not in repr(one)


async def test_the_default_places_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AccessError, match="no cluster is configured"):
        await open_access()
    (tmp_path / "home" / ".kube").mkdir(parents=True)
    write(tmp_path / "home" / ".kube", name="config")
    at_home = await open_access()
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'absent'}:{write(tmp_path, {'token': 'second'})}")
    by_environment = await open_access()

    assert await at_home.authorization() == "Bearer letmein"
    assert await by_environment.authorization() == "Bearer second"


async def test_a_token_is_read_again_when_it_was_refused(tmp_path: Path) -> None:
    path = write(tmp_path)
    opened = await open_access(kubeconfig=path)

    write(tmp_path, {"token": "renewed"})
    await opened.renew()

    assert await opened.authorization() == "Bearer renewed"


@pytest.mark.parametrize("plugin", [{"exec": {"command": "aws", "apiVersion": "v1"}}, {"auth-provider": {"name": "x"}}])
async def test_a_kubeconfig_may_start_no_program(tmp_path: Path, plugin: dict) -> None:
    with pytest.raises(AccessError, match="wants to run a credential plugin"):
        await open_access(kubeconfig=write(tmp_path, plugin))


def plugin(folder: Path, token: str) -> dict:
    """A credential plugin that gives this token, once more each time it is asked."""
    version = "client.authentication.k8s.io/v1"
    script = folder / "plugin"
    credential = f'{{"apiVersion":"{version}","kind":"ExecCredential","status":{{"token":"{token}"}}}}'
    script.write_text(f"#!/bin/sh\necho '{credential}'\n")
    script.chmod(0o755)
    return {"exec": {"command": str(script), "apiVersion": version, "interactiveMode": "Never"}}


async def test_the_users_own_plugin_is_asked(tmp_path: Path) -> None:
    path = write(tmp_path, plugin(tmp_path, "from-plugin"))
    opened = await open_access(kubeconfig=path, allow_plugins=True)
    first = await opened.authorization()
    plugin(tmp_path, "renewed")
    await opened.renew()

    assert first == "Bearer from-plugin"
    assert await opened.authorization() == "Bearer renewed"


async def test_a_plugin_that_gives_nothing_is_told(tmp_path: Path) -> None:
    broken = {"exec": {"command": "/bin/false", "apiVersion": "client.authentication.k8s.io/v1"}}

    with pytest.raises(AccessError, match="gave nothing"):
        await open_access(kubeconfig=write(tmp_path, broken), allow_plugins=True)


async def test_an_expired_plugin_token_is_fetched_anew(tmp_path: Path) -> None:
    version = "client.authentication.k8s.io/v1"
    script = tmp_path / "plugin"
    calls = tmp_path / "calls"
    status = '{"token":"t$(wc -l < %s)","expirationTimestamp":"2001-01-01T00:00:00Z"}' % calls  # noqa: UP031
    script.write_text(
        f"#!/bin/sh\necho >> {calls}\ncat <<E\n"
        f'{{"apiVersion":"{version}","kind":"ExecCredential","status":{status}}}\nE\n'
    )
    script.chmod(0o755)
    user = {"exec": {"command": str(script), "apiVersion": version}}

    opened = await open_access(kubeconfig=write(tmp_path, user), allow_plugins=True)

    assert [await opened.authorization() for _ in range(2)] == ["Bearer t2", "Bearer t3"]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "of no use"),
        ("a: b: c: letmein", "of no use: ScannerError"),
        ("current-context: absent\ncontexts: []\nclusters: []", "absent"),
        ("[]", "of no use"),
    ],
)
async def test_a_broken_kubeconfig_is_named_and_not_quoted(tmp_path: Path, text: str, what: str) -> None:
    path = tmp_path / "broken"
    path.write_text(text)

    with pytest.raises(AccessError, match=what) as refused:
        await open_access(kubeconfig=str(path))

    assert str(path) in str(refused.value)
    assert "letmein" not in str(refused.value)


async def test_a_missing_kubeconfig_is_named(tmp_path: Path) -> None:
    with pytest.raises(AccessError, match="absent does not exist"):
        await open_access(kubeconfig=str(tmp_path / "absent"))


async def test_broken_certificates_are_told(tmp_path: Path) -> None:
    with pytest.raises(AccessError, match="of no use"):
        await open_access(kubeconfig=write(tmp_path, cluster={"certificate-authority-data": "bm8gY2VydGlmaWNhdGU="}))


async def test_the_environments_proxy_is_taken_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.test:3128")
    proxied = (await open_access(kubeconfig=write(tmp_path))).open_session()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    direct = (await open_access(kubeconfig=write(tmp_path))).open_session()
    own = write(tmp_path, cluster={"proxy-url": "http://own.example.test"})
    asked = (await open_access(kubeconfig=own)).open_session()

    assert str(proxied._default_proxy) == "http://proxy.example.test:3128"
    assert direct._default_proxy is None
    assert str(asked._default_proxy) == "http://own.example.test"
    assert not proxied.trust_env
    for session in (proxied, direct, asked):
        await session.close()


@pytest.fixture
def pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as the kubelet mounts it."""
    folder = tmp_path / "serviceaccount"
    folder.mkdir()
    (folder / "token").write_text("of-the-pod")
    (folder / "namespace").write_text("trimtab-system\n")
    (folder / "ca.crt").write_text("no certificate")
    monkeypatch.setattr(access, "SERVICE_ACCOUNT", folder)
    incluster = "kubernetes.aio.config.incluster_config"
    monkeypatch.setattr(f"{incluster}.SERVICE_TOKEN_FILENAME", str(folder / "token"))
    monkeypatch.setattr(f"{incluster}.SERVICE_CERT_FILENAME", str(folder / "ca.crt"))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    return folder


async def test_a_broken_service_account_is_told(pod: Path) -> None:
    with pytest.raises(AccessError, match=r"the credentials for https://10\.0\.0\.1:443"):
        await open_access()
    (pod / "token").write_text("")
    with pytest.raises(AccessError, match="the pod's service account is of no use"):
        await open_access()
