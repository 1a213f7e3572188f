"""Clusters have names that can be part of a path, and places in the user's state folder."""

from pathlib import Path

import pytest

from trimtab.localcluster.errors import ClusterError
from trimtab.localcluster.layout import Layout, check_name, clusters_root, kind_root


@pytest.mark.parametrize("name", ["a", "default", "pytest-gw0", "x" * 40])
def test_plain_names_pass(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a/b", "..", "a b", "x" * 41, "a\n"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(ClusterError, match="cannot be the name of a cluster"):
        check_name(name)


def test_the_user_says_where_state_is(tmp_path: Path) -> None:
    environ = {"XDG_STATE_HOME": str(tmp_path)}
    assert clusters_root(environ) == tmp_path / "trimtab" / "clusters"
    assert kind_root(environ) == tmp_path / "trimtab" / "kind"
    assert clusters_root({}).parts[-2:] == ("trimtab", "clusters")


def test_the_lock_survives_the_folder() -> None:
    assert Layout(Path("/state/a")).lock == Path("/state/.a.lock")
