"""Whether a live value is what a manifest declares, as far as that can be told without asking the server.

Plan and drift use it where the server refuses to answer an apply; otherwise its own answer is compared. It forgives
what the server changes by itself: defaults that it adds, zero values that it leaves out, the spelling of quantities.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from trimtab.core.fields.path import MISSING, same

_QUANTITY = re.compile(r"(?P<number>[+-]?(?:\d+\.?\d*|\.\d+))(?P<suffix>[numkMGTPE]|[KMGTPE]i|[eE][+-]?\d{1,2})?")
_FACTORS = {suffix: Decimal(10) ** (3 * power) for power, suffix in enumerate(("n", "u", "m", "", "k", "M", "G"), -3)}
_FACTORS |= {suffix: Decimal(10) ** (3 * power) for power, suffix in enumerate(("T", "P", "E"), 4)}
_FACTORS |= {suffix: Decimal(1024) ** power for power, suffix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)}


def quantity(text: object) -> Decimal | None:
    """The number that a Kubernetes quantity (`500m`, `0.5Gi`, `1e3`, 2) stands for, None where it is none.

    Grammar and factors: the API's resource.Quantity.
    """
    if isinstance(text, bool) or not isinstance(text, str | int | float):
        return None
    match = _QUANTITY.fullmatch(str(text))
    if not match:
        return None
    suffix = match["suffix"] or ""
    factor = _FACTORS[suffix] if suffix in _FACTORS else Decimal(10) ** int(suffix[1:])
    return Decimal(match["number"]) * factor


def fulfils(live: Any, declared: Any) -> bool:
    """Whether `live` (MISSING: nothing there) is what `declared` asks for."""
    if live is MISSING or live is None:
        # The server leaves zero values out: "", 0, false, {}, [] and null.
        return not declared
    if isinstance(declared, Mapping):
        return isinstance(live, Mapping) and all(
            fulfils(live.get(name, MISSING), value) for name, value in declared.items()
        )
    if isinstance(declared, list):
        return (
            isinstance(live, list)
            and len(live) == len(declared)
            and all(fulfils(one, other) for one, other in zip(live, declared, strict=True))
        )
    if declared is None:
        return True
    if same(live, declared):
        return True
    number = quantity(declared)
    return number is not None and number == quantity(live)
