"""Which files are read and which folders are built, by their names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.api.directory import DirectorySpec
from trimtab.core.errors import RenderError
from trimtab.render.layout import ALL, Layout, inner_path, layout, outermost, selection, within

TREE = [
    "README.md",
    "apps/.github/ci.yaml",
    "apps/.sops.yaml",
    "apps/a.yaml",
    "apps/b/c.yml",
    "apps/b/data.json",
    "apps/b/script.sh",
    "apps/k/base/d.yaml",
    "apps/k/kustomization.yml",
    "apps/k/overlay/kustomization.yaml",
    "apps2/e.yaml",
]


def test_a_plain_folder_is_read_with_all_below_it():
    assert layout(TREE, "apps") == Layout(("apps/k",), ("apps/a.yaml", "apps/b/c.yml", "apps/b/data.json"))


def test_the_root_is_a_folder_like_any_other():
    assert layout(TREE, "").files == ("apps/a.yaml", "apps/b/c.yml", "apps/b/data.json", "apps2/e.yaml")
    assert layout([*TREE, "Kustomization"], "") == Layout(("",), ())


def test_a_kustomization_takes_the_folder_whole():
    assert layout(TREE, "apps/k") == Layout(("apps/k",), ())
    assert layout(TREE, "apps/k/overlay") == Layout(("apps/k/overlay",), ())
    assert layout([*TREE, "apps/kustomization.yaml"], "apps") == Layout(("apps",), ())


def test_hidden_parts_of_the_path_itself_do_not_hide():
    assert layout([".deploy/a.yaml", ".deploy/.b.yaml"], ".deploy").files == (".deploy/a.yaml",)


@pytest.mark.parametrize(
    ("name", "folder", "expected"),
    [("a/b", "a", True), ("a", "a", True), ("ab", "a", False), ("a", "", True), ("a", "a/b", False)],
)
def test_within_goes_by_whole_names(name, folder, expected):
    assert within(name, folder) is expected


@given(st.lists(st.sampled_from(["", "a", "a/b", "a/b/c", "ab", "b", "b/a", "b/a/c"])))
def test_outermost_folders_cover_all_and_no_other_of_them(folders):
    found = outermost(folders)
    assert all(any(within(folder, outer) for outer in found) for folder in folders)
    assert not any(within(one, other) for one in found for other in found if one != other)
    assert set(found) <= set(folders)


def selected(**fields):
    return selection(DirectorySpec.model_validate(fields))


def test_nothing_said_selects_everything():
    assert selection(None) is ALL
    assert layout(TREE, "apps", selected()) == layout(TREE, "apps")


@pytest.mark.parametrize(
    ("fields", "builds", "files"),
    [
        ({"recurse": False}, (), ("apps/a.yaml",)),
        ({"include": "b/*"}, (), ("apps/b/c.yml", "apps/b/data.json")),
        ({"exclude": "{b/*,k/kustomization.yml}"}, ("apps/k/overlay",), ("apps/a.yaml", "apps/k/base/d.yaml")),
        ({"include": "*.yaml", "exclude": "k/*"}, (), ("apps/a.yaml",)),
    ],
)
def test_what_is_selected_of_a_plain_folder(fields, builds, files):
    assert layout(TREE, "apps", selected(**fields)) == Layout(builds, files)


def test_the_kustomization_of_the_path_itself_is_built_whatever_is_selected():
    assert layout(TREE, "apps/k", selected(exclude="*", recurse=False)).builds == ("apps/k",)


def test_jsonnet_counts_where_it_is_asked_for():
    tree = [*TREE, "apps/x.jsonnet", "apps/x.libsonnet", "apps/k/y.jsonnet"]
    assert layout(tree, "apps").programs == ()
    assert layout(tree, "apps", selected(jsonnet={})).programs == ("apps/x.jsonnet",)


def test_a_glob_of_no_use_is_told():
    with pytest.raises(RenderError, match="an opening brace without a closing one"):
        selected(include="{a")


def test_paths_within_a_folder():
    assert [inner_path("a/b", folder) for folder in ("", "a")] == ["a/b", "b"]
