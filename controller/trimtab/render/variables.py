"""The variables of `spec.postBuild`: from ConfigMaps and Secrets in their order, and inline ones over them.

The renderer's adapter calls it with an Application's spec and inputs. As with Flux, line ends are taken out of values.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from trimtab.api.post_build import VARIABLE_NAME, PostBuild, SubstituteFrom
from trimtab.core.errors import Problem, RenderError
from trimtab.render.inputs import InputRef, RenderInputs

_NAME: Final = re.compile(VARIABLE_NAME.removesuffix("$"), re.ASCII)
_RECOGNISABLE: Final = 3
_REASON: Final = "SubstitutionFailed"


@dataclass(frozen=True, slots=True)
class Variables:
    """Values by name; `repr` shows none, for some may be secret."""

    values: Mapping[str, str] = field(repr=False)
    secrets: frozenset[str] = field(default=frozenset(), repr=False)
    """Those of them that came from Secrets and are long enough to be recognised."""


def variables(post_build: PostBuild, inputs: RenderInputs) -> Variables:
    """All variables. Raises RenderError with every object that is missing and every key that is of no use."""
    found: dict[str, str] = {}
    secret: set[str] = set()
    problems: list[Problem] = []
    for source in post_build.substitute_from:
        data = inputs.objects.get(InputRef(source.kind, source.name))
        if data is None:
            problems += () if source.optional else (_missing(source),)
            continue
        for name, value in data.items():
            try:
                found[name] = value.decode()
            except UnicodeDecodeError:
                problems.append(_wrong(source, f"the value of {name!r} is no text", "keep it in another object"))
            if source.kind == "Secret":
                secret.add(name)
            if not _NAME.fullmatch(name):
                problems.append(_wrong(source, f"{name!r} is no name of a variable", "use letters, digits and _"))
    if problems:
        raise RenderError(*problems)
    found |= post_build.substitute
    values = {name: value.replace("\n", "") for name, value in found.items()}
    secrets = {values[name] for name in secret - post_build.substitute.keys()}
    return Variables(values, frozenset(value for value in secrets if len(value) >= _RECOGNISABLE))


def _missing(source: SubstituteFrom) -> Problem:
    return _wrong(source, "it does not exist", "create it in the Application's namespace, or set optional: true")


def _wrong(source: SubstituteFrom, message: str, remedy: str) -> Problem:
    where = f"{source.kind} {source.name} of spec.postBuild.substituteFrom"
    return Problem(f"{where}: {message}", remedy=remedy, reason=_REASON)
