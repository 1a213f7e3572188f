"""What the main process asks of a worker and what it is told: the bodies of the frames, typed.

`mirrors` makes requests, `worker` answers them; both sides turn them into JSON and back here.
"""

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from trimtab.core.errors import Problem, SourceError
from trimtab.core.manifest import Origin


class Condition(StrEnum):
    """What the main process knows of a mirror on disk."""

    SOUND = "sound"
    UNSURE = "unsure"
    """First seen in this process, or a worker was killed while it wrote: locks may lie about, objects be missing."""
    DOUBTFUL = "doubtful"
    """A fetch failed in a way that damage to our own files would explain as well as a fault of the server."""
    BROKEN = "broken"
    """Objects could not be read: to be made anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """Resolve a ref and bring its commit. `ref` is the declared mapping, checked again by the worker."""

    mirror: str
    url: str
    ref: dict[str, str]
    credentials: dict[str, Any] = field(default_factory=dict, repr=False)
    """A `GitCredentials` as its `to_body` gives it; an App's token is in it already."""
    addresses: dict[str, Any] = field(default_factory=dict)
    """An `AddressPolicy` as its `to_body` gives it."""
    known_sha: str = ""
    """The commit the main process has for this ref, with all that `FetchAnswer` would say of it."""
    known_tag_sha: str = ""
    condition: Condition = Condition.UNSURE
    max_pack_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchAnswer:
    """Where `changed` is False and the request named this commit as known, only `ref_name` and the SHAs are filled."""

    ref_name: str
    sha: str
    changed: bool
    tag_sha: str = ""
    """The tag object's, where the ref is an annotated tag."""
    tree_sha: str = ""
    author: str = ""
    author_time: float = 0.0
    committer: str = ""
    committer_time: float = 0.0
    subject: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppToken:
    """Obtain a token of the GitHub App in `credentials`; the answer is an AppTokenAnswer."""

    credentials: dict[str, Any] = field(repr=False)
    addresses: dict[str, Any]
    mirror: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppTokenAnswer:
    """A token; `expires` in seconds since the epoch."""

    token: str = field(repr=False)
    expires: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Between(Fetch):
    """List the commits that two revisions do not share; the answer is that of `history.between`. `ref` is not read."""

    newer: str
    older: str
    max_commits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LastChanges(Fetch):
    """Who last changed files, `[path, line]` each (line 0: the file), at `sha`; the answer is that of `culprits`."""

    sha: str
    places: list[list[str | int]]
    depths: list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Select:
    """Make the tree of a commit without what a selection leaves out; the answer is `{"sha": …}`."""

    mirror: str
    sha: str
    ignore: str = ""
    sparse: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    prefix: str = ""
    folder: str = ""
    name: str = ""
    """Stands for all of the selection, in a ref."""
    max_files: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Modules:
    """The submodules of a commit or tree; the answer is `{"modules": [[path, url, sha], …]}`."""

    mirror: str
    sha: str
    max_modules: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchLarge(Fetch):
    """Bring what the LFS pointers of a commit or tree stand for; the answer is empty. `ref` is not read."""

    sha: str
    max_files: int
    max_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """The tree SHA of a folder; the answer is `{"sha": …}`."""

    mirror: str
    sha: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trees:
    """The tree SHAs of folders; the answer is `{"shas": {path: sha}}`, without those that are not there."""

    mirror: str
    sha: str
    paths: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RawObject:
    """The bytes of the commit `sha`, or of the tag object `tag_sha` that was fetched with it; as `{"base64": …}`."""

    mirror: str
    sha: str
    tag_sha: str
    max_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Materialise:
    """Write files; the answer is `{"bytes": …}`: what this takes beside what lay there already."""

    mirror: str
    sha: str
    paths: list[str]
    target: str
    max_files: int
    max_bytes: int
    spent_bytes: int = 0
    """What others wrote, which counts too."""
    lfs: bool = False
    """Write what LFS pointers stand for, which `FetchLarge` brought, in place of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleanup:
    """Pack a mirror and remove what is not kept; the answer is empty."""

    mirror: str
    kept_commits: int
    forget_seconds: float
    max_history_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Warm:
    """Be ready for other requests; the answer is empty."""

    mirror: str = ""


Request = (
    Fetch
    | Between
    | LastChanges
    | FetchLarge
    | AppToken
    | Tree
    | Trees
    | RawObject
    | Select
    | Modules
    | Materialise
    | Cleanup
    | Warm
)

_KINDS: dict[str, type[Request]] = {
    kind.__name__: kind
    for kind in (
        Fetch,
        Between,
        LastChanges,
        FetchLarge,
        AppToken,
        Tree,
        Trees,
        RawObject,
        Select,
        Modules,
        Materialise,
        Cleanup,
        Warm,
    )
}


def to_message(request: Request, *, max_memory_bytes: int) -> dict[str, Any]:
    """A request as a JSON object, with what the worker may take for it."""
    return {"kind": type(request).__name__, "body": asdict(request), "max_memory_bytes": max_memory_bytes}


def from_message(message: dict[str, Any]) -> Request:
    """The inverse of `to_message`. Raises KeyError or TypeError on what no main process sends."""
    return _KINDS[message["kind"]](**message["body"])


def refusal(error: SourceError, *, broken: bool = False) -> dict[str, Any]:
    """An error as an answer; `broken` tells that the mirror could not be read."""
    problems = [
        {
            "message": problem.message,
            "reason": problem.reason,
            "remedy": problem.remedy,
            "retry": problem.retry,
            "file": problem.origin.file if problem.origin else "",
            "line": problem.origin.line if problem.origin else 0,
        }
        for problem in error.problems
    ]
    return {"problems": problems, "broken": broken}


def error_of(answer: dict[str, Any]) -> SourceError | None:
    """The error that an answer holds, if any."""
    if "problems" not in answer:
        return None
    return SourceError(
        *(
            Problem(
                problem["message"],
                origin=Origin(problem["file"], problem["line"]) if problem["file"] else None,
                reason=problem["reason"],
                remedy=problem["remedy"],
                retry=problem["retry"],
            )
            for problem in answer["problems"]
        )
    )
