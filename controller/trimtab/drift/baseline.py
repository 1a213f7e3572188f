"""The baseline: a keyed digest of what we own of an object, so that most watch events need no request to be judged.

Live objects (answers to an apply, watch events) flow in, a short text flows out. The loop keeps the digest of the
answer in the inventory and compares; a different digest is a suspicion, `compare` gives the verdict.
"""

import hmac
from collections.abc import Mapping
from typing import Any

from trimtab.core.fields.fieldset import FieldsV1
from trimtab.core.fields.managed import our_tree
from trimtab.core.fields.path import MISSING, canonical, segment, step_into

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
    identity = (ALGORITHM, live["apiVersion"], live.get("kind"), metadata.get("namespace"), metadata.get("name"))
    content = canonical([identity, _marks(ours[1], live)]).encode(errors="surrogatepass")
    return f"{ALGORITHM}:{hmac.new(key, content, 'sha256').hexdigest()}"


def _marks(tree: FieldsV1, value: object) -> list[Any]:
    """A FieldsV1 tree in a fixed order with the scalars at its members: `[segment, member, [scalar], below]` each.

    It runs for every watch event: hence one pass and one serialisation, and no path is built.
    """
    marks = []
    for name, below in tree.items():
        if name == ".":
            continue
        step = segment(name)
        found = MISSING if value is MISSING else step_into(value, step)
        member = not below or "." in below
        scalar = member and found is not MISSING and found is not None and not isinstance(found, dict | list)
        marks.append((str(step), member, [found] if scalar else [], _marks(below, found) if below else []))
    # Two members never share a segment, so that values are never compared.
    return sorted(marks)
