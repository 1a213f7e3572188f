"""Helm's hooks: objects of a chart that belong to a moment of a release, not to its lasting state.

The reader of helm's output asks `read_hook` of every object; hooks leave the manifests and travel beside them, until
the apply stage runs them at their phases.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from trimtab.core.manifest import Origin
from trimtab.core.visible import visible

_EVENT: Final = "helm.sh/hook"
_WEIGHT: Final = "helm.sh/hook-weight"
_DELETE_POLICY: Final = "helm.sh/hook-delete-policy"
_COMMA: Final = re.compile(r"\s*,\s*")
_SHOWN: Final = 3


class Phase(StrEnum):
    """When hooks run, seen from an Application: install and upgrade are one and the same sync to it."""

    PRE_APPLY = "PreApply"
    POST_APPLY = "PostApply"
    PRE_DELETE = "PreDelete"
    POST_DELETE = "PostDelete"
    PRE_ROLLBACK = "PreRollback"
    POST_ROLLBACK = "PostRollback"
    TEST = "Test"


class HookEvent(StrEnum):
    """helm's own names for the moments."""

    PRE_INSTALL = "pre-install"
    POST_INSTALL = "post-install"
    PRE_UPGRADE = "pre-upgrade"
    POST_UPGRADE = "post-upgrade"
    PRE_DELETE = "pre-delete"
    POST_DELETE = "post-delete"
    PRE_ROLLBACK = "pre-rollback"
    POST_ROLLBACK = "post-rollback"
    TEST = "test"
    TEST_SUCCESS = "test-success"


class HookDeletePolicy(StrEnum):
    """When a hook's object goes away again."""

    BEFORE_CREATION = "before-hook-creation"
    SUCCEEDED = "hook-succeeded"
    FAILED = "hook-failed"


_PHASES: Final = {
    HookEvent.PRE_INSTALL: Phase.PRE_APPLY,
    HookEvent.PRE_UPGRADE: Phase.PRE_APPLY,
    HookEvent.POST_INSTALL: Phase.POST_APPLY,
    HookEvent.POST_UPGRADE: Phase.POST_APPLY,
    HookEvent.PRE_DELETE: Phase.PRE_DELETE,
    HookEvent.POST_DELETE: Phase.POST_DELETE,
    HookEvent.PRE_ROLLBACK: Phase.PRE_ROLLBACK,
    HookEvent.POST_ROLLBACK: Phase.POST_ROLLBACK,
    HookEvent.TEST: Phase.TEST,
    HookEvent.TEST_SUCCESS: Phase.TEST,
}
_POLICIES: Final = frozenset(HookDeletePolicy)


@dataclass(frozen=True, slots=True)
class Hook:
    """An object and its moments. Within a phase lower weights come first, then names, as helm runs them.

    Its name may be empty: hooks may have a generateName.
    """

    body: dict[str, Any]
    events: frozenset[HookEvent]
    weight: int
    delete_policies: frozenset[HookDeletePolicy]
    origin: Origin

    @property
    def phases(self) -> frozenset[Phase]:
        """When it runs."""
        return frozenset(_PHASES[event] for event in self.events)

    def __str__(self) -> str:
        metadata = self.body["metadata"]
        return f"{self.body.get('kind')}/{metadata.get('name') or str(metadata.get('generateName')) + '*'}"


def read_hook(body: dict[str, Any], origin: Origin) -> Hook | None:
    """The hook that an object is; None where it is none. helm drops those with a moment that it does not know."""
    metadata = body.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    named = annotations.get(_EVENT) if isinstance(annotations, dict) else None
    if not isinstance(annotations, dict) or not isinstance(named, str):
        return None
    events = {HookEvent(name) for name in _words(named) if name in _PHASES}
    if not events:
        return None
    policies = {HookDeletePolicy(name) for name in _words(annotations.get(_DELETE_POLICY)) if name in _POLICIES}
    return Hook(
        body,
        frozenset(events),
        _weight(annotations.get(_WEIGHT)),
        frozenset(policies) or frozenset({HookDeletePolicy.BEFORE_CREATION}),
        origin,
    )


def left_out(hooks: Iterable[Hook]) -> str:
    """A sentence for people on hooks that are not run; empty where there are none. Tests are nobody's concern."""
    waiting = [hook for hook in hooks if hook.phases != {Phase.TEST}]
    if not waiting:
        return ""
    named = ", ".join(f"{visible(str(hook))} ({', '.join(sorted(hook.events))})" for hook in waiting[:_SHOWN])
    more = f" and {len(waiting) - _SHOWN} more" if len(waiting) > _SHOWN else ""
    return f"Helm hooks are not run: {named}{more}"


def _words(text: Any) -> list[str]:
    return _COMMA.split(text.strip().lower()) if isinstance(text, str) else []


def _weight(text: Any) -> int:
    """As helm reads it: what is no number counts as 0."""
    try:
        return int(str(text))
    except ValueError:
        return 0
