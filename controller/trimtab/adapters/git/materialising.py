"""Writing the files of a commit to disk: plain files, links that stay inside, nothing else, nothing elsewhere.

A Materialise request flows in, files below its target flow out. Runs in a worker. All is decided from the tree before
the first file is written.
"""

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import git

from trimtab.adapters.git import store
from trimtab.adapters.git.messages import Materialise
from trimtab.adapters.git.trees import LINK_MODE, Contents, Entry, contents, listed, path_missing
from trimtab.core.errors import Problem, SourceError
from trimtab.core.manifest import Origin
from trimtab.source.lfs import MAX_POINTER_BYTES, Pointer, pointer_of
from trimtab.source.links import resolve_link
from trimtab.source.path import repository_path, within
from trimtab.source.tree_budget import stored_bytes, too_many_bytes

_MAX_LINK_BYTES = 4096
_MAX_PROBLEMS = 50
Pieces = Callable[[Entry], Iterator[bytes]]


def materialise(request: Materialise) -> int:
    """Write the files at and below the paths, and what their links reach, below `target` (made where missing).

    Returns the bytes that this takes beside what lay there already.
    Bytes are written as committed: no filter, no line-end conversion; LFS pointers stay pointers unless `lfs`.
    Raises SourceError: PathNotFound, SymlinkRefused, TooManyFiles, TooManyBytes, ContentRefused, CommitNotFetched,
    StorageFull.
    """
    wanted = tuple(dict.fromkeys(repository_path(path) for path in request.paths))
    with store.open_tips(Path(request.mirror), request.sha) as tips, contents(tips) as reader:
        entries, links = _selection(request, wanted, tips, reader)
        target = Path(request.target)
        pointers = _pointers(entries, reader) if request.lfs else {}
        sizes = {entry.sha: entry.size_bytes for entry in entries.values()}
        sizes |= {sha: pointer.size_bytes for sha, pointer in pointers.items()}
        total_bytes = sum(_more_bytes(target / path, sizes[entry.sha]) for path, entry in entries.items())
        if request.spent_bytes + total_bytes > request.max_bytes:
            raise too_many_bytes(request.max_bytes)
        _write(target, entries, links, partial(_pieces, reader, Path(request.mirror) / store.LARGE, pointers))
        return total_bytes


def _pointers(entries: Mapping[str, Entry], reader: Contents) -> dict[str, Pointer]:
    """LFS pointers among the files, by the SHA of their blobs."""
    small = {
        entry.sha for entry in entries.values() if entry.mode != LINK_MODE and entry.size_bytes < MAX_POINTER_BYTES
    }
    found = {sha: pointer_of(b"".join(reader.pieces(sha))) for sha in small}
    return {sha: pointer for sha, pointer in found.items() if pointer is not None}


def _more_bytes(path: Path, size_bytes: int) -> int:
    """What a file of that size takes beside what lies in its place: folders are written again within wider ones."""
    try:
        there = stored_bytes(path.lstat().st_size)
    except OSError:
        there = 0
    return max(0, stored_bytes(size_bytes) - there)


def _selection(
    request: Materialise, wanted: tuple[str, ...], tips: git.Repo, reader: Contents
) -> tuple[dict[str, Entry], dict[str, str]]:
    """The entries to write by path, and the targets of the links among them."""
    entries: dict[str, Entry] = {}
    for path in wanted:
        found = {entry.path: entry for entry in listed(tips, request.sha, path, max_files=request.max_files)}
        if not found and path:
            raise path_missing(path, request.sha, what="file or folder")
        entries |= found
    if not any(entry.mode == LINK_MODE for entry in entries.values()):
        return entries, {}
    # A link may lead through links elsewhere in the tree, and to files that were not asked for by name.
    whole = {entry.path: entry for entry in listed(tips, request.sha, "", max_files=request.max_files)}
    links = {path: _target(entry, reader) for path, entry in whole.items() if entry.mode == LINK_MODE}
    return _closed(entries, whole, links)


def _closed(
    entries: dict[str, Entry], whole: dict[str, Entry], links: dict[str, str]
) -> tuple[dict[str, Entry], dict[str, str]]:
    """Add what the links reach, until nothing is added. Raises SourceError with every link that is refused."""
    problems: list[Problem] = []
    todo = [path for path in entries if path in links]
    seen = set(todo)
    while todo:
        try:
            way = resolve_link(todo.pop(), links)
        except SourceError as error:
            problems += error.problems
            continue
        below = {p: e for p, e in whole.items() if p in way.through or within(p, (way.end,))}
        entries |= below
        fresh = [path for path in below if path in links and path not in seen]
        seen.update(fresh)
        todo += fresh
    if problems:
        raise SourceError(*sorted(problems, key=str)[:_MAX_PROBLEMS])
    return entries, {path: links[path] for path in entries if path in links}


def _target(entry: Entry, reader: Contents) -> str:
    if entry.size_bytes > _MAX_LINK_BYTES:
        return "/"
    return b"".join(reader.pieces(entry.sha)).decode(errors="surrogateescape")


def _write(target: Path, entries: dict[str, Entry], links: dict[str, str], pieces: Pieces) -> None:
    target.mkdir(parents=True, exist_ok=True)
    made: set[str] = {""}
    for path, entry in entries.items():
        _make_folders(target, path, made)
        if path not in links:
            _write_file(target / path, pieces(entry))
    # Links come last: while files are written there is none in the target to go through.
    for path, text in links.items():
        _write_link(target / path, text)


def _make_folders(target: Path, path: str, made: set[str]) -> None:
    folder = ""
    for part in path.split("/")[:-1]:
        folder = f"{folder}/{part}" if folder else part
        if folder in made:
            continue
        try:
            (target / folder).mkdir()
        except FileExistsError:
            if not stat.S_ISDIR((target / folder).lstat().st_mode):
                raise _twice(folder) from None
        made.add(folder)


def _write_file(path: Path, content: Iterator[bytes]) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    except (IsADirectoryError, OSError) as error:
        if isinstance(error, IsADirectoryError) or path.is_symlink():
            raise _twice(path.name) from None
        raise
    with os.fdopen(descriptor, "wb") as file:
        for piece in content:
            file.write(piece)


def _pieces(reader: Contents, large: Path, pointers: Mapping[str, Pointer], entry: Entry) -> Iterator[bytes]:
    """A file's content, or what its pointer stands for, from `large`."""
    pointer = pointers.get(entry.sha)
    if pointer is None:
        yield from reader.pieces(entry.sha)
        return
    try:
        with (large / pointer.oid).open("rb") as file:
            while piece := file.read(1 << 20):
                yield piece
    except FileNotFoundError:
        raise SourceError(
            Problem(
                "what the LFS pointer stands for is not, or no longer, in the mirror",
                origin=Origin(entry.path),
                reason="CommitNotFetched",
                remedy="it is fetched again",
                retry=True,
            )
        ) from None


def _write_link(path: Path, text: str) -> None:
    try:
        path.symlink_to(text)
    except FileExistsError:
        if not path.is_symlink() or str(path.readlink()) != text:
            raise _twice(path.name) from None


def _twice(name: str) -> SourceError:
    return SourceError(
        Problem(
            f"{name[:80]!a} is a file and a folder or link at once",
            reason="ContentRefused",
            remedy="run `git fsck --strict` on the repository; write commits into empty folders only",
        )
    )
