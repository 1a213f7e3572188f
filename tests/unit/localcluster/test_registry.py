"""One table of programs, in step with the Go module that builds them."""

import re

import pytest

from trimtab.localcluster.registry import (
    ASSETS,
    BUILD_MODULE,
    CONTROL_PLANE,
    KUBERNETES_VERSION,
    TOOLS,
    GoPackage,
    Platform,
)

GO_MOD = (BUILD_MODULE / "go.mod").read_text()
GITHUB = "https://github.com/kubernetes-sigs/kustomize/releases/download"
LINUX = Platform("linux", "amd64")


def required(module: str) -> str:
    found = re.search(rf"^\s+{re.escape(module)} (v\S+)", GO_MOD, re.MULTILINE)
    assert found
    return found.group(1)


def test_the_versions_are_those_of_the_module() -> None:
    assert required("k8s.io/kubernetes") == KUBERNETES_VERSION
    assert required("go.etcd.io/etcd/server/v3") == ASSETS["etcd"].version


def test_the_module_names_every_program_it_builds_as_a_tool() -> None:
    tools = re.search(r"^tool \((.*?)^\)", GO_MOD, re.MULTILINE | re.DOTALL)
    assert tools
    built = {a.source.package for a in ASSETS.values() if isinstance(a.source, GoPackage) and not a.source.module}
    assert set(tools.group(1).split()) == built


def test_every_program_belongs_to_a_group() -> None:
    assert sorted([*CONTROL_PLANE, *TOOLS]) == sorted(ASSETS)


@pytest.mark.parametrize(
    ("name", "output", "accepted"),
    [
        ("kube-apiserver", "Kubernetes v1.36.3", True),
        ("kube-apiserver", "Kubernetes v1.36.3+meta", True),
        ("kube-apiserver", "Kubernetes v1.36.30", False),
        ("kube-apiserver", "Kubernetes v1.36.3-rc.1", False),
        ("kube-apiserver", "Kubernetes v0.0.0-master+$Format:%H$", False),
        ("kubectl", "Client Version: v1.36.3\nKustomize Version: v5.8.1", True),
        ("etcd", "etcd Version: 3.6.8\nGo Version: go1.26.8", True),
        ("kwok", "kwok version v0.8.0 go1.26.8 (linux/amd64)", True),
        ("kustomize", "v5.8.1", True),
        ("helm", "v3.21.4+g1234567", True),
        ("helm", "", False),
        ("sops", "sops 3.13.3", True),
        ("age-keygen", "v1.3.2", True),
    ],
)
def test_what_a_program_says_of_itself_decides(name: str, output: str, accepted: bool) -> None:
    assert ASSETS[name].accepts(output) is accepted


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("kubectl", "https://dl.k8s.io/release/v1.36.3/bin/linux/amd64/kubectl"),
        ("etcd", "https://github.com/etcd-io/etcd/releases/download/v3.6.8/etcd-v3.6.8-linux-amd64.tar.gz"),
        (
            "kustomize",
            f"{GITHUB}/kustomize%2Fv5.8.1/kustomize_v5.8.1_linux_amd64.tar.gz",
        ),
        ("helm", "https://get.helm.sh/helm-v3.21.4-linux-amd64.tar.gz"),
    ],
)
def test_release_addresses_are_filled_in(name: str, url: str) -> None:
    asset = ASSETS[name]
    assert asset.release.fill(asset.release.url, version=asset.version, target=LINUX) == url


def test_platforms_go_by_their_go_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    monkeypatch.setattr("platform.system", lambda: "Linux")
    assert str(Platform.current()) == "linux-arm64"


def test_a_data_file_has_no_version_to_ask_for() -> None:
    stages = ASSETS["kwok-stages"]
    assert stages.file_name == "kwok-stages.yaml"
    assert stages.key == "kwok-stages-v0.8.0"
