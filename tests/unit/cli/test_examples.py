"""The examples that users copy are what the API takes, field by field."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from trimtab.api.application import Application
from trimtab.api.crd import crds
from trimtab.api.git_repository import GitRepository
from trimtab.api.model import Resource

ROOT = Path(__file__).parents[3]
MODELS: dict[str, type[Resource]] = {"Application": Application, "GitRepository": GitRepository}


def documents(text: str) -> dict[str, dict[str, Any]]:
    return {body["kind"]: body for body in yaml.safe_load_all(text)}


def _of_readme() -> str:
    return (ROOT / "README.md").read_text().partition("<<'YAML'\n")[2].partition("\nYAML\n")[0]


@pytest.mark.parametrize(
    "text",
    [(ROOT / "deploy" / "examples" / "own-repository.yaml").read_text(), _of_readme()],
    ids=["own-repository.yaml", "README.md"],
)
def test_the_first_repository(text: str):
    found = documents(text)
    assert found.keys() >= MODELS.keys()
    for kind, model in MODELS.items():
        model.parse(found[kind])
        assert set(found[kind]["spec"]) <= _fields(kind), "a field that the API does not know is lost without a word"
    assert found["Application"]["spec"]["sourceRef"]["name"] == found["GitRepository"]["metadata"]["name"]


def _fields(kind: str) -> set[str]:
    schema = next(each for each in crds() if each["spec"]["names"]["kind"] == kind)["spec"]["versions"][0]["schema"]
    return set(schema["openAPIV3Schema"]["properties"]["spec"]["properties"])
