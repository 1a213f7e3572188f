"""After a 422: what to claim next, or whether only deleting the object helps. `steps.declare` asks it."""

from typing import Any, Final

from trimtab.apply.remedy import immutable
from trimtab.core.api_error import ApiError
from trimtab.core.manifest import Manifest
from trimtab.core.names import FORCE_ANNOTATION
from trimtab.core.observed import Live
from trimtab.plan.claim import Breadth, causes_of, claim_after_invalid
from trimtab.plan.references import CUSTOM_RESOURCE_DEFINITION, NAMESPACE, is_kind

_BREADTHS: Final = tuple(Breadth)


class Mending:
    """The refusal of one manifest, and which claims were tried against it."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._tried = 0
        self._recreated = False
        self.error: ApiError | None = None

    def worth_a_look(self, error: ApiError) -> bool:
        """Whether the live object may tell how to get around this refusal; remembers the refusal."""
        self.error = error
        claimable = bool(causes_of(error)) and self._tried < len(_BREADTHS)
        return claimable or self.wants_recreation(error)

    def claim(self, live: Live) -> list[dict[str, Any]] | None:
        """The next wider claim, None when there is none left to try."""
        if self.error is None or immutable(self.error):
            return None
        causes = causes_of(self.error)
        while causes and self._tried < len(_BREADTHS):
            breadth = _BREADTHS[self._tried]
            self._tried += 1
            managed_fields = claim_after_invalid(live.body, self._manifest.body, causes, breadth=breadth)
            if managed_fields is not None:
                return managed_fields
        return None

    def unclaimed(self) -> None:
        """The last claim came to nothing because the object had changed: it counts as not tried."""
        self._tried = max(0, self._tried - 1)

    def wants_recreation(self, error: ApiError) -> bool:
        """Whether force is asked for, would help, and was not tried yet.

        What others live in (Namespaces, CustomResourceDefinitions) is never deleted for that.
        """
        forced = self._manifest.annotations.get(FORCE_ANNOTATION) == "true"
        ref = self._manifest.ref
        holds_others = is_kind(ref, NAMESPACE) or is_kind(ref, CUSTOM_RESOURCE_DEFINITION)
        return forced and not holds_others and not self._recreated and immutable(error)

    def recreated(self) -> None:
        """The object is being deleted to be created anew: once is enough."""
        self._recreated = True
