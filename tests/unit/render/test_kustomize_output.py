"""Built objects find their way back to file and line; failures are told without what they quote."""

import pytest

from trimtab.core.manifest import Origin
from trimtab.render.closure import closure
from trimtab.render.diagnose import diagnose
from trimtab.render.kustomization import read_kustomization
from trimtab.render.kustomize_errors import failure, masked
from trimtab.render.kustomize_output import read_output
from trimtab.render.limits import DEFAULT_LIMITS

SOURCES = {
    "base/all.yaml": (
        b"# all\napiVersion: v1\nkind: Service\nmetadata:\n  labels: {app.kubernetes.io/name: web}\n"
        b"  name: web\n--- # next\n\n# words\n"
        b"apiVersion: v1\nkind: Service\nmetadata: {namespace: x, name: web-admin}\n---\n# none\n"
    ),
    "base/list.yaml": b"apiVersion: v1\nkind: ConfigMapList\nitems:\n"
    b"- metadata:\n    name: one\n- metadata:\n    name: two\n",
}


def built(*entries, kustomization=b"namePrefix: p-", file="prod/kustomization.yaml"):
    output = "---\n".join(
        f"apiVersion: v1\nkind: {kind}\nmetadata:\n  annotations:\n    config.kubernetes.io/origin: |\n      {note}\n"
        f"{more}  name: {name}\n"
        for kind, name, note, more in entries
    )
    read = read_kustomization(kustomization, file)
    return read_output(output.encode(), read, SOURCES.get, limits=DEFAULT_LIMITS)


@pytest.mark.parametrize(
    ("kind", "name", "note", "origin"),
    [
        ("Service", "p-web", "path: ../base/all.yaml", Origin("base/all.yaml", 2)),
        ("Service", "p-web-admin", "path: ../base/all.yaml", Origin("base/all.yaml", 10)),
        ("Service", "web-admin", "path: '../base/all.yaml'", Origin("base/all.yaml", 10)),
        ("ConfigMap", "two", "path: ../base/list.yaml", Origin("base/list.yaml", 7)),
        ("ConfigMap", "renamed", "path: ../base/list.yaml", Origin("base/list.yaml", 0)),
        ("Service", "web", "path: ../gone.yaml", Origin("gone.yaml", 0)),
        ("ConfigMap", "g-1", "configuredIn: ../base/kustomization.yaml", Origin("base/kustomization.yaml", 0)),
        ("ConfigMap", "g-1", "nothing: known", Origin("prod/kustomization.yaml", 0)),
    ],
)
def test_an_object_is_traced_to_its_source(kind, name, note, origin):
    found = built((kind, name, note, ""))
    assert found.problems == ()
    assert found.manifests[0].origin == origin
    assert "annotations" not in found.manifests[0].body["metadata"]


def test_other_annotations_stay():
    found = built(("Service", "web", "path: ../base/all.yaml", "    mine: x\n"))
    assert found.manifests[0].annotations == {"mine": "x"}


def test_origins_stay_where_the_author_wants_them():
    found = built(("Service", "web", "path: a.yaml", ""), kustomization=b"buildMetadata: [originAnnotations]")
    assert found.manifests[0].annotations == {"config.kubernetes.io/origin": "path: a.yaml\n"}


def test_problems_of_built_objects_are_told_at_their_source():
    found = built(("Service", "5", "path: ../base/all.yaml", ""))
    assert str(found.problems[0]).startswith("base/all.yaml:2: metadata.name of type int")
    odd = read_output(b"- 1\n", read_kustomization(b"", "k/kustomization.yaml"), SOURCES.get, limits=DEFAULT_LIMITS)
    assert str(odd.problems[0]).startswith("k/kustomization.yaml: not a Kubernetes object")


FILES = frozenset({"prod/kustomization.yaml", "base/kustomization.yaml", "base/web.yaml"})
PROD = read_kustomization(b"secretGenerator: [{name: a, literals: [k=hunter2]}]", "prod/kustomization.yaml")


