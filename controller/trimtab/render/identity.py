"""The key of a rendering: equal keys mean equal manifests, so that nothing is rendered twice.

The loop makes it from the tree hashes of the closure's folders at a commit, and renders only where it has changed.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Final

FORMAT: Final = 1
"""Raised when this package reads the same input differently."""


def render_key(*, path: str, trees: Mapping[str, str], spec: Mapping[str, str], tools: Mapping[str, str]) -> str:
    """Hex digest over the folder rendered, `trees` (folder → Git tree hash) of the whole closure, the parts of the
    Application's `spec` that rendering reads, and the `tools` used (name → version).
    """
    parts = {"format": FORMAT, "path": path, "trees": dict(trees), "spec": dict(spec), "tools": dict(tools)}
    return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
