"""Remote bases in a tree: allowed ones become places, their files keep the names that users know."""

import pytest

from trimtab.api.kustomize import KustomizeSpec
from trimtab.core.errors import Problem
from trimtab.core.manifest import Manifest, Origin
from trimtab.core.refs import LOCAL_CLUSTER, ObjectRef
from trimtab.render.closure import closure
from trimtab.render.kustomization import as_file, read_kustomization
from trimtab.render.remote_places import MAX_BASES, MAX_DEPTH, RemoteNames, RemotePlaces, file_names
from trimtab.source.remote_base import RemoteBase

H = "https://git.example.org"
PLACES = RemotePlaces(".bases-1", (H,), "spec.remoteBases of GitRepository fleet")
BASE = RemoteBase(f"{H}/team/app", "v1", "deploy")
PLACE = PLACES.place(BASE)
ROOT = PLACES.place(BASE.repository)


def walk(files, path="prod", places=PLACES, overlay=None):
    contents = {name: text.encode() for name, text in files.items()}
    return closure(frozenset(contents), path, contents.__getitem__, places=places, overlay=overlay)


def test_a_base_is_wanted_beside_the_source_until_it_is_there():
    own = {"prod/kustomization.yaml": f"resources: [../base, '{BASE}']\n", "base/kustomization.yaml": "{}"}
    found = walk(own)
    assert (found.folders, found.remote) == (("base", "prod"), (PLACE,))
    assert found.bases == {ROOT: BASE.repository}
    assert found.problems == ()
    there = walk(
        own | {f"{PLACE}/kustomization.yaml": "resources: [../other]", f"{ROOT}/other/kustomization.yaml": "{}"}
    )
    assert there.remote == (PLACE, f"{ROOT}/other")
    assert there.unresolved == ()
    whole = walk({name.removeprefix("prod/"): text for name, text in own.items()}, path="")
    assert (whole.folders, whole.remote) == (("",), (PLACE,)), "the root of the source is not theirs"


def test_a_folder_that_the_base_has_not_is_told_at_its_reference():
    found = walk({"prod/kustomization.yaml": f"\nresources:\n- {BASE}\n"})
    (problem,) = found.unresolved
    assert str(problem).startswith(f"prod/kustomization.yaml:3: '{BASE}' does not exist")


@pytest.mark.parametrize("field", ["resources", "components", "bases", "transformers", "generators", "validators"])
def test_the_reference_becomes_a_path_in_what_kustomize_sees(field):
    text = f"namePrefix: a-\n{field}: [x, {BASE}]\n"
    found = read_kustomization(text.encode(), "apps/prod/kustomization.yaml", places=PLACES)
    assert found.rewritten
    assert found.content == {"namePrefix": "a-", field: ["x", f"../../{PLACE}"]}
    assert read_kustomization(as_file(found), "apps/prod/kustomization.yaml").content == found.content
    assert not read_kustomization(b"resources: [x]", "kustomization.yaml", places=PLACES).rewritten


def test_a_component_that_the_spec_names():
    spec = KustomizeSpec.model_validate({"components": [str(BASE)], "ignoreMissingComponents": True})
    found = walk({"prod/kustomization.yaml": "resources: []"}, overlay=spec)
    assert found.kustomizations["prod"].content["components"] == [f"../{PLACE}"]
    assert found.remote == (PLACE,)
    assert found.left_out == frozenset(), "what is fetched is there or an error"
    assert walk({"prod/a.yaml": ""}, overlay=spec).remote == (PLACE,)


def test_a_base_elsewhere_is_refused_and_says_where_to_allow_it():
    text = "resources:\n- https://git.example.org.evil/team/app//x?ref=v1\n"
    found = read_kustomization(text.encode(), "prod/kustomization.yaml", places=PLACES)
    (problem,) = found.problems
    assert str(problem) == (
        "prod/kustomization.yaml:2: remote base https://git.example.org.evil/team/app//x?ref=v1 is not allowed "
        "(add https://git.example.org.evil/team/app to spec.remoteBases of GitRepository fleet, copy it into the "
        "repository, or add it as a submodule)"
    )
    assert (problem.reason, found.references) == ("BuildFailed", ())


@pytest.mark.parametrize(
    "text",
    [
        f"patches: [{{path: '{H}/a/b//x.yaml'}}]",
        f"configMapGenerator: [{{name: a, files: ['{H}/a/b//x']}}]",
        f"crds: ['{H}/a/b//x']",
        f"openapi: {{path: '{H}/a/b//x?token=hunter2'}}",
    ],
)
def test_files_of_elsewhere_are_refused(text):
    (problem,) = read_kustomization(text.encode(), "kustomization.yaml", places=PLACES).problems
    assert "only folders are fetched" in str(problem)
    assert "hunter2" not in str(problem)


def test_a_base_does_not_reach_out_of_its_own_repository():
    for text in ("../../prod", "../..", "../../../x"):
        found = read_kustomization(f"resources: ['{text}']".encode(), f"{PLACE}/kustomization.yaml", places=PLACES)
        assert "leaves the repository" in str(found.problems[0])
    inside = read_kustomization(b"resources: ['..', ../x]", f"{PLACE}/kustomization.yaml", places=PLACES)
    assert [each.path for each in inside.references] == [ROOT, f"{ROOT}/x"]


def chain(*bases):
    """Own folder → base → base …"""
    folders = ["prod", *(PLACES.place(each) for each in bases)]
    return {
        f"{folder}/kustomization.yaml": f"resources: ['{base}']" for folder, base in zip(folders, bases, strict=False)
    } | {f"{folders[-1]}/kustomization.yaml": "{}"}


