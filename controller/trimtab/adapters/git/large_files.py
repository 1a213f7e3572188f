"""Files in Git LFS: found by their pointers, brought from the server, checked, kept beside the mirror.

A FetchLarge request flows in; files named by their SHA-256 are there afterwards. Runs in a worker. Nothing is run on
the user's behalf: no git-lfs, no filter.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Final

import git

from trimtab.adapters.git import store
from trimtab.adapters.git.large_file_server import LargeFileServer
from trimtab.adapters.git.messages import FetchLarge
from trimtab.adapters.git.trees import FILE_MODES, contents, listed
from trimtab.core.errors import Problem, SourceError
from trimtab.source.addresses import AddressPolicy
from trimtab.source.credentials import GitCredentials, check_credentials
from trimtab.source.lfs import (
    MAX_POINTER_BYTES,
    Pointer,
    pointer_of,
    refusal,
)
from trimtab.source.url import check_url, scheme_of, show_url

_BATCH: Final = 100


def fetch_large(request: FetchLarge) -> None:
    """Bring what is missing.

    Raises SourceError: TooManyBytes, LfsFailed, LfsOverSsh, AuthenticationFailed, Redirected, AddressRefused.
    """
    check_url(request.url)
    credentials = GitCredentials.from_body(request.credentials)
    check_credentials(request.url, credentials)
    folder = Path(request.mirror) / store.LARGE
    with store.open_tips(Path(request.mirror), request.sha) as tips:
        wanted = sorted(_pointers(tips, request))
    _bound(wanted, request)
    missing = [pointer for pointer in wanted if not _touched(folder / pointer.oid)]
    if not missing:
        return
    if scheme_of(request.url) == "ssh":
        raise _over_ssh(request.url)
    folder.mkdir(exist_ok=True)
    policy = AddressPolicy.from_body(request.addresses)
    with closing(LargeFileServer(request.url, credentials, policy)) as server:
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


def _over_ssh(url: str) -> SourceError:
    return SourceError(
        Problem(
            f"{show_url(url)}: files in LFS cannot be had over ssh",
            reason="LfsOverSsh",
            remedy="declare the https URL of the repository with a token, or set spec.lfs to false",
        )
    )