@pytest.mark.parametrize(
    ("stderr", "place", "words"),
    [
        (
            (
                "Error: accumulating resources: accumulation err='accumulating resources from '../base': read "
                "/t/base: is a directory': recursed accumulation of path '/t/base': accumulating resources: "
                "accumulating resources from 'web.yaml': MalformedYAMLError: yaml: "
                "line 5: mapping values are not allowed in File: web.yaml"
            ),
            "base/web.yaml:5",
            "read base: is a directory",
        ),
        (
            (
                "Error: accumulating resources from '../base': read: recursed merging from path '/t/base': may not add "
                "resource with an already registered id: ConfigMap.v1.[noGrp]/a.[noNs]"
            ),
            "base/kustomization.yaml",
            "already registered id: ConfigMap.v1/a",
        ),
        ("Error: accumulating resources from 'x': no", "prod/kustomization.yaml", "from 'x': no"),
        ("Error: x in File: elsewhere.yaml", "prod/kustomization.yaml", "in File: elsewhere.yaml"),
        ('Error: invalid Kustomization: json: unknown field "resurces"', "prod/kustomization.yaml", '"resurces"'),
    ],
)
def test_a_failure_is_told_at_the_file_that_was_read(stderr, place, words):
    problem = failure(stderr, PROD, "/t", FILES)
    assert str(problem).startswith(f"{place}: kustomize: ")
    assert words in problem.message
    assert problem.remedy == "try: kustomize build prod"


@pytest.mark.parametrize(
    "stderr",
    [
        'trouble configuring builtin PatchTransformer with config: `\npatch: \'{"a": "hunter2"}\'\n`: unable to parse',
        'unable to parse SM or JSON patch from [patch: "{a: hunter2}"]',
        "unable to parse from [op: hunter2",
        "missing metadata.name in object {{v1 Secret} {{ } map[a:hunter2] map[]}}",
        'invalid value "pass=hunter2" here',
        "loading KV pairs: literal sources: x: invalid literal source hunter2, expected key=value",
        "env source files: x.env: hunter2 is odd",
        "cannot unmarshal !!str `hunter2` into int",
        "whatever hunter2 says",
    ],
)
def test_a_failure_quotes_no_content(stderr):
    assert "hunter2" not in failure(stderr, PROD, "/t", FILES).message


@pytest.mark.parametrize("ending", ["no such file or directory", "permission denied", "is a directory'): x"])
def test_a_failure_does_not_tell_what_is_outside(ending):
    assert masked(f"open '/etc/x': {ending}") == "open 'a path outside of the repository"
    assert masked(f"reading a/b: open /etc/x: {ending}") == "reading a/b: open a path outside of the repository"


def test_the_config_of_a_transformer_hides_and_its_cause_stays():
    text = "trouble configuring X with config: `\npatch: `hunter2`\n`: unable to parse [hunter2]"
    assert masked(text) == "trouble configuring X unable to parse […]"


def test_a_failure_is_one_short_line():
    assert masked("Error: a\n  b") == "a b"
    assert len(masked("x" * 5000)) == 401


def test_a_failed_build_is_explained_by_all_broken_files():
    files = {
        "k/kustomization.yaml": b"resources: [a.yaml, b.yaml, c.yaml, ../d, gone.yaml]\npatches: [{path: p.yaml}]",
        "k/a.yaml": b"a: b: c",
        "k/b.yaml": b"apiVersion: v1\nkind: A\nmetadata: {name: a}\n",
        "k/c.yaml": b"apiVersion: v1\n\nkind: A\nkind: A\nmetadata: {name: a}\n",
        "k/p.yaml": b"- no: object",
        "d/kustomization.yaml": b"resources: [e.yaml]",
        "d/e.yaml": b"x: 1",
    }
    found = closure(frozenset(files), "k", files.__getitem__)
    told = diagnose(found, files.get, limits=DEFAULT_LIMITS)
    assert {str(problem.origin) for problem in told} == {"k/a.yaml:1", "k/c.yaml:4", "d/e.yaml:1"}
