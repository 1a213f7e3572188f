"""Charts that fail or attack: what is told, with file and line, and that helm sees neither files nor secrets."""

import os
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from tests.fixtures.processes import names as names_of
from tests.integration.render.conftest import job

from trimtab.adapters.process.kustomize import Bounds
from trimtab.adapters.process.renderer import KustomizeRenderer
from trimtab.core.errors import RenderError
from trimtab.render.inputs import InputRef, RenderInputs

CHART = "apiVersion: v2\nname: c\nversion: 0.1.0\n"
OBJECT = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n"
CANARY = "canary-4f2a9c"


@pytest.fixture
def renderer(programs):
    return KustomizeRenderer(kustomize=programs["kustomize"], helm=programs["helm"])


@pytest.fixture
def render(renderer, repository):
    async def start(files, *, links=None, objects=None, path="c", using=None, **helm):
        tree = repository({"c/Chart.yaml": CHART, "c/templates/a.yaml": OBJECT} | files)
        for name, target in (links or {}).items():
            (tree.root / name).unlink(missing_ok=True)
            (tree.root / name).symlink_to(target)
        made = replace(job(tree, path, helm=helm), inputs=RenderInputs(objects=objects or {}))
        return await (using or renderer).render(made)

    return start


@pytest.fixture
def problems(render):
    async def start(files, **options):
        with pytest.raises(RenderError) as caught:
            await render(files, **options)
        return [str(problem) for problem in caught.value.problems]

    return start


def dependency(**fields):
    return CHART + "dependencies:\n- {" + ", ".join(f'{key}: "{value}"' for key, value in fields.items()) + "}\n"


NIL = "nil pointer evaluating interface {}"
TPL = (
    'error calling tpl: error during tpl function execution for "…": template: gotpl:1:19: executing "gotpl" at '
    f"<.Values.q.r>: {NIL}"
)
NO_YAML = "error converting YAML to JSON: yaml: line 2: did not find expected node content"
TRY = "(try: helm template c)"
LOCAL = {"lib/Chart.yaml": CHART.replace("name: c", "name: lib"), "lib/templates/l.yaml": OBJECT.replace(": a", ": l")}


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"c/templates/a.yaml": '\na: {{ fail "no no" }}\n'}, f"c/templates/a.yaml:2: helm: no no {TRY}"),
        ({"c/templates/a.yaml": 'a: {{ required "need x" .Values.x }}\n'}, f"c/templates/a.yaml:1: helm: need x {TRY}"),
        (
            {"c/templates/a.yaml": "a:\n  {{ .Values.a.b }}\n"},
            f'c/templates/a.yaml:2: helm: executing "c/templates/a.yaml" at <.Values.a.b>: {NIL}.b {TRY}',
        ),
        ({"c/templates/a.yaml": "\n\na: {{ foo }}\n"}, f'c/templates/a.yaml:3: helm: function "foo" not defined {TRY}'),
        (
            {
                "c/templates/a.yaml": 'a: {{ include "l" . }}\n',
                "c/templates/_l.tpl": '{{ define "l" }}\n{{ .Values.q.r }}{{ end }}',
            },
            f'c/templates/_l.tpl:2: helm: executing "l" at <.Values.q.r>: {NIL}.r {TRY}',
        ),
        (
            {"c/templates/a.yaml": "a: {{ tpl .Values.t . }}\n", "c/values.yaml": "t: 'secretly {{ .Values.q.r }}'"},
            f'c/templates/a.yaml:1: helm: executing "c/templates/a.yaml" at <tpl .Values.t .>: {TPL}.r {TRY}',
        ),
        (
            {"c/values.yaml": "a: 1\nb: [\n"},
            f"c/values.yaml:2: helm: {NO_YAML} {TRY}",
        ),
        (
            {"c/Chart.yaml": CHART.replace("0.1.0", "bad")},
            f'c/Chart.yaml: helm: validation: chart.metadata.version "bad" is invalid {TRY}',
        ),
        (
            {"c/charts/s/Chart.yaml": CHART.replace("name: c", "name: s"), "c/charts/s/templates/s.yaml": "{{ foo }}"},
            f'c/charts/s/templates/s.yaml:1: helm: function "foo" not defined {TRY}',
        ),
        (
            LOCAL | {"c/Chart.yaml": dependency(name="lib", repository="file://../lib"), "lib/templates/l.yaml": "{{"},
            f"lib/templates/l.yaml:1: helm: unclosed action {TRY}",
        ),
        (
            {"c/templates/a.yaml": "kind: {{ .Values.none }}\nname: x\n"},
            "c/templates/a.yaml: apiVersion is missing (add apiVersion, or move the file out of the path)",
        ),
    ],
)
async def test_failures_name_file_and_line_of_the_chart(problems, files, told):
    assert (await problems(files))[0] == told


