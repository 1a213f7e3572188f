"""Kubeconfig files: one for the user, one for each component; and what one of them says about where to connect.

`cluster` writes them after the certificates; `client` reads one back, whichever backend wrote it.
"""

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from trimtab.localcluster.errors import ClusterError


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach an API server with a client certificate; everything PEM-encoded."""

    server: str
    authority_pem: bytes
    certificate_pem: bytes
    key_pem: bytes


def encoded(content: bytes) -> str:
    """Base64, as kubeconfigs and webhook configurations hold certificates."""
    return base64.b64encode(content).decode()


def render(*, name: str, user: str, access: Access) -> str:
    """A kubeconfig with one cluster, one user and one current context, certificates embedded."""
    cluster = {"server": access.server, "certificate-authority-data": encoded(access.authority_pem)}
    credentials = {
        "client-certificate-data": encoded(access.certificate_pem),
        "client-key-data": encoded(access.key_pem),
    }
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": user, "user": credentials}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": user}}],
        "current-context": name,
    }
    return yaml.safe_dump(document, sort_keys=False)


def write(path: Path, text: str) -> None:
    """Write a kubeconfig in one step, readable by its owner only: it holds a private key."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.unlink(missing_ok=True)
    temporary.touch(mode=0o600)
    temporary.write_text(text)
    temporary.replace(path)


def read(path: Path) -> Access:
    """What the current context of a kubeconfig says. Raises ClusterError where it has no embedded certificates."""
    try:
        document = yaml.safe_load(path.read_text())
        context = _named(document, "contexts", document["current-context"])["context"]
        cluster = _named(document, "clusters", context["cluster"])["cluster"]
        user = _named(document, "users", context["user"])["user"]
        return Access(
            cluster["server"],
            base64.b64decode(cluster["certificate-authority-data"]),
            base64.b64decode(user["client-certificate-data"]),
            base64.b64decode(user["client-key-data"]),
        )
    except (OSError, KeyError, TypeError, StopIteration, yaml.YAMLError) as error:
        said = " ".join(f"{type(error).__name__} {error}".split())
        raise ClusterError(
            f"{path} is no kubeconfig with an embedded client certificate ({said})",
            remedy="start the cluster again with `trimtab cluster up`",
        ) from error


def _named(document: dict[str, Any], section: str, name: str) -> dict[str, Any]:
    return next(entry for entry in document[section] if entry["name"] == name)
