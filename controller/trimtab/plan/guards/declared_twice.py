"""One object is declared once: of two files that declare the same, the first counts and the second is refused."""

from trimtab.core.errors import PlanRefused, Problem
from trimtab.core.manifest import Manifest


class DeclaredTwice(PlanRefused):
    """Two manifests name the same object."""


def check(manifest: Manifest, first: Manifest | None) -> None:
    """Raises DeclaredTwice where `first` declared the object before."""
    if first is None:
        return
    raise DeclaredTwice(
        Problem(
            f"is declared already in {first.origin}",
            ref=manifest.ref,
            origin=manifest.origin,
            remedy="remove one of the two",
            reason="DeclaredTwice",
        )
    )
