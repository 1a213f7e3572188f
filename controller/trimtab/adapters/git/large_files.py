"""Files in Git LFS: found by their pointers, asked for by the batch API, downloaded, checked, kept beside the mirror.

A FetchLarge request flows in; files named by their SHA-256 are there afterwards. Runs in a worker. Nothing is run on
the user's behalf: no git-lfs, no filter. Credentials go to the repository's own host only, redirects are refused.
"""

import os
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

import git
import orjson
import urllib3

from trimtab.adapters.git import store
from trimtab.adapters.git.environment import STALL_SECONDS, basic_token
from trimtab.adapters.git.messages import FetchLarge
from trimtab.adapters.git.trees import FILE_MODES, contents, listed
from trimtab.core.errors import Problem, SourceError
from trimtab.source.credentials import check_credentials
from trimtab.source.lfs import (
    MAX_POINTER_BYTES,
    MEDIA_TYPE,
    Download,
    Pointer,
    batch_request,
    batch_url,
    downloads,
    pointer_of,
    refusal,
)
from trimtab.source.submodules import same_host
from trimtab.source.url import check_url, show_url

_BATCH: Final = 100
_MAX_ANSWER_BYTES: Final = 4 * 1024 * 1024
_CONNECT_SECONDS: Final = 10
_PIECE_BYTES: Final = 1 << 20


def fetch_large(request: FetchLarge) -> None:
    """Bring what is missing. Raises SourceError: TooManyBytes, LfsFailed, AuthenticationFailed, Redirected."""
    check_url(request.url)
    check_credentials(request.username, request.password, request.ca_pem)
    folder = Path(request.mirror) / store.LARGE
    with store.open_tips(Path(request.mirror), request.sha) as tips:
        wanted = sorted(_pointers(tips, request))
    _bound(wanted, request)
    missing = [pointer for pointer in wanted if not _touched(folder / pointer.oid)]
    if not missing:
        return
    folder.mkdir(exist_ok=True)
    server = LargeFileServer(request)
    for start in range(0, len(missing), _BATCH):
        for download in server.ask(missing[start : start + _BATCH]):
            _keep(folder, download.pointer, server.pieces(download), request.url)


def _pointers(tips: git.Repo, request: FetchLarge) -> set[Pointer]:
    small = {
        entry.sha
        for entry in listed(tips, request.sha, "", max_files=request.max_files * 100)
        if entry.mode in FILE_MODES and entry.size_bytes < MAX_POINTER_BYTES
    }
    with contents(tips) as reader:
        found = {pointer_of(b"".join(reader.pieces(sha))) for sha in small}
    return {pointer for pointer in found if pointer is not None}


def _bound(wanted: Sequence[Pointer], request: FetchLarge) -> None:
    total_bytes = sum(pointer.size_bytes for pointer in wanted)
    if len(wanted) > request.max_files or total_bytes > request.max_bytes:
        raise SourceError(
            Problem(
                f"{len(wanted)} files in LFS hold {total_bytes} bytes, "
                f"more than the limit of {request.max_files} files or {request.max_bytes} bytes",
                reason="TooManyBytes",
                remedy="leave out what is not needed by spec.sparseCheckout or spec.ignore, or set spec.lfs to false",
            )
        )


def _touched(file: Path) -> bool:
    """Whether a file is here; if so, it counts as used now."""
    try:
        os.utime(file)
    except FileNotFoundError:
        return False
    return True


def _keep(folder: Path, pointer: Pointer, pieces: Iterator[bytes], url: str) -> None:
    """Write a file under another name first, so that what has its name is whole and has its hash."""
    partial = folder / f".{pointer.oid}.{os.getpid()}"
    digest, left = sha256(), pointer.size_bytes
    try:
        with partial.open("wb") as file:
            for piece in pieces:
                left -= len(piece)
                if left < 0:
                    break
                digest.update(piece)
                file.write(piece)
        if left or digest.hexdigest() != pointer.oid:
            raise refusal(url, f"the LFS server sent something else than {pointer.oid[:12]}", reason="ContentRefused")
        partial.replace(folder / pointer.oid)
    finally:
        partial.unlink(missing_ok=True)


class LargeFileServer:
    """The LFS side of a repository's server."""

    def __init__(self, request: FetchLarge) -> None:
        self._url = request.url
        self._headers = {}
        if request.username or request.password:
            self._headers["Authorization"] = f"Basic {basic_token(request.username, request.password)}"
        timeout = urllib3.Timeout(connect=_CONNECT_SECONDS, read=STALL_SECONDS)
        self._pool = urllib3.PoolManager(
            retries=False, timeout=timeout, ca_cert_data=request.ca_pem or None, cert_reqs="CERT_REQUIRED"
        )

    def ask(self, pointers: Sequence[Pointer]) -> list[Download]:
        """Where the files are."""
        headers = {**self._headers, "Accept": MEDIA_TYPE, "Content-Type": MEDIA_TYPE}
        body = orjson.dumps(batch_request(pointers))
        answer = b"".join(self._send("POST", batch_url(self._url), headers, body, limit_bytes=_MAX_ANSWER_BYTES))
        try:
            return downloads(orjson.loads(answer), pointers, url=self._url)
        except orjson.JSONDecodeError:
            raise refusal(self._url, "the LFS server's answer is no JSON") from None

    def pieces(self, download: Download) -> Iterator[bytes]:
        """The content of a file; to be read to its end."""
        headers = dict(download.headers)
        given = {name.lower() for name in headers}
        if "authorization" not in given and same_host(self._url, download.url):
            headers |= self._headers
        yield from self._send("GET", download.url, headers, None, limit_bytes=download.pointer.size_bytes)

    def _send(
        self, method: str, url: str, headers: dict[str, str], body: bytes | None, *, limit_bytes: int
    ) -> Iterator[bytes]:
        try:
            answer = self._pool.request(
                method, url, headers=headers, body=body, redirect=False, preload_content=False, decode_content=False
            )
            try:
                self._judge(answer, url)
                read = 0
                while piece := answer.read(_PIECE_BYTES):
                    yield piece
                    read += len(piece)
                    if read > limit_bytes:
                        return
            finally:
                answer.close()
        except urllib3.exceptions.HTTPError as error:
            raise refusal(self._url, f"the LFS server cannot be read: {type(error).__name__}") from None

    def _judge(self, answer: urllib3.BaseHTTPResponse, url: str) -> None:
        if 300 <= answer.status < 400:
            target = show_url(answer.headers.get("Location", "an URL it does not name"))
            raise refusal(
                self._url, f"the LFS server redirects to {target}, which is not followed", reason="Redirected"
            )
        if answer.status in (401, 403):
            raise refusal(self._url, "the LFS server refused access", reason="AuthenticationFailed")
        if answer.status != 200:
            raise refusal(self._url, f"the LFS server answered {show_url(url)} with {answer.status}")