async def test_all_templates_that_write_no_yaml_are_told(problems):
    files = {
        "c/templates/a.yaml": OBJECT + "data: {{ .Values.x }}\nodd: b: c\n",
        "c/templates/b.yaml": "{{ if true }}\n" + OBJECT + "data: [\n{{ end }}",
        "c/templates/good.yaml": OBJECT.replace(": a", ": good"),
    }
    told = await problems(files)
    assert told[0] == (
        "c/templates/a.yaml:6: not valid YAML: mapping values are not allowed in this context, in what the template "
        "writes (look at: helm template --debug)"
    )
    assert [text.split(":")[0] for text in told] == ["c/templates/a.yaml", "c/templates/b.yaml"]


async def test_objects_that_two_templates_declare_are_told(problems):
    (told,) = await problems({"c/templates/b.yaml": "\n" + OBJECT})
    assert (
        told == "c/templates/b.yaml:2: ConfigMap/a: declared twice, first at c/templates/a.yaml:1 (keep one of the two)"
    )


@pytest.mark.parametrize("name", ["..", ".", "../x", "a/b", "/etc", "", "a\\\\b", "-x", "x" * 300])
async def test_names_that_lead_away_are_refused_before_helm_sees_them(problems, name):
    (told,) = await problems({"c/Chart.yaml": CHART.replace("name: c", f'name: "{name}"')})
    assert told.startswith("c/Chart.yaml: the chart's name is not valid")
    told = await problems({"c/Chart.yaml": dependency(name=name, repository="https://charts.example")})
    assert told == ["c/Chart.yaml: dependencies[0].name is not valid (correct the name)"]


@pytest.mark.parametrize("alias", ["../up", "..", "a/b"])
async def test_aliases_that_lead_away_are_refused(problems, alias):
    told = await problems({"c/Chart.yaml": dependency(name="lib", alias=alias)})
    assert told == ["c/Chart.yaml: dependencies[0].alias is not valid (correct the alias)"]


@pytest.mark.parametrize("lock", ["Chart.lock", "Chart.yaml", "requirements.lock", "requirements.yaml"])
@pytest.mark.parametrize("target", ["../other.txt", "values.yaml"])
async def test_links_in_the_place_of_a_charts_own_files_are_refused(problems, lock, target):
    files = {"other.txt": CHART, "c/values.yaml": CHART}
    (told,) = await problems(files, links={f"c/{lock}": target})
    assert told == f"c/{lock}: a symbolic link where a chart's own file belongs (put the file itself there)"


@pytest.mark.parametrize("target", ["/etc/passwd", "/absent", "../../../etc/passwd", "../../../absent"])
async def test_links_out_of_the_tree_are_refused_and_tell_nothing(problems, target):
    (told,) = await problems({}, links={"c/templates/leak.yaml": target})
    assert told.startswith("c/templates/leak.yaml: symbolic link leaves the repository")
    assert target not in told


async def test_links_to_nothing_are_told(problems):
    (told,) = await problems({}, links={"c/templates/gone.yaml": "../../absent.yaml"})
    assert told.startswith("c/templates/gone.yaml: a symbolic link to nothing")


async def test_links_inside_of_the_source_are_followed_and_count(render):
    files = {"far/b.yaml": OBJECT.replace(": a", ": b")}
    rendered = await render(files, links={"c/templates/b.yaml": "../../far/b.yaml"})
    assert sorted(manifest.ref.name for manifest in rendered.manifests) == ["a", "b"]
    assert rendered.folders == (("", "c"), ("", "far"))


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("file:///etc", "leaves the source"),
        ("file://../../etc", "leaves the source"),
        ("file://../lib/../../x", "leaves the source"),
        ("file://..", "holds the chart that needs it"),
        ("file://.", "holds the chart that needs it"),
        ("file://../absent", "is not at file://../absent"),
        ("https://charts.example", "1.0 of https://charts.example is not in charts/"),
        ("@stable", "1.0 of @stable is not in charts/"),
        ("", "1.0 is not in charts/"),
        ("ftp://x", "dependencies[0].repository is not valid"),
        ("file://a b", "dependencies[0].repository is not valid"),
    ],
)
async def test_dependencies_that_are_not_there_are_refused(problems, address, told):
    files = {"c/Chart.yaml": dependency(name="lib", version="1.0", repository=address)}
    (found,) = await problems(files)
    assert found.startswith("c/Chart.yaml: ")
    assert told in found


