"""The bare repositories of a mirror on disk: made, mended, read; which commits they keep.

A folder flows in, opened repositories and facts about their commits flow out. Runs in a worker.

    <mirror>/tips.git       complete commits, depth 1       refs/trimtab/<group>/<number>, newest last
                            annotated tags                  refs/tagged/<group>
                            trees that selections made      refs/selected/<commit>/<selection>
    <mirror>/history.git    commits without trees           refs/trimtab/<group>, refs/trimtab/history/<number>
    <mirror>/blame.git      a few commits without files     refs/trimtab/blame/<number>, only where something failed
    <mirror>/lfs/<SHA-256>  what LFS pointers stand for
    <mirror>/used/<group>   touched whenever the ref is asked for
"""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import git

from trimtab.adapters.git.messages import FetchAnswer
from trimtab.adapters.git.remote import run
from trimtab.core.errors import Problem, SourceError

TIPS: Final = "tips.git"
HISTORY: Final = "history.git"
BLAME: Final = "blame.git"
LARGE: Final = "lfs"
_USED: Final = "used"
_SELECTED: Final = "refs/selected"
_ROOT: Final = "refs/trimtab"
_MAYBE_DAMAGED: Final = frozenset({"MirrorBroken", "GitFailed", "ContentRefused"})
_UNFINISHED: Final = ("tmp_pack_", "tmp_idx_", "tmp_rev_", "tmp_obj_", "selecting-")
_MAX_SHOWN: Final = 200
_MAX_LOG_BYTES: Final = 4 * 1024 * 1024
_KEPT_OF_HISTORY: Final = 50
"""Commits that are kept with all that leads to them; most of them lead to one another."""
_COMMIT_FORMAT: Final = "%H%x00%T%x00%an <%ae>%x00%at%x00%cn <%ce>%x00%ct%x00%s"


_LONG: Final = Problem(
    f"the authors and subjects of commits take more than {_MAX_LOG_BYTES} bytes",
    reason="ContentRefused",
    remedy="shorten the first line of the commit's message",
    retry=True,
)


class MirrorBroken(SourceError):
    """The mirror's own files cannot be read; the main process has it made anew by the next fetch."""


def broken(path: Path, words: str) -> MirrorBroken:
    """The error of a mirror that cannot be read, with git's words."""
    return MirrorBroken(
        Problem(
            f"the mirror {path.name} cannot be read: {words[-300:]}",
            reason="MirrorBroken",
            remedy="it is fetched anew; where this lasts, check the disk of the controller",
            retry=True,
        )
    )


def open_or_make(mirror: Path, name: str, *, sha: str) -> git.Repo:
    """The bare repository, made where it is missing or of the other object format than `sha`."""
    path = mirror / name
    object_format = "sha256" if len(sha) == 64 else "sha1"
    try:
        repository = git.Repo(path, expand_vars=False)
        reader = repository.config_reader("repository")
        if reader.get_value("extensions", "objectformat", default="sha1") == object_format:
            return repository
        repository.close()
    except (git.InvalidGitRepositoryError, git.NoSuchPathError):
        pass
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    status, _, words = run(
        git.Git(path), "init", "--quiet", "--bare", "--template=", f"--object-format={object_format}"
    )
    if status:
        raise broken(path, words)
    return git.Repo(path, expand_vars=False)


def open_tips(mirror: Path, sha: str) -> git.Repo:
    """The tips repository, holding that commit or selected tree. Raises SourceError (CommitNotFetched)."""
    try:
        repository = git.Repo(mirror / TIPS, expand_vars=False)
    except (git.InvalidGitRepositoryError, git.NoSuchPathError):
        raise not_fetched(sha) from None
    if sha not in commits(repository).values() and sha not in selected(repository).values():
        repository.close()
        raise not_fetched(sha)
    return repository


def mend(mirror: Path, *, thorough: bool) -> None:
    """Remove what a killed git left behind, and repositories in which objects are missing.

    `thorough` reads every object, too, and finds those that are damaged.
    """
    for name in (TIPS, HISTORY):
        path = mirror / name
        if not path.is_dir():
            continue
        for left in left_behind(path):
            left.unlink(missing_ok=True)
        try:
            with git.Repo(path, expand_vars=False) as repository:
                sound = _sound(repository, complete=name == TIPS, thorough=thorough)
        except git.InvalidGitRepositoryError:
            sound = False
        if not sound:
            shutil.rmtree(path, ignore_errors=True)


