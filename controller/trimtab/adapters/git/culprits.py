"""Who last changed a file, for errors: a few commits of the branch with their folders, without files, looked through.

A LastChanges request flows in, a commit and author per place flow out, or nothing where finding out would cost too
much. Runs in a worker. The repository is a third one, shallow and thrown away by the next clean-up: folders among the
commits of the history would let a server with bitmaps leave out folders that we do not have.
"""

from pathlib import Path
from typing import Any, Final

import git

from trimtab.adapters.git import store
from trimtab.adapters.git.fetching import QUIET, reached
from trimtab.adapters.git.messages import LastChanges
from trimtab.adapters.git.remote import Remote, run
from trimtab.core.errors import SourceError
from trimtab.source.path import repository_path
from trimtab.source.ref import check_sha

_GROUP: Final = "blame"
_FILTER: Final = "blob:none"
_MAX_VERSIONS: Final = 20
"""Versions of a file that are brought to tell who changed a line."""
_MAX_LINES: Final = 5
"""Lines looked into; for further ones the file is good enough."""

Place = tuple[str, int]


def last_changes(request: LastChanges) -> list[list[Any]]:
    """`[path, line, commit, author, of the line?]` for each place that was found out about. Raises SourceError."""
    sha, mirror = check_sha(request.sha), Path(request.mirror)
    places = {(repository_path(str(path)), int(line)) for path, line in request.places}
    if store.size_bytes(mirror / store.BLAME) > request.max_pack_bytes:
        store.discard(mirror, store.BLAME)
    found: dict[str, tuple[str, str]] = {}
    disposable = store.disposable(mirror, store.BLAME)
    with disposable, reached(request) as remote, store.open_or_make(mirror, store.BLAME, sha=sha) as blame:
        for left in store.left_behind(mirror / store.BLAME):
            left.unlink(missing_ok=True)
        store.declare_partial(blame, remote.url, _FILTER)
        for depth in request.depths:
            _deepen(blame, remote, sha, depth)
            found |= _by_file(blame, sha, {path for path, _ in places} - found.keys())
            if found.keys() == {path for path, _ in places}:
                break
        lines = sorted((path, line) for path, line in places if line and path in found)[:_MAX_LINES]
        of_lines = _by_line(blame, remote, sha, lines)
    return [
        [path, line, *(of_lines.get((path, line)) or found[path]), (path, line) in of_lines]
        for path, line in sorted(places)
        if path in found
    ]


def _deepen(blame: git.Repo, remote: Remote, sha: str, depth: int) -> None:
    kept = store.commits(blame)
    ref = next((name for name, known in kept.items() if known == sha), None) or store.next_ref(kept, _GROUP)
    remote.run(blame.git, "fetch", f"--depth={depth}", f"--filter={_FILTER}", *QUIET, "--", "origin", f"+{sha}:{ref}")


def _by_file(blame: git.Repo, sha: str, paths: set[str]) -> dict[str, tuple[str, str]]:
    """Commit and author by path, where the change lies within what is here."""
    edge = _edge(blame)
    found = {}
    for path in sorted(paths):
        # Without looking for renames, which would want the files themselves.
        for commit in store.described(blame, "--max-count=1", "--no-renames", sha, path=path):
            if commit["sha"] not in edge:
                found[path] = (commit["sha"], commit["author"])
    return found


def _edge(blame: git.Repo) -> frozenset[str]:
    """Commits whose parents are not here: to them all files seem new."""
    try:
        return frozenset((Path(blame.git_dir) / "shallow").read_text().split())
    except FileNotFoundError:
        return frozenset()


def _by_line(blame: git.Repo, remote: Remote, sha: str, places: list[Place]) -> dict[Place, tuple[str, str]]:
    """The same by line. What does not work out is left out: the file's last change is known already."""
    found = {}
    edge = _edge(blame)
    for path, line in places:
        try:
            if not _bring_versions(blame, remote, sha, path):
                continue
        except SourceError:
            continue
        status, output, _ = run(blame.git, "blame", "--porcelain", "--no-follow", f"-L{line},{line}", sha, "--", path)
        culprit = output.split(" ", 1)[0]
        if status == 0 and culprit not in edge:
            found[path, line] = (culprit, store.described(blame, "--max-count=1", culprit)[0]["author"])
    return found


def _bring_versions(blame: git.Repo, remote: Remote, sha: str, path: str) -> bool:
    """Bring the contents that a file had over the commits that are here; whether they are few enough."""
    changes = store.described(blame, f"--max-count={_MAX_VERSIONS + 1}", "--no-renames", sha, path=path)
    if len(changes) > _MAX_VERSIONS:
        return False
    blobs = set()
    for commit in changes:
        for name in (commit["sha"], *_parents(blame, commit["sha"])):
            status, output, _ = run(blame.git, "rev_parse", "--verify", "--quiet", f"{name}:{path}")
            blobs |= {output} if status == 0 else set()
    missing = [blob for blob in sorted(blobs) if not _is_here(blame, blob)]
    if missing:
        # Without telling what is here: the server would take the files of all our commits for known to us.
        run(blame.git, "config", "fetch.negotiationAlgorithm", "noop")
        try:
            remote.run(blame.git, "fetch", f"--filter={_FILTER}", *QUIET, "--", "origin", *missing)
        finally:
            run(blame.git, "config", "--unset", "fetch.negotiationAlgorithm")
    return True


def _parents(blame: git.Repo, sha: str) -> list[str]:
    return run(blame.git, "rev_list", "--parents", "--max-count=1", sha)[1].split()[1:]


def _is_here(blame: git.Repo, blob: str) -> bool:
    return run(blame.git, "cat_file", "-e", blob)[0] == 0
