"""Registries that lie, stall, and send archives to break out with."""

import asyncio
import gzip
import json
import tarfile
import time
from pathlib import Path

import pytest
from tests.fixtures.cluster import wait_for
from tests.fixtures.oci_registry import LAYER, digest_of, tgz
from tests.fixtures.web_server import Page

from trimtab.adapters.oci.registry import MAX_TAGS
from trimtab.adapters.oci.sources import OciSources
from trimtab.adapters.process.signatures import ProcessVerifier
from trimtab.api.oci_repository import OciRepositorySpec
from trimtab.core.errors import SourceError
from trimtab.reconcile.ports.downloads import NO_ACCESS, Access
from trimtab.source.oci_manifest import MAX_MANIFEST_BYTES, OCI_MANIFEST
from trimtab.source.oci_ref import choose_tag
from trimtab.source.unpacking import ArchiveLimits

GOOD = tgz({"a.yaml": "kind: A\n"})


def stand_in(web, layer=GOOD, *, page=None, **described):
    """A registry of one artifact, whose layer's answer or description may be another than it should."""
    entry = {"mediaType": LAYER, "digest": digest_of(layer), "size": len(layer), **described}
    body = json.dumps({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "layers": [entry]}).encode()
    digest = digest_of(body)
    headers = {"Content-Type": OCI_MANIFEST, "Docker-Content-Digest": digest}
    web.routes |= {
        "/v2/app/manifests/latest": Page(body, headers=headers),
        f"/v2/app/manifests/{digest}": Page(body, headers=headers),
        f"/v2/app/blobs/{entry['digest']}": page or Page(layer),
    }
    return digest


def spec_of(web, **spec):
    body = {"url": f"oci://{web.host}/app", "insecure": True, "timeout": "3s", **spec}
    return OciRepositorySpec.model_validate(body)


def descriptors():
    return {path.name for path in Path("/proc/self/fd").iterdir()}


async def refused(sources, web, access=NO_ACCESS, **spec):
    before = descriptors()
    with pytest.raises(SourceError) as error:
        await sources.fetch(spec_of(web, **spec), access, {}, None)
    assert len(descriptors() - before) <= 8, "file descriptors are left open"
    return error.value


async def test_the_stand_in_works(web, sources):
    digest = stand_in(web)
    assert (await sources.fetch(spec_of(web), NO_ACCESS, {}, None)).digest == digest


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (Page(GOOD[:-1] + b"x"), "DigestMismatch"),
        (Page(GOOD + b"x"), "TooLarge"),
        (Page(GOOD[:-1]), "DigestMismatch"),
        (Page(GOOD, cut=5), "TransferFailed"),
        (Page(status=500), "ServerError"),
        (Page(status=429), "RateLimited"),
        (Page(status=403), "AuthenticationFailed"),
        (Page(status=302, headers={"Location": "file:///etc/passwd"}), "InvalidURL"),
        (Page(status=302, headers={"Location": "http://169.254.169.254/latest"}), "AddressRefused"),
        (Page(status=307, headers={"Location": "?again"}), "Redirected"),
        (Page(GOOD, headers={"Content-Encoding": "gzip"}), "ServerError"),
        (Page(b"x" * 200, drip=0.5), "TimedOut"),
    ],
)
async def test_layers_that_are_not_what_was_announced(web, sources, store, page, reason):
    stand_in(web, page=page)
    started = time.monotonic()
    assert (await refused(sources, web)).reason == reason
    assert time.monotonic() - started < 5
    assert [path.name for path in store.room().iterdir()] == []


async def test_a_layer_of_another_announced_size_is_refused(web, sources):
    stand_in(web, size=10)
    assert (await refused(sources, web)).reason == "TooLarge"
    stand_in(web, size=10**12)
    assert (await refused(sources, web)).reason == "TooLarge"


async def test_manifests_that_are_not_what_their_digest_says(web, sources):
    digest = stand_in(web)
    web.routes[f"/v2/app/manifests/{digest}"] = Page(b"{}", headers={"Content-Type": OCI_MANIFEST})
    assert (await refused(sources, web)).reason == "DigestMismatch"
    web.routes[f"/v2/app/manifests/{digest}"] = Page(b" " * (MAX_MANIFEST_BYTES + 1))
    assert (await refused(sources, web)).reason == "TooLarge"


async def test_a_registry_that_tells_no_digest_is_asked_for_the_manifest(web, sources):
    digest = stand_in(web)
    page = web.routes["/v2/app/manifests/latest"]
    web.routes["/v2/app/manifests/latest"] = Page(page.body, headers={"Content-Type": OCI_MANIFEST})
    assert (await sources.fetch(spec_of(web), NO_ACCESS, {}, None)).digest == digest


