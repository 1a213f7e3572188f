"""What of a commit counts: folders to keep, patterns to ignore, a part of it taken as the whole.

A GitRepository's fields flow in; the Git port makes the tree that is left. Equal digests mean equal rules, so that two
trees of one commit are the same where their selections are.
"""

import json
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Final

from trimtab.source.path import within


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Everything, unless told otherwise. Ignore files in the tree are obeyed in any case."""

    ignore: str = ""
    """Patterns in gitignore syntax, which outrank those of the tree."""
    sparse: tuple[str, ...] = ()
    """Folders to keep, normal paths; all where there are none."""
    hidden: tuple[str, ...] = ()
    """Folders and files that something else takes the place of."""
    prefix: str = ""
    """The folder of another tree that this one stands in, whose patterns `ignore` holds."""
    folder: str = ""
    """The part that is the root of what is left."""

    @property
    def digest(self) -> str:
        """Stands for all rules; empty where there are none."""
        if self == EVERYTHING:
            return ""
        return sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:24]

    def keeps(self, path: str) -> bool:
        """Whether the folders leave a file or submodule in; patterns are `ignoring`'s."""
        if self.sparse and not within(path, self.sparse):
            return False
        return not (self.hidden and within(path, self.hidden))


EVERYTHING: Final = Selection()
