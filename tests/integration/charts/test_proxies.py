"""Charts and artifacts through proxies (http, https and socks5), with a login, within the rule of addresses."""

import pytest
import yaml
from tests.fixtures.git_server import Authority
from tests.fixtures.oci_registry import LAYER, digest_of, tgz
from tests.fixtures.proxies import HttpProxy, SocksProxy
from tests.fixtures.web_server import Page

from trimtab.adapters.charts.repositories import HttpChartRepositories
from trimtab.adapters.http.pinning import no_link_local
from trimtab.adapters.oci.sources import OciSources
from trimtab.adapters.process.signatures import ProcessVerifier
from trimtab.api.oci_repository import OciRepositorySpec
from trimtab.core.errors import SourceError
from trimtab.reconcile.ports.downloads import Access
from trimtab.source.proxy import Proxy

SECONDS = 60.0
LOGIN = {"username": "px", "password": "proxy-canary"}
KINDS = ["http", "https", "socks5"]


@pytest.fixture
def authority(tmp_path):
    (tmp_path / "proxy").mkdir()
    return Authority.make(tmp_path / "proxy")


@pytest.fixture(params=KINDS)
def proxy(request, authority):
    """A proxy that asks for a login and knows two names that nobody else does."""
    made = {
        "http": lambda: HttpProxy(**LOGIN),
        "https": lambda: HttpProxy(**LOGIN, tls=authority.context),
        "socks5": lambda: SocksProxy(**LOGIN),
    }[request.param]()
    with made as running:
        running.hosts |= {"charts.example.invalid": "127.0.0.1"}
        yield running


def through(proxy, authority, *, password=LOGIN["password"]):
    return Proxy(proxy.address, LOGIN["username"], password, authority.pem)


def offer(web):
    packed = tgz({"web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n"})
    entry = {"version": "1.0.0", "urls": ["web.tgz"], "digest": digest_of(packed).removeprefix("sha256:")}
    web.routes["/index.yaml"] = Page(yaml.safe_dump({"apiVersion": "v1", "entries": {"web": [entry]}}).encode())
    web.routes["/web.tgz"] = Page(packed)


async def take(charts, url, access):
    found = await charts.index(url, access, None, timeout_seconds=SECONDS)
    return await charts.chart(found, access, name="web", version="*", timeout_seconds=SECONDS)


@pytest.mark.parametrize("tls", [False, True])
async def test_a_chart_comes_through_a_proxy(start_web, charts, proxy, authority, tmp_path, tls):
    server = Authority.make(tmp_path) if tls else None
    web = start_web(server.context if server else None)
    offer(web)
    access = Access(
        username="ann", password="word-canary", ca_pem=server.pem if server else "", proxy=through(proxy, authority)
    )
    assert (await take(charts, web.url, access)).version == "1.0.0"
    assert {host for host, _ in proxy.asked} == {"127.0.0.1"}
    assert all(each.authorization for each in web.asked)
    assert not any("proxy-authorization" in each.headers for each in web.asked), "the server learns of no login"


async def test_a_name_that_only_the_proxy_knows_is_left_to_it(web, charts, proxy, authority):
    offer(web)
    port = web.url.rpartition(":")[2]
    found = await take(charts, f"http://charts.example.invalid:{port}", Access(proxy=through(proxy, authority)))
    assert found.version == "1.0.0"
    assert proxy.asked[0] == ("charts.example.invalid", int(port))


async def test_an_artifact_comes_through_a_proxy(start_registry, sources, proxy, authority):
    registry = start_registry()
    registry.push("shop", "1.0.0", (LAYER, tgz({"a.yaml": "a: 1"}), {}))
    spec = OciRepositorySpec.model_validate(
        {"url": f"oci://{registry.host}/shop", "insecure": True, "ref": {"tag": "1.0.0"}}
    )
    assert (await sources.fetch(spec, Access(proxy=through(proxy, authority)), {}, None)).tree.listing["a.yaml"]
    assert proxy.asked


async def test_the_certificate_of_the_server_is_checked_behind_a_proxy(start_web, charts, proxy, authority, tmp_path):
    web = start_web(Authority.make(tmp_path).context)
    with pytest.raises(SourceError, match="through the proxy") as refused:
        await take(charts, web.url, Access(proxy=through(proxy, authority)))
    assert refused.value.reason == "TLSFailed"
    assert web.asked == []


async def test_a_wrong_login_names_the_secret(web, charts, proxy, authority):
    offer(web)
    with pytest.raises(SourceError, match=r"refused access.*proxySecretRef") as refused:
        await take(charts, web.url, Access(proxy=through(proxy, authority, password="wrong-canary")))
    assert refused.value.reason == "ProxyAuthenticationFailed"
    assert "canary" not in str(refused.value)
    assert web.asked == []


async def test_a_server_that_the_proxy_does_not_reach_is_told(charts, proxy, authority):
    with pytest.raises(SourceError, match="through the proxy") as refused:
        await take(charts, "http://nowhere.example.invalid:1", Access(proxy=through(proxy, authority)))
    assert refused.value.reason == "ProxyFailed"


async def test_a_proxy_that_is_away_is_told(charts, web):
    with HttpProxy() as proxy:
        address = proxy.address
    with pytest.raises(SourceError) as refused:
        await take(charts, web.url, Access(proxy=Proxy(address)))
    assert (refused.value.reason, refused.value.retry) == ("ProxyFailed", True)


async def test_the_certificate_of_a_proxy_is_checked(charts, web, authority):
    with HttpProxy(tls=authority.context) as proxy:
        with pytest.raises(SourceError, match="through the proxy") as refused:
            await take(charts, web.url, Access(proxy=Proxy(proxy.address)))
        assert refused.value.reason == "TLSFailed"
        with pytest.raises(SourceError) as refused:
            await take(charts, web.url, Access(proxy=Proxy(proxy.address, ca_pem="canary")))
        assert refused.value.reason == "SecretInvalid"
        assert proxy.asked == []


@pytest.mark.parametrize("forbidden", ["proxy", "server"])
async def test_both_proxy_and_server_are_judged(downloads, store, web, proxy, authority, forbidden):
    offer(web)
    asked = []

    def rule(host, address):
        asked.append(host)
        return "no" if (forbidden == "proxy") == (host == "localhost") else ""

    address = proxy.address.replace("127.0.0.1", "localhost")
    charts = HttpChartRepositories(downloads, store, rule, ProcessVerifier())
    with pytest.raises(SourceError) as refused:
        await take(charts, web.url, Access(proxy=Proxy(address, **LOGIN, ca_pem=authority.pem)))
    assert refused.value.reason == "AddressRefused"
    assert proxy.asked == web.asked == []


async def test_link_local_proxies_are_refused_even_to_our_own(downloads, store, web):
    registries = OciSources(downloads, store, no_link_local, ProcessVerifier())
    spec = OciRepositorySpec.model_validate({"url": f"oci://{web.host}/a", "insecure": True})
    with pytest.raises(SourceError) as refused:
        await registries.fetch(spec, Access(proxy=Proxy("http://169.254.169.254:80")), {}, None)
    assert refused.value.reason == "AddressRefused"
