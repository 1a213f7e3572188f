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
    assert tree.files == {"a/b/c.yaml", "a/link.yaml", "a/folder", "a/dangling"}
    assert tree.read("a/link.yaml") == b"c"
    assert [tree.find(name) for name in ("a/b/c.yaml", "x", "a/dangling", "a/folder")] == [b"c", None, None, None]


def test_a_second_look_sees_what_came(root):
    tree = Tree(root, DEFAULT_LIMITS)
    (root / "d.yaml").write_text("d")
    tree.refresh()
    assert "d.yaml" in tree.files


@pytest.mark.parametrize("target", ["/etc/passwd", "/nonexistent/x", "../../secret", "../../absent", "..", "../.."])
def test_a_link_out_of_the_tree_is_refused_whether_or_not_its_target_exists(root, target):
    if target == "..":  # inside: the folder above the link
        (root / "a/link").symlink_to(target)
        assert "a/link" in Tree(root, DEFAULT_LIMITS).files
        return
    (root / "a/link").symlink_to(target)
    with pytest.raises(RenderError) as caught:
        Tree(root, DEFAULT_LIMITS)
    expected = "a/link: a symbolic link that leaves the repository (replace it by the file itself)"
    assert str(caught.value) == expected


def test_a_chain_of_links_is_followed_to_its_end(root):
    (root / "a/b/up").symlink_to("../..")
    (root / "a/out").symlink_to("b/up/../secret")
    with pytest.raises(RenderError, match="a/out: a symbolic link"):
        Tree(root, DEFAULT_LIMITS)


def test_a_link_to_itself_is_no_way_out(root):
    (root / "self").symlink_to("self")
    tree = Tree(root, DEFAULT_LIMITS)
    assert tree.find("self") is None


def test_files_are_counted_and_cut(root):
    (root / "big").write_text("x" * 100)
    assert Tree(root, replace(DEFAULT_LIMITS, file_bytes=10)).read("big") == b"x" * 11
    with pytest.raises(RenderError, match="more than 1 files"):
        Tree(root, replace(DEFAULT_LIMITS, files=1))
