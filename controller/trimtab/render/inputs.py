"""What rendering takes from the cluster beside the files: nothing of it lies in Git, all of it is part of the key.

`wanted_inputs` says which objects a spec refers to; the loop reads them and hands their data to the renderer, whose
stages pick what is theirs.
"""

import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import Literal, Self

from trimtab.api.application import ApplicationSpec
from trimtab.api.helm import ValuesKind, ValuesReference

InputKind = Literal["ConfigMap", "Secret"]


@dataclass(frozen=True, slots=True, order=True)
class InputRef:
    """A ConfigMap or Secret of the Application's namespace."""

    kind: InputKind
    name: str


@dataclass(frozen=True)
class Capabilities:
    """What Helm charts may ask of the cluster: its version, like v1.36.3, and `group/version` and
    `group/version/Kind` of all that it serves, sorted.
    """

    kube_version: str = ""
    api_versions: tuple[str, ...] = ()

    @cached_property
    def digest(self) -> str:
        """Equal digests mean equal capabilities."""
        return sha256("\n".join((self.kube_version, *self.api_versions)).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderInputs:
    """Data by object, None for one that does not exist. `repr` shows only the digest, for some of it is secret.

    Equal `digest`s mean equal inputs; it is keyed, so that nothing can be guessed from it.
    """

    objects: Mapping[InputRef, Mapping[str, bytes] | None] = field(default_factory=dict)
    capabilities: Capabilities = Capabilities()
    digest: str = ""

    @classmethod
    def of(
        cls,
        objects: Mapping[InputRef, Mapping[str, bytes] | None],
        *,
        key: bytes,
        capabilities: Capabilities = Capabilities(),
    ) -> Self:
        """The inputs with their digest; it is empty where there are none, and keyed with the installation's `key`."""
        if not objects and capabilities == Capabilities():
            return cls()
        total = hmac.new(key, digestmod=sha256)
        for ref in sorted(objects):
            total.update(_framed(ref.kind, ref.name, object_digest(objects[ref], key=key)))
        total.update(_framed(capabilities.kube_version, *capabilities.api_versions))
        return cls(objects=objects, capabilities=capabilities, digest=total.hexdigest())

    def __repr__(self) -> str:
        return f"RenderInputs({self.digest!r})"


def object_digest(data: Mapping[str, bytes] | None, *, key: bytes) -> str:
    """A keyed digest of one object's data, by which a change is told."""
    if data is None:
        return ""
    parts = [part for name in sorted(data) for part in (name, data[name])]
    return hmac.new(key, _framed(*parts), sha256).hexdigest()


def _framed(*parts: str | bytes) -> bytes:
    """Parts with their lengths, so that no two sequences look alike."""
    encoded = (part if isinstance(part, bytes) else part.encode() for part in parts)
    return b"".join(len(each).to_bytes(8, "big") + each for each in encoded) + len(parts).to_bytes(8, "big")


def wanted_inputs(spec: ApplicationSpec) -> frozenset[InputRef]:
    """The objects that a spec refers to."""
    values = (values_ref(reference) for reference in spec.helm.values_from)
    keys = (InputRef("Secret", spec.decryption.secret_ref.name),) if spec.decryption else ()
    return frozenset((*_substitutions(spec), *values, *keys))


def _substitutions(spec: ApplicationSpec) -> Iterator[InputRef]:
    for source in spec.post_build.substitute_from if spec.post_build else ():
        yield InputRef(source.kind, source.name)


def values_ref(reference: ValuesReference) -> InputRef:
    """The object that holds a chart's values."""
    return InputRef("Secret" if reference.kind is ValuesKind.SECRET else "ConfigMap", reference.name)
