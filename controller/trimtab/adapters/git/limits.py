"""The bounds of the Git adapter, in one value: wiring makes it, the mirrors and their workers obey it."""

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class GitLimits:
    """Defaults for a controller of 150 MB; each worker holds about 25 MB more while it lives, which is seconds unless
    servers are slow.
    """

    network_workers: int = 24
    """Worker processes that ask servers: more than there are lanes (`reconcile/lanes.py`), so that nobody who has one
    waits here, while who looks for the author of an error, or for a token, finds a place, too."""
    local_workers: int = 2
    """Those for work on local files, which no slow server may hold up. It takes milliseconds: in more processes it
    would end no sooner, and each process holds memory."""
    uses_per_worker: int = 200
    """Requests after which a worker is replaced, since GitPython leaks in long-lived processes."""
    idle_seconds: float = 10.0
    """Time without work after which a worker ends."""
    local_timeout_seconds: float = 60.0
    """Deadline of work on local files."""
    kept_commits: int = 10
    """Commits kept per ref, so that earlier revisions can be rendered again."""
    fetches_per_cleanup: int = 50
    """Fetches that brought something after which a mirror is packed and what is not kept removed."""
    forget_seconds: float = 7 * 86400.0
    """Time without use after which refs, and mirrors with none left, are removed."""
    max_pack_bytes: int = 2048 * MIB
    """Size of one file that git may write, which bounds a fetch."""
    max_memory_bytes: int = 768 * MIB
    """Memory of a worker, and of each git process that it starts; what servers send may make them grow without end."""
    max_files: int = 50_000
    """Files of a commit written or listed at once."""
    max_tree_bytes: int = 512 * MIB
    """Bytes that a commit's files take when they are written at once."""
    max_selected_files: int = 1_000_000
    """Files of a commit that are looked at to tell which are ignored."""
    max_history_bytes: int = 512 * MIB
    """Size of a repository's history without trees and files; a larger one is not kept."""
    max_between: int = 250
    """Commits listed between two revisions."""
    history_pause_seconds: float = 600.0
    """How long a history that could not be had is not asked for again."""
    blame_depths: tuple[int, ...] = (50, 500)
    """How many commits back it is looked for who changed a failing file, step by step."""
    max_blame_bytes: int = 64 * MIB
    """Size of what is brought for that."""
    blame_timeout_seconds: float = 15.0
    """Deadline of that; an error is told without its author where it passes."""
    max_modules: int = 50
    """Submodules of a commit, those of submodules included."""
    max_lfs_files: int = 2_000
    """Files of a commit in LFS."""
    max_lfs_bytes: int = 512 * MIB
    """Size of all of them."""
