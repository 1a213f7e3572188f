"""Globs as Argo CD has them, in bounded time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.render.globs import BadGlob, glob


@pytest.mark.parametrize(
    ("pattern", "takes", "leaves"),
    [
        ("*.yaml", ["a.yaml", "sub/a.yaml"], ["a.yml", "a.yaml.bak"]),
        ("**/*.yaml", ["sub/a.yaml", "a/b/c.yaml"], ["a.yaml"]),
        ("some-directory/*", ["some-directory/a.yaml", "some-directory/b/c.yaml"], ["other/a.yaml"]),
        ("{*.yml,*.yaml}", ["a.yml", "b/a.yaml"], ["a.json"]),
        ("{config.yaml,env-use2/*}", ["config.yaml", "env-use2/x.yaml"], ["env-usw2/x.yaml"]),
        ("{a,b{c,d}}.yaml", ["a.yaml", "bc.yaml", "bd.yaml"], ["b.yaml"]),
        ("{,x}a", ["a", "xa"], ["b"]),
        ("a?c", ["abc", "a/c"], ["ac"]),
        ("[ab].yaml", ["a.yaml"], ["c.yaml"]),
        ("[!ab].yaml", ["c.yaml"], ["a.yaml"]),
        ("[,].yaml", [",.yaml"], ["a.yaml"]),
        (r"\*.yaml", ["*.yaml"], ["a.yaml"]),
        (r"a\{b", ["a{b"], ["ab"]),
        ("a.b", ["a.b"], ["axb"]),
        ("a,b", ["a,b"], ["a"]),
        ("\\", ["\\"], ["a"]),
    ],
)
def test_what_a_pattern_takes(pattern: str, takes: list[str], leaves: list[str]) -> None:
    matches = glob(pattern)
    assert [path for path in (*takes, *leaves) if matches(path)] == takes


@pytest.mark.parametrize("pattern", ["{a", "a}", "[a", "{a,b{c}", "{a,b}" * 9])
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(BadGlob):
        glob(pattern)


def test_no_pattern_takes_long() -> None:
    matches = glob("*a" * 400)
    assert not matches("a" * 300 + "b" * 4000)


@given(st.text(alphabet="abc/.-_", max_size=30))
def test_a_path_without_special_characters_matches_itself(path: str) -> None:
    assert glob(path)(path)
    assert not glob(path)(path + "x")


@given(st.text(alphabet="a*?[]{},\\!/", max_size=12), st.text(alphabet="a/,{", max_size=6))
def test_any_pattern_answers_or_is_refused(pattern: str, path: str) -> None:
    try:
        matches = glob(pattern)
    except BadGlob:
        return
    assert matches(path) in (True, False)
