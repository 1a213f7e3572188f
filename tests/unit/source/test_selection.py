"""Selections: what folders keep, and that other rules have other names."""

from hypothesis import given
from hypothesis import strategies as st

from trimtab.source.selection import EVERYTHING, Selection

NAMES = st.text("ab", min_size=1, max_size=2)
FOLDERS = st.lists(st.lists(NAMES, min_size=1, max_size=3).map("/".join), max_size=2).map(tuple)
SELECTIONS = st.builds(
    Selection, ignore=NAMES, sparse=FOLDERS, hidden=FOLDERS, prefix=st.just("") | NAMES, folder=st.just("") | NAMES
)


def test_without_rules_all_is_kept_under_no_name() -> None:
    assert EVERYTHING.digest == ""
    assert EVERYTHING.keeps("a/b")


@given(SELECTIONS, SELECTIONS)
def test_equal_names_mean_equal_rules(one: Selection, other: Selection) -> None:
    assert (one.digest == other.digest) == (one == other)


def test_folders_are_kept_whole_and_by_whole_names() -> None:
    selection = Selection(sparse=("deploy", "charts/web"), hidden=("deploy/in",))
    kept = ["deploy/a", "deploy/sub/b", "charts/web/c", "deploy/inner"]
    left_out = ["deployment/a", "charts/webs/c", "README.md", "deploy/in/x", "deploy/in"]
    assert [path for path in kept + left_out if selection.keeps(path)] == kept
    assert Selection(sparse=("",)).keeps("anything")