def remove(mirror: Path) -> None:
    """Remove all repositories."""
    for name in (TIPS, HISTORY, BLAME):
        discard(mirror, name)


def discard(mirror: Path, name: str) -> None:
    """Remove one repository; it is made anew when it is needed."""
    shutil.rmtree(mirror / name, ignore_errors=True)


@contextmanager
def disposable(mirror: Path, name: str) -> Iterator[None]:
    """Within the block, a repository on which nothing depends is thrown away where damage to it may be the fault."""
    try:
        yield
    except SourceError as error:
        if error.reason in _MAYBE_DAMAGED:
            discard(mirror, name)
        raise


def size_bytes(path: Path) -> int:
    """What the files of a folder hold."""
    return sum((Path(folder) / file).lstat().st_size for folder, _, files in os.walk(path) for file in files)


def declare_partial(repository: git.Repo, url: str, partial_filter: str) -> None:
    """Have git know that the objects which a filter left out are the server's to have."""
    for key, value in (
        ("remote.origin.url", url),
        ("remote.origin.promisor", "true"),
        ("remote.origin.partialCloneFilter", partial_filter),
    ):
        run(repository.git, "config", key, value)


def unlock(path: Path, group: str) -> None:
    """Remove the locks that a killed git left on a group's refs. Nobody else may be at work on the group."""
    for lock in (path / _ROOT / group).glob("*.lock"):
        lock.unlink(missing_ok=True)


def drop_refs(repository: git.Repo, prefix: str) -> None:
    """Let go of all refs below a prefix."""
    for name in run(repository.git, "for_each_ref", "--format=%(refname)", prefix)[1].splitlines():
        run(repository.git, "update_ref", "-d", name)


def selected(repository: git.Repo) -> dict[str, str]:
    """The trees that selections made: SHA by ref name."""
    _, output, _ = run(repository.git, "for_each_ref", "--format=%(refname) %(objectname)", f"{_SELECTED}/")
    return dict(line.split(" ") for line in output.splitlines())


def selected_ref(sha: str, name: str) -> str:
    """The ref that keeps a commit's selected tree."""
    return f"{_SELECTED}/{sha}/{name}"


def group_of(kind: str, name: str) -> str:
    """The name under which a ref's commits are kept: no text of users stands in a path or ref of ours."""
    return sha256(f"{kind}:{name}".encode()).hexdigest()[:24]


def touch(mirror: Path, group: str) -> None:
    """Remember that a ref is in use."""
    folder = mirror / _USED
    folder.mkdir(parents=True, exist_ok=True)
    (folder / group).touch()


def commits(repository: git.Repo) -> dict[str, str]:
    """The commits kept, oldest first within each group: SHA by ref name."""
    status, output, words = run(
        repository.git, "for_each_ref", "--sort=refname", "--format=%(refname) %(objectname)", f"{_ROOT}/"
    )
    if status:
        raise broken(Path(repository.git_dir), words)
    return dict(line.split(" ") for line in output.splitlines())


def of_group(kept: dict[str, str], group: str) -> dict[str, str]:
    """The part of `commits` that one ref has brought."""
    return {name: sha for name, sha in kept.items() if name.split("/")[2] == group}


def next_ref(kept: dict[str, str], group: str) -> str:
    """The ref name for the group's next commit."""
    last = max((int(name.rpartition("/")[2]) for name in of_group(kept, group)), default=0)
    return f"{_ROOT}/{group}/{last + 1:010}"


def history_ref(group: str) -> str:
    """Where the history repository keeps a branch."""
    return f"{_ROOT}/{group}"


def tag_ref(group: str) -> str:
    """Where the tips repository keeps the tag object of a ref."""
    return f"refs/tagged/{group}"


def describe(repository: git.Repo, revision: str, *, ref_name: str, changed: bool) -> FetchAnswer:
    """Who made a commit and when, by SHA or ref; texts are made fit for a terminal and for JSON."""
    found = described(repository, "--max-count=1", "--end-of-options", revision)
    if not found:
        raise broken(Path(repository.git_dir), f"{revision} names no commit")
    return FetchAnswer(**found[0] | {"ref_name": ref_name, "changed": changed})


def described(repository: git.Repo, *arguments: str, path: str = "") -> list[dict[str, Any]]:
    """What `git log` lists with these arguments, for a path where one is given, as bodies of `FetchAnswer`."""
    fields = _log(repository, *arguments, "--", *([path] if path else [])).split("\0")
    width = 7
    return [_commit(fields[start : start + width]) for start in range(0, len(fields) - width + 1, width)]


