"""Which programs make up the control plane, in which version, and where each can be had: one table.

Nothing flows in but the platform; `assets` looks things up here, `download` and `gobuild` read the recipes.
"""

import platform
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

BUILD_MODULE: Final = Path(__file__).parent / "build"
"""The Go module whose dependency graph pins Kubernetes and etcd."""

KUBERNETES_VERSION: Final = "v1.36.3"
KWOK_VERSION: Final = "v0.8.0"
KWOK_STAGES: Final = "kwok-stages"
"""The asset with the stages that make nodes and pods ready at once: one YAML file of several documents."""

_GO_ARCHITECTURES: Final = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_VERSION: Final = re.compile(r"(\d+\.\d+\.\d+(?:-[0-9A-Za-z][0-9A-Za-z.]*)?)")


class Digest(StrEnum):
    """How a publisher writes the SHA-256 of a release file."""

    BARE = "bare"
    """A file that begins with the hexadecimal digest."""
    LIST = "list"
    """Lines of digest and file name, as sha256sum writes them."""
    GITHUB = "github"
    """The JSON of a GitHub release, whose assets carry `digest`."""


@dataclass(frozen=True, slots=True)
class Platform:
    """An operating system and architecture by their Go names."""

    system: str
    architecture: str

    @classmethod
    def current(cls) -> "Platform":
        """The platform of this process; architectures unknown to us keep the name the system gives them."""
        machine = platform.machine().lower()
        return cls(platform.system().lower(), _GO_ARCHITECTURES.get(machine, machine))

    def __str__(self) -> str:
        return f"{self.system}-{self.architecture}"


@dataclass(frozen=True, slots=True)
class GoPackage:
    """Built from source: `package` of the module in `build/`, or of `module` (`path@version`) where one is given.

    `stamps` are the linker's `-X` settings that make the program tell its version.
    """

    package: str
    module: str = ""
    stamps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GoFiles:
    """Files that a Go module ships, joined into one: `patterns` are globs below the module's root."""

    module: str
    patterns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Release:
    """An official release file; `{version}`, `{system}` and `{architecture}` are filled in.

    `member` is the path inside a tar archive (empty: the file itself); `systems` those it is published for.
    """

    url: str
    checksum_url: str
    digest: Digest = Digest.BARE
    member: str = ""
    systems: tuple[str, ...] = ("linux", "darwin")

    def fill(self, pattern: str, *, version: str, target: Platform) -> str:
        """One of the patterns above with its variables replaced."""
        return pattern.format(version=version, system=target.system, architecture=target.architecture)


