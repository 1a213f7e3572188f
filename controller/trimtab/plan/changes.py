"""What is to be done with each object, and the plan that holds it together.

`plan.build` and `plan.teardown` make plans; `apply` carries them out; report and the CLI print them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from trimtab.core.errors import Problem
from trimtab.core.inventory import Entry
from trimtab.core.manifest import Manifest
from trimtab.core.observed import Live
from trimtab.core.refs import ObjectRef
from trimtab.plan.options import PlanOptions


@dataclass(frozen=True, slots=True)
class _Declared:
    """A change of something that Git declares."""

    manifest: Manifest

    @property
    def ref(self) -> ObjectRef:
        """The object."""
        return self.manifest.ref


@dataclass(frozen=True, slots=True)
class Create(_Declared):
    """The object is absent. `entry`: what the inventory says of it."""

    entry: Entry | None = None


@dataclass(frozen=True, slots=True)
class Update(_Declared):
    """The object is there and ours, and differs, or may differ, from what is declared.

    `entry` None: it carries our mark, but the inventory does not know it. `look`: read it before the apply, because the
    revision may drop fields that need care; `previous` is what the last revision declared, as far as known.
    """

    entry: Entry | None
    live_uid: str
    look: bool = False
    previous: Manifest | None = None


@dataclass(frozen=True, slots=True)
class Adopt(_Declared):
    """The object is there and nobody's, or may be taken: claim its fields, then apply.

    `live` is what was seen of it, possibly its metadata only; `entry` what the inventory says of it.
    """

    live: Live
    entry: Entry | None = None


@dataclass(frozen=True, slots=True)
class Recreate(_Declared):
    """An immutable field changes and the object allows force: delete the object `uid`, then create it.

    `plan.build` cannot know it: an apply run turns an `Update` into it once the server has refused that.
    """

    uid: str
    entry: Entry | None = None


@dataclass(frozen=True, slots=True)
class Unchanged(_Declared):
    """What was applied is still there as it was: no request is needed."""


@dataclass(frozen=True, slots=True)
class Held(_Declared):
    """The object drifted, and its drift is only reported: no request is made."""


@dataclass(frozen=True, slots=True)
class Delete:
    """The object left Git. `verify`: look at it first, because the inventory alone does not prove it ours."""

    ref: ObjectRef
    entry: Entry
    verify: bool = False


@dataclass(frozen=True, slots=True)
class Orphan:
    """The object stays in the cluster, unmarked, and is no longer tracked.

    `unmark` False: it carries no mark of ours that should go (it is somebody else's by now).
    """

    ref: ObjectRef
    entry: Entry
    reason: str
    unmark: bool = True


@dataclass(frozen=True, slots=True)
class Forget:
    """The object left Git and is gone already: only its inventory entry goes."""

    ref: ObjectRef
    entry: Entry


Change = Create | Update | Adopt | Recreate | Unchanged | Held | Delete | Orphan | Forget


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything one revision (or a teardown) does.

    `changes` are in the order in which they should start where several may. `edges` maps an object to those it waits
    for, all of them in `changes`. `refused` objects are in no change. `kept` left Git but stay tracked (prune off or
    refused). `digest` identifies desired state, base revision and guards: what `trimtab.dev/confirm` must say.
    """

    options: PlanOptions
    changes: tuple[Change, ...] = ()
    edges: Mapping[ObjectRef, frozenset[ObjectRef]] = field(default_factory=dict)
    refused: tuple[Problem, ...] = ()
    kept: tuple[ObjectRef, ...] = ()
    digest: str = ""
    teardown: bool = False

    @property
    def empty(self) -> bool:
        """Whether carrying the plan out sends no request at all."""
        return all(isinstance(change, Unchanged | Held) for change in self.changes)
