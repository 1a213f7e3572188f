"""A revision rehearsed: what each object would become, asked of the server as the controller would apply it.

A declared state flows in; one `Rehearsed` per object of the plan flows out, with the problems that an apply would meet.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any, Final

from trimtab.apply.remedy import explain
from trimtab.apply.steps.mending import Mending
from trimtab.cli.declared import Declared
from trimtab.cli.session import Session
from trimtab.core.api_error import ApiError
from trimtab.core.errors import Problem
from trimtab.core.fields.managed import entries_of
from trimtab.core.fields.path import SegmentKind
from trimtab.core.manifest import Manifest
from trimtab.core.observed import Absent, Live, Observed, Unknown
from trimtab.core.refs import ObjectRef, split_api_version
from trimtab.plan.build import build
from trimtab.plan.changes import Adopt, Change, Create, Delete, Orphan, Plan, Update
from trimtab.plan.live_value import with_live_values
from trimtab.plan.sight import Missing, Sight, Unsure, sight_of
from trimtab.reconcile.parallel import gather_bounded

IN_FLIGHT: Final = 16


class Action(StrEnum):
    """What would happen to an object."""

    CREATE = "create"
    CHANGE = "change"
    ADOPT = "adopt"
    RECREATE = "delete and create anew"
    DELETE = "delete"
    RELEASE = "let go"


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """One object: as it is, and as it would be (None: absent). `note` says what the two do not show."""

    ref: ObjectRef
    action: Action
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """All objects in the order of the plan, and everything that would go wrong."""

    objects: tuple[Rehearsed, ...]
    problems: tuple[Problem, ...]
    kept: tuple[ObjectRef, ...] = ()


async def rehearse(session: Session, state: Declared) -> Rehearsal:
    """Plan as the controller does, and dry-run every apply. Raises ApiError where nothing can be asked."""
    live = await _look(session, state)
    sights = {ref: _sight(observed, state) for ref, observed in live.items()}
    plan: Plan = build(list(state.desired.manifests.values()), state.owned, sights, state.options)
    calls = [partial(_rehearse, session, change, live.get(change.ref)) for change in plan.changes]
    outcomes = await gather_bounded(calls, IN_FLIGHT)
    objects = tuple(each for each in outcomes if isinstance(each, Rehearsed))
    refused = tuple(each for each in outcomes if isinstance(each, Problem))
    return Rehearsal(objects, (*state.desired.problems, *plan.refused, *refused), plan.kept)


async def _look(session: Session, state: Declared) -> dict[ObjectRef, Observed]:
    versions = {ref: entry.version for ref, entry in state.owned.items()}
    versions |= {ref: split_api_version(each.api_version)[1] for ref, each in state.desired.manifests.items()}
    calls = [partial(session.objects.get, ref, version) for ref, version in versions.items()]
    return dict(zip(versions, await gather_bounded(calls, IN_FLIGHT), strict=True))


def _sight(observed: Observed, state: Declared) -> Sight:
    match observed:
        case Live() as live:
            # Without the controller's key nothing equals its baseline: every object is rehearsed.
            return sight_of(live, state.options.owner, baseline="")
        case Absent():
            return Missing()
        case Unknown(reason=reason):
            return Unsure(reason)


async def _rehearse(session: Session, change: Change, observed: Observed | None) -> Rehearsed | Problem | None:
    live = observed if isinstance(observed, Live) else None
    before = live.body if live else None
    match change:
        case Create() | Update() | Adopt():
            action = Action.ADOPT if isinstance(change, Adopt) else Action.CHANGE if live else Action.CREATE
            return await _dry_run(session, change.manifest, live, action)
        case Delete():
            return Rehearsed(change.ref, Action.DELETE, before, None)
        case Orphan():
            return Rehearsed(change.ref, Action.RELEASE, before, before, change.reason)
        case _:
            return None


async def _dry_run(session: Session, manifest: Manifest, live: Live | None, action: Action) -> Rehearsed | Problem:
    before = live.body if live else None
    body = with_live_values(manifest.body, live.body) if live else manifest.body
    try:
        after = await session.rehearsal.apply(body, dry_run=True)
    except ApiError as error:
        if error.not_found and live is None:
            why = "its namespace or kind is not there yet, so the server was not asked"
            return Rehearsed(manifest.ref, action, None, body, why)
        return _refused(manifest, live, action, error)
    return Rehearsed(manifest.ref, action, before, after)


def _refused(manifest: Manifest, live: Live | None, action: Action, error: ApiError) -> Rehearsed | Problem:
    """A refusal that the controller knows a way around, told by comparing the manifest; a problem otherwise."""
    mending = Mending(manifest)
    if live is not None and mending.worth_a_look(error):
        narrowed = projected(live.body, manifest.body, named=_named(live.body))
        if mending.claim(live) is not None:
            why = "the server refuses this in one step, so the fields are taken over first: compared by the manifest"
            return Rehearsed(manifest.ref, action, narrowed, manifest.body, why)
        if mending.wants_recreation(error):
            return Rehearsed(manifest.ref, Action.RECREATE, narrowed, manifest.body, "compared by the manifest")
    return explain(error, manifest.ref, manifest=manifest, verb="apply")


def projected(live: Any, declared: Any, *, named: Collection[str] = ()) -> Any:
    """The parts of a live value that a manifest speaks of; items of lists are matched by name, then by place.

    In items, fields whose names are in `named` stay as well: what somebody set there may have to go.
    """
    if isinstance(live, dict) and isinstance(declared, dict):
        return {key: projected(live[key], value, named=named) for key, value in declared.items() if key in live}
    if isinstance(live, list) and isinstance(declared, list):
        return [_item(item, _partner(item, index, declared), named) for index, item in enumerate(live)]
    return live


def _item(live: Any, declared: Any, named: Collection[str]) -> Any:
    if not isinstance(live, dict) or not isinstance(declared, dict):
        return live
    kept = {key: value for key, value in live.items() if key in named}
    return kept | projected(live, declared, named=named)


def _partner(item: Any, index: int, declared: list[Any]) -> Any:
    """The declared item that a live one is compared with; None where it has none."""
    if not isinstance(item, dict):
        return None
    same = [each for each in declared if isinstance(each, dict) and "name" in each and each["name"] == item.get("name")]
    return same[0] if same else declared[index] if index < len(declared) else None


def _named(live: dict[str, Any]) -> frozenset[str]:
    """Names of the fields that anybody set, as managedFields tell; defaults are nobody's."""
    ends = (path[-1] for entry in entries_of(live) for path in entry.paths)
    return frozenset(end.text for end in ends if end.kind is SegmentKind.FIELD)
