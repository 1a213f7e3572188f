"""The oracle: what the controller owns of an object, read off managedFields by code of its own.

Live objects flow in, the fields with their places and values flow out; two states of an object make the findings that
the controller has to report. Nothing of the controller's own reading is used here, so that both cannot err alike.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

ABSENT: Final = object()
UNKNOWN: Final = "unknown"

Pointer = tuple[str | int, ...]
"""Keys and list indices on the way to a value."""


@dataclass(frozen=True, slots=True)
class Member:
    """A path of somebody's entry: as status writes it, where it stands in this body, and what stands there.

    `inner`: others of the same entry lie below it, so that only its presence counts.
    """

    text: str
    steps: tuple[str, ...]
    pointer: Pointer
    value: Any
    inner: bool


@dataclass(frozen=True, slots=True)
class Finding:
    """A declared field that somebody changed."""

    text: str
    declared: Any
    live: Any
    actor: str


def entries(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The managedFields of an object."""
    return list(body["metadata"].get("managedFields") or ())


def ours(body: Mapping[str, Any]) -> dict[str, Member]:
    """What the controller's own Apply entry holds."""
    for entry in entries(body):
        if (entry["manager"], entry["operation"], entry.get("subresource", "")) == ("trimtab", "Apply", ""):
            return {member.text: member for member in _members(entry["fieldsV1"], body, (), (), "")}
    return {}


def _members(
    tree: Mapping[str, Any], value: Any, steps: tuple[str, ...], pointer: Pointer, text: str
) -> Iterator[Member]:
    for name, below in tree.items():
        if name == ".":
            continue
        place, found, title = _step(name, value)
        where = (*pointer, place)
        told = title if not text else text + (title if title.startswith("[") else f".{title}")
        inner = bool(below)
        if not inner or "." in below:
            yield Member(told, (*steps, name), where, found, inner)
        if below:
            yield from _members(below, found, (*steps, name), where, told)


def _step(name: str, value: Any) -> tuple[str | int, Any, str]:
    """Index or key, what stands there, and how status writes it."""
    kind, _, rest = name.partition(":")
    if kind == "f":
        plain = rest.replace("_", "").replace("-", "").isalnum()
        return rest, value.get(rest, ABSENT) if isinstance(value, dict) else ABSENT, rest if plain else f"[{rest}]"
    wanted = json.loads(rest)
    items = value if isinstance(value, list) else []
    if kind == "v":
        return _place(items, lambda item: item == wanted, f"[={_bare(wanted)}]")
    title = ",".join(f"{key}={_bare(each)}" for key, each in wanted.items())
    return _place(items, lambda item: all(item.get(key) == each for key, each in wanted.items()), f"[{title}]")


def _place(items: list[Any], fits: Any, title: str) -> tuple[int, Any, str]:
    return next(((index, item, title) for index, item in enumerate(items) if fits(item)), (-1, ABSENT, title))


def _bare(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, separators=(",", ":"))


def findings(before: Mapping[str, Any], after: Mapping[str, Any] | None) -> list[Finding]:
    """What has to be reported when an object went from one state, in which it rested, to the other."""
    if after is None:
        return [Finding("", f"{before['kind']} present", ABSENT, UNKNOWN)]
    owned_still = ours(after)
    found: list[Finding] = []
    gone: tuple[str, ...] | None = None
    for member in sorted(ours(before).values(), key=lambda each: each.steps):
        if gone is not None and member.steps[: len(gone)] == gone:
            continue
        now = _standing(after, member.steps)
        if member.inner:
            if now is ABSENT and member.value is not ABSENT:
                gone = member.steps
                found.append(Finding(member.text, member.value, ABSENT, UNKNOWN))
        elif not _alike(member.value, now) and not (_whole(member.value) and member.text in owned_still):
            found.append(Finding(member.text, member.value, now, _actor(after, member.steps)))
    return found


def _standing(body: Any, steps: tuple[str, ...]) -> Any:
    for name in steps:
        _, body, _ = _step(name, body)
        if body is ABSENT:
            return ABSENT
    return body


def _alike(one: Any, other: Any) -> bool:
    nothing = (ABSENT, None)
    return (one in nothing and other in nothing) if one in nothing or other in nothing else one == other


def _whole(value: Any) -> bool:
    """Of a map or list that is still ours, others may have filled the inside."""
    return isinstance(value, dict | list)


def _actor(body: Mapping[str, Any], steps: tuple[str, ...]) -> str:
    """Who holds the very path by now; somebody who holds part of it, else."""
    holders = []
    for entry in entries(body):
        tree: Any = entry["fieldsV1"]
        for name in steps:
            tree = tree.get(name) if isinstance(tree, dict) else None
        if tree is not None and not (entry["manager"] == "trimtab" and entry["operation"] == "Apply"):
            exact = not tree or "." in tree
            holders.append((exact, entry.get("time", ""), entry["manager"]))
    return max(holders)[2] if holders else UNKNOWN


def as_declared(before: Mapping[str, Any], now: Mapping[str, Any] | None) -> bool:
    """Whether everything that was declared stands again as it did."""
    return now is not None and not now["metadata"].get("deletionTimestamp") and not _differing(before, now)


def _differing(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    held = ours(now)
    for member in ours(before).values():
        if member.text not in held:
            return True
        if not member.inner and not _alike(member.value, held[member.text].value) and not _whole(member.value):
            return True
    return False
