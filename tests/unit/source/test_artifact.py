"""Artifacts: the digest names the content, not the commit."""

from trimtab.core.revision import Revision
from trimtab.source.artifact import Artifact, tree_digest


def test_commits_of_the_same_files_share_a_digest():
    one, other = (Artifact.of(Revision("main", sha * 40), "c" * 40) for sha in "ab")
    assert one.digest == other.digest == f"sha1:{'c' * 40}"
    assert one != other


def test_the_object_format_is_named():
    assert tree_digest("d" * 64) == f"sha256:{'d' * 64}"
