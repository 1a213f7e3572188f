"""Paths: one spelling for declared folders, and no name from a tree that could write elsewhere."""

import posixpath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.core.errors import SourceError
from trimtab.source.path import repository_path, within, writable


@pytest.mark.parametrize(
    ("declared", "path"),
    [("", ""), (".", ""), ("./", ""), ("./deploy", "deploy"), ("deploy//a/./b/", "deploy/a/b"), ("-x", "-x")],
)
def test_spellings_of_a_folder_become_one(declared, path):
    assert repository_path(declared) == path


@pytest.mark.parametrize("path", ["/etc", "..", "a/../b", "a/..", "a\nb", "a\0b", "x" * 5000])
def test_paths_that_lead_elsewhere_are_refused(path):
    with pytest.raises(SourceError) as caught:
        repository_path(path)
    assert caught.value.reason == "InvalidPath"


@pytest.mark.parametrize(
    "path", ["", "/a", "a//b", "..", "a/../b", ".", "a/.", ".git/config", "a/.GIT/hooks", "a\0", "x" * 256, "x/" * 3000]
)
def test_names_of_a_crafted_tree_are_not_written(path):
    assert not writable(path)


@pytest.mark.parametrize("path", ["a", "a/b.yaml", ".gitignore", ".github/x", "..a", "a/..b", "日本"])
def test_honest_names_are_written(path):
    assert writable(path)


@given(st.text(max_size=40))
def test_a_normal_path_stays_normal_and_inside(declared):
    try:
        path = repository_path(declared)
    except SourceError:
        return
    assert repository_path(path) == path
    assert posixpath.normpath(posixpath.join("/root", path)).startswith("/root")


@pytest.mark.parametrize(
    ("path", "folders", "inside"),
    [
        ("a/b", ("a",), True),
        ("a", ("a",), True),
        ("ab", ("a",), False),
        ("x", ("",), True),
        ("x", (), False),
        ("c/d", ("a", "c"), True),
    ],
)
def test_within_goes_by_whole_parts(path, folders, inside):
    assert within(path, folders) is inside
