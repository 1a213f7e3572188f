"""Random lengthening of waits, so that many clients or watches do not act at the same moment.

Connection and watches pass the wait they are told or computed; a somewhat longer one flows out.
"""

import random


def longer(seconds: float, *, share: float = 0.3) -> float:
    """The wait, lengthened by a random part of at most `share` of it."""
    return seconds * random.uniform(1.0, 1.0 + share)  # noqa: S311 - spreads load, guards nothing