async def test_the_lock_tells_the_version_that_is_missing(problems):
    lock = "dependencies:\n- {name: lib, repository: https://charts.example, version: 1.7.2}\ndigest: sha256:abc\n"
    chart = dependency(name="lib", version="^1.0", repository="https://charts.example")
    (told,) = await problems({"c/Chart.yaml": chart, "c/Chart.lock": lock})
    assert "the dependency lib 1.7.2 of https://charts.example is not in charts/" in told


async def test_local_dependencies_in_a_circle_end(problems):
    files = {
        "c/Chart.yaml": dependency(name="one", repository="file://../one"),
        "one/Chart.yaml": dependency(name="two", repository="file://../two").replace("name: c", "name: one"),
        "two/Chart.yaml": dependency(name="one", repository="file://../one").replace("name: c", "name: two"),
    }
    (told,) = await problems(files)
    assert told.startswith("two/Chart.yaml: the dependency one holds the chart that needs it")


async def test_local_dependencies_that_multiply_are_bounded(problems):
    files = {"c/Chart.yaml": CHART}
    for level in range(12):
        folder = "c" if level == 0 else f"l{level}"
        text = CHART.replace("name: c", f"name: {folder}") + "dependencies:\n"
        for step in (1, 2):
            text += f'- {{name: l{level + step}, repository: "file://../l{level + step}"}}\n'
        files[f"{folder}/Chart.yaml"] = text
    for level in (12, 13):
        files[f"l{level}/Chart.yaml"] = CHART.replace("name: c", f"name: l{level}")
    told = await problems(files)
    assert any("more than 200 local dependencies" in text for text in told)


async def test_a_chart_reads_no_file_outside_of_the_source(render, tmp_path):
    outside = tmp_path / "outside.txt"
    outside.write_text(CANARY)
    files = {
        "c/templates/a.yaml": OBJECT
        + "data:\n"
        + f'  one: {{{{ .Files.Get "{outside}" | quote }}}}\n'
        + '  two: {{ .Files.Get "../other.txt" | quote }}\n'
        + '  three: {{ getHostByName "localhost" | quote }}\n',
        "other.txt": CANARY,
    }
    rendered = await render(files)
    assert rendered.manifests[0].body["data"] == {"one": "", "two": "", "three": ""}


async def test_a_schema_reaches_no_file_and_no_network(problems, tmp_path):
    outside = tmp_path / "schema.json"
    outside.write_text('{"type": "string", "const": "' + CANARY + '"}')
    for url in (f"file://{outside}", "http://127.0.0.1:9/x.json"):
        told = await problems({"c/values.schema.json": '{"$ref": "' + url + '"}'})
        assert len(told) == 1
        assert CANARY not in told[0]


async def test_values_of_secrets_are_in_no_message_and_no_argument(render, programs):
    objects = {InputRef("Secret", "s"): {"values.yaml": f"password: {CANARY}\n".encode(), "one": CANARY.encode()}}
    template = OBJECT + 'data: {{ fail (printf "%s|%s|%s" .Values.password (.Values.one | b64enc) .Values.one) }}\n'
    seen = []
    done = threading.Event()

    def watch():
        while not done.is_set():
            for process in psutil.Process().children(recursive=True):
                try:
                    seen.append((process.cmdline(), process.environ()))
                except psutil.Error:
                    continue

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        with pytest.raises(RenderError) as caught:
            await render(
                {"c/templates/a.yaml": template},
                objects=objects,
                valuesFrom=[
                    {"kind": "Secret", "name": "s"},
                    {"kind": "Secret", "name": "s", "valuesKey": "one", "targetPath": "one"},
                ],
            )
    finally:
        done.set()
        watcher.join()
    assert str(caught.value) == "c/templates/a.yaml:5: helm: …|…|… (try: helm template c)"
    assert any("template" in command for command, _ in seen)
    assert CANARY not in str(seen)


@pytest.mark.parametrize(
    "template",
    [
        OBJECT.replace("name: a", "name: a/{{ .Values.password }}"),
        OBJECT + "data: {{ .Values.password }}: 1, {{ .Values.password }}: 2}".replace("data: ", "data: {"),
        OBJECT + "  namespace: {{ .Values.password }}\n",
    ],
)
async def test_values_that_make_an_object_invalid_are_not_shown(problems, template):
    objects = {InputRef("Secret", "s"): {"values.yaml": f"password: {CANARY}_\n".encode()}}
    told = await problems(
        {"c/templates/a.yaml": template}, objects=objects, valuesFrom=[{"kind": "Secret", "name": "s"}]
    )
    assert told
    assert CANARY not in str(told)


