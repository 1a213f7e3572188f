"""Reading commits: the SHA of a folder, the files below one, their content.

A mirror's tips repository, a commit and paths flow in, SHAs and entries flow out. Runs in a worker. Only git's
commands touch the objects, so that both object formats work.
"""

import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, Final

import git

from trimtab.adapters.git import store
from trimtab.adapters.git.messages import Tree, Trees
from trimtab.adapters.git.remote import run
from trimtab.core.errors import Problem, SourceError
from trimtab.source.path import repository_path, writable

FILE_MODES: Final = frozenset({"100644", "100755", "100664"})
LINK_MODE: Final = "120000"
MODULE_MODE: Final = "160000"
_MODULE_TYPE: Final = "commit"
_TREE: Final = "tree "
_DIFFERING_BYTES: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or link of a tree; `size_bytes` of its content."""

    path: str
    mode: str
    sha: str
    size_bytes: int


def tree_sha(request: Tree) -> str:
    """The tree SHA of a folder. Raises SourceError (PathNotFound) where it is absent or no folder."""
    path = repository_path(request.path)
    with store.open_tips(Path(request.mirror), request.sha) as tips:
        if not path:
            status, output, words = run(
                tips.git, "rev_parse", "--verify", "--end-of-options", f"{request.sha}^{{tree}}"
            )
            if status:
                raise store.broken(Path(tips.git_dir), words)
            return output.splitlines()[-1]
        status, output, words = run(tips.git, "ls_tree", "-z", "--full-tree", request.sha, "--", path)
        if status:
            raise store.broken(Path(tips.git_dir), words)
    head, _, _ = output.partition("\t")
    if head.split(" ")[1:2] != ["tree"]:
        raise path_missing(path, request.sha, what="folder")
    return head.split(" ")[2]


def tree_shas(request: Trees) -> dict[str, str]:
    """The tree SHAs of those of the folders that are there, found by one git."""
    paths = [repository_path(path) for path in request.paths]
    answers = "--batch-check=%(objecttype) %(objectname)"
    with store.open_tips(Path(request.mirror), request.sha) as tips, TemporaryFile(dir=tips.git_dir) as questions:
        text = "".join(f"{request.sha}:{path}\n" if path else f"{request.sha}^{{tree}}\n" for path in paths)
        questions.write(text.encode())
        questions.seek(0)
        # A line for each question, in their order.
        status, output, words = run(tips.git, "cat_file", answers, istream=questions)
        if status:
            raise store.broken(Path(tips.git_dir), words)
    found = zip(paths, output.splitlines(), strict=True)
    return {path: row.removeprefix(_TREE) for path, row in found if row.startswith(_TREE)}


def listed(tips: git.Repo, sha: str, path: str, *, max_files: int) -> Iterator[Entry]:
    """All files and links at or below a path, read as git finds them, so that a tree without end ends at the limit.

    Submodules are left out. Raises SourceError: TooManyFiles, ContentRefused for names that no honest git makes.
    """
    arguments = ["-r", "-l", "-z", "--full-tree", sha, *(("--", path) if path else ())]
    process = tips.git.ls_tree(*arguments, as_process=True)
    count = 0
    try:
        for row in _rows(process.stdout):
            # Names come after the tab, and may say what they like.
            if row.partition(b"\t")[0].endswith(b" BAD"):
                raise store.broken(Path(tips.git_dir), "a blob is missing")
            entry = _entry(row)
            if entry is None:
                continue
            count += 1
            if count > max_files:
                raise _too_many(max_files, path)
            yield entry
        if process.proc.wait():
            raise store.broken(Path(tips.git_dir), process.proc.stderr.read().decode(errors="replace"))
    finally:
        _end(process)


@dataclass(slots=True)
class RowCount:
    """How many rows were gone through."""

    rows: int = 0


def rows(
    tips: git.Repo,
    sha: str,
    *,
    max_rows: int,
    endings: tuple[bytes, ...] = (b"",),
    count: RowCount | None = None,
) -> Iterator[tuple[str, str, str]]:
    """Mode, SHA and path of all that a commit or tree holds, submodules included, whatever the names are like.

    Where only names with certain endings are wanted, the others count and are not looked at.
    Raises SourceError: TooManyFiles, ContentRefused for names that are not UTF-8.
    """
    process = tips.git.ls_tree("-r", "-z", "--full-tree", sha, as_process=True)
    try:
        counted = count or RowCount()
        for row in _rows(process.stdout):
            counted.rows += 1
            if counted.rows > max_rows:
                raise _too_many(max_rows, "")
            if not row.endswith(endings):
                continue
            head, _, name = row.partition(b"\t")
            mode, _, found = head.decode().split()
            try:
                yield mode, found, name.decode()
            except UnicodeDecodeError:
                raise _unsafe(ascii(name[:80].decode(errors="replace")), "is not named in UTF-8") from None
        if process.proc.wait():
            raise store.broken(Path(tips.git_dir), process.proc.stderr.read().decode(errors="replace"))
    finally:
        _end(process)


def changes(tips: git.Repo, before: str, after: str, *, most: int) -> list[tuple[bytes, bytes]] | None:
    """How the files of two commits differ: A(dded), D(eleted), M(odified) or T(ype), and the path.

    None where more than `most` differ, or very many, or one of the commits is not at hand.
    """
    arguments = ("-r", "-z", "--no-renames", "--name-status", "--end-of-options", before, after)
    process = tips.git.diff_tree(*arguments, as_process=True)
    with suppress(ProcessLookupError):
        # It holds all that differs, at 250 bytes a path, before it tells any of it.
        resource.prlimit(process.proc.pid, resource.RLIMIT_DATA, (_DIFFERING_BYTES, _DIFFERING_BYTES))
    found: list[bytes] = []
    try:
        for field in _rows(process.stdout):
            found.append(field)
            if len(found) > 2 * most:
                return None
        return list(zip(found[::2], found[1::2], strict=True)) if process.proc.wait() == 0 else None
    finally:
        _end(process)


@contextmanager
def contents(tips: git.Repo) -> Iterator["Contents"]:
    """A reader of blobs for as long as the block runs."""
    process = tips.git.cat_file("--batch", istream=subprocess.PIPE, as_process=True)
    try:
        yield Contents(process.proc.stdin, process.proc.stdout, Path(tips.git_dir))
    finally:
        process.proc.kill()
        process.proc.wait()
        for stream in (process.proc.stdin, process.proc.stdout, process.proc.stderr):
            stream.close()


@dataclass(frozen=True, slots=True)
class Contents:
    """Blobs by SHA, through one running `git cat-file --batch`."""

    questions: IO[bytes]
    answers: IO[bytes]
    path: Path

    def pieces(self, sha: str) -> Iterator[bytes]:
        """The content in pieces of at most 1 MiB; to be read to its end."""
        yield from self._pieces(sha, self._size_bytes(sha))

    def whole(self, sha: str, *, max_bytes: int) -> bytes | None:
        """The content; None where it is larger, and then no more than a piece of it is ever held."""
        size_bytes = self._size_bytes(sha)
        if size_bytes <= max_bytes:
            return b"".join(self._pieces(sha, size_bytes))
        for _ in self._pieces(sha, size_bytes):
            pass
        return None

    def _size_bytes(self, sha: str) -> int:
        self.questions.write(f"{sha}\n".encode())
        self.questions.flush()
        head = self.answers.readline().split()
        if len(head) != 3 or head[1] != b"blob":
            raise store.broken(self.path, f"no blob {sha}")
        return int(head[2])

    def _pieces(self, sha: str, left: int) -> Iterator[bytes]:
        while left:
            piece = self.answers.read(min(left, 1 << 20))
            if not piece:
                raise store.broken(self.path, f"blob {sha} ends early")
            left -= len(piece)
            yield piece
        self.answers.read(1)


def path_missing(path: str, sha: str, *, what: str) -> SourceError:
    """The error of a path that a commit does not hold."""
    return SourceError(
        Problem(
            f"{what} {path} does not exist at commit {sha[:12]}",
            reason="PathNotFound",
            remedy="check spec.path, and that the folder was committed",
        )
    )


def _rows(stream: IO[bytes]) -> Iterator[bytes]:
    rest = b""
    while piece := stream.read1(1 << 16):  # type: ignore[attr-defined]
        *rows, rest = (rest + piece).split(b"\0")
        yield from rows
        if len(rest) > 1 << 16:
            raise _unsafe("a name longer than any file system takes")


def _entry(row: bytes) -> Entry | None:
    head, _, name = row.partition(b"\t")
    mode, kind, sha, size = head.decode().split()
    if kind == _MODULE_TYPE:
        return None
    try:
        path = name.decode()
    except UnicodeDecodeError:
        raise _unsafe(ascii(name[:80].decode(errors="replace")), "is not named in UTF-8") from None
    if not writable(path) or mode not in FILE_MODES | {LINK_MODE}:
        raise _unsafe(ascii(path[:80]))
    return Entry(path, mode, sha, int(size))


def _end(process: Any) -> None:
    process.proc.kill()
    process.proc.wait()
    process.proc.stdout.close()
    process.proc.stderr.close()


def _too_many(max_files: int, path: str) -> SourceError:
    return SourceError(
        Problem(
            f"more than {max_files} files below {path or 'the root'}",
            reason="TooManyFiles",
            remedy="point spec.path to a smaller folder, or raise the limit of the controller",
        )
    )


def _unsafe(shown: str, fault: str = "is not one that git itself would have made") -> SourceError:
    return SourceError(
        Problem(
            f"the name {shown} in the commit {fault}",
            reason="ContentRefused",
            remedy="rename or remove it; `git fsck --strict` shows what else is wrong",
        )
    )
