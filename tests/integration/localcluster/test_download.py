"""Releases are downloaded and verified; here from a server on loopback that can lie, break off or be gone."""

import hashlib
import http.server
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from trimtab.localcluster.cache import BinaryCache
from trimtab.localcluster.download import Downloader, DownloadFailed, published_digest
from trimtab.localcluster.errors import AssetMissing, WrongChecksum
from trimtab.localcluster.progress import Silent
from trimtab.localcluster.registry import ASSETS, Asset, Digest, Platform, Release
from trimtab.localcluster.supply import Source, Supply

TARGET = Platform("linux", "amd64")
PROGRAM = b"#!/bin/sh\necho kwok version v0.8.0\n"
HASH = hashlib.sha256(PROGRAM).hexdigest()


class Releases:
    """Files by path; `short` are promised longer than they are."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.short: set[str] = set()
        self.url = ""

    def asset(self, name: str = "kwok", *, digest: Digest = Digest.BARE, member: str = "") -> Asset:
        release = Release(f"{self.url}/{{version}}/{{system}}-{name}", f"{self.url}/sums", digest, member)
        return replace(ASSETS["kwok"], release=release)


@pytest.fixture
def releases() -> Iterator[Releases]:
    served = Releases()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = served.files.get(self.path)
            if content is None:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(content) + 10 * (self.path in served.short)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: object) -> None:
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    served.url = f"http://127.0.0.1:{server.server_port}"
    yield served
    server.shutdown()
    server.server_close()
    thread.join()


def fetch(asset: Asset, folder: Path) -> Path:
    with Silent().step("") as step:
        return Downloader(TARGET).fetch(asset, folder, step)


@pytest.mark.parametrize(
    ("digest", "sums"),
    [
        (Digest.BARE, HASH),
        (Digest.BARE, f"{HASH.upper()}  linux-kwok\n"),
        (Digest.LIST, f"{'0' * 64}  other\n{HASH}  linux-kwok\n"),
        (Digest.LIST, f"{HASH} *linux-kwok\n"),
        (Digest.GITHUB, json.dumps({"assets": [{"name": "linux-kwok", "digest": f"sha256:{HASH}"}]})),
    ],
)
def test_a_program_is_downloaded_and_verified(tmp_path: Path, releases: Releases, digest: Digest, sums: str) -> None:
    releases.files = {"/v0.8.0/linux-kwok": PROGRAM, "/sums": sums.encode()}
    assert fetch(releases.asset(digest=digest), tmp_path).read_bytes() == PROGRAM


def test_a_program_is_taken_out_of_its_archive(tmp_path: Path, releases: Releases) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        entry = tarfile.TarInfo("./v0.8.0/kwok")
        entry.size = len(PROGRAM)
        tar.addfile(entry, io.BytesIO(PROGRAM))
    archive = buffer.getvalue()
    releases.files = {"/v0.8.0/linux-kwok": archive, "/sums": hashlib.sha256(archive).hexdigest().encode()}
    assert fetch(releases.asset(member="{version}/kwok"), tmp_path).read_bytes() == PROGRAM
    with pytest.raises(DownloadFailed, match="holds no other"):
        fetch(releases.asset(member="other"), tmp_path)


def test_what_is_no_archive_is_an_error(tmp_path: Path, releases: Releases) -> None:
    releases.files = {"/v0.8.0/linux-kwok": PROGRAM, "/sums": HASH.encode()}
    with pytest.raises(DownloadFailed, match="cannot be read"):
        fetch(releases.asset(member="kwok"), tmp_path)


def test_a_file_other_than_published_is_refused(tmp_path: Path, releases: Releases) -> None:
    releases.files = {"/v0.8.0/linux-kwok": PROGRAM + b"evil", "/sums": HASH.encode()}
    with pytest.raises(WrongChecksum, match=f"{HASH} is published"):
        fetch(releases.asset(), tmp_path)


def test_a_broken_download_is_an_error(tmp_path: Path, releases: Releases) -> None:
    releases.files = {"/v0.8.0/linux-kwok": PROGRAM, "/sums": HASH.encode()}
    releases.short = {"/v0.8.0/linux-kwok"}
    with pytest.raises(DownloadFailed):
        fetch(releases.asset(), tmp_path)


def test_a_missing_release_is_an_error(tmp_path: Path, releases: Releases) -> None:
    with pytest.raises(DownloadFailed, match="HTTP status 404"):
        fetch(releases.asset(), tmp_path)


def test_a_platform_without_releases_is_an_error(tmp_path: Path, releases: Releases) -> None:
    asset = replace(releases.asset(), release=replace(releases.asset().release, systems=("plan9",)))
    with pytest.raises(DownloadFailed, match="not released for linux-amd64"):
        fetch(asset, tmp_path)


def test_a_dead_host_is_asked_once(tmp_path: Path, releases: Releases) -> None:
    asset = replace(releases.asset(), release=Release("http://127.0.0.1:9/x", "http://127.0.0.1:9/sums"))
    downloader = Downloader(TARGET)
    with Silent().step("") as step:
        with pytest.raises(DownloadFailed, match=r"127\.0\.0\.1:9 does not answer \(NewConnectionError\)"):
            downloader.fetch(asset, tmp_path, step)
        with pytest.raises(DownloadFailed, match=r"127\.0\.0\.1:9 does not answer$"):
            downloader.fetch(asset, tmp_path, step)


@pytest.mark.parametrize(
    ("text", "digest"),
    [
        ("", Digest.BARE),
        ("<html>", Digest.BARE),
        (f"{HASH}  other\n", Digest.LIST),
        ("not json", Digest.GITHUB),
        (json.dumps({"assets": [{"name": "linux-kwok", "digest": None}]}), Digest.GITHUB),
        (json.dumps({"assets": []}), Digest.GITHUB),
    ],
)
def test_without_a_published_hash_nothing_is_taken(text: str, digest: Digest) -> None:
    with pytest.raises(WrongChecksum, match="no SHA-256 is published for linux-kwok"):
        published_digest(text, digest, file_name="linux-kwok")


def test_a_download_ends_in_the_cache(tmp_path: Path, releases: Releases) -> None:
    releases.files = {"/v0.8.0/linux-kwok": PROGRAM, "/sums": HASH.encode()}
    cache = BinaryCache(tmp_path, TARGET)
    cache.folder.mkdir(parents=True)
    path = Supply(Source.DOWNLOAD, cache, Silent()).fetch(releases.asset())
    assert cache.find(ASSETS["kwok"]) == path
    assert cache.origin(ASSETS["kwok"]) == "download"


def test_a_download_of_another_version_is_not_kept(tmp_path: Path, releases: Releases) -> None:
    other = PROGRAM.replace(b"0.8.0", b"0.7.0")
    releases.files = {"/v0.8.0/linux-kwok": other, "/sums": hashlib.sha256(other).hexdigest().encode()}
    cache = BinaryCache(tmp_path, TARGET)
    cache.folder.mkdir(parents=True)
    with pytest.raises(AssetMissing, match=r"is not v0\.8\.0 but says 'kwok version v0\.7\.0'"):
        Supply(Source.DOWNLOAD, cache, Silent()).fetch(releases.asset())
    assert cache.find(ASSETS["kwok"]) is None
