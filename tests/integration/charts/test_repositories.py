"""Charts out of HTTP repositories, honest and not."""

import threading
from dataclasses import replace

import pytest
import yaml
from tests.fixtures.git_server import Authority
from tests.fixtures.oci_registry import digest_of, tgz
from tests.fixtures.web_server import Page

from trimtab.adapters.charts.dependencies import ChartStore
from trimtab.core.errors import SourceError
from trimtab.reconcile.ports.downloads import NO_ACCESS, Access, ChartOrder
from trimtab.source.chart_index import ChartIndex
from trimtab.source.oci_manifest import CHART_LAYER

SECONDS = 60.0
ACCESS = Access(username="ann", password="word-canary")


def chart(version, **files):
    text = yaml.safe_dump({"apiVersion": "v2", "name": "web", "version": version})
    return tgz({"web/Chart.yaml": text, **{f"web/{name}": content for name, content in files.items()}})


def index_of(*entries):
    return yaml.safe_dump({"apiVersion": "v1", "entries": {"web": list(entries)}}).encode()


def offer(web, version="1.0.0", packed=None, *, digest=None, url=None, page=None):
    """A repository of one chart on a server."""
    packed = packed if packed is not None else chart(version)
    told = {"version": version, "urls": [url or f"web-{version}.tgz"]}
    stated = digest if digest is not None else digest_of(packed).removeprefix("sha256:")
    web.routes["/charts/index.yaml"] = Page(index_of(told | ({"digest": stated} if stated else {})))
    web.routes[f"/charts/web-{version}.tgz"] = page or Page(packed)
    return packed


def rest(store):
    return list(store.room().iterdir())


async def take(charts, web, version="*", access=NO_ACCESS):
    found = await charts.index(f"{web.url}/charts", access, None, timeout_seconds=SECONDS)
    return await charts.chart(found, access, name="web", version=version, timeout_seconds=SECONDS)


async def test_the_newest_chart_of_a_range_is_unpacked(web, charts, tmp_path):
    packed = offer(web, "1.2.0", chart("1.2.0", **{"templates/a.yaml": "kind: A"}))
    found = await take(charts, web, "^1.0")
    assert (found.version, found.digest) == ("1.2.0", digest_of(packed))
    await found.tree.materialise([""], tmp_path / "out")
    assert (tmp_path / "out/templates/a.yaml").read_text() == "kind: A"
    assert (tmp_path / "out/Chart.yaml").is_file()
    asked = len(web.asked)
    again = await take(charts, web, "^1.0")
    assert web.paths()[asked:] == ["GET /charts/index.yaml"]
    assert await again.tree.digest("") == await found.tree.digest("")


@pytest.mark.parametrize(
    ("name", "value", "sent"),
    [("ETag", '"one"', "if-none-match"), ("Last-Modified", "Mon, 01 Jan 2026 00:00:00 GMT", "if-modified-since")],
)
async def test_an_unchanged_index_is_not_sent_again(web, charts, name, value, sent):
    offer(web)
    page = web.routes["/charts/index.yaml"]
    web.routes["/charts/index.yaml"] = lambda asked: (
        Page(status=304) if asked.headers.get(sent) == value else Page(page.body, headers={name: value})
    )
    url = f"{web.url}/charts/"
    known = await charts.index(url, NO_ACCESS, None, timeout_seconds=SECONDS)
    assert await charts.index(url, NO_ACCESS, known, timeout_seconds=SECONDS) is known


async def test_an_index_of_the_same_bytes_is_not_read_again(web, charts):
    offer(web)
    url = f"{web.url}/charts"
    known = await charts.index(url, NO_ACCESS, None, timeout_seconds=SECONDS)
    again = await charts.index(url, NO_ACCESS, known, timeout_seconds=SECONDS)
    assert again.index is known.index
    offer(web, "2.0.0")
    changed = await charts.index(url, NO_ACCESS, known, timeout_seconds=SECONDS)
    assert changed.index.choose("web", "*").version == "2.0.0"


@pytest.mark.parametrize("passed", [False, True])
async def test_credentials_go_to_another_host_only_where_they_are_to(web, start_web, charts, passed):
    elsewhere = start_web()
    packed = chart("1.0.0")
    elsewhere.routes["/web.tgz"] = Page(packed)
    offer(web, packed=packed, url=f"{elsewhere.url}/web.tgz")
    access = Access(username="ann", password="word-canary", pass_credentials=passed)
    assert (await take(charts, web, access=access)).version == "1.0.0"
    assert all(each.authorization.startswith("Basic ") for each in web.asked)
    assert [bool(each.authorization) for each in elsewhere.asked] == [passed]


