import asyncio
import base64
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import yaml
from aiohttp import web
from tests.fixtures.cluster import Kubectl
from tests.fixtures.fault_proxy import FaultProxy, fault_proxy
from tests.integration.kube.sink import until

from trimtab.adapters.kube import access as access_module
from trimtab.adapters.kube.access import Access, open_access
from trimtab.adapters.kube.connection import Connection, Request
from trimtab.adapters.kube.discovery import Discovery
from trimtab.core.api_error import ApiError
from trimtab.localcluster import Cluster

VERSION = Request("GET", "/version", verb="get", resource="version")


@pytest.fixture
async def proxied(cluster: Cluster) -> AsyncIterator[tuple[FaultProxy, Access]]:
    async with fault_proxy(await open_access(kubeconfig=str(cluster.kubeconfig_path))) as through:
        yield through


def times(count: int, answer: web.Response):
    """A fault for the next so many requests; a response object can be sent once only."""
    left = count

    def fault(_: web.Request) -> web.Response | None:
        nonlocal left
        left -= 1
        return web.Response(status=answer.status, text=answer.text, headers=answer.headers) if left >= 0 else None

    return fault


async def test_requests_are_counted_with_their_code(proxied: tuple[FaultProxy, Access]) -> None:
    proxy, access = proxied
    counted: list[tuple[str, str, int]] = []
    async with Connection(access, on_request=lambda *told: counted.append(told[:3])) as connection:
        await connection.send(VERSION)
        with pytest.raises(ApiError):
            await connection.send(Request("GET", "/absent", resource="absent"))
        proxy.fault = times(1, web.Response(status=500, text="oops"))
        with pytest.raises(ApiError, match="oops"):
            await connection.send(VERSION)

    assert counted == [("get", "version", 200), ("get", "absent", 404), ("get", "version", 500)]


async def test_what_the_server_pushes_back_is_sent_again_as_told(proxied: tuple[FaultProxy, Access]) -> None:
    proxy, access = proxied
    loop = asyncio.get_running_loop()
    async with Connection(access) as connection:
        proxy.fault = times(2, web.Response(status=429, text="Too many requests", headers={"Retry-After": "0.2"}))
        began = loop.time()
        version = await connection.send(VERSION)
        took_seconds = loop.time() - began

        proxy.fault = times(99, web.Response(status=429, text="Too many requests", headers={"Retry-After": "0.05"}))
        with pytest.raises(ApiError) as refused:
            await connection.send(VERSION)

    assert version["major"] == "1"
    assert took_seconds >= 0.4
    assert refused.value.status == 429
    assert len(proxy.requests) == 6


async def test_an_overload_holds_everybody_back(proxied: tuple[FaultProxy, Access]) -> None:
    proxy, access = proxied
    async with Connection(access) as connection:
        proxy.fault = times(1, web.Response(status=429, text="Too many requests", headers={"Retry-After": "2"}))
        pushed_back = asyncio.create_task(connection.send(VERSION))
        await until(lambda: len(proxy.requests) == 1)
        await asyncio.sleep(0.3)
        other = asyncio.create_task(connection.send(VERSION))
        await asyncio.sleep(0.3)
        assert len(proxy.requests) == 1
        await asyncio.gather(pushed_back, other)

    assert len(proxy.requests) == 3


async def test_no_more_requests_are_in_flight_than_allowed(proxied: tuple[FaultProxy, Access]) -> None:
    proxy, access = proxied
    async with Connection(access, max_in_flight=3) as connection:
        proxy.flowing.clear()
        tasks = [asyncio.create_task(connection.send(VERSION)) for _ in range(10)]
        await until(lambda: len(proxy.requests) >= 3)
        await asyncio.sleep(0.3)
        assert len(proxy.requests) == 3
        proxy.flowing.set()
        await asyncio.gather(*tasks)

    assert len(proxy.requests) == 10


async def test_a_black_hole_ends_in_time(proxied: tuple[FaultProxy, Access]) -> None:
    proxy, access = proxied
    counted: list[int] = []
    async with Connection(access, timeout_seconds=0.3, on_request=lambda *told: counted.append(told[2])) as connection:
        proxy.flowing.clear()
        with pytest.raises(ApiError) as refused:
            await connection.send(VERSION)

        proxy.answering.clear()
        with pytest.raises(ApiError, match="no answer") as never_begun:
            async with connection.stream(VERSION, idle_seconds=60):
                pass

    assert (refused.value.status, refused.value.reason) == (0, "Timeout")
    assert refused.value.transient
    assert "no answer within 0.3 s" in refused.value.message
    assert never_begun.value.reason == "Timeout"
    assert counted == [0, 0]


