"""Artifacts: the digest names the content in the repository's own object format."""

from trimtab.source.artifact import tree_digest


def test_the_object_format_is_named():
    assert tree_digest("c" * 40) == f"sha1:{'c' * 40}"
    assert tree_digest("d" * 64) == f"sha256:{'d' * 64}"