def member(name, kind=tarfile.REGTYPE, link="", size=0):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, size
    return info


@pytest.mark.parametrize(
    ("layer", "reason"),
    [
        (tgz({"../../escaped": "x"}), "ArchiveRefused"),
        (tgz({"/tmp/escaped": "x"}), "ArchiveRefused"),
        (tgz({}, member("a", tarfile.SYMTYPE, "/etc/passwd")), "SymlinkRefused"),
        (tgz({}, member("a", tarfile.SYMTYPE, "../../x")), "SymlinkRefused"),
        (tgz({"a/b": "x"}, member("a", tarfile.SYMTYPE, "..")), "ArchiveRefused"),
        (tgz({}, member("a", tarfile.LNKTYPE, "/etc/passwd")), "ArchiveRefused"),
        (tgz({}, member("a", tarfile.CHRTYPE)), "ArchiveRefused"),
        (tgz({}, member("a", tarfile.FIFOTYPE)), "ArchiveRefused"),
        (tgz({"a": "1", "./a": "2"}), "ArchiveRefused"),
        (tgz({"a": "1", "a/b": "2"}), "ArchiveRefused"),
        (tgz({f"f{number}": "" for number in range(101)}), "ArchiveRefused"),
        (tgz({"large": b"x" * 1_000_001}), "ArchiveRefused"),
        (gzip.compress(b"\0" * 40_000_000), "ArchiveRefused"),
        (gzip.compress(b"no tar" * 1000), "ArchiveRefused"),
        (b"no gzip", "ArchiveRefused"),
        (GOOD[:-20], "ArchiveRefused"),
        (gzip.compress(member("x", tarfile.XHDTYPE, size=2**40).tobuf()), "ArchiveRefused"),
        (gzip.compress(member("x", tarfile.GNUTYPE_LONGNAME, size=2**33).tobuf()), "ArchiveRefused"),
        (gzip.compress(member("x", tarfile.XHDTYPE).tobuf() * 5000), "ArchiveRefused"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_archives_that_are_refused(web, downloads, store, tmp_path, layer, reason):
    limits = ArchiveLimits(members=100, file_bytes=1_000_000, unpacked_bytes=30_000_000)
    sources = OciSources(downloads, store, lambda _host, _address: "", ProcessVerifier(), limits)
    outside = set(tmp_path.rglob("*"))
    stand_in(web, layer)
    error = await refused(sources, web)
    assert error.reason == reason
    assert set(tmp_path.rglob("*")) == outside


async def test_links_within_the_archive_are_kept(web, sources, tmp_path):
    stand_in(web, tgz({"base/a.yaml": "kind: A\n"}, member("current", tarfile.SYMTYPE, "base")))
    found = await sources.fetch(spec_of(web), NO_ACCESS, {}, None)
    await found.tree.materialise([""], tmp_path / "out")
    assert (tmp_path / "out/current/a.yaml").read_text() == "kind: A\n"


ACCESS = Access(username="ann", password="token-canary")


def ask_for_token(web, realm):
    digest = stand_in(web)
    challenge = f'Bearer realm="{realm}",service="reg",scope="repository:app:pull"'
    refusal = Page(status=401, headers={"WWW-Authenticate": challenge})
    for path, page in list(web.routes.items()):
        web.routes[path] = lambda asked, page=page: page if asked.authorization == "Bearer t0ken" else refusal
    return digest


async def test_tokens_are_fetched_once_and_kept(web, start_web, sources):
    authority = start_web()
    authority.routes["/token"] = Page(json.dumps({"token": "t0ken", "expires_in": 300}).encode())
    digest = ask_for_token(web, f"{authority.url}/token")
    known = await sources.fetch(spec_of(web), ACCESS, {}, None)
    assert known.digest == digest
    assert [each.path for each in authority.asked] == ["/token?service=reg&scope=repository%3Aapp%3Apull"]
    assert authority.asked[0].authorization.startswith("Basic ")
    asked = len(web.asked)
    assert await sources.fetch(spec_of(web), ACCESS, {}, known) is known
    assert web.paths()[asked:] == ["HEAD /v2/app/manifests/latest"]
    assert not any("Basic" in each.authorization for each in web.asked)


@pytest.mark.parametrize("answer", [b"{}", b"x", b"[]", b'{"token": "a\\nb"}', b'{"token": 1}'])
async def test_a_token_that_is_none_is_refused(web, start_web, sources, answer):
    authority = start_web()
    authority.routes["/token"] = Page(answer)
    ask_for_token(web, f"{authority.url}/token")
    error = await refused(sources, web, ACCESS)
    assert error.reason == "ServerError"
    assert "canary" not in str(error)


@pytest.mark.parametrize("realm", ["file:///etc/passwd", "http://169.254.169.254/t", "http://u:p@127.0.0.1/t"])
async def test_tokens_come_from_nowhere_else(web, sources, realm):
    ask_for_token(web, realm)
    assert (await refused(sources, web, ACCESS)).reason in ("InvalidURL", "AddressRefused")


async def test_a_redirect_gets_no_credentials_by_asking_for_them(web, start_web, sources):
    elsewhere = start_web()
    elsewhere.routes["/blob"] = Page(status=401, headers={"WWW-Authenticate": "Basic realm=x"})
    stand_in(web, page=Page(status=302, headers={"Location": f"{elsewhere.url}/blob"}))
    for path in ("/v2/app/manifests/latest",):
        web.routes[path] = Page(status=302, headers={"Location": f"{elsewhere.url}/blob"})
    assert (await refused(sources, web, ACCESS)).reason == "AuthenticationFailed"
    assert {each.authorization for each in elsewhere.asked} == {""}


async def test_lists_of_tags_go_on_at_the_same_place_only(web, sources):
    following = "/v2/app/tags/list?n=1000&last=b"

    def tags(asked):
        if "last" in asked.path:
            return Page(b'{"tags": ["1.1.0", 7, "../x"]}')
        return Page(b'{"tags": ["1.0.0"]}', headers={"Link": f'<{following}>; rel="next"'})

    digest = stand_in(web)
    web.routes["/v2/app/tags/list"] = tags
    web.routes["/v2/app/manifests/1.1.0"] = web.routes["/v2/app/manifests/latest"]
    found = await sources.fetch(spec_of(web, ref={"semver": "1.x"}), NO_ACCESS, {}, None)
    assert str(found.revision) == f"1.1.0@{digest}"
    for elsewhere in ("http://169.254.169.254/x", "/v2/app/manifests/x"):
        web.routes["/v2/app/tags/list"] = Page(b"{}", headers={"Link": f'<{elsewhere}>; rel="next"'})
        assert (await refused(sources, web, ref={"semver": "1.x"})).reason == "ServerError"
    web.routes["/v2/app/tags/list"] = Page(b"{}", headers={"Link": f'<{following}>; rel="next"'})
    assert (await refused(sources, web, ref={"semver": "1.x"})).reason in ("ServerError", "TimedOut")


@pytest.mark.parametrize("a_page", [MAX_TAGS + 1, MAX_TAGS // 2 + 1])
async def test_lists_of_tags_are_read_up_to_a_number(web, sources, a_page):
    following = "/v2/app/tags/list?n=1000&last=b"
    page = Page(json.dumps({"tags": ["1.0.0"] * a_page}).encode(), headers={"Link": f'<{following}>; rel="next"'})
    stand_in(web)
    web.routes["/v2/app/tags/list"] = page
    error = await refused(sources, web, ref={"semver": "1.x"}, timeout="60s")
    assert (error.reason, f"more than {MAX_TAGS} tags" in str(error)) == ("TooManyTags", True)
    assert len(web.asked) <= 2


async def test_tags_are_compared_beside_the_loop_of_downloads(web, sources, monkeypatch):
    looping = []

    def choose(*arguments):
        looping.append(asyncio._get_running_loop() is not None)
        return choose_tag(*arguments)

    monkeypatch.setattr("trimtab.adapters.oci.sources.choose_tag", choose)
    digest = stand_in(web)
    web.routes["/v2/app/tags/list"] = Page(b'{"tags": ["latest", "1.0.0"]}')
    web.routes["/v2/app/manifests/1.0.0"] = web.routes["/v2/app/manifests/latest"]
    found = await sources.fetch(spec_of(web, ref={"semver": "1.x"}), NO_ACCESS, {}, None)
    assert (found.digest, looping) == (digest, [False])


async def test_who_stops_waiting_stops_the_download(web, sources):
    stand_in(web, page=Page(GOOD, drip=0.2))
    waiting = asyncio.create_task(sources.fetch(spec_of(web, timeout="60s"), NO_ACCESS, {}, None))
    await asyncio.to_thread(wait_for, lambda: any("blobs" in each.path for each in web.asked))
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
