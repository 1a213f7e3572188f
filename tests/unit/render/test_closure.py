"""Which folders a path needs, and which of them are still missing."""

from trimtab.api.kustomize import KustomizeSpec
from trimtab.render.closure import closure

FILES = {
    "apps/prod/kustomization.yaml": b"resources: [../../base, extra.yaml]\ncomponents: [../../components/tls]\n"
    b"patches: [{path: ../shared/patch.yaml}]\n",
    "apps/prod/extra.yaml": b"",
    "apps/shared/patch.yaml": b"",
    "base/kustomization.yaml": b"resources: [web]\n",
    "base/web/kustomization.yml": b"resources: [web.yaml]\n",
    "base/web/web.yaml": b"",
    "components/tls/kustomization.yaml": b"kind: Component\n",
    "plain/a.yaml": b"",
    "plain/sub/Kustomization": b"resources: [../../base]\n",
    "loop/a/kustomization.yaml": b"resources: [../b]\n",
    "loop/b/kustomization.yaml": b"resources: [../a]\n",
    "remote/kustomization.yaml": b"resources: [https://example.com/x]\n",
}


def walk(path, *, without=(), **spec):
    files = {name: data for name, data in FILES.items() if not name.startswith(tuple(without) or "!")}
    overlay = KustomizeSpec.model_validate(spec) if spec else None
    return closure(frozenset(files), path, files.__getitem__, overlay=overlay)


def test_bases_components_and_files_outside_are_followed():
    found = walk("apps/prod")
    assert found.folders == ("apps/prod", "apps/shared", "base", "components/tls")
    assert (found.missing, found.problems, found.unresolved) == ((), (), ())
    assert set(found.kustomizations) == {"apps/prod", "base", "base/web", "components/tls"}


def test_a_plain_folder_needs_itself_and_what_its_kustomizations_name():
    assert walk("plain").folders == ("base", "plain")
    assert walk("base").folders == ("base",)


def test_what_is_not_there_is_missing_and_told_with_its_line():
    found = walk("apps/prod", without=["base", "apps/shared", "apps/prod/extra"])
    assert found.missing == ("apps/prod", "apps/shared", "base")
    assert sorted(str(problem) for problem in found.unresolved) == [
        (
            "apps/prod/kustomization.yaml:1: '../../base' does not exist in the repository"
            " (add it, or take it off the kustomization)"
        ),
        (
            "apps/prod/kustomization.yaml:1: 'extra.yaml' does not exist in the repository"
            " (add it, or take it off the kustomization)"
        ),
        (
            "apps/prod/kustomization.yaml:3: '../shared/patch.yaml' does not exist in the repository"
            " (add it, or take it off the kustomization)"
        ),
    ]


def test_a_folder_without_a_kustomization_is_needed_all_the_same():
    found = closure(frozenset({"a/kustomization.yaml", "b/c.yaml"}), "a", lambda _: b"resources: [../b]")
    assert (found.folders, found.missing) == (("a", "b"), ())


def test_the_walk_ends_on_a_cycle():
    assert walk("loop/a").folders == ("loop/a", "loop/b")


def test_problems_of_every_file_are_collected():
    assert "remote base" in str(walk("remote").problems[0])


def test_the_root_holds_everything():
    assert walk("").folders == ("",)


def test_what_links_lead_to_is_needed_too():
    files = {
        "a/kustomization.yaml": b"resources: [base/web, one.yaml]",
        "real/base/web/kustomization.yaml": b"{}",
        "other/one.yaml": b"",
        "hop/two.yaml": b"",
        "z/end.yaml": b"",
    }
    links = {
        "a/base": "../links/base",
        "links/base": "../real/base",
        "a/one.yaml": "../other/one.yaml",
        "other/two.yaml": "../hop/link.yaml",
        "hop/link.yaml": "../z/end.yaml",
        "unrelated/link": "../hop",
    }
    found = closure(frozenset(files), "a", files.__getitem__, links)
    assert found.folders == ("a", "hop", "links", "other", "real/base", "z")
    assert set(found.kustomizations) == {"a", "real/base/web"}


def test_components_of_the_spec_are_followed_from_the_path():
    found = walk("base", components=["../components/tls"])
    assert found.folders == ("base", "components/tls")
    assert found.kustomizations["base"].content["components"] == ["../components/tls"]
    assert found.kustomizations["base"].content["resources"] == ["web"]


def test_a_plain_folder_gets_a_kustomization_of_the_specs():
    found = walk("plain", namePrefix="x-", components=["../components/tls"])
    assert found.folders == ("base", "components/tls", "plain")
    assert found.kustomizations["plain"].file == "plain/kustomization.yaml"
    assert found.kustomizations["plain"].content["namePrefix"] == "x-"


def test_bases_are_not_changed_by_the_spec():
    found = walk("apps/prod", namePrefix="x-")
    assert "namePrefix" not in found.kustomizations["base"].content


def test_a_missing_component_of_the_spec_is_told_as_such_or_left_out():
    (problem,) = walk("base", components=["../later"]).unresolved
    assert str(problem) == (
        "base/kustomization.yaml: '../later' does not exist in the repository"
        " (correct spec.kustomize.components, or set ignoreMissingComponents)"
    )
    found = walk("base", components=["../later", "../components/tls"], ignoreMissingComponents=True)
    assert (found.unresolved, found.left_out, found.missing) == ((), {"later"}, ("later",))
    assert found.kustomizations["base"].content["components"] == ["../components/tls"]


def test_a_missing_component_of_the_file_is_never_left_out():
    found = walk("apps/prod", without=["components"], ignoreMissingComponents=True)
    assert [problem.origin.line for problem in found.unresolved] == [2]


def test_components_of_the_spec_stay_inside_the_repository():
    (problem,) = walk("base", components=["../../x"]).problems
    assert "leaves the repository" in problem.message