async def test_redirects_are_followed_without_credentials(web, start_web, charts):
    elsewhere = start_web()
    packed = offer(web, page=Page(status=302, headers={"Location": f"{elsewhere.url}/back"}))
    elsewhere.routes["/back"] = Page(status=302, headers={"Location": f"{web.url}/moved.tgz"})
    web.routes["/moved.tgz"] = Page(packed)
    access = Access(username="ann", password="word-canary", pass_credentials=True)
    assert (await take(charts, web, access=access)).version == "1.0.0"
    shown = {each.path: bool(each.authorization) for each in (*web.asked, *elsewhere.asked)}
    assert shown == {
        "/charts/index.yaml": True,
        "/charts/web-1.0.0.tgz": True,
        "/back": False,
        "/moved.tgz": False,
    }


async def test_an_own_authority_is_trusted_and_tls_is_not_given_up(start_web, charts, tmp_path):
    authority = Authority.make(tmp_path)
    web, plain = start_web(authority.context), start_web()
    offer(web)
    access = Access(ca_pem=authority.pem)
    assert (await take(charts, web, access=access)).version == "1.0.0"
    with pytest.raises(SourceError) as refused:
        await take(charts, web)
    assert refused.value.reason == "TLSFailed"
    offer(plain, "2.0.0")
    offer(web, "2.0.0", page=Page(status=301, headers={"Location": f"{plain.url}/charts/web-2.0.0.tgz"}))
    with pytest.raises(SourceError, match="gives up TLS") as refused:
        await take(charts, web, access=access)
    assert refused.value.reason == "Redirected"
    assert plain.asked == []


@pytest.mark.parametrize("access", [Access(ca_pem="canary"), Access(cert_pem="canary"), Access(key_pem="canary")])
async def test_certificates_that_are_none_are_refused(web, charts, access):
    offer(web)
    with pytest.raises(SourceError) as refused:
        await take(charts, web, access=access)
    assert refused.value.reason == "SecretInvalid"
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize(
    ("offered", "reason"),
    [
        ({"digest": "0" * 64}, "DigestMismatch"),
        ({"digest": "short"}, "IndexRefused"),
        ({"page": Page(chart("1.0.0"), cut=3)}, "TransferFailed"),
        ({"page": Page(status=404)}, "NotFound"),
        ({"page": Page(b"x" * 100, drip=0.2)}, "TimedOut"),
        ({"url": "file:///etc/passwd"}, "InvalidURL"),
        ({"url": "http://169.254.169.254/x.tgz"}, "AddressRefused"),
        ({"packed": tgz({"web/values.yaml": "a: b"})}, "ArchiveRefused"),
        ({"packed": tgz({"web/../../Chart.yaml": "a: b"})}, "ArchiveRefused"),
        ({"packed": b"no archive"}, "ArchiveRefused"),
    ],
)
async def test_charts_that_are_refused(web, charts, store, offered, reason):
    offer(web, **offered)
    found = await charts.index(f"{web.url}/charts", ACCESS, None, timeout_seconds=SECONDS)
    seconds = 1.0 if reason == "TimedOut" else SECONDS
    with pytest.raises(SourceError) as refused:
        await charts.chart(found, ACCESS, name="web", version="*", timeout_seconds=seconds)
    assert refused.value.reason == reason
    assert "canary" not in str(refused.value)
    assert rest(store) == []


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (Page(b"<html>"), "IndexRefused"),
        (Page(b"a: &a [x]\nb: *a\n"), "IndexRefused"),
        (Page(status=401), "AuthenticationFailed"),
        (Page(status=503), "ServerError"),
        (Page(status=304), "Redirected"),
        (Page(b"x" * 10000, drip=0.2), "TimedOut"),
    ],
)
async def test_indexes_that_are_refused(web, charts, page, reason):
    web.routes["/charts/index.yaml"] = page
    seconds = 1.0 if reason == "TimedOut" else SECONDS
    with pytest.raises(SourceError) as refused:
        await charts.index(f"{web.url}/charts", ACCESS, None, timeout_seconds=seconds)
    assert refused.value.reason in (reason, "Refused")


async def test_who_knows_the_digest_of_a_chart_gets_it_from_its_repository_alone(web, start_web, charts):
    offer(web)
    assert (await take(charts, web)).version == "1.0.0"
    thief = start_web()
    offer(thief, page=Page(status=404))
    with pytest.raises(SourceError, match="has it not"):
        await take(charts, thief)


async def test_a_chart_without_a_digest_is_fetched_anew_with_every_other_index(web, charts):
    offer(web, digest="")
    first = await take(charts, web)
    offer(web, packed=chart("1.0.0", extra="x"), digest="")
    web.routes["/charts/index.yaml"] = Page(web.routes["/charts/index.yaml"].body + b"# other\n")
    second = await take(charts, web)
    assert first.digest != second.digest


