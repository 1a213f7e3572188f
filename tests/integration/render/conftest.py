"""The real kustomize, helm and kubectl, without a cluster, and the example repositories of other projects."""

import os
import shutil
from pathlib import Path

import pytest

from trimtab.api.application import ApplicationSpec
from trimtab.core.errors import Problem, SourceError
from trimtab.localcluster.assets import Finder
from trimtab.reconcile.ports import RenderJob
from trimtab.render.inputs import InputRef, RenderInputs

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def programs():
    """The paths of kubectl, kustomize and helm, by name."""
    return Finder.from_environment().find(["kubectl", "kustomize", "helm"])


@pytest.fixture(scope="session")
def corpus():
    """The folder with the example repositories."""
    folder = Path(os.environ.get("TRIMTAB_CORPUS") or REPOSITORY.parent / "shared" / "corpus")
    if not folder.is_dir():
        pytest.skip("corpus absent")
    return folder


class FolderTree:
    """A source tree over a plain folder: what is asked for is copied, and remembered."""

    identity = "folder"
    revision = "now"

    def __init__(self, root):
        self.root = root
        self.asked = []
        self.budgets = []

    async def look_up(self, paths):
        """All is at hand."""

    async def digest(self, path):
        if not (self.root / path).is_dir():
            raise SourceError(Problem(f"{path} is no folder", reason="PathNotFound"))
        return path

    async def materialise(self, paths, target, *, budget=None):
        self.asked.append(list(paths))
        if budget:
            self.budgets.append(budget)
            budget.spend(1)
        for path in paths:
            if not (self.root / path).is_dir():
                raise SourceError(Problem(f"{path} is no folder", reason="PathNotFound"))
            for there in (target / path).rglob("*") if (target / path).is_dir() else ():
                if there.is_symlink():
                    there.unlink()
            shutil.copytree(self.root / path, target / path, symlinks=True, dirs_exist_ok=True)
            for copied in (target / path).rglob("*"):
                if not copied.is_symlink():
                    copied.chmod(0o700)


def job(tree, path="", *, inputs=None, **spec):
    """What to render of a tree, with a spec as users write it; `inputs` maps (kind, name) to data, None if missing."""
    body = {"sourceRef": {"name": "tests"}, "prune": True, "path": path or "."} | spec
    objects = {InputRef(*ref): data for ref, data in (inputs or {}).items()}
    given = RenderInputs.of(objects, key=b"installation")
    return RenderJob(spec=ApplicationSpec.model_validate(body), tree=tree, inputs=given)


@pytest.fixture
def corpus_git(corpus):
    """The example repositories as one repository."""
    return FolderTree(corpus)


@pytest.fixture
def repository(tmp_path):
    """A function that writes files (path → text) into a new repository and gives its tree."""

    def write(files):
        root = tmp_path / "repository"
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return FolderTree(root)

    return write
