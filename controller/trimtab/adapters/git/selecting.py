"""Making the tree that a selection leaves of a commit: a Git tree of its own, in the mirror.

A Select request flows in, the SHA of a tree flows out; digests of folders and files are read from it as from a commit.
So what is left out changes no digest, and what is hashed is what is written. Runs in a worker.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile

import git

from trimtab.adapters.git import store
from trimtab.adapters.git.messages import Select
from trimtab.adapters.git.remote import run
from trimtab.adapters.git.trees import LINK_MODE, MODULE_MODE, RowCount, contents, path_missing, rows
from trimtab.adapters.git.whole_commits import known_whole, note_whole
from trimtab.core.errors import Problem, SourceError
from trimtab.core.manifest import Origin
from trimtab.source.ignoring import FILE_NAMES, IgnoreRules, is_ignore_file
from trimtab.source.selection import Selection

_MAX_IGNORE_FILE_BYTES = 64 * 1024
_MAX_IGNORE_FILES = 500
_IGNORE_FILES = tuple(name.encode() for name in FILE_NAMES)


def select(request: Select) -> str:
    """The tree's SHA, or the commit's where all of it is left.

    Raises SourceError: PathNotFound, InvalidIgnore, TooManyFiles, CommitNotFetched.
    """
    with store.open_tips(Path(request.mirror), request.sha) as tips:
        if _asks_for_all(request) and known_whole(tips, request.sha, max_files=request.max_files):
            return request.sha
        ref = store.selected_ref(request.sha, request.name or "none")
        made = store.selected(tips).get(ref)
        if made is None:
            made = _made(request, tips)
            if made == request.sha:
                return made
            run(tips.git, "update_ref", ref, made)
        return made


def _asks_for_all(request: Select) -> bool:
    """Whether only ignore files of the commit itself may leave something out."""
    return not (request.ignore or request.sparse or request.hidden or request.folder)


def _made(request: Select, tips: git.Repo) -> str:
    selection = Selection(ignore=request.ignore, sparse=tuple(request.sparse), hidden=tuple(request.hidden))
    rules = IgnoreRules(_ignore_files(request, tips), spec=request.ignore, prefix=request.prefix)
    found = set[str]()
    # Most repositories have no rules: theirs are not gone through a second time.
    picks = bool(rules or selection.sparse or selection.hidden)
    left_out = list(_left_out(request, tips, selection, rules, found)) if picks else []
    for folder in selection.sparse:
        if folder and folder not in found:
            raise path_missing(folder, request.sha, what="folder of spec.sparseCheckout")
    tree = _without(tips, request.sha, left_out) if left_out else request.sha
    if not request.folder:
        return tree
    part = _parsed(tips, f"{tree}:{request.folder}")
    if part is None or run(tips.git, "cat_file", "-t", part)[1] != "tree":
        raise path_missing(request.folder, request.sha, what="folder")
    return part


def _ignore_files(request: Select, tips: git.Repo) -> dict[str, str]:
    """The texts of the tree's ignore files."""
    count = RowCount()
    found_rows = rows(tips, request.sha, max_rows=request.max_files, endings=_IGNORE_FILES, count=count)
    shas = {path: sha for mode, sha, path in found_rows if is_ignore_file(path) and mode != LINK_MODE}
    if len(shas) > _MAX_IGNORE_FILES:
        raise SourceError(_too_many())
    if not shas:
        note_whole(tips, request.sha, count.rows)
        return {}
    with contents(tips) as reader:
        found = {path: reader.whole(sha, max_bytes=_MAX_IGNORE_FILE_BYTES) for path, sha in shas.items()}
    texts = {path: data.decode(errors="replace") for path, data in found.items() if data is not None}
    if large := sorted(found.keys() - texts.keys()):
        raise SourceError(*map(_too_large, large))
    return texts


def _left_out(
    request: Select, tips: git.Repo, selection: Selection, rules: IgnoreRules, found: set[str]
) -> Iterator[str]:
    """Paths that do not stay; into `found` go the folders of the selection that hold something."""
    for mode, _, path in rows(tips, request.sha, max_rows=request.max_files):
        name = f"{path}/" if mode == MODULE_MODE else path
        if selection.sparse:
            found.update(folder for folder in selection.sparse if name.startswith(f"{folder}/"))
        if not selection.keeps(path) or rules.ignores(name):
            yield path


def _without(tips: git.Repo, sha: str, paths: list[str]) -> str:
    """The tree of a commit without some files, by way of an index that nobody else sees."""
    index = Path(tips.git_dir) / f"selecting-{os.getpid()}.index"
    try:
        with tips.git.custom_environment(GIT_INDEX_FILE=str(index)):
            status, _, words = run(tips.git, "read_tree", sha)
            if status:
                raise _unsafe(words)
            _remove(tips, paths, width=len(sha))
            status, tree, words = run(tips.git, "write_tree")
        if status:
            raise store.broken(Path(tips.git_dir), words)
        return tree
    finally:
        for left in (index, index.with_suffix(".index.lock")):
            left.unlink(missing_ok=True)


def _remove(tips: git.Repo, paths: list[str], *, width: int) -> None:
    # What has mode 0 leaves the index; the objects that this format asks for need not exist.
    text = "".join(f"0 {'0' * width}\t{path}\0" for path in paths)
    with TemporaryFile(dir=tips.git_dir) as stream:
        stream.write(text.encode())
        stream.seek(0)
        tips.git.update_index("-z", "--index-info", istream=stream)


def _parsed(tips: git.Repo, name: str) -> str | None:
    status, output, _ = run(tips.git, "rev_parse", "--verify", "--quiet", "--end-of-options", name)
    return None if status else output.splitlines()[-1]


def _too_large(path: str) -> Problem:
    return Problem(
        f"the ignore file is larger than {_MAX_IGNORE_FILE_BYTES // 1024} KiB",
        origin=Origin(path),
        reason="InvalidIgnore",
        remedy="gather its patterns in fewer, wider ones, or move some to a file in a folder below",
    )


def _too_many() -> Problem:
    return Problem(
        f"more than {_MAX_IGNORE_FILES} ignore files",
        reason="InvalidIgnore",
        remedy="gather the patterns in a few of them, nearer to the root",
    )


def _unsafe(words: str) -> SourceError:
    return SourceError(
        Problem(
            f"the commit holds names that git itself would not have made: {words[-120:]!a}",
            reason="ContentRefused",
            remedy="rename or remove them; `git fsck --strict` shows what is wrong",
        )
    )
