"""How much a build is given: little input is built without much collecting of garbage."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from trimtab.adapters.process import kustomize
from trimtab.adapters.process.kustomize import Bounds, Kustomize
from trimtab.adapters.process.runner import Confinement, ProcessResult
from trimtab.adapters.process.tree import Tree
from trimtab.render.kustomization import Kustomization
from trimtab.render.limits import Limits


@pytest.mark.parametrize(
    ("files", "size_bytes", "environment"),
    [(1, 1000, {"GOGC": "800"}), (200, 10, None), (2, 60_000, None)],
)
async def test_only_a_build_of_little_input_collects_rarely(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, files: int, size_bytes: int, environment: Mapping[str, str] | None
) -> None:
    given = []

    async def run(argv: list[str], **options: Any) -> ProcessResult:
        given.append(options["environment"])
        return ProcessResult(0, b"built", "")

    async def probe() -> Confinement:
        return Confinement(files=True, network=True)

    monkeypatch.setattr(kustomize, "run", run)
    monkeypatch.setattr(kustomize, "probe", probe)
    (tmp_path / "kustomization.yaml").write_text("resources: []\n")
    for number in range(files):
        (tmp_path / f"{number}.yaml").write_bytes(b"#" * size_bytes)
    program = tmp_path.parent / "kustomize"
    program.touch()
    built = await Kustomize(program, Bounds()).build(
        Tree(tmp_path, Limits()), Kustomization("kustomization.yaml", {"resources": []}, (), ())
    )
    assert built == b"built"
    assert given == [environment]
