"""Ignore patterns, judged as git judges them, but for what lies below an ignored folder."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.core.errors import SourceError
from trimtab.source.ignoring import MAX_PATTERNS, IgnoreRules, is_ignore_file

TREE = (
    "a",
    "a.md",
    "docs/a.md",
    "docs/x/b.md",
    "docs/x/c.yaml",
    "build/out",
    "src/build/out",
    "keep.md",
    "ü.md",
    "[x]",
)
TEXTS = (
    "*.md\n!keep.md\n",
    "/a\nbuild/\n",
    "docs/**/b.md\n",
    "docs/*\n!docs/x/\n",
    "# a comment\n\n\\[x]\n",
    "**/out\n",
    "a.md   \n?\n",
    "/*\n!/docs\n",
)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    for path in TREE:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("")
    return tmp_path


@pytest.mark.parametrize("text", TEXTS)
def test_patterns_mean_what_they_mean_to_git(repository: Path, text: str) -> None:
    (repository / ".gitignore").write_text(text)
    done = subprocess.run(
        ["git", "-C", repository, "-c", "core.excludesFile=", "ls-files", "-zo", "--exclude-per-directory=.gitignore"],
        capture_output=True, check=True,
    )  # fmt: skip
    left = set(done.stdout.decode().split("\0")) - {"", ".gitignore"}
    rules = IgnoreRules({".sourceignore": text})
    assert {path for path in TREE if not rules.ignores(path)} == left
    assert {path for path in TREE if not IgnoreRules({}, spec=text).ignores(path)} == left


def test_files_below_an_ignored_folder_can_be_taken_in_again() -> None:
    rules = IgnoreRules({}, spec="/*\n!/deploy/production\n")
    assert [rules.ignores(path) for path in ("deploy/production/a", "deploy/staging/a", "README.md")] == [
        False, True, True,
    ]  # fmt: skip


def test_deeper_files_outrank_and_the_spec_outranks_all() -> None:
    files = {
        ".sourceignore": "*.md\n",
        "a/.sourceignore": "!x.md\n",
        "a/.trimtabignore": "y\n",
        "a/b/.sourceignore": "!y\n",
    }
    rules = IgnoreRules(files)
    assert [rules.ignores(path) for path in ("x.md", "a/x.md", "a/b/x.md", "a/z.md", "a/y", "a/b/y", "y")] == [
        True, False, False, True, True, False, False,
    ]  # fmt: skip
    assert IgnoreRules(files, spec="!*.md\n/a/x.md\n").ignores("a/x.md")
    assert not IgnoreRules(files, spec="!*.md\n").ignores("x.md")


def test_the_last_word_in_a_folder_is_trimtabs() -> None:
    rules = IgnoreRules({".trimtabignore": "!x\n", ".sourceignore": "x\n"})
    assert not rules.ignores("x")


def test_patterns_of_the_spec_speak_of_the_tree_that_a_submodule_stands_in() -> None:
    rules = IgnoreRules({".sourceignore": "own\n"}, spec="/lib/docs\n", prefix="lib")
    assert [rules.ignores(path) for path in ("docs/a", "lib/docs/a", "own")] == [True, False, True]
    assert IgnoreRules({}, spec="lib/\n").ignores("lib/")
    assert not IgnoreRules({}, spec="lib/\n").ignores("lib")


@pytest.mark.parametrize("line", ["!", "\\", "a" * 513, "*a*a*a*b", "**/a/**/a/**/b"])
def test_what_is_no_pattern_is_refused_by_file_and_line(line: str) -> None:
    with pytest.raises(SourceError) as caught:
        IgnoreRules({"x/.sourceignore": f"# {'*' * 30}\n{line}\n"})
    (problem,) = caught.value.problems
    assert (str(problem.origin), problem.reason) == ("x/.sourceignore:2", "InvalidIgnore")
    with pytest.raises(SourceError, match=r"line 1 of spec\.ignore"):
        IgnoreRules({}, spec=line)


def test_usual_patterns_are_none_too_many() -> None:
    rules = IgnoreRules({}, spec="**/charts/**/*.tgz\n**/a/**/b/**\n*-*-*.md\n")
    assert rules.ignores("x/charts/y/z-1.tgz")
    assert rules.ignores("x/a/y/b/z")


def test_so_many_patterns_and_no_more() -> None:
    IgnoreRules({}, spec="a\n" * MAX_PATTERNS)
    with pytest.raises(SourceError, match="more than"):
        IgnoreRules({}, spec="a\n" * (MAX_PATTERNS + 1))


@given(st.text("ab*/!\\[]#. ", max_size=12), st.text("ab/", min_size=1, max_size=8))
def test_any_text_is_a_verdict_or_a_refusal(text: str, path: str) -> None:
    verdict: bool | str
    try:
        verdict = IgnoreRules({}, spec=text).ignores(path)
    except SourceError as error:
        verdict = error.reason
    assert verdict in (True, False, "InvalidIgnore")


def test_ignore_files_are_known_by_name() -> None:
    assert is_ignore_file("a/.trimtabignore")
    assert is_ignore_file(".sourceignore")
    assert not is_ignore_file("a/.gitignore")