@dataclass(frozen=True, slots=True)
class Asset:
    """One thing the control plane needs. Without `version_argv` it is a data file and has no version to ask for."""

    name: str
    version: str
    source: GoPackage | GoFiles
    release: Release
    version_argv: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The name under which the cache keeps it: `<name>-<version>`."""
        return f"{self.name}-{self.version}"

    @property
    def file_name(self) -> str:
        """The name of its one file."""
        return self.name if self.version_argv else f"{self.name}.yaml"

    def accepts(self, output: str) -> bool:
        """Whether what the program prints about itself is this version; build metadata after `+` does not count."""
        found = _VERSION.search(output)
        return found is not None and found.group(1) == self.version.removeprefix("v")


def _kubernetes(name: str, *, argv: tuple[str, ...] = ("--version",), server: bool = True) -> Asset:
    base = f"https://dl.k8s.io/release/{{version}}/bin/{{system}}/{{architecture}}/{name}"
    major, minor, _ = KUBERNETES_VERSION.removeprefix("v").split(".")
    stamp = "k8s.io/component-base/version."
    stamps = (
        f"{stamp}gitVersion={KUBERNETES_VERSION}",
        f"{stamp}gitMajor={major}",
        f"{stamp}gitMinor={minor}",
        f"{stamp}gitTreeState=clean",
        # What clients call themselves in the User-Agent comes from a copy of its own.
        f"k8s.io/client-go/pkg/version.gitVersion={KUBERNETES_VERSION}",
    )
    systems = ("linux",) if server else ("linux", "darwin")
    return Asset(
        name,
        KUBERNETES_VERSION,
        GoPackage(f"k8s.io/kubernetes/cmd/{name}", stamps=stamps),
        Release(base, f"{base}.sha256", systems=systems),
        argv,
    )


_ETCD: Final = "https://github.com/etcd-io/etcd/releases/download/{version}/"
_KWOK: Final = "https://github.com/kubernetes-sigs/kwok/releases/download/{version}/"
_KWOK_RELEASE: Final = "https://api.github.com/repos/kubernetes-sigs/kwok/releases/tags/{version}"
_KWOK_MODULE: Final = f"sigs.k8s.io/kwok@{KWOK_VERSION}"
_KUSTOMIZE: Final = "https://github.com/kubernetes-sigs/kustomize/releases/download/kustomize%2F{version}/"
_SOPS: Final = "https://github.com/getsops/sops/releases/download/{version}/sops-{version}"
_AGE: Final = "https://github.com/FiloSottile/age/releases/download/{version}/"
_HELM: Final = "https://get.helm.sh/helm-{version}-{system}-{architecture}.tar.gz"

ASSETS: Final = {
    asset.name: asset
    for asset in (
        Asset(
            "etcd",
            "v3.6.8",
            GoPackage("go.etcd.io/etcd/server/v3"),
            Release(
                f"{_ETCD}etcd-{{version}}-{{system}}-{{architecture}}.tar.gz",
                f"{_ETCD}SHA256SUMS",
                Digest.LIST,
                member="etcd-{version}-{system}-{architecture}/etcd",
                systems=("linux",),
            ),
            ("--version",),
        ),
        _kubernetes("kube-apiserver"),
        _kubernetes("kube-controller-manager"),
        _kubernetes("kube-scheduler"),
        _kubernetes("kubectl", argv=("version", "--client"), server=False),
        Asset(
            "kwok",
            KWOK_VERSION,
            GoPackage(
                "sigs.k8s.io/kwok/cmd/kwok", _KWOK_MODULE, (f"sigs.k8s.io/kwok/pkg/consts.Version={KWOK_VERSION}",)
            ),
            Release(f"{_KWOK}kwok-{{system}}-{{architecture}}", _KWOK_RELEASE, Digest.GITHUB),
            ("--version",),
        ),
        Asset(
            KWOK_STAGES,
            KWOK_VERSION,
            GoFiles(_KWOK_MODULE, ("kustomize/stage/node/fast/node-*.yaml", "kustomize/stage/pod/fast/pod-*.yaml")),
            Release(f"{_KWOK}stage-fast.yaml", _KWOK_RELEASE, Digest.GITHUB),
        ),
        Asset(
            "kustomize",
            "v5.8.1",
            GoPackage("sigs.k8s.io/kustomize/kustomize/v5", "sigs.k8s.io/kustomize/kustomize/v5@v5.8.1"),
            Release(
                f"{_KUSTOMIZE}kustomize_{{version}}_{{system}}_{{architecture}}.tar.gz",
                f"{_KUSTOMIZE}checksums.txt",
                Digest.LIST,
                member="kustomize",
            ),
            ("version",),
        ),
        Asset(
            "helm",
            "v3.21.4",
            GoPackage(
                "helm.sh/helm/v3/cmd/helm",
                "helm.sh/helm/v3@v3.21.4",
                ("helm.sh/helm/v3/internal/version.version=v3.21.4",),
            ),
            Release(_HELM, f"{_HELM}.sha256sum", Digest.LIST, member="{system}-{architecture}/helm"),
            ("version", "--short"),
        ),
        Asset(
            "sops",
            "v3.13.3",
            GoPackage("github.com/getsops/sops/v3/cmd/sops", "github.com/getsops/sops/v3@v3.13.3"),
            Release(f"{_SOPS}.{{system}}.{{architecture}}", f"{_SOPS}.checksums.txt", Digest.LIST),
            # Without this it asks the network for its newest version.
            ("--disable-version-check", "--version"),
        ),
        Asset(
            "age-keygen",
            "v1.3.2",
            GoPackage("filippo.io/age/cmd/age-keygen", "filippo.io/age@v1.3.2", ("main.Version=v1.3.2",)),
            Release(
                f"{_AGE}age-{{version}}-{{system}}-{{architecture}}.tar.gz",
                "https://api.github.com/repos/FiloSottile/age/releases/tags/{version}",
                Digest.GITHUB,
                member="age/age-keygen",
            ),
            ("--version",),
        ),
    )
}
"""Every asset by name, in the order in which they are fetched."""

CONTROL_PLANE: Final = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok", KWOK_STAGES)
"""What has to be there before a cluster can start."""
TOOLS: Final = ("kubectl", "kustomize", "helm", "sops", "age-keygen")
"""What users and tests want beside it."""
