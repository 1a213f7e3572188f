"""Ref names: what we accept, git accepts; what git refuses, we refuse."""

import string
import subprocess

from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.core.errors import SourceError
from trimtab.source.ref import check_ref_name

ALPHABET = string.ascii_lowercase[:4] + "./-@{}~^:?*[\\ _\t\x7fäß"


def accepted_by_git(name: str) -> bool:
    argv = ["git", "check-ref-format", f"refs/heads/{name}"]
    return subprocess.run(argv, check=False, capture_output=True).returncode == 0


def accepted_here(name: str) -> bool:
    try:
        check_ref_name(name, field="branch")
    except SourceError:
        return False
    return True


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=ALPHABET, min_size=1, max_size=8) | st.from_regex(r"[a-c./@{-]{1,6}(\.lock)?", fullmatch=True))
def test_git_agrees_but_for_leading_dashes(name):
    # A lone @ is an abbreviation for HEAD on the command line, though well-formed below refs/heads.
    assert accepted_here(name) == (accepted_by_git(name) and not name.startswith("-") and name != "@")
