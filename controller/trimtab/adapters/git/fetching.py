"""One fetch: ask where the ref stands, bring the commit only where it moved, keep it, describe it.

A Fetch request flows in, a FetchAnswer or a `SourceError` flows out. Runs in a worker; the main process sees to it
that only one runs per mirror.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import git

from trimtab.adapters.git import store
from trimtab.adapters.git.messages import Condition, Fetch, FetchAnswer
from trimtab.adapters.git.opening import opened
from trimtab.adapters.git.remote import Remote, Tip, run
from trimtab.core.errors import Problem, SourceError
from trimtab.source.addresses import AddressPolicy
from trimtab.source.credentials import GitCredentials, check_credentials
from trimtab.source.ref import Branch, Commit, WantedTip, wanted_ref
from trimtab.source.url import check_url, show_url

QUIET = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--force")
_ALL = "--depth=2147483647"
"""Git's word for infinity: unlike --unshallow it is no error in a repository that is complete already."""


def fetch(request: Fetch) -> FetchAnswer:
    """Carry out a request. All that users wrote is checked again here, next to the git that would obey it."""
    wanted = wanted_ref(request.ref)
    mirror = Path(request.mirror)
    if request.condition is Condition.BROKEN:
        store.remove(mirror)
    elif request.condition is not Condition.SOUND:
        store.mend(mirror, thorough=request.condition is Condition.DOUBTFUL)
    with reached(request) as remote:
        if isinstance(wanted, Commit):
            return _fetch_commit(wanted, mirror, remote)
        return _fetch_tip(request, wanted, mirror, remote)


@contextmanager
def reached(request: Fetch) -> Iterator[Remote]:
    """The server of a request for as long as the block runs, once URL, credentials and address have been checked."""
    check_url(request.url)
    credentials = GitCredentials.from_body(request.credentials)
    check_credentials(request.url, credentials)
    with opened(request.url, credentials, AddressPolicy.from_body(request.addresses)) as remote:
        yield remote


def _fetch_tip(request: Fetch, wanted: WantedTip, mirror: Path, remote: Remote) -> FetchAnswer:
    group = store.group_of(type(wanted).__name__, getattr(wanted, "name", ""))
    store.touch(mirror, group)
    tip = remote.tip(git.Git(mirror), wanted)
    if (tip.sha, tip.tag_sha) == (request.known_sha, request.known_tag_sha):
        return FetchAnswer(ref_name=tip.name, sha=tip.sha, changed=False, tag_sha=tip.tag_sha)
    with store.open_or_make(mirror, store.TIPS, sha=tip.sha) as tips:
        answer = _to_tip(tip, group, tips, remote)
        _bring_tag(tip, group, tips, remote)
    return replace(answer, tag_sha=tip.tag_sha)


def _to_tip(tip: Tip, group: str, tips: git.Repo, remote: Remote) -> FetchAnswer:
    """Have the tip's commit among those kept, the newest of its group."""
    kept = store.commits(tips)
    if tip.sha in list(store.of_group(kept, group).values())[-1:]:
        return store.describe(tips, tip.sha, ref_name=tip.name, changed=False)
    ref = store.next_ref(kept, group)
    if tip.sha in kept.values():
        # Back to a commit that is complete here: a forced push back, or a tag on a branch we know.
        run(tips.git, "update_ref", ref, tip.sha)
    else:
        _bring_tip(tip, ref, tips, remote)
    return store.describe(tips, ref, ref_name=tip.name, changed=True)


