"""Objects and failures of a chart find their way back to the template, and secrets are cut out of what is told."""

import base64

import pytest

from trimtab.core.manifest import Origin
from trimtab.render.helm_chart import read_chart
from trimtab.render.helm_errors import failures, masker
from trimtab.render.helm_output import read_output
from trimtab.render.helm_places import Places, line_of
from trimtab.render.hooks import HookDeletePolicy, HookEvent, Phase, left_out, read_hook
from trimtab.render.limits import DEFAULT_LIMITS

OBJECT = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\n"
SOURCE = {
    "apps/c/Chart.yaml": b"apiVersion: v2\nname: shop\nversion: 0.1.0\ndependencies:\n"
    b"- {name: db, alias: store}\n- {name: db}\n- {name: packed}\n- {name: gone}\n",
    "apps/c/templates/a.yaml": b"# a\n{{- if 1 }}\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n{{ end }}\n",
    "apps/c/charts/database/Chart.yaml": b"apiVersion: v2\nname: db\nversion: 0.1.0\n",
    "apps/c/charts/database/templates/d.yaml": b"apiVersion: v1\nkind: ConfigMap\n",
    "apps/c/charts/local/Chart.yaml": b"apiVersion: v2\nname: local\nversion: 0.1.0\n",
    "apps/c/charts/local/templates/l.yaml": b"apiVersion: v1\nkind: ConfigMap\n",
    "apps/c/charts/packed-1.0.0.tgz": b"\x1f\x8b",
    "apps/c/charts/broken/Chart.yaml": b"[",
    "apps/c/values.yaml": b"",
    "apps/c/values.schema.json": b"{}",
}


@pytest.fixture
def places():
    chart = read_chart(SOURCE["apps/c/Chart.yaml"], "apps/c/Chart.yaml")
    return Places("apps/c", chart, frozenset(SOURCE), SOURCE.get, {"apps/c/charts/local": "libs/local"})


@pytest.mark.parametrize(
    ("printed", "file"),
    [
        ("shop/templates/a.yaml", "apps/c/templates/a.yaml"),
        ("shop/templates/gone.yaml", "apps/c/Chart.yaml"),
        ("shop/charts/db/templates/d.yaml", "apps/c/charts/database/templates/d.yaml"),
        ("shop/charts/store/templates/d.yaml", "apps/c/charts/database/templates/d.yaml"),
        ("shop/charts/packed/templates/p.yaml", "apps/c/charts/packed-1.0.0.tgz"),
        ("shop/charts/local/templates/l.yaml", "libs/local/templates/l.yaml"),
        ("shop/charts/local/templates/gone.yaml", "libs/local/Chart.yaml"),
        ("shop/charts/unknown/templates/u.yaml", "apps/c/Chart.yaml"),
        ("../../../etc/passwd", "apps/c/Chart.yaml"),
        ("", "apps/c/Chart.yaml"),
    ],
)
def test_templates_are_found_whatever_helm_calls_them(places, printed, file):
    assert places.file(printed) == file


def test_a_local_chart_at_the_root_is_found_as_well():
    files = {"charts/c/Chart.yaml": b"apiVersion: v2\nname: c\n", "charts/c/charts/r/Chart.yaml": b"name: r\n"}
    chart = read_chart(files["charts/c/Chart.yaml"], "charts/c/Chart.yaml")
    places = Places("charts/c", chart, frozenset(files), files.get, {"charts/c/charts/r": ""})
    assert places.file("c/charts/r/x.yaml") == "Chart.yaml"


TWO = (
    "kind: A\nmetadata:\n  name: {{ x }}-one\n---\n\n{{ if }}\napiVersion: v1\nkind: A\nmetadata:\n  name: {{ x }}-two"
)


