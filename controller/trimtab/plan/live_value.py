"""Fields left to others: sent with their live value until somebody else owns them, and only then left out.

Leaving out a field that only we own resets it to its default: three replicas would become one. The manifest and the
live object flow in; the body to apply, or to compare with, flows out.
"""

from collections.abc import Collection, Mapping
from typing import Any

from trimtab.core.fields.fieldset import under
from trimtab.core.fields.managed import entries_of, our_paths
from trimtab.core.fields.path import MISSING, Path, SegmentKind, resolve, step_into
from trimtab.plan.claim import REPLICAS


def with_live_values(
    body: dict[str, Any], live: Mapping[str, Any], *, ignored: Collection[Path] = ()
) -> dict[str, Any]:
    """`body`, normalised, with the live value at each path that is left to others while we alone own it.

    These are `ignored` paths, whether declared or not, and `spec.replicas` where `body` no longer declares it. Where
    another manager owns a path it is left out, so that this manager keeps it; where nothing stands there, or nobody but
    a manifest mentions it, the manifest's value stays. Paths through list items concern declared items only. The
    arguments stay as they are.
    """
    retained = {*ignored}
    if resolve(body, REPLICAS) is MISSING:
        retained.add(REPLICAS)
    ours = our_paths(live)
    others = [entry.paths for entry in entries_of(live) if not entry.ours]
    for path in sorted(retained):
        value = resolve(live, path)
        if value is MISSING:
            continue
        if any(under(paths, path) for paths in others):
            body = _changed(body, path, MISSING)
        elif under(ours, path):
            body = _changed(body, path, value)
    return body


def _changed(value: Any, path: Path, new: Any) -> Any:
    """A copy of `value` with `new` at the path (MISSING: without it); the same where the way does not exist."""
    step, *rest = path
    if step.kind is SegmentKind.FIELD:
        if not isinstance(value, Mapping) or (new is MISSING and step.text not in value):
            return value
        if rest:
            inner = _changed(value.get(step.text, {}), tuple(rest), new)
            return {**value, step.text: inner} if inner or step.text in value else value
        kept = {name: below for name, below in value.items() if name != step.text}
        return kept if new is MISSING else {**kept, step.text: new}
    item = step_into(value, step)
    if item is MISSING or not rest:
        return value
    return [_changed(each, tuple(rest), new) if each is item else each for each in value]
