"""What workers found, in the words of the ports.

Answers flow in, values of `reconcile.ports` flow out. `mirrors` and `histories` call it.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from trimtab.adapters.git.messages import FetchAnswer
from trimtab.core.errors import Problem
from trimtab.core.revision import Revision
from trimtab.reconcile.ports import CommitInfo, Fetched

_OF_COMMIT = ("sha", "author", "author_time", "committer", "committer_time", "subject")


def commit_of(found: Mapping[str, Any]) -> CommitInfo:
    """A commit from the fields of a `FetchAnswer`."""
    return CommitInfo(**{name: found[name] for name in _OF_COMMIT})


def fetched_of(answer: FetchAnswer, known: Fetched | None) -> Fetched:
    """What a fetch brought; an answer that says nothing of a commit means the `known` one."""
    revision = Revision(answer.ref_name, answer.sha)
    if known and not answer.changed and known.revision.sha == answer.sha:
        return Fetched(revision, known.commit, changed=False, tree_sha=known.tree_sha, tag_sha=answer.tag_sha)
    commit = commit_of(asdict(answer))
    return Fetched(revision, commit, changed=answer.changed, tree_sha=answer.tree_sha, tag_sha=answer.tag_sha)


def too_slow(seconds: float) -> Problem:
    """Reading local files took longer than the deadline allows."""
    return Problem(
        f"reading the mirror took longer than {seconds:g} s",
        reason="TimedOut",
        remedy="check the load and the disk of the controller",
        retry=True,
    )
