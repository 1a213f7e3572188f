"""What rendering takes from the cluster beside the files: nothing of it lies in Git, all of it is part of the key.

`wanted_inputs` says which objects a spec refers to; the loop reads them and hands their data to the renderer, whose
stages pick what is theirs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from trimtab.api.application import ApplicationSpec

InputKind = Literal["ConfigMap", "Secret"]


@dataclass(frozen=True, slots=True, order=True)
class InputRef:
    """A ConfigMap or Secret of the Application's namespace."""

    kind: InputKind
    name: str


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What Helm charts may ask of the cluster: its version, like v1.36.3, and `group/version` and
    `group/version/Kind` of all that it serves, sorted.
    """

    kube_version: str = ""
    api_versions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderInputs:
    """Data by object, None for one that does not exist. `repr` shows only the digest, for some of it is secret.

    Equal `digest`s mean equal inputs; it is keyed, so that nothing can be guessed from it.
    """

    objects: Mapping[InputRef, Mapping[str, bytes] | None] = field(default_factory=dict)
    capabilities: Capabilities = Capabilities()
    digest: str = ""

    def __repr__(self) -> str:
        return f"RenderInputs({self.digest!r})"


def wanted_inputs(spec: ApplicationSpec) -> frozenset[InputRef]:
    """The objects that a spec refers to."""
    wanted: set[InputRef] = set()
    if spec.decryption is not None:
        wanted.add(InputRef("Secret", spec.decryption.secret_ref.name))
    return frozenset(wanted)