@pytest.mark.parametrize(
    ("text", "kind", "name", "line"),
    [
        ("\n\nkind: A\n", "A", "any", 3),
        ("\n\nkind: A\n", "B", "any", 0),
        ("", "A", "any", 0),
        (TWO, "A", "rel-one", 1),
        (TWO, "A", "rel-two", 7),
        (TWO, "A", "other", 0),
        ("kind: A\nmetadata: {name: x}\n---\nkind: A\nmetadata: {name: y}\n", "A", "y", 4),
        ("kind: A\nn: x\n---\nkind: A\nn: x\n", "A", "x", 0),
        ('{\n"kind": "A"}', "A", "x", 2),
        ("kind: {{ .k }}\n", "A", "x", 0),
    ],
)
def test_the_line_of_an_object_is_found_where_it_can_be_told(text, kind, name, line):
    assert line_of(text, kind, name) == line


def output(*documents):
    return "".join(f"---\n# Source: {source}\n{text}" for source, text in documents).encode()


def test_objects_hooks_and_faults_are_told_apart(places):
    hook = (OBJECT % "null, generateName: h-, annotations: {helm.sh/hook: pre-install}").replace("ConfigMap", "Job")
    stdout = output(
        ("shop/templates/a.yaml", OBJECT % "a" + "---\n" + OBJECT % "more"),
        ("shop/charts/db/templates/d.yaml", hook),
        ("shop/charts/local/templates/l.yaml", "a: [\n"),
        ("shop/templates/a.yaml", "# nothing\n"),
    )
    found = read_output(stdout, places, limits=DEFAULT_LIMITS)
    assert [(m.ref.name, m.origin) for m in found.manifests] == [
        ("a", Origin("apps/c/templates/a.yaml", 3)),
        ("more", Origin("apps/c/templates/a.yaml", 3)),
    ]
    assert [str(one) for one in found.hooks] == ["Job/h-*"]
    assert found.hooks[0].origin == Origin("apps/c/charts/database/templates/d.yaml")
    assert [str(problem.origin) for problem in found.problems] == ["libs/local/templates/l.yaml"]


def test_what_stands_before_any_template_is_the_charts(places):
    found = read_output((OBJECT % "x").encode() + b"---\n- list\n", places, limits=DEFAULT_LIMITS)
    assert found.manifests[0].origin == Origin("apps/c/Chart.yaml")
    assert "not a Kubernetes object" in str(found.problems[0])


def annotated(**annotations):
    keys = {"event": "helm.sh/hook", "weight": "helm.sh/hook-weight", "policy": "helm.sh/hook-delete-policy"}
    notes = {keys[name]: value for name, value in annotations.items()}
    return {"kind": "Job", "metadata": {"name": "j", "annotations": notes}}


@pytest.mark.parametrize(
    ("event", "phases"),
    [
        ("pre-install", {Phase.PRE_APPLY}),
        ("pre-install,pre-upgrade", {Phase.PRE_APPLY}),
        (" Post-Install , post-upgrade ", {Phase.POST_APPLY}),
        ("pre-delete,post-delete", {Phase.PRE_DELETE, Phase.POST_DELETE}),
        ("pre-rollback,post-rollback", {Phase.PRE_ROLLBACK, Phase.POST_ROLLBACK}),
        ("test,test-success", {Phase.TEST}),
    ],
)
def test_events_become_phases(event, phases):
    hook = read_hook(annotated(event=event), Origin("x"))
    assert hook is not None
    assert hook.phases == phases


def test_weight_and_policies_are_read_with_helms_defaults():
    hook = read_hook(annotated(event="test", weight="-3", policy="hook-succeeded,hook-failed,odd"), Origin("x"))
    assert hook is not None
    assert (hook.weight, hook.events) == (-3, frozenset({HookEvent.TEST}))
    assert hook.delete_policies == {HookDeletePolicy.SUCCEEDED, HookDeletePolicy.FAILED}
    hook = read_hook(annotated(event="test", weight="x"), Origin("x"))
    assert hook is not None
    assert (hook.weight, hook.delete_policies) == (0, frozenset({HookDeletePolicy.BEFORE_CREATION}))


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"metadata": None},
        {"metadata": {"annotations": []}},
        {"metadata": {"annotations": {"helm.sh/hook": 1}}},
        annotated(event="crd-install"),
        annotated(weight="1"),
    ],
)
def test_other_objects_are_no_hooks(body):
    assert read_hook(body, Origin("x")) is None


