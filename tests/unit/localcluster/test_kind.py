"""The kind backend hands kind what it needs and reads what kind writes; no Docker is needed for that."""

from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml

from trimtab.localcluster import kubeconfig
from trimtab.localcluster.errors import ClusterError
from trimtab.localcluster.kind import KindBackend, _kind_cluster, kind_config
from trimtab.localcluster.kubeconfig import Access
from trimtab.localcluster.status import Phase

ACCESS = Access("https://127.0.0.1:1", b"authority", b"certificate", b"key")


class FakeKind:
    """Stands for pytest_kind.KindCluster: remembers its arguments and writes a kubeconfig."""

    made: ClassVar[list["FakeKind"]] = []

    def __init__(self, name: str, **arguments: Any) -> None:
        self.name = name
        self.arguments = arguments
        self.created: dict[str, Any] = {}
        self.folder = Path.cwd()
        self.deleted = False
        self.made.append(self)

    def create(self, config: Path) -> None:
        self.created = yaml.safe_load(config.read_text())
        text = kubeconfig.render(name=f"kind-{self.name}", user=f"kind-{self.name}", access=ACCESS)
        kubeconfig.write(self.arguments["kubeconfig"], text)

    def delete(self) -> None:
        self.deleted = True


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[FakeKind]:
    monkeypatch.setattr(FakeKind, "made", [])
    return FakeKind.made


def backend(tmp_path: Path, driver: Any = FakeKind, **settings: Any) -> KindBackend:
    return KindBackend(name="dev", environ={"XDG_STATE_HOME": str(tmp_path)}, driver=driver, **settings)


def test_the_configuration_has_one_control_plane_and_workers() -> None:
    assert [node["role"] for node in kind_config(2)["nodes"]] == ["control-plane", "worker", "worker"]


def test_a_cluster_is_created_and_its_kubeconfig_read(tmp_path: Path, made: list[FakeKind]) -> None:
    here = Path.cwd()
    cluster = backend(tmp_path, nodes=3)
    assert cluster.status().phase is Phase.ABSENT
    with cluster:
        kind = made[-1]
        root = tmp_path / "trimtab" / "kind" / "dev"
        assert (kind.name, kind.folder) == ("trimtab-dev", root)
        assert kind.arguments["kubeconfig"] == cluster.kubeconfig_path == root / "kubeconfig"
        assert len(kind.created["nodes"]) == 4
        status = cluster.status()
        assert (status.phase, status.server, status.backend) == (Phase.STOPPED, "https://127.0.0.1:1", "kind")
    assert made[-1].deleted
    assert not root.exists()
    assert Path.cwd() == here


def test_programs_on_the_path_and_an_image_of_ones_own_are_used(tmp_path: Path, made: list[FakeKind]) -> None:
    program = tmp_path / "bin" / "kind"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    environ = {"XDG_STATE_HOME": str(tmp_path), "PATH": str(program.parent), "TRIMTAB_KIND_IMAGE": "example/node:1"}
    KindBackend(name="dev", environ=environ, driver=FakeKind).start()
    arguments = made[-1].arguments
    assert (arguments["kind_path"], arguments["kubectl_path"]) == (program, None)
    assert arguments["image"] == "example/node:1"


def test_stopping_what_is_not_there_asks_nobody(tmp_path: Path, made: list[FakeKind]) -> None:
    backend(tmp_path).stop()
    assert made == []


def test_a_failure_of_kind_is_told_with_a_remedy(tmp_path: Path) -> None:
    class Broken(FakeKind):
        def create(self, config: Path) -> None:
            raise OSError("no daemon")

    with pytest.raises(ClusterError, match=r"kind failed: no daemon.*docker info"):
        backend(tmp_path, Broken).start()


def test_without_docker_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ClusterError, match="kind needs Docker"):
        _kind_cluster()


def test_with_docker_the_driver_is_pytest_kind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    docker = tmp_path / "docker"
    docker.write_text("#!/bin/sh\n")
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert _kind_cluster().__name__ == "KindCluster"


def test_without_pytest_kind_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pytest_kind", None)
    with pytest.raises(ClusterError, match="pip install pytest-kind"):
        _kind_cluster()
