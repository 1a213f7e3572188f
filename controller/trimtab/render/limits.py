"""What a revision may cost to read: every bound that keeps hostile or broken input from eating the controller.

Settings make them, all readers of this package take them.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on input. Sizes in bytes, the rest counts.

    `alias_bytes` bounds what YAML aliases add to one file when they are expanded, counted as the length of scalars plus
    64 per node; `value_bytes` bounds, counted so, all values of a folder or of a build: `{},` costs memory twenty times
    its length. `tree_bytes` bounds what is written to disk, or with decryption to memory, for one rendering. `depth`
    stays below what JSON encoders accept (254).
    """

    tree_bytes: int = 512 * 1024 * 1024
    file_bytes: int = 16 * 1024 * 1024
    total_bytes: int = 128 * 1024 * 1024
    files: int = 20_000
    documents: int = 20_000
    depth: int = 200
    alias_bytes: int = 8 * 1024 * 1024
    value_bytes: int = 256 * 1024 * 1024


DEFAULT_LIMITS = Limits()
