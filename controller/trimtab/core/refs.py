"""Identities: which object, on which cluster, of which resource type.

Parsed manifests, watch events and inventory entries become `ObjectRef`s; every later stage keys on them.
"""

import re
from dataclasses import dataclass
from typing import Any, Final, Self

from trimtab.core.api_error import ApiError

_OTHER_PATH: Final = re.compile(r"[/%]|^\.{1,2}$")
LOCAL_CLUSTER = "local"
"""The cluster in which the controller itself runs."""


def split_api_version(api_version: str) -> tuple[str, str]:
    """Split `apps/v1` into group and version; the core group is the empty string."""
    group, slash, version = api_version.rpartition("/")
    return (group, version) if slash else ("", api_version)


@dataclass(frozen=True, slots=True, order=True)
class ObjectRef:
    """An object's identity without its version: the same object under `v1beta1` and `v1` is one.

    `namespace` is empty for cluster-scoped objects.
    """

    cluster: str
    group: str
    kind: str
    namespace: str
    name: str

    @classmethod
    def of(cls, body: dict[str, Any], *, cluster: str = LOCAL_CLUSTER) -> Self:
        """The identity that a manifest or live object states about itself.

        Raises KeyError where apiVersion, kind or metadata.name is missing.
        """
        group, _ = split_api_version(body["apiVersion"])
        metadata = body["metadata"]
        return cls(cluster, group, body["kind"], metadata.get("namespace") or "", metadata["name"])

    @property
    def key(self) -> str:
        """A stable string for maps, hashes and inventories: `cluster|group|kind|namespace|name`."""
        return "|".join((self.cluster, self.group, self.kind, self.namespace, self.name))

    @classmethod
    def from_key(cls, key: str) -> Self:
        """The inverse of `key`. Raises ValueError where the text is not one."""
        parts = key.split("|")
        if len(parts) != 5:
            raise ValueError(f"not an object key: {key!r}")
        return cls(*parts)

    @classmethod
    def parse(cls, text: str, *, cluster: str = LOCAL_CLUSTER) -> Self:
        """The inverse of `str`: `Deployment.apps/shop/web`, `Namespace/shop`. Raises ValueError where it is none."""
        kind, *path = text.split("/")
        if not kind or len(path) not in (1, 2) or not all(path):
            raise ValueError(f"not an object: {text!r} (write it like Deployment.apps/namespace/name)")
        name, _, group = kind.partition(".")
        return cls(cluster, group, name, path[0] if len(path) == 2 else "", path[-1])

    def __str__(self) -> str:
        kind = f"{self.kind}.{self.group}" if self.group else self.kind
        path = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{kind}/{path}"


@dataclass(frozen=True, slots=True, order=True)
class ResourceType:
    """A served resource type, as discovery tells it."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool

    @property
    def api_version(self) -> str:
        """`group/version`, or the bare version for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """The URL path of the collection (no name) or object under the API server's root.

        Raises ApiError where namespace or name would lead to another path: the server takes %2F for a slash.
        """
        for part in (namespace, name):
            if _OTHER_PATH.search(part):
                raise ApiError(422, "Invalid", f"{part[:80]!a} is no name: those hold neither / nor %, nor dots alone")
        parts = ["/apis", self.group, self.version] if self.group else ["/api", self.version]
        if self.namespaced and namespace:
            parts += ["namespaces", namespace]
        parts += [part for part in (self.plural, name, subresource) if part]
        return "/".join(parts)
