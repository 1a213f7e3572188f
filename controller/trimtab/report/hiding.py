"""Values that came from Secrets and stand elsewhere now, taken out of texts and of a status as a whole.

The narrator calls it with a function that masks a text; inputs know the values. Names of objects stay: without them
nothing could be found.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeVar

from trimtab.api.application import ApplicationStatus
from trimtab.api.model import ApiModel

MASK: Final = "***"
RECOGNISABLE: Final = 4
"""Shorter values are not masked: taking out each `a` would leave no text."""

Mask = Callable[[str], str]
_Item = TypeVar("_Item", bound=ApiModel)


def mask_values(text: str, values: Iterable[bytes]) -> str:
    """The text without the values, the longest first."""
    for form in sorted(_forms(values), key=len, reverse=True):
        text = text.replace(form, MASK)
    return text


def _forms(values: Iterable[bytes]) -> Iterator[str]:
    """How values may stand in a text: as they are, without line ends as substitution takes them, or in JSON."""
    for value in values:
        text = value.decode(errors="ignore")
        forms = {text, text.strip(), text.replace("\n", ""), json.dumps(text, ensure_ascii=False)[1:-1]}
        yield from (form for form in forms if len(form) >= RECOGNISABLE)


def without_values(status: ApplicationStatus, mask: Mask) -> ApplicationStatus:
    """The status with its messages and the values of its drift masked."""
    return status.model_copy(
        update={
            "conditions": tuple(_copy(each, mask, "message") for each in status.conditions),
            "errors": tuple(_copy(each, mask, "message") for each in status.errors),
            "history": tuple(_copy(each, mask, "message") for each in status.history),
            "drift": tuple(_copy(each, mask, "declared", "live") for each in status.drift),
        }
    )


def _copy(item: _Item, mask: Mask, *fields: str) -> _Item:
    texts = {field: text for field in fields if (text := getattr(item, field)) is not None}
    return item.model_copy(update={field: mask(text) for field, text in texts.items()})