def _log(repository: git.Repo, *arguments: str) -> str:
    """What `git log` prints. Raises SourceError (ContentRefused) where it goes on without end, as messages may."""
    # Once nobody holds what GitPython gives, it ends the process.
    held = repository.git.log("-z", f"--format={_COMMIT_FORMAT}", *arguments, as_process=True)
    process = held.proc
    try:
        output: bytes = process.stdout.read(_MAX_LOG_BYTES + 1)
        if len(output) > _MAX_LOG_BYTES:
            raise SourceError(_LONG)
        if process.wait():
            raise broken(Path(repository.git_dir), process.stderr.read().decode(errors="replace"))
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()
    return output.decode(errors="replace")


def _commit(fields: list[str]) -> dict[str, Any]:
    sha, tree_sha, author, author_time, committer, committer_time, subject = fields
    return asdict(
        FetchAnswer(
            ref_name="",
            sha=sha.strip(),
            changed=False,
            tree_sha=tree_sha,
            author=_printable(author),
            author_time=_seconds(author_time),
            committer=_printable(committer),
            committer_time=_seconds(committer_time),
            subject=_printable(subject),
        )
    )


def clean_up(mirror: Path, *, kept_commits: int, forget_seconds: float, max_history_bytes: int = 0) -> None:
    """Let go of commits beyond the newest few of each ref, and of refs that nobody asks for; pack what is left."""
    # Made for errors of the day, and quickly made anew.
    discard(mirror, BLAME)
    for file in (mirror / LARGE).glob("*"):
        if file.stat().st_mtime < time.time() - forget_seconds:
            file.unlink(missing_ok=True)
    for name, kept in ((TIPS, kept_commits), (HISTORY, max(kept_commits, _KEPT_OF_HISTORY))):
        if not (mirror / name).is_dir():
            continue
        with git.Repo(mirror / name, expand_vars=False) as repository:
            _let_go(mirror, repository, kept_commits=kept, oldest=time.time() - forget_seconds)
            # A reader may still be at work on a commit that is let go of now.
            run(repository.git, "gc", "--quiet", "--prune=15.minutes.ago")
    if max_history_bytes and size_bytes(mirror / HISTORY) > max_history_bytes:
        discard(mirror, HISTORY)


def _let_go(mirror: Path, repository: git.Repo, *, kept_commits: int, oldest: float) -> None:
    kept = commits(repository)
    for group in {ref.split("/")[2] for ref in kept}:
        refs = list(of_group(kept, group))
        used = mirror / _USED / group
        in_use = used.exists() and used.stat().st_mtime >= oldest
        for ref in refs[:-kept_commits] if in_use else refs:
            run(repository.git, "update_ref", "-d", ref)
        if not in_use:
            run(repository.git, "update_ref", "-d", tag_ref(group))
            used.unlink(missing_ok=True)
    still = set(commits(repository).values())
    for ref in selected(repository):
        if ref.split("/")[2] not in still:
            run(repository.git, "update_ref", "-d", ref)


def _sound(repository: git.Repo, *, complete: bool, thorough: bool) -> bool:
    walk = ("--objects",) if complete else ()
    if run(repository.git, "rev_list", "--quiet", *walk, "--all")[0]:
        return False
    return not thorough or run(repository.git, "fsck", "--no-dangling", "--no-reflogs", "--no-progress")[0] == 0


def left_behind(path: Path) -> Iterator[Path]:
    """Locks and unfinished packs, of gits that were killed if none is at work now."""
    for folder, _, files in os.walk(path):
        for file in files:
            if file.endswith(".lock") or file.startswith(
                ("tmp_pack_", "tmp_idx_", "tmp_rev_", "tmp_obj_", "selecting-")
            ):
                yield Path(folder) / file


def not_fetched(sha: str) -> SourceError:
    """The error of a commit (or tag) that was let go of, or never came."""
    return SourceError(
        Problem(
            f"commit {sha} is not, or no longer, in the mirror",
            reason="CommitNotFetched",
            remedy="fetch it by ref.commit, or go on with the newest revision",
            retry=True,
        )
    )


def _printable(text: str) -> str:
    text = text.encode(errors="replace").decode()
    return "".join(c for c in text if c.isprintable())[:_MAX_SHOWN]


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
