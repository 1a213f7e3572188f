"""Flags that several verbs share, declared once; every verb that talks to a cluster takes them.

Typer reads the annotations; `Target` is what becomes of the first three.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from trimtab.core.names import DEFAULT_NAMESPACE

__all__ = ["DEFAULT_NAMESPACE", "Context", "Kubeconfig", "Namespace", "Output", "Outputs", "Target"]


class Outputs(StrEnum):
    """How data is printed."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


Kubeconfig = Annotated[
    Path | None, typer.Option(help="Kubeconfig of the cluster; chosen as kubectl does where it is not given.")
]
Context = Annotated[str | None, typer.Option(help="Context of the kubeconfig.")]
Namespace = Annotated[
    str, typer.Option("--namespace", "-n", envvar="TRIMTAB_NAMESPACE", help="Namespace of the Applications.")
]
Output = Annotated[Outputs, typer.Option("--output", "-o", help="The form of the answer.")]


@dataclass(frozen=True, slots=True)
class Target:
    """Which cluster, and which namespace of it."""

    kubeconfig: Path | None
    context: str | None
    namespace: str
