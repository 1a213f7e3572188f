import pytest
from tests.fakes.plan_objects import applied, manifest, options

from trimtab.apply.commands import AwaitEstablished
from trimtab.apply.events import Established, Gone, Refused, TimedOut
from trimtab.apply.results import Ending
from trimtab.apply.steps.declare import Declare
from trimtab.apply.steps.moves import Change, Do, End, UnexpectedEvent
from trimtab.apply.steps.standing import Gone as GoneStep
from trimtab.apply.steps.standing import Standing, established
from trimtab.core.api_error import ApiError
from trimtab.plan.changes import Create, Forget, Unchanged

DEFINITION = manifest("CustomResourceDefinition", "widgets.example.org")


def test_what_stands_is_done_at_once():
    assert Standing(Unchanged(DEFINITION), serving=False).begin() == End(Ending.DONE)
    assert GoneStep(Forget(DEFINITION.ref, applied())).begin() == End(Ending.DONE, change=Change(None))


def test_a_definition_is_waited_for():
    step = Standing(Unchanged(DEFINITION), serving=True)
    assert step.begin() == Do(AwaitEstablished(DEFINITION.ref))
    assert step.on(Established(DEFINITION.ref)) == End(Ending.DONE)


def test_a_definition_that_is_not_served_in_time_says_where_to_look():
    end = established(DEFINITION, TimedOut(DEFINITION.ref))
    assert end.ending is Ending.FAILED
    assert end.problem is not None
    assert "NamesAccepted" in end.problem.remedy
    refused = established(DEFINITION, Refused(DEFINITION.ref, ApiError(403, "Forbidden", "no")))
    assert refused.problem is not None
    assert refused.problem.reason == "Forbidden"


def test_what_does_not_fit_is_the_interpreters_mistake():
    with pytest.raises(UnexpectedEvent):
        established(DEFINITION, Gone(DEFINITION.ref))
    for step in (Standing(Unchanged(DEFINITION), serving=True), GoneStep(Forget(DEFINITION.ref, applied()))):
        with pytest.raises(UnexpectedEvent):
            step.recorded()
        with pytest.raises(UnexpectedEvent):
            step.on(Gone(DEFINITION.ref))
    with pytest.raises(UnexpectedEvent):
        Declare(Create(DEFINITION), options(), entry_of=lambda *_: applied()).recorded()
