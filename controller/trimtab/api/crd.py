"""The CustomResourceDefinitions of all kinds: names, columns and schemas put together.

Nothing flows in but the models; dicts and YAML text flow out to `trimtab crds`, `install` and the loop's self-check.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import yaml

from trimtab.api import application, git_repository, helm_repository, inventory, oci_repository
from trimtab.api.model import Resource
from trimtab.api.schema import structural
from trimtab.core.names import API_GROUP, API_VERSION
from trimtab.core.refs import ResourceType

Column = dict[str, Any]


def _column(name: str, path: str, *, kind: str = "string", wide: bool = False, description: str = "") -> Column:
    column: Column = {"name": name, "type": kind, "jsonPath": path}
    if description:
        column["description"] = description
    if wide:
        column["priority"] = 1
    return column


def _condition(kind: str, part: str = "status") -> str:
    return f'.status.conditions[?(@.type=="{kind}")].{part}'


_READY: Final = _column("Ready", _condition("Ready"))
_AGE: Final = _column("Age", ".metadata.creationTimestamp", kind="date")
_STATUS: Final = _column("Status", _condition("Ready", "message"), description="What the condition Ready says")
_SUSPENDED: Final = _column("Suspended", ".spec.suspend", kind="boolean", wide=True)


_SOURCE_COLUMNS: Final = (
    _column("URL", ".spec.url"),
    _READY,
    _column("Revision", ".status.artifact.revision", description="What was fetched last"),
    _STATUS,
    _AGE,
    _SUSPENDED,
)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind as its CRD declares it."""

    model: type[Resource]
    resource: ResourceType
    short_name: str
    columns: tuple[Column, ...]

    @property
    def crd_name(self) -> str:
        """The name of the CRD object."""
        return f"{self.resource.plural}.{API_GROUP}"

    @property
    def has_status(self) -> bool:
        """Whether the kind has a status subresource."""
        return "status" in self.model.model_fields


KINDS: Final = (
    Kind(
        application.Application,
        application.RESOURCE,
        "tapp",
        (
            _READY,
            _column("Healthy", _condition("Healthy")),
            _column("Objects", ".status.inventory.objects", kind="integer", description="Objects that it owns"),
            _column("Drifted", ".status.inventory.drifted", kind="integer", description="Objects that drifted"),
            _column("Revision", ".status.lastAppliedRevision", description="Newest revision applied in full"),
            _STATUS,
            _AGE,
            _column("Source", ".spec.sourceRef.name", wide=True),
            _column("Path", ".spec.path", wide=True),
            _SUSPENDED,
        ),
    ),
    Kind(
        git_repository.GitRepository,
        git_repository.RESOURCE,
        "tgit",
        _SOURCE_COLUMNS,
    ),
    Kind(oci_repository.OciRepository, oci_repository.RESOURCE, "toci", _SOURCE_COLUMNS),
    Kind(helm_repository.HelmRepository, helm_repository.RESOURCE, "thelm", _SOURCE_COLUMNS),
    Kind(
        inventory.Inventory,
        inventory.RESOURCE,
        "tinv",
        (
            _column("Application", ".spec.application.name"),
            _column("Shard", ".spec.shard", kind="integer"),
            _column("Shards", ".spec.shards", kind="integer"),
            _AGE,
        ),
    ),
)


def crd(kind: Kind) -> dict[str, Any]:
    """The CustomResourceDefinition of one kind."""
    resource = kind.resource
    version: dict[str, Any] = {
        "name": API_VERSION,
        "served": True,
        "storage": True,
        "additionalPrinterColumns": [dict(column) for column in kind.columns],
        "schema": {"openAPIV3Schema": _schema(kind)},
    }
    if kind.has_status:
        version["subresources"] = {"status": {}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": kind.crd_name},
        "spec": {
            "group": API_GROUP,
            "names": {
                "kind": resource.kind,
                "listKind": f"{resource.kind}List",
                "plural": resource.plural,
                "singular": resource.kind.lower(),
                "shortNames": [kind.short_name],
                "categories": ["trimtab"],
            },
            "scope": "Namespaced",
            "versions": [version],
        },
    }


def crds() -> list[dict[str, Any]]:
    """The CustomResourceDefinitions of all kinds."""
    return [crd(kind) for kind in KINDS]


def crd_files() -> dict[str, str]:
    """File name → YAML text, as crds/ holds them."""
    return {f"{API_GROUP}_{kind.resource.plural}.yaml": _yaml(crd(kind)) for kind in KINDS}


def stale(read: Callable[[str], str | None]) -> list[str]:
    """Names of the files whose text, as `read` gives it (None: absent), is not what the models make."""
    return [name for name, text in crd_files().items() if read(name) != text]


def _schema(kind: Kind) -> dict[str, Any]:
    schema = structural(kind.model)
    properties = schema["properties"]
    properties["metadata"] = {"type": "object"}
    required = [name for name in schema.get("required", []) if name != "metadata"]
    return {
        "description": schema["description"],
        "type": "object",
        "required": required,
        "properties": {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, **properties},
    }


class _Dumper(yaml.SafeDumper):
    """Without anchors, which kubectl reads and people do not."""

    def ignore_aliases(self, _data: object) -> bool:
        return True


def _yaml(body: dict[str, Any]) -> str:
    text: str = yaml.dump(body, Dumper=_Dumper, sort_keys=False, width=120, allow_unicode=True)
    return f"---\n{text}"
