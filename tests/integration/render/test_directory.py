"""spec.directory: which files of a plain folder count, and Jsonnet files in their cage."""

import importlib.metadata
import importlib.util

import pytest
from tests.integration.render.conftest import job

from trimtab.adapters.process import jsonnet
from trimtab.adapters.process.renderer import KustomizeRenderer
from trimtab.core.errors import RenderError


def config_map(name):
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n"


FILES = {
    "app/a.yaml": config_map("a"),
    "app/b.json": '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "b"}}',
    "app/env/c.yml": config_map("c"),
    "app/built/kustomization.yaml": "resources: [d.yaml]\n",
    "app/built/d.yaml": config_map("d"),
}


@pytest.fixture
def read():
    """The folders that the last rendering read."""
    return []


@pytest.fixture
def render(programs, repository, read):
    renderer = KustomizeRenderer(kustomize=programs["kustomize"])

    async def start(files, path="app", directory=None, **spec):
        rendered = await renderer.render(job(repository(files), path, directory=directory or {}, **spec))
        read[:] = [folder for _, folder in rendered.folders]
        return {each.ref.name: each for each in rendered.manifests}

    return start


@pytest.fixture
def problems(render):
    async def start(*arguments, **options):
        with pytest.raises(RenderError) as refused:
            await render(*arguments, **options)
        return [str(problem) for problem in refused.value.problems]

    return start


@pytest.mark.parametrize(
    ("directory", "names"),
    [
        ({}, "abcd"),
        ({"recurse": False}, "ab"),
        ({"include": "*.yaml"}, "ad"),
        ({"include": "{*.yml,*.json}"}, "bc"),
        ({"include": "env/*"}, "c"),
        ({"exclude": "{b.json,env/*}"}, "ad"),
        ({"exclude": "built/*"}, "abc"),
        ({"include": "*.yaml", "exclude": "a.yaml"}, "d"),
    ],
)
async def test_files_are_chosen_as_by_argo_cd(render, directory, names):
    assert "".join(sorted(await render(FILES, directory=directory))) == names


async def test_what_selects_nothing_is_no_reason_to_prune(problems):
    assert await problems(FILES, directory={"include": "nothing"}) == [
        "app: no manifests (correct the path; to remove all objects, delete the Application)"
    ]
    (told,) = await problems(FILES, directory={"include": "{a"})
    assert told.startswith("spec.directory: an opening brace without a closing one")


async def test_a_kustomization_of_the_path_itself_is_built_whatever_is_selected(render):
    files = {"app/kustomization.yaml": "resources: [a.yaml]\n", "app/a.yaml": config_map("a")}
    assert set(await render(files, directory={"exclude": "*"})) == {"a"}


LIB = "function(name, data={}) {apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: name}, data: data}"
JSONNET = {
    "app/main.jsonnet": "local map = import 'map.libsonnet'; function(env) [map('one', {env: env}),"
    " map('two', {text: importstr 'words.txt', region: std.extVar('region')})]",
    "app/words.txt": "$ words",
    "app/single.jsonnet": "local map = import '../shared/other.libsonnet'; map('three')",
    "app/plain.yaml": config_map("plain"),
    "lib/map.libsonnet": LIB,
    "shared/other.libsonnet": LIB,
    "unrelated/x.yaml": "a: 1",
}
SETTINGS = {
    "tlas": [{"name": "env", "value": "'pro' + 'd'", "code": True}],
    "extVars": [{"name": "region", "value": "north"}],
    "libs": ["lib"],
}
FUNCTION_ONLY = {name: text for name, text in JSONNET.items() if "single" not in name}


async def test_jsonnet_is_not_looked_at_unless_asked_for(render):
    assert set(await render(JSONNET)) == {"plain"}


async def test_jsonnet_with_arguments_variables_and_libraries(render, read):
    found = await render(FUNCTION_ONLY, directory={"jsonnet": SETTINGS})
    assert set(found) == {"one", "two", "plain"}
    assert found["one"].body["data"] == {"env": "prod"}
    assert found["two"].body["data"] == {"text": "$ words", "region": "north"}
    assert str(found["one"].origin) == "app/main.jsonnet"
    assert read == ["app", "lib"]


async def test_an_import_from_elsewhere_widens_to_the_whole_tree(render, read):
    files = {name: text for name, text in JSONNET.items() if "main" not in name}
    assert set(await render(files, directory={"jsonnet": {}})) == {"three", "plain"}
    assert read == [""]


async def test_values_are_put_into_what_jsonnet_makes(render):
    files = {"app/a.jsonnet": "{apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: '${NAME}'}}"}
    assert set(await render(files, directory={"jsonnet": {}}, postBuild={"substitute": {"NAME": "x"}})) == {"x"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{a: error 'on purpose'}", "app/bad.jsonnet:1: jsonnet: on purpose"),
        ("{a:\n b", "app/bad.jsonnet:2: jsonnet: "),
        ("import 'nowhere.libsonnet'", "app/bad.jsonnet:1: jsonnet: no such import: nowhere.libsonnet"),
        ("import '/etc/hostname'", "app/bad.jsonnet:1: jsonnet: an import leaves the repository: /etc/hostname"),
        ("importstr '../../../../etc/hostname'", "an import leaves the repository: ../../../../etc/hostname"),
        ("importstr '../../../../etc/nowhere'", "an import leaves the repository: ../../../../etc/nowhere"),
        ("local f(x) = f(x + 1) + 1; f(1)", "app/bad.jsonnet:1: jsonnet: max stack frames exceeded"),
        ("[1]", "app/bad.jsonnet: not a Kubernetes object"),
        ("std.extVar('none')", "app/bad.jsonnet:1: jsonnet: "),
    ],
)
async def test_what_is_wrong_in_jsonnet_has_a_place(problems, text, told):
    (problem,) = await problems({"app/bad.jsonnet": text}, directory={"jsonnet": {}})
    assert told in problem


async def test_jsonnet_neither_runs_nor_grows_without_end(problems, monkeypatch):
    monkeypatch.setattr(jsonnet, "TIMEOUT_SECONDS", 2.0)
    for text in ("std.foldl(function(a, b) a + b, std.range(0, 100000000), 0)", "std.repeat('x', 4000000000)"):
        (problem,) = await problems({"app/bad.jsonnet": text}, directory={"jsonnet": {}})
        assert problem.startswith("app/bad.jsonnet")


async def test_jsonnet_and_kustomize_exclude_each_other(problems):
    (problem,) = await problems(JSONNET, directory={"jsonnet": SETTINGS}, kustomize={"namePrefix": "x-"})
    assert "exclude each other" in problem


async def test_a_missing_library_is_said(problems, monkeypatch):
    monkeypatch.setattr(jsonnet, "find_spec", lambda _name: None)
    (problem,) = await problems({"app/a.jsonnet": "{}"}, directory={"jsonnet": {}})
    assert "go-jsonnet is not installed" in problem


def test_the_library_is_the_one_that_the_project_is_tested_with():
    spec = importlib.util.find_spec("_gojsonnet")
    assert spec is not None
    version = importlib.metadata.version("gojsonnet")
    assert version.startswith(jsonnet.VERSION + ".")