def _bring_tip(tip: Tip, ref: str, tips: git.Repo, remote: Remote) -> None:
    """Fetch by SHA, which saves asking for the refs again; by name where the server wants that or the tip moved on."""
    try:
        remote.run(tips.git, "fetch", "--depth=1", *QUIET, "--", remote.url, f"+{tip.sha}:{ref}")
    except SourceError as error:
        if error.reason != "RefNotFound":
            raise
        remote.run(tips.git, "fetch", "--depth=1", *QUIET, "--", remote.url, f"+{tip.remote_ref}:{ref}")
    else:
        if tip.remote_ref.startswith("refs/heads/"):
            return
    status, _, _ = run(tips.git, "update_ref", ref, f"{ref}^{{commit}}")
    if status:
        run(tips.git, "update_ref", "-d", ref)
        raise SourceError(
            Problem(
                f"{show_url(remote.url)}: {tip.name} names no commit",
                reason="RefNotFound",
                remedy="point the tag to a commit, or name another in spec.ref",
                retry=True,
            )
        )


def _bring_tag(tip: Tip, group: str, tips: git.Repo, remote: Remote) -> None:
    """Keep the tag object beside its commit, for whoever verifies it: it may change while the commit stays."""
    if tip.tag_sha and run(tips.git, "cat_file", "-e", tip.tag_sha)[0]:
        ref = store.tag_ref(group)
        remote.run(tips.git, "fetch", "--depth=1", *QUIET, "--", remote.url, f"+{tip.remote_ref}:{ref}")


def _fetch_commit(wanted: Commit, mirror: Path, remote: Remote) -> FetchAnswer:
    """A commit never moves: what is here is not asked for again."""
    group = store.group_of("Commit", f"{wanted.branch}:{wanted.sha}")
    store.touch(mirror, group)
    with store.open_or_make(mirror, store.TIPS, sha=wanted.sha) as tips:
        kept = store.commits(tips)
        if wanted.sha in store.of_group(kept, group).values():
            return store.describe(tips, wanted.sha, ref_name=wanted.branch, changed=False)
        if wanted.branch:
            _check_on_branch(wanted, mirror, remote)
        ref = store.next_ref(kept, group)
        if wanted.sha in kept.values():
            run(tips.git, "update_ref", ref, wanted.sha)
        else:
            _bring(wanted, ref, tips, remote)
        return store.describe(tips, wanted.sha, ref_name=wanted.branch, changed=True)


def _bring(wanted: Commit, ref: str, tips: git.Repo, remote: Remote) -> None:
    """Fetch one commit; from a server that gives out tips only, all that leads to one and then the commit."""
    try:
        remote.run(tips.git, "fetch", "--depth=1", *QUIET, "--", remote.url, f"+{wanted.sha}:{ref}")
    except SourceError as error:
        if error.reason != "RefNotFound":
            raise
        source = f"refs/heads/{wanted.branch}" if wanted.branch else "refs/heads/*"
        group = ref.split("/")[2]
        target = f"refs/whole/{group}/x" if wanted.branch else f"refs/whole/{group}/*"
        remote.run(tips.git, "fetch", _ALL, *QUIET, "--", remote.url, f"+{source}:{target}")
        status, _, _ = run(tips.git, "update_ref", ref, f"{wanted.sha}^{{commit}}")
        store.drop_refs(tips, f"refs/whole/{group}/")
        if status:
            raise error from None


def _check_on_branch(wanted: Commit, mirror: Path, remote: Remote) -> None:
    """Bring the branch's commits without their files, and look for the wanted one among them."""
    tip = remote.tip(git.Git(mirror), Branch(wanted.branch))
    with store.open_or_make(mirror, store.HISTORY, sha=wanted.sha) as history:
        ref = store.history_ref(store.group_of("Commit", f"{wanted.branch}:{wanted.sha}"))
        store.declare_partial(history, remote.url, "tree:0")
        remote.run(history.git, "fetch", "--filter=tree:0", *QUIET, "--", "origin", f"+{tip.remote_ref}:{ref}")
        on_branch = run(history.git, "merge_base", "--is-ancestor", wanted.sha, ref)[0] == 0
    if not on_branch:
        raise SourceError(
            Problem(
                f"{show_url(remote.url)}: commit {wanted.sha} is not on branch {wanted.branch}",
                reason="CommitNotOnBranch",
                remedy="correct ref.commit or ref.branch, or push the commit to the branch",
                retry=True,
            )
        )
