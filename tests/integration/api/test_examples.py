"""Every object that README and docs show is one that the API server takes, with no field that it would drop."""

import json
import re
from pathlib import Path

import pytest
import yaml
from tests.fixtures.cluster import Kubectl

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```yaml\n(.*?)^```|<<'YAML'\n(.*?)^YAML$", re.DOTALL | re.MULTILINE)


def shown() -> list[tuple[str, dict]]:
    """Place and object, of all pages and of the example that README names."""
    texts = [(page.name, first or second) for page in PAGES for first, second in BLOCK.findall(page.read_text())]
    texts.append(("own-repository.yaml", (ROOT / "deploy/examples/own-repository.yaml").read_text()))
    return [(place, body) for place, text in texts for body in yaml.safe_load_all(text) if body]


EXAMPLES = [each for each in shown() if each[1]["kind"] != "Namespace"]


def test_examples_are_found():
    kinds = {body["kind"] for _, body in EXAMPLES}
    assert {"GitRepository", "OCIRepository", "HelmRepository", "Application", "Secret"} <= kinds
    assert {"README.md", "sources.md", "rendering.md", "own-repository.yaml"} <= {place for place, _ in EXAMPLES}


@pytest.mark.parametrize(("place", "body"), EXAMPLES, ids=lambda each: each if isinstance(each, str) else each["kind"])
def test_the_server_takes_it(own_crds, kubectl: Kubectl, namespace: str, place: str, body: dict):
    body = body | {"metadata": body["metadata"] | {"namespace": namespace}}
    answer = kubectl.run("create", "--dry-run=server", "--validate=strict", "-f", "-", stdin=json.dumps(body))
    assert answer.returncode == 0, f"{place}: {answer.stderr}"
    assert not answer.stderr
