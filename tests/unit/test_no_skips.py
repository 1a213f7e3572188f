"""The rule that nothing is skipped unseen: tests/plugins/no_skips.py, run on small test files of its own."""

import pytest

pytest_plugins = ["pytester"]

SKIPS = """
import pytest

def test_passes():
    pass

def test_in_the_body():
    pytest.skip("no server")

@pytest.mark.skipif(True, reason="never")
def test_by_a_mark():
    pass

@pytest.mark.corpus
def test_corpus():
    pytest.skip("no corpus here")

@pytest.mark.kind
def test_kind():
    pytest.skip("no Docker here")

@pytest.mark.xfail(strict=True)
def test_expected_failure():
    assert False
"""
INI = """
[pytest]
markers =
    corpus: a
    kind: b
asyncio_default_fixture_loop_scope = function
"""


@pytest.fixture
def inner(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeini(INI)
    return pytester


def _run(pytester: pytest.Pytester) -> pytest.RunResult:
    return pytester.runpytest_inprocess("-p", "no_skips", "-p", "no:randomly", "-p", "no:cacheprovider")


def test_skips_fail_under_ci_unless_marked(inner: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    inner.makepyfile(SKIPS)
    result = _run(inner)
    result.assert_outcomes(passed=1, failed=1, errors=1, skipped=2, xfailed=1)
    result.stdout.fnmatch_lines(["*test_in_the_body was skipped, which CI=true does not allow: no server*"])


def test_skips_are_skips_elsewhere(inner: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    inner.makepyfile(SKIPS)
    _run(inner).assert_outcomes(passed=1, skipped=4, xfailed=1)


def test_a_module_that_skips_itself_fails_under_ci(inner: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "1")
    inner.makepyfile("import pytest\npytest.importorskip('no_such_module_anywhere')\n")
    result = _run(inner)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*which CI=true does not allow*"])
