"""What one rendering may write: a budget that all trees spend from, however many calls they are asked in.

The renderer makes one for each job and hands it to every `SourceTree.materialise`; who writes, spends before.
"""

from typing import Final

from trimtab.core.errors import Problem, SourceError

BLOCK_BYTES: Final = 4096


class TreeBudget:
    """At most `limit_bytes` of all that is written."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self._spent_bytes = 0

    @property
    def spent_bytes(self) -> int:
        """What was written so far."""
        return self._spent_bytes

    def spend(self, size_bytes: int) -> None:
        """Count what is about to be written. Raises SourceError (TooManyBytes) where it is more than is left."""
        if self._spent_bytes + size_bytes > self.limit_bytes:
            raise too_many_bytes(self.limit_bytes)
        self._spent_bytes += size_bytes


def stored_bytes(size_bytes: int) -> int:
    """What a file of that size takes on a disk or in memory: whole blocks, and one at least."""
    return max(1, -(-size_bytes // BLOCK_BYTES)) * BLOCK_BYTES


def too_many_bytes(limit_bytes: int) -> SourceError:
    """The error of files that take more than the limit."""
    return SourceError(
        Problem(
            f"the files take more than the limit of {limit_bytes} bytes",
            reason="TooManyBytes",
            remedy="point spec.path to a smaller folder, leave out what is not needed by spec.ignore of the source, "
            "or raise the limit of the controller",
        )
    )
