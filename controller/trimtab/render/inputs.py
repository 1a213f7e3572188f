"""What rendering takes from the cluster beside the files: nothing of it lies in Git, all of it is part of the key.

The loop gathers it and hands it to the renderer.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderInputs:
    """Equal `digest`s mean equal inputs; it is keyed, for some of them are secret. `repr` shows only the digest."""

    digest: str = ""

    def __repr__(self) -> str:
        return f"RenderInputs({self.digest!r})"