def test_bases_of_bases_end_at_a_depth():
    bases = [RemoteBase(f"{H}/team/app{number}") for number in range(MAX_DEPTH + 1)]
    assert walk(chain(*bases[:-1])).problems == ()
    (problem,) = walk(chain(*bases)).problems
    assert "deep" in str(problem)
    assert problem.origin == Origin(f"{PLACES.place(bases[-2])}/kustomization.yaml", 1)


def test_bases_end_at_a_number():
    bases = [RemoteBase(f"{H}/team/app{number}", "", path) for number in range(MAX_BASES + 1) for path in ("a", "b")]
    text = "resources:\n" + "".join(f"- {base}\n" for base in bases)
    found = walk({"prod/kustomization.yaml": text})
    assert [str(each).partition(" (")[0] for each in found.problems] == [
        f"prod/kustomization.yaml:{MAX_BASES * 2 + 2 + number}: more than {MAX_BASES} remote bases" for number in (0, 1)
    ]
    assert len(found.bases) == MAX_BASES


def test_circles_are_refused():
    one, other = RemoteBase(f"{H}/team/one", "", "x"), RemoteBase(f"{H}/team/other")
    files = {
        "prod/kustomization.yaml": f"resources: ['{one}']",
        f"{PLACES.place(one)}/kustomization.yaml": "resources: [../y]",
        f"{PLACES.place(one.repository)}/y/kustomization.yaml": f"\nresources: ['{other}']",
        f"{PLACES.place(other)}/kustomization.yaml": f"resources: ['{one}']",
    }
    (problem,) = walk(files).problems
    assert "go in circles" in str(problem)
    assert problem.origin is not None
    itself = {"prod/kustomization.yaml": f"resources: ['{one}']"}
    itself[f"{PLACES.place(one)}/kustomization.yaml"] = f"resources: ['{one}']"
    assert "go in circles" in str(walk(itself).problems[0])
    twice = {"prod/kustomization.yaml": f"resources: ['{one}', '{other}']"}
    twice |= {f"{PLACES.place(each)}/kustomization.yaml": "{}" for each in (one, other)}
    assert walk(twice).problems == ()


def test_files_are_told_by_their_repository_and_revision():
    name = file_names(BASE, "v1@sha1:abc")
    assert name == f"{H}/team/app@v1@sha1:abc//"
    names = RemoteNames({ROOT: name})
    told = names.problems(
        [
            Problem(f"accumulating from '../{PLACE}/x.yaml'", origin=Origin(f"{PLACE}/x.yaml", 3)),
            Problem("own", origin=Origin("prod/a.yaml")),
            Problem("none"),
        ]
    )
    assert [str(each) for each in told] == [
        f"{name}deploy/x.yaml:3: accumulating from '{name}deploy/x.yaml'",
        "prod/a.yaml: own",
        "none",
    ]
    ref = ObjectRef(LOCAL_CLUSTER, "", "ConfigMap", "", "a")
    manifest = Manifest(ref, "v1", {}, Origin(f"{PLACE}/x.yaml", 2))
    assert names.manifests([manifest])[0].origin == Origin(f"{name}deploy/x.yaml", 2)
    nothing = RemoteNames({})
    assert nothing.manifests([manifest]) == (manifest,)
    assert nothing.problems(told) == told


@pytest.mark.parametrize(
    ("note", "expected"),
    [
        (f"path: ../{PLACE}/x.yaml\n", f"path: deploy/x.yaml\nrepo: {H}/team/app\nref: v1\n"),
        (
            f"configuredIn: ../../{PLACE}/kustomization.yaml\nconfiguredBy:\n  kind: X\n",
            f"repo: {H}/team/app\nref: v1\nconfiguredIn: deploy/kustomization.yaml\nconfiguredBy:\n  kind: X\n",
        ),
        ("path: own.yaml\n", "path: own.yaml\n"),
    ],
)
def test_origin_annotations_are_those_of_kustomize(note, expected):
    names = RemoteNames({ROOT: file_names(BASE, "v1@sha1:abc")}, {ROOT: BASE.repository})
    body = {
        "kind": "ConfigMap",
        "metadata": {"name": "a", "annotations": {"x": "y", "config.kubernetes.io/origin": note}},
    }
    manifest = Manifest(ObjectRef(LOCAL_CLUSTER, "", "ConfigMap", "", "a"), "v1", body, Origin(f"{PLACE}/x.yaml"))
    (told,) = names.manifests([manifest])
    assert told.annotations == {"x": "y", "config.kubernetes.io/origin": expected}
    assert manifest.annotations["config.kubernetes.io/origin"] == note, "the body given is left as it was"


def test_of_the_default_branch_there_is_no_ref_to_tell():
    base = RemoteBase(f"{H}/team/app")
    place = PLACES.place(base)
    note = {"config.kubernetes.io/origin": f"path: {place}/x.yaml\n"}
    body = {"kind": "ConfigMap", "metadata": {"name": "a", "annotations": note}}
    manifest = Manifest(ObjectRef(LOCAL_CLUSTER, "", "ConfigMap", "", "a"), "v1", body, Origin(f"{place}/x.yaml"))
    (told,) = RemoteNames({place: "n//"}, {place: base}).manifests([manifest])
    assert told.annotations["config.kubernetes.io/origin"] == f"path: x.yaml\nrepo: {H}/team/app\n"
