"""helm's argument list and environment for one chart. Values go to it by standard input, never by an argument.

The chart stage of the renderer calls it; names have been checked by the CRD's schema and are checked here again,
because a CLI may render what no server has seen.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from trimtab.api.application import ApplicationSpec
from trimtab.api.helm import RELEASE_NAME_LENGTH, RELEASE_NAME_PATTERN
from trimtab.core.errors import Problem, RenderError
from trimtab.core.manifest import Origin
from trimtab.render.inputs import Capabilities

ENVIRONMENT: Final[Mapping[str, str]] = {
    name: f"/nonexistent/{name.lower()}"
    for name in (
        "HELM_CACHE_HOME",
        "HELM_CONFIG_HOME",
        "HELM_DATA_HOME",
        "HELM_PLUGINS",
        "HELM_REGISTRY_CONFIG",
        "HELM_REPOSITORY_CACHE",
        "HELM_REPOSITORY_CONFIG",
        "KUBECONFIG",
    )
} | {"HELM_NO_PLUGINS": "1"}
"""No repositories, no registries, no plugins, no cluster: folders that do not exist are empty ones to helm."""

_VERSIONS_AT_ONCE: Final = 500
"""Linux bounds one argument by 128 KiB; a name of group, version and kind has 317 characters at most."""
_RELEASE: Final = re.compile(RELEASE_NAME_PATTERN)
_NAMESPACE: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_KUBE_VERSION: Final = re.compile(r"v?[0-9]+\.[0-9]+(\.[0-9]+)?([-+][-+.0-9A-Za-z]+)?")
_API_VERSION: Final = re.compile(r"[a-z0-9][-a-z0-9.]*(/[A-Za-z0-9]+){0,2}")
_SHORTENED: Final = 40


@dataclass(frozen=True, slots=True)
class Release:
    """What `.Release` says in templates."""

    name: str
    namespace: str


def release(spec: ApplicationSpec, name: str, namespace: str) -> Release:
    """The release of an Application by its own name and namespace. Raises RenderError where helm would refuse it."""
    found = Release(spec.helm.release_name or _short(name), spec.target_namespace or namespace)
    if len(found.name) > RELEASE_NAME_LENGTH or not _RELEASE.fullmatch(found.name):
        raise RenderError(_wrong("the release name is not valid", "set spec.helm.releaseName"))
    if not _NAMESPACE.fullmatch(found.namespace):
        raise RenderError(_wrong("the release's namespace is not valid", "set spec.targetNamespace"))
    return found


def arguments(release: Release, folder: str, spec: ApplicationSpec, capabilities: Capabilities) -> list[str]:
    """What follows the program's name. `folder` is the chart's absolute path; values are read from standard input."""
    helm = spec.helm
    found = ["template", release.name, folder, "--namespace", release.namespace, "--values", "-"]
    found += ["--include-crds"] if helm.include_crds else []
    found += ["--skip-tests"] if helm.skip_tests else []
    version = helm.kube_version or capabilities.kube_version
    if _KUBE_VERSION.fullmatch(version):
        found += ["--kube-version", version]
    served = [name for name in helm.api_versions or capabilities.api_versions if _API_VERSION.fullmatch(name)]
    for part in _parts(served):
        found += ["--api-versions", ",".join(part)]
    return found


def _parts(names: Sequence[str]) -> list[Sequence[str]]:
    return [names[start : start + _VERSIONS_AT_ONCE] for start in range(0, len(names), _VERSIONS_AT_ONCE)]


def _short(name: str) -> str:
    """A name that is too long for a release is cut and ends in its digest, as Flux does it."""
    if len(name) <= RELEASE_NAME_LENGTH:
        return name
    return f"{name[:_SHORTENED]}-{sha256(name.encode()).hexdigest()[:12]}"


def _wrong(message: str, remedy: str) -> Problem:
    return Problem(message, origin=Origin("spec.helm"), remedy=remedy, reason="InvalidRelease")
