"""Memory that the C library holds after a burst of work, given back to the system.

Nothing flows in or out; wiring has it done now and then.
"""

import ctypes
from typing import Final

_LIBRARY: Final = ctypes.CDLL(None)


def give_back() -> None:
    """Return free pages of the heap, in well under a millisecond; nothing happens where the C library is not glibc."""
    trim = getattr(_LIBRARY, "malloc_trim", None)
    if trim is not None:
        trim(0)