async def test_a_chart_without_a_digest_is_the_same_when_it_is_found_in_store(web, charts):
    packed = offer(web, digest="")
    fetched, found = await take(charts, web), await take(charts, web)
    assert web.paths().count("GET /charts/web-1.0.0.tgz") == 1
    assert fetched.tree.revision == found.tree.revision == digest_of(packed)


async def test_versions_are_compared_beside_the_event_loop(web, charts, monkeypatch):
    looping = []

    def choose(index, name, version, method=ChartIndex.choose):
        looping.append(threading.current_thread() is threading.main_thread())
        return method(index, name, version)

    monkeypatch.setattr(ChartIndex, "choose", choose)
    offer(web)
    assert (await take(charts, web, "1.x")).version == "1.0.0"
    assert looping == [False]


@pytest.mark.parametrize(("name", "most"), [("MAX_KEPT_INDEXES", 2), ("MAX_KEPT_VERSIONS", 5)])
async def test_indexes_of_dependencies_are_kept_up_to_a_number(web, charts, sources, monkeypatch, name, most):
    monkeypatch.setattr(f"trimtab.adapters.charts.dependencies.{name}", most)
    offer(web)
    dependencies = ChartStore(charts, sources)
    for number in range(4):
        web.routes[f"/{number}/index.yaml"] = web.routes["/charts/index.yaml"]
        web.routes[f"/{number}/web-1.0.0.tgz"] = web.routes["/charts/web-1.0.0.tgz"]
    places = [f"{web.url}/{number}" for number in range(4)]
    for place in places:
        await dependencies.fetch(ChartOrder(repository=place, name="web", version="1.0.0"))
    asked = len(web.asked)
    for place in reversed(places):
        await dependencies.fetch(ChartOrder(repository=place, name="web", version="1.0.0"))
    # The last two are at hand, the others have gone.
    assert web.paths()[asked:] == ["GET /1/index.yaml", "GET /0/index.yaml"]


async def test_dependencies_come_from_web_servers_and_registries(web, start_registry, charts, sources):
    store = ChartStore(charts, sources)
    packed = offer(web)
    repository = f"{web.url}/charts"
    tree = await store.fetch(ChartOrder(repository=repository, name="web", version="1.0.0"))
    asked = len(web.asked)
    again = await store.fetch(ChartOrder(repository=repository, name="web", version="1.x"))
    assert await again.digest("") == await tree.digest("")
    assert len(web.asked) == asked
    registry = start_registry(tls=True)
    assert registry.authority is not None
    registry.push("charts/web", "1.0.0_b1", (CHART_LAYER, packed, {}))
    access = Access(ca_pem=registry.authority.pem)
    place = f"oci://{registry.host}/charts"
    fetched = await store.fetch(ChartOrder(repository=place, name="web", version="1.0.0+b1", access=access))
    assert await fetched.digest("") == await tree.digest("")
    registry.push("charts/web", "1.0.0", (CHART_LAYER, packed, {}))
    newest = await store.fetch(ChartOrder(repository=place, name="web", version="1.x", access=access))
    assert await newest.digest("") == await tree.digest("")


async def test_what_was_published_after_the_index_was_read_is_found(web, charts, sources):
    store = ChartStore(charts, sources)
    offer(web)
    repository = f"{web.url}/charts"
    older = await store.fetch(ChartOrder(repository=repository, name="web", version="1.0.0"))
    offer(web, "1.1.0", chart("1.1.0", word="x"))
    newer = await store.fetch(ChartOrder(repository=repository, name="web", version="1.1.0"))
    assert newer.revision != older.revision
    asked = len(web.asked)
    with pytest.raises(SourceError) as refused:
        await store.fetch(ChartOrder(repository=repository, name="web", version="9.9.9"))
    assert refused.value.reason == "ChartNotFound"
    assert web.paths()[asked:] == ["GET /charts/index.yaml"]


async def test_an_index_read_with_one_login_is_not_shown_to_another(web, charts, sources):
    store = ChartStore(charts, sources)
    offer(web)
    page = web.routes["/charts/index.yaml"]
    web.routes["/charts/index.yaml"] = lambda asked: page if asked.authorization else Page(status=401)
    order = ChartOrder(repository=f"{web.url}/charts", name="web", version="1.0.0")
    await store.fetch(replace(order, access=ACCESS))
    with pytest.raises(SourceError) as refused:
        await store.fetch(order)
    assert refused.value.reason == "AuthenticationFailed"