async def test_values_that_break_the_yaml_are_not_shown(problems):
    objects = {InputRef("Secret", "s"): {"values.yaml": f"password: '{CANARY}: x: ['\n".encode()}}
    told = await problems(
        {"c/templates/a.yaml": OBJECT + "data: {{ .Values.password }}\n"},
        objects=objects,
        valuesFrom=[{"kind": "Secret", "name": "s"}],
    )
    assert told
    assert CANARY not in str(told)


@pytest.mark.parametrize(
    ("helm", "told"),
    [
        ({"valueFiles": ["absent.yaml"]}, "the values file absent.yaml does not exist"),
        ({"valueFiles": ["../../up.yaml"]}, "'../../up.yaml' leaves the source"),
        ({"valueFiles": ["$other/x.yaml"]}, "valueFiles names the source $other (known are: none)"),
        ({"valueFiles": ["https://example.com/v.yaml"]}, "is no relative path"),
        ({"valuesFrom": [{"kind": "Secret", "name": "absent"}]}, "Secret absent does not exist"),
        ({"releaseName": "a", "valueFiles": ["list.yaml"]}, "c/list.yaml: values are not one mapping"),
        ({"valueFiles": ["twice.yaml"]}, "c/twice.yaml:2: duplicate key 'a'"),
    ],
)
async def test_values_that_cannot_be_had_are_refused(problems, helm, told):
    (found,) = await problems({"c/list.yaml": "[1]", "c/twice.yaml": "a: 1\na: 2\n"}, **helm)
    assert told in found


async def test_helm_that_is_missing_is_told(problems, programs):
    for program in (None, Path("/nonexistent/helm")):
        using = KustomizeRenderer(kustomize=programs["kustomize"], helm=program)
        assert await problems({}, using=using) == [
            "c/Chart.yaml: helm is not installed (install it beside the controller)"
        ]


ENDLESS = '{{ define "x" }}{{ include "y" . }}{{ end }}{{ define "y" }}{{ range until 100000 }}{{ range until 100000 }}'
HUGE = OBJECT + "data:\n{{ range until 5000 }}  k{{ . }}: {{ repeat 1000 `x` }}\n{{ end }}"


@pytest.mark.parametrize(
    ("template", "bounds", "told"),
    [
        (ENDLESS + "{{ end }}{{ end }}{{ end }}" + '{{ include "x" . }}', {"timeout_seconds": 2.0}, "took longer than"),
        (HUGE, {"output_bytes": 100_000}, "wrote more than 100000 bytes"),
        ('{{ repeat 2000000000 "xxxxxxxxxx" }}', {"timeout_seconds": 20.0}, "helm"),
    ],
)
async def test_bombs_are_bounded(problems, programs, template, bounds, told):
    using = KustomizeRenderer(kustomize=None, helm=programs["helm"], bounds=replace(Bounds(), **bounds))
    found = await problems({"c/templates/a.yaml": template}, using=using)
    assert told in found[0]
    assert not [name for name in names_of(psutil.Process().children()) if "helm" in name]


async def test_a_values_file_that_may_come_to_be_is_looked_for_in_the_nearest_folder(render):
    helm = {"ignoreMissingValueFiles": True, "valueFiles": ["../envs/prod/eu/values.yaml"]}
    rendered = await render({"envs/prod/other.yaml": "a: 1"}, **helm)
    assert rendered.folders == (("", "c"), ("", "envs/prod"))


async def test_values_of_a_secret_are_on_no_disk(render, tmp_path, monkeypatch):
    """The chart's own files are all that is written while helm runs."""
    objects = {InputRef("Secret", "s"): {"values.yaml": f"password: {CANARY}\n".encode()}}
    written: list[bytes] = []
    done = threading.Event()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()

    def watch():
        while not done.is_set():
            for folder, _, names in os.walk(tmp_path / "temporary"):
                with suppress(OSError):
                    written.extend((Path(folder) / name).read_bytes() for name in names)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        files = {"c/templates/a.yaml": OBJECT + "data: {password: {{ .Values.password }}}\n"}
        rendered = await render(files, objects=objects, valuesFrom=[{"kind": "Secret", "name": "s"}])
    finally:
        done.set()
        watcher.join()
    assert rendered.manifests[0].body["data"] == {"password": CANARY}
    assert written
    assert not any(CANARY.encode() in data for data in written)