async def test_a_server_that_is_not_there_is_named() -> None:
    async def nothing() -> None:
        return None

    access = Access("http://127.0.0.1:9", "default", nothing, nothing, aiohttp.ClientSession)
    async with Connection(access) as connection:
        with pytest.raises(ApiError, match=r"127\.0\.0\.1:9 cannot be reached") as refused:
            await connection.send(VERSION)

    assert (refused.value.status, refused.value.reason) == (0, "Unreachable")


async def test_redirects_are_not_followed(proxied: tuple[FaultProxy, Access]) -> None:
    proxy, access = proxied
    async with Connection(access) as connection:
        proxy.fault = times(1, web.Response(status=307, headers={"Location": "http://169.254.169.254/"}))
        with pytest.raises(ApiError) as refused:
            await connection.send(VERSION)

    assert refused.value.status == 307


async def test_refused_credentials_are_read_again_once(proxied: tuple[FaultProxy, Access]) -> None:
    proxy, through = proxied
    renewed = 0

    async def renew() -> None:
        nonlocal renewed
        renewed += 1

    access = Access(through.host, "default", through.authorization, renew, through.open_session)
    async with Connection(access) as connection:
        proxy.fault = times(1, web.Response(status=401, text="Unauthorized"))
        await connection.send(VERSION)
        proxy.fault = times(1, web.Response(status=401, text="Unauthorized"))
        with pytest.raises(ApiError) as refused:
            await connection.send(VERSION)

    assert renewed == 1
    assert refused.value.status == 401


async def test_a_token_works_and_no_key_stays_on_disk(
    cluster: Cluster, namespace: str, kubectl: Kubectl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    own = yaml.safe_load(cluster.kubeconfig_path.read_text())
    assert own["clusters"][0]["cluster"]["certificate-authority-data"]
    token = kubectl("create", "token", "default", "-n", namespace).strip()
    own["users"] = [{"name": user["name"], "user": {"token": token}} for user in own["users"]]
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(own))

    for _ in range(2):
        async with Connection(await open_access(kubeconfig=str(path))) as connection:
            review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
            who = await connection.send(
                Request("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", body=review)
            )
            assert who["status"]["userInfo"]["username"] == f"system:serviceaccount:{namespace}:default"

    assert list(scratch.iterdir()) == []


async def test_a_pods_service_account_works_and_is_read_again(
    cluster: Cluster, namespace: str, kubectl: Kubectl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = yaml.safe_load(cluster.kubeconfig_path.read_text())["clusters"][0]["cluster"]
    (tmp_path / "ca.crt").write_bytes(base64.b64decode(own["certificate-authority-data"]))
    (tmp_path / "namespace").write_text(namespace)
    (tmp_path / "token").write_text("expired")
    host, _, port = own["server"].removeprefix("https://").partition(":")
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", host)
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", port)
    monkeypatch.setattr(access_module, "SERVICE_ACCOUNT", tmp_path)
    monkeypatch.setattr("kubernetes.aio.config.incluster_config.SERVICE_TOKEN_FILENAME", str(tmp_path / "token"))
    monkeypatch.setattr("kubernetes.aio.config.incluster_config.SERVICE_CERT_FILENAME", str(tmp_path / "ca.crt"))

    async with Connection(await open_access()) as connection:
        (tmp_path / "token").write_text(kubectl("create", "token", "default", "-n", namespace).strip())
        await connection.send(Request("GET", "/apis"))

        assert connection.namespace == namespace
        assert connection.host == own["server"]


async def test_discovery_falls_back_to_one_document_per_version(proxied: tuple[FaultProxy, Access]) -> None:
    proxy, access = proxied
    async with Connection(access) as connection:
        aggregated = await Discovery(connection).catalogue()
        proxy.accept = "application/json"
        proxy.fault = lambda request: web.Response(status=503) if request.path == "/apis/batch/v1" else None
        classic = await Discovery(connection).catalogue()

    assert classic.stale == {"batch/v1"}
    without_batch = {key: served for key, served in aggregated.types.items() if key[:2] != ("batch", "v1")}
    assert classic.types == without_batch


async def test_questions_about_unknown_kinds_share_a_look(proxied: tuple[FaultProxy, Access]) -> None:
    proxy, access = proxied
    async with Connection(access) as connection:
        discovery = Discovery(connection)
        answers = await asyncio.gather(*(discovery.served("absent", "v1", f"Kind{n}") for n in range(50)))
        before = len(proxy.requests)
        known = await discovery.served("apps", "v1", "Deployment")

    assert set(answers) == {None}
    assert before <= 6
    assert len(proxy.requests) == before
    assert known is not None
    assert known.plural == "deployments"
