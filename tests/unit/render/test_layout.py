"""Which files are read and which folders are built, by their names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.render.layout import Layout, layout, outermost, within

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