def test_hooks_that_do_not_run_are_named():
    events = ["pre-install,pre-upgrade", "post-install", "pre-delete", "post-delete", "test"]
    hooks = [read_hook(annotated(event=event), Origin("x")) for event in events]
    known = [hook for hook in hooks if hook is not None]
    assert left_out(known[-1:]) == ""
    assert left_out(known[:1]) == "Helm hooks are not run: Job/j (pre-install, pre-upgrade)"
    assert left_out(known).endswith("Job/j (pre-delete) and 1 more")


SECRETS = ["hunter22", "ab", 'two\nlines "quoted"']


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("is hunter22!", "is …!"),
        ("xhunter22x", "x…x"),
        ("HUNTER22", "…"),
        ("cab ab crab", "cab … crab"),
        (base64.b64encode(b"hunter22").decode(), "…"),
        ('got lines \\"quoted\\"', "got …"),
        ('lines "quoted"', "…"),
        ("nothing", "nothing"),
    ],
)
def test_secrets_are_cut_out_in_every_spelling(text, masked):
    assert masker(SECRETS)(text) == masked


def told(places, text, secrets=()):
    return [str(problem) for problem in failures(text, places, "/scratch/tree", secrets)]


UNCLOSED = 'error calling tpl: cannot parse template "…": template: gotpl:1: unclosed'
TRY = "(try: helm template apps/c)"


@pytest.mark.parametrize(
    ("stderr", "message"),
    [
        ("Error: /scratch/tree/apps/c/x is odd", f"apps/c/Chart.yaml: helm: apps/c/x is odd {TRY}"),
        (
            "Error: open /etc/passwd: denied",
            f"apps/c/Chart.yaml: helm: open a path outside of the source: denied {TRY}",
        ),
        ("Error: cannot read `abc: def`", f"apps/c/Chart.yaml: helm: cannot read `…` {TRY}"),
        ("warning\nError: x\n\nUse --debug flag to render out invalid YAML", f"apps/c/Chart.yaml: helm: x {TRY}"),
        ("broken", f"apps/c/Chart.yaml: helm: broken {TRY}"),
        ("Error: " + "x" * 700, f"apps/c/Chart.yaml: helm: {'x' * 600}… {TRY}"),
        (
            "Error: YAML parse error on shop/templates/a.yaml: yaml: line 7: bad",
            f"apps/c/templates/a.yaml: helm: bad, in what the template writes {TRY}",
        ),
        (
            "Error: execution error at (shop/charts/store/templates/d.yaml:3:4): no\nno",
            f"apps/c/charts/database/templates/d.yaml:3: helm: no no {TRY}",
        ),
        (
            'Error: template: x: error calling tpl: cannot parse template "a b {{": template: gotpl:1: unclosed',
            f"apps/c/Chart.yaml: helm: template: x: {UNCLOSED} {TRY}",
        ),
        ("Error: cannot load values.yaml: odd", f"apps/c/values.yaml: helm: odd {TRY}"),
    ],
)
def test_failures_are_told_with_their_place(places, stderr, message):
    (found,) = told(places, stderr)
    assert found == message


def test_violations_of_schemas_are_told_one_by_one(places):
    stderr = (
        "Error: values don't meet the specifications of the schema(s) in the following chart(s):\nshop:\n"
        "- at '/a': got string, want integer\n- at '/b': 'open text' does not match pattern '^x$'\n"
        "db:\n- at '': missing property 'q'\n\npacked:\nunexpected EOF\n"
    )
    assert told(places, stderr) == [
        "apps/c/values.schema.json: values at '/a': got string, want integer (correct the values)",
        "apps/c/values.schema.json: values at '/b': '…' does not match pattern '^x$' (correct the values)",
        "apps/c/charts/database/Chart.yaml: values of db at '': missing property 'q' (correct the values)",
        "apps/c/Chart.yaml: the schema of packed cannot be used: unexpected EOF",
    ]
