"""Downloads the projects' official releases and checks each against the SHA-256 that its publisher gives.

In: an asset and a folder to work in; out: the program's file there. `supply` calls it.
"""

import hashlib
import json
import tarfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import urllib3

from trimtab.localcluster.errors import ClusterError, WrongChecksum
from trimtab.localcluster.progress import Step
from trimtab.localcluster.registry import Asset, Digest, Platform

CONNECT_TIMEOUT_SECONDS: Final = 3.0
_READ_TIMEOUT_SECONDS: Final = 30.0
_CHUNK_BYTES: Final = 1 << 20


class DownloadFailed(ClusterError):
    """A release could not be downloaded."""


def published_digest(text: str, digest: Digest, *, file_name: str) -> str:
    """The SHA-256 that a publisher gives for a file, in lower-case hexadecimal.

    Raises WrongChecksum where `text` has none.
    """
    found = ""
    match digest:
        case Digest.BARE:
            found = text.strip().split(maxsplit=1)[0] if text.strip() else ""
        case Digest.LIST:
            pairs = [line.split(maxsplit=1) for line in text.splitlines() if len(line.split(maxsplit=1)) == 2]
            found = next((value for value, name in pairs if name.strip().lstrip("*") == file_name), "")
        case Digest.GITHUB:
            found = _github_digest(text, file_name)
    if len(found) != 64 or not all(letter in "0123456789abcdefABCDEF" for letter in found):
        raise WrongChecksum(f"no SHA-256 is published for {file_name}", remedy="set TRIMTAB_CLUSTER_SOURCE=build")
    return found.lower()


def _github_digest(text: str, file_name: str) -> str:
    try:
        assets = json.loads(text)["assets"]
        found = next((asset.get("digest") for asset in assets if asset["name"] == file_name), None)
    except (ValueError, KeyError, TypeError):
        return ""
    return str(found or "").removeprefix("sha256:")


class Downloader:
    """Downloads for one platform; remembers hosts that do not answer, so that each costs the time-out once."""

    def __init__(self, target: Platform) -> None:
        self._target = target
        self._timeout = urllib3.Timeout(connect=CONNECT_TIMEOUT_SECONDS, read=_READ_TIMEOUT_SECONDS)
        self._unreachable: set[str] = set()

    def fetch(self, asset: Asset, workspace: Path, step: Step) -> Path:
        """Download, verify and unpack; raises DownloadFailed or WrongChecksum, both ClusterErrors."""
        release = asset.release
        if self._target.system not in release.systems:
            raise DownloadFailed(f"{asset.name} is not released for {self._target}")
        url = release.fill(release.url, version=asset.version, target=self._target)
        name = unquote(urlsplit(url).path).rsplit("/", maxsplit=1)[-1]
        checksums = release.fill(release.checksum_url, version=asset.version, target=self._target)
        expected = published_digest(self._text(checksums), release.digest, file_name=name)
        archive = workspace / "download"
        actual = self._save(url, archive, step)
        if actual != expected:
            raise WrongChecksum(
                f"{url} has the SHA-256 {actual}, but {expected} is published for it",
                remedy="try again; if it stays so, somebody on the way changes downloads",
            )
        if not release.member:
            return archive
        member = release.fill(release.member, version=asset.version, target=self._target)
        return _unpack(archive, member, workspace / asset.file_name)

    def _text(self, url: str) -> str:
        with self._open(url) as response:
            return response.read(4 << 20, decode_content=True).decode(errors="replace")

    def _save(self, url: str, path: Path, step: Step) -> str:
        hasher = hashlib.sha256()
        with self._open(url) as response, path.open("wb") as stream:
            total = int(response.headers.get("Content-Length") or 0)
            done = 0
            for chunk in response.stream(_CHUNK_BYTES):
                stream.write(chunk)
                hasher.update(chunk)
                done += len(chunk)
                step.update(f"{done >> 20} MiB", done=done, total=total or None)
        if total and done != total:
            raise DownloadFailed(f"{url} broke off after {done} of {total} bytes", remedy="try again")
        return hasher.hexdigest()

    @contextmanager
    def _open(self, url: str) -> Iterator[urllib3.BaseHTTPResponse]:
        host = urlsplit(url).netloc
        if host in self._unreachable:
            raise DownloadFailed(f"{host} does not answer")
        try:
            response = _pool(url).request("GET", url, timeout=self._timeout, retries=_RETRIES, preload_content=False)
            try:
                if response.status != 200:
                    raise DownloadFailed(f"{url}: HTTP status {response.status}")
                yield response
            finally:
                response.release_conn()
                response.close()
        except urllib3.exceptions.HTTPError as error:
            self._unreachable.add(host)
            cause = getattr(error, "reason", None) or error
            raise DownloadFailed(f"{host} does not answer ({type(cause).__name__})") from error


_RETRIES: Final = urllib3.Retry(connect=0, read=0, redirect=5, status=0, other=0)


def _pool(url: str) -> urllib3.PoolManager:
    """A direct pool or one through the proxy that the environment names for this address."""
    parts = urlsplit(url)
    proxy = urllib.request.getproxies().get(parts.scheme)
    if proxy and not urllib.request.proxy_bypass(parts.hostname or ""):
        return urllib3.ProxyManager(proxy)
    return urllib3.PoolManager()


def _unpack(archive: Path, member: str, target: Path) -> Path:
    try:
        with tarfile.open(archive) as tar:
            stream = next((tar.extractfile(entry) for entry in tar if entry.name.removeprefix("./") == member), None)
            if stream is None:
                raise DownloadFailed(f"the archive holds no {member}")
            with stream, target.open("wb") as output:
                while chunk := stream.read(_CHUNK_BYTES):
                    output.write(chunk)
    except tarfile.TarError as error:
        raise DownloadFailed(f"the archive with {member} cannot be read: {error}") from error
    return target
