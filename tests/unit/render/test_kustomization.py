"""What a kustomization names, what it may not name, and its content with origins asked for."""

import pytest
import yaml

from trimtab.render.documents import read_file
from trimtab.render.kustomization import Reference, read_kustomization, with_origins

FULL = """\
resources: [../../base, deploy.yaml]
bases: [../old]
components:
- ../../components/tls
crds: [crd.json]
configurations: [names.yaml]
transformers: [t.yaml, "kind: LabelTransformer\\nspec: {}"]
generators: ["{kind: G}"]
validators: [v]
patchesStrategicMerge: [s.yaml, "a: 1"]
patches: [{path: p.yaml}, {patch: "a: 1"}, 5]
patchesJson6902: [{path: j.yaml, target: {}}]
replacements: [{path: r.yaml}, {source: {}}]
openapi: {path: schema.json}
configMapGenerator: [{name: a, files: [x.txt, key=../y.txt, 5], envs: [e.env]}, 7]
secretGenerator: [{name: b, env: s.env, literals: [password=hunter2, token, 5]}, 7]
"""


def read(text, file="apps/prod/kustomization.yaml"):
    return read_kustomization(text.encode(), file)


def problems(text):
    return [str(problem) for problem in read(text).problems]


def test_every_field_that_names_a_file_is_followed():
    found = read(FULL)
    assert found.problems == ()
    assert {one.path for one in found.references if one.folder} == {
        "base",
        "apps/prod/deploy.yaml",
        "apps/old",
        "components/tls",
        "apps/prod/t.yaml",
        "apps/prod/v",
    }
    assert {one.path.removeprefix("apps/") for one in found.references if not one.folder} == {
        *(f"prod/{name}" for name in ("crd.json", "names.yaml", "s.yaml", "p.yaml", "j.yaml", "r.yaml", "schema.json")),
        *("prod/x.txt", "y.txt", "prod/e.env", "prod/s.env"),
    }
    assert Reference("components/tls", "../../components/tls", 4, folder=True) in found.references
    assert found.folder == "apps/prod"


def test_a_path_may_be_the_repository_root():
    assert read("resources: [../..]").references == (Reference("", "../..", 1, folder=True),)


@pytest.mark.parametrize(
    "text",
    [
        "https://github.com/a/b",
        "http://example.com/x.yaml",
        "ssh://example.com/a",
        "git::https://example.com/a",
        "git@github.com:a/b",
        "github.com/a/b//c?ref=v1",
        "gh:a/b",
        "example.com/a?ref=main",
        "oci://example.com/a",
    ],
)
def test_nothing_remote_is_built(text):
    found = problems(f"\nresources:\n- {text}\n")
    assert len(found) == 1
    assert found[0].startswith("apps/prod/kustomization.yaml:3: remote base ")


def test_credentials_in_a_remote_address_are_not_shown():
    found = problems("resources: ['https://user:hunter2@example.com/a']")[0]
    assert "remote base 'https://…@example.com/a'" in found
    assert "hunter2" not in found


@pytest.mark.parametrize("text", ["/etc/passwd", "../../../x", "../../..", "a/../../../../x"])
def test_a_path_out_of_the_repository_is_refused(text):
    assert problems(f"resources: ['{text}']") == [
        f"apps/prod/kustomization.yaml:1: {text!r} leaves the repository (use a path inside of it)"
    ]


@pytest.mark.parametrize("field", ["helmCharts", "helmChartInflationGenerator"])
def test_charts_are_refused(field):
    assert f"{field} is not built" in problems(f"a: 1\n{field}: [{{name: x}}]")[0]
    assert problems(f"{field}: []") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\na: 2", "apps/prod/kustomization.yaml:2: duplicate key 'a'"),
        ("- 1", "apps/prod/kustomization.yaml:1: not a kustomization"),
        ("a: 1\n---\nb: 1", "apps/prod/kustomization.yaml:1: not a kustomization"),
    ],
)
def test_a_broken_file_is_told_with_its_line(text, expected):
    assert problems(text)[0].startswith(expected)


def test_an_empty_file_names_nothing():
    found = read("")
    assert (found.references, found.problems) == ((), ())


def test_odd_fields_are_left_to_kustomize():
    assert read("resources: x\nopenapi: [y]\nconfigMapGenerator: {}\npatches: z").references == ()


@pytest.mark.parametrize(
    ("text", "metadata"),
    [
        (FULL, ["originAnnotations"]),
        ("buildMetadata: [managedByLabel]", ["managedByLabel", "originAnnotations"]),
        ("buildMetadata: [originAnnotations]", ["originAnnotations"]),
        ("{namePrefix: 'é😀', 'odd key': {a: [1, ~, yes]}}", ["originAnnotations"]),
    ],
)
def test_asking_for_origins_changes_nothing_else(text, metadata):
    found = read(text)
    again = read_file(with_origins(found), "x").documents[0].value
    assert again == {**found.content, "buildMetadata": metadata}
    assert yaml.safe_load(with_origins(found)) == again


def test_an_author_who_wants_origins_is_told_apart():
    assert read("buildMetadata: [originAnnotations]").shows_origins
    assert not read("buildMetadata: [managedByLabel]").shows_origins


def test_literals_of_secret_generators_are_known_as_secrets():
    assert read(FULL).secret_literals == ("password=hunter2", "token", "hunter2")
