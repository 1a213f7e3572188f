"""The history of a repository without its trees and files: which commits lead from one revision to another.

A Between request flows in, commits flow out. Runs in a worker. The repository is one of its own: commits without files
among the complete ones would let the server leave out, in a later fetch, files that we do not have.
"""

from pathlib import Path
from typing import Any, Final

import git

from trimtab.adapters.git import store
from trimtab.adapters.git.fetching import QUIET, reached
from trimtab.adapters.git.messages import Between
from trimtab.adapters.git.remote import Remote, run
from trimtab.core.errors import Problem, SourceError
from trimtab.source.ref import check_sha
from trimtab.source.url import show_url

_GROUP: Final = "history"
_FILTER: Final = "tree:0"


def between(request: Between) -> dict[str, Any]:
    """`{"added": […], "dropped": […], "truncated": …, "related": …}`, commits as mappings of `FetchAnswer`.

    Raises SourceError as fetching does, and HistoryTooLarge.
    """
    newer, older = check_sha(request.newer), check_sha(request.older)
    mirror = Path(request.mirror)
    disposable = store.disposable(mirror, store.HISTORY)
    with disposable, reached(request) as remote, opened(mirror, remote, sha=newer) as history:
        _have(newer, history, remote)
        try:
            _have(older, history, remote)
        except SourceError as error:
            if error.reason != "RefNotFound":
                raise
            return _unrelated()
        finally:
            _refuse_large(mirror, request)
        if run(history.git, "merge_base", newer, older)[0]:
            return _unrelated()
        added, more_added = _listed(history, newer, older, request.max_commits)
        dropped, more_dropped = _listed(history, older, newer, request.max_commits)
    return {"added": added, "dropped": dropped, "truncated": more_added or more_dropped, "related": True}


def opened(mirror: Path, remote: Remote, *, sha: str) -> git.Repo:
    """The history repository, knowing that what it lacks is the server's to have."""
    store.touch(mirror, _GROUP)
    history = store.open_or_make(mirror, store.HISTORY, sha=sha)
    store.declare_partial(history, remote.url, _FILTER)
    store.unlock(mirror / store.HISTORY, _GROUP)
    return history


def _have(sha: str, history: git.Repo, remote: Remote) -> None:
    """Bring a commit and all that leads to it, unless it is here: only what is not here yet travels."""
    if _reachable(history, sha):
        return
    ref = store.next_ref(store.commits(history), _GROUP)
    fetch = ("fetch", f"--filter={_FILTER}", *QUIET, "--", "origin")
    try:
        remote.run(history.git, *fetch, f"+{sha}:{ref}")
    except SourceError as error:
        if error.reason != "RefNotFound":
            raise
        # The server gives out tips only, or has no such commit any more.
        remote.run(history.git, *fetch, f"+refs/heads/*:refs/whole/{_GROUP}/*")
        missing, _, _ = run(history.git, "update_ref", ref, f"{sha}^{{commit}}")
        store.drop_refs(history, f"refs/whole/{_GROUP}/")
        if missing:
            raise error from None


def _reachable(history: git.Repo, sha: str) -> bool:
    """Whether a kept commit is this one or leads back to it: a mere leftover may lack what leads to itself."""
    if not store.commits(history):
        return False
    status, output, _ = run(history.git, "for_each_ref", "--count=1", f"--contains={sha}", "refs/trimtab/")
    return status == 0 and bool(output)


def _listed(history: git.Repo, newer: str, older: str, limit: int) -> tuple[list[dict[str, Any]], bool]:
    """The commits that lead to one and not to the other, newest first, and whether there are more."""
    found = store.described(history, f"--max-count={limit + 1}", newer, f"^{older}")
    return found[:limit], len(found) > limit


def _refuse_large(mirror: Path, request: Between) -> None:
    if store.size_bytes(mirror / store.HISTORY) > request.max_pack_bytes:
        store.discard(mirror, store.HISTORY)
        raise SourceError(
            Problem(
                f"{show_url(request.url)}: the history alone holds more than {request.max_pack_bytes} bytes",
                reason="HistoryTooLarge",
                remedy="nothing depends on it but lists of commits; the server may not support partial clones",
                retry=True,
            )
        )


def _unrelated() -> dict[str, Any]:
    return {"added": [], "dropped": [], "truncated": False, "related": False}
