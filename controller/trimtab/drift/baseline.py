"""The baseline: a keyed digest of what we own of an object, so that most watch events need no request to be judged.

Live objects (answers to an apply, watch events) flow in, a short text flows out. The loop keeps the digest of the
answer in the inventory and compares; a different digest is a suspicion, `compare` gives the verdict.
"""

import hmac
from collections.abc import Mapping
from typing import Any

from trimtab.core.fields.fieldset import walk
from trimtab.core.fields.managed import our_tree
from trimtab.core.fields.path import MISSING, canonical

ALGORITHM = "b1"
"""Goes into every baseline: after a change of the algorithm all differ once, and each object is judged anew."""


def baseline(live: Mapping[str, Any], *, key: bytes) -> str | None:
    """HMAC-SHA256 under the installation's `key` over the paths of our Apply entry and the scalars that stand there.

    Maps and lists contribute their path only: what others add inside is not ours, and a change by another writer takes
    the path out of our entry. An absent value and null are one. The object's identity is part of it, so that equal
    values of two Secrets do not show. None where there is no Apply entry of ours, or it was written at another
    apiVersion than `live` was read at: its paths say nothing about this body.
    """
    ours = our_tree(live)
    if ours is None or ours[0] != live.get("apiVersion"):
        return None
    metadata = live.get("metadata", {})
    digest = hmac.new(key, digestmod="sha256")
    identity = (ALGORITHM, live["apiVersion"], live.get("kind"), metadata.get("namespace"), metadata.get("name"))
    digest.update(canonical(identity).encode(errors="surrogatepass"))
    for path, value in walk(ours[1], live):
        scalar = value is not MISSING and value is not None and not isinstance(value, Mapping | list)
        member = [[f"{step.kind.value}:{step.text}" for step in path], *([value] if scalar else [])]
        digest.update(b"\n" + canonical(member).encode(errors="surrogatepass"))
    return f"{ALGORITHM}:{digest.hexdigest()}"
