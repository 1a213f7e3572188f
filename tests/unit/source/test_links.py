"""Links: decided from the tree alone, and checked against what a real file system does."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.core.errors import SourceError
from trimtab.source.links import Way, resolve_link


@pytest.mark.parametrize(
    ("links", "reached"),
    [
        ({"a": "b"}, "b"),
        ({"d/a": "../b"}, "b"),
        ({"d/a": "./x//y/"}, "d/x/y"),
        ({"a": "b", "b": "c/d"}, "c/d"),
        ({"a": "dir/../x", "dir": "deep/er"}, "deep/x"),
        ({"d/a": ".."}, ""),
        ({"a": "missing"}, "missing"),
    ],
)
def test_links_are_followed_inside_the_tree(links, reached):
    assert resolve_link(next(iter(links)), links).end == reached


def test_the_links_on_the_way_are_told():
    links = {"a": "b/c", "b": "d", "d": "e", "e/c": "../f", "x": "y"}
    assert resolve_link("a", links) == Way("f", frozenset({"b", "d", "e/c"}))


@pytest.mark.parametrize(
    "links",
    [
        {"a": "/etc/passwd"},
        {"a": "/"},
        {"a": ".."},
        {"a": "../x"},
        {"d/a": "../../x"},
        {"a": "../repo/b"},
        {"a": "b", "b": "/etc"},
        {"a": "dir/../../x", "dir": "sub"},
        {"a": "a"},
        {"a": "b", "b": "a"},
        {"a": "a/a"},
    ],
)
def test_links_out_of_the_tree_and_in_circles_are_refused(links):
    with pytest.raises(SourceError) as caught:
        resolve_link("a" if "a" in links else "d/a", links)
    problem = caught.value.problems[0]
    assert problem.reason == "SymlinkRefused"
    assert problem.origin is not None
    assert problem.origin.file in links
    assert "etc" not in problem.message


def test_many_links_are_no_exponential_work():
    links = {f"l{n}": f"l{n + 1}/l{n + 1}" for n in range(60)}
    with pytest.raises(SourceError, match="circles"):
        resolve_link("l0", links)


part = st.sampled_from(["a", "b", "c", "d", "..", "."])
path = st.lists(st.sampled_from(["a", "b", "c", "d"]), min_size=1, max_size=3).map("/".join)
target = st.lists(part, min_size=1, max_size=4).map("/".join)


@given(st.dictionaries(path, target, min_size=1, max_size=4))
def test_an_accepted_link_stays_inside_on_a_real_file_system(links):
    links = {p: t for p, t in links.items() if not any(p.startswith(f"{other}/") for other in links)}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve() / "root"
        root.mkdir()
        for name, text in links.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            if not os.path.lexists(root / name):
                (root / name).symlink_to(text)
        links = {name: text for name, text in links.items() if (root / name).is_symlink()}
        for name in links:
            try:
                reached = resolve_link(name, links).end
            except SourceError:
                continue
            real = os.path.realpath(root / name)
            assert real == str(root) or real.startswith(f"{root}/")
            assert real == os.path.normpath(root / reached)
