"""A tree lists its files and refuses links that lead out of it, without telling what is there."""

from dataclasses import replace

import pytest

from trimtab.adapters.process.tree import Tree
from trimtab.core.errors import RenderError
from trimtab.render.limits import DEFAULT_LIMITS


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "tree"
    (folder / "a/b").mkdir(parents=True)
    (folder / "a/b/c.yaml").write_text("c")
    (tmp_path / "secret").write_text("hunter2")
    return folder


def test_files_are_listed_and_read(root):
    (root / "a/link.yaml").symlink_to("b/c.yaml")
    (root / "a/folder").symlink_to("b")
    (root / "a/dangling").symlink_to("nowhere")
    tree = Tree(root, DEFAULT_LIMITS)
    assert tree.files == {"a/b/c.yaml", "a/link.yaml", "a/dangling"}
    assert tree.links == {"a/link.yaml": "b/c.yaml", "a/folder": "b", "a/dangling": "nowhere"}
    assert tree.read("a/link.yaml") == b"c"
    assert [tree.find(name) for name in ("a/folder/c.yaml", "x", "a/dangling", "a/folder")] == [b"c", None, None, None]
    assert tree.find("../secret") is None
    with pytest.raises(RenderError, match="a/dangling: a symbolic link to nothing"):
        tree.read("a/dangling")


def test_a_second_look_sees_what_came(root):
    tree = Tree(root, DEFAULT_LIMITS)
    (root / "d.yaml").write_text("d")
    tree.refresh()
    assert "d.yaml" in tree.files


@pytest.mark.parametrize("target", ["/etc/passwd", "/nonexistent/x", "../../secret", "../../absent", "../.."])
def test_a_link_out_of_the_tree_is_refused_whether_or_not_its_target_exists(root, target):
    (root / "a/link").symlink_to(target)
    with pytest.raises(RenderError, match=r"^a/link: symbolic link leaves the repository"):
        Tree(root, DEFAULT_LIMITS)


def test_links_are_followed_to_their_end_and_all_of_them_told(root):
    (root / "a/b/up").symlink_to("../..")
    (root / "a/out").symlink_to("b/up/../secret")
    (root / "self").symlink_to("self")
    with pytest.raises(RenderError) as caught:
        Tree(root, DEFAULT_LIMITS)
    assert [str(problem).split(" (")[0] for problem in caught.value.problems] == [
        "a/out: symbolic link leaves the repository",
        "self: symbolic link goes in circles",
    ]


def test_a_link_to_a_folder_above_stays_inside(root):
    (root / "a/link").symlink_to("..")
    assert Tree(root, DEFAULT_LIMITS).files == {"a/b/c.yaml"}


def test_files_are_counted_and_cut(root):
    (root / "big").write_text("x" * 100)
    assert Tree(root, replace(DEFAULT_LIMITS, file_bytes=10)).read("big") == b"x" * 11
    with pytest.raises(RenderError, match="more than 1 files"):
        Tree(root, replace(DEFAULT_LIMITS, files=1))
