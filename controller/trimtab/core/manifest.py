"""A declared object with the place in Git that it comes from.

The render stage makes them, plan and apply carry them on; foreign objects stay plain dicts inside.
"""

from dataclasses import dataclass
from typing import Any

from trimtab.core.refs import ObjectRef


@dataclass(frozen=True, slots=True)
class Origin:
    """Where something was declared: `file` relative to the repository's root, `line` from 1 (0: unknown)."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Manifest:
    """One declared object. `body` is JSON-like and treated as immutable by everyone."""

    ref: ObjectRef
    api_version: str
    body: dict[str, Any]
    origin: Origin

    @property
    def annotations(self) -> dict[str, str]:
        """The declared annotations; empty where there are none."""
        return self.body.get("metadata", {}).get("annotations") or {}
