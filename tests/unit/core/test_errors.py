"""Failures as users read them."""

import pytest

from trimtab.core.authorship import LastChange
from trimtab.core.errors import PlanRefused, Problem, RenderError, SourceError, TrimtabError
from trimtab.core.manifest import Origin
from trimtab.core.refs import ObjectRef

WEB = ObjectRef("local", "apps", "Deployment", "shop", "web")


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (Problem("is broken"), "is broken"),
        (Problem("is broken", WEB), "Deployment.apps/shop/web: is broken"),
        (Problem("is broken", origin=Origin("a.yaml", 3)), "a.yaml:3: is broken"),
        (
            Problem("is broken", WEB, Origin("a.yaml", 3), remedy="mend it"),
            "a.yaml:3: Deployment.apps/shop/web: is broken (mend it)",
        ),
        (
            Problem("is broken", origin=Origin("a.yaml", 3), remedy="mend it", last_change=LastChange("a" * 40, "Ann")),
            "a.yaml:3: is broken (mend it) [last changed by Ann in aaaaaaaaaaaa]",
        ),
        (
            Problem("is broken", last_change=LastChange("a" * 40, "Ann", of_line=True)),
            "is broken [line last changed by Ann in aaaaaaaaaaaa]",
        ),
    ],
)
def test_a_problem_names_place_object_and_remedy(problem, text):
    assert str(problem) == text


@pytest.mark.parametrize("kind", [SourceError, RenderError, PlanRefused])
def test_an_error_holds_all_its_problems(kind):
    error = kind(Problem("one", reason="First"), Problem("two", reason="Second", retry=True))
    assert isinstance(error, TrimtabError)
    assert str(error) == "one; two"
    assert error.reason == "First"
    assert error.retry, "one of them may go away by itself"
    assert not kind(Problem("one")).retry
