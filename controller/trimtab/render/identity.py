"""The key of a rendering: equal keys mean equal manifests, so that nothing is rendered twice.

The loop makes it from the tree hashes of the closure's folders at a commit, and renders only where it has changed.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from trimtab.api.application import ApplicationSpec

FORMAT: Final = 2
"""Raised when this package reads the same input differently."""
_NOT_RENDERED: Final = frozenset(
    {
        "sourceRef",
        "prune",
        "deletionPolicy",
        "adopt",
        "interval",
        "timeout",
        "wait",
        "suspend",
        "drift",
    }
)
"""Parts of a spec that change nothing in manifests. What is not named here counts, so that nothing is forgotten."""


def render_spec(spec: ApplicationSpec) -> dict[str, Any]:
    """The parts of a spec that its manifests depend on."""
    return {name: value for name, value in spec.to_body().items() if name not in _NOT_RENDERED}


def render_key(*, trees: Mapping[str, str], spec: Mapping[str, Any], inputs: str, tools: Mapping[str, str]) -> str:
    """Hex digest over `trees` (folder → Git tree hash) of the whole closure, the parts of the Application's `spec` that
    rendering reads, the digest of the `inputs` from the cluster, and the `tools` used (name → version).
    """
    parts = {"format": FORMAT, "trees": dict(trees), "spec": dict(spec), "inputs": inputs, "tools": dict(tools)}
    return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
