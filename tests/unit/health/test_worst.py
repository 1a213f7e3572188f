"""The health of many objects as one: the worst counts, the message names who and why."""

import pytest

from trimtab.core.refs import ObjectRef
from trimtab.health.status import Health, HealthStatus, current, failed, in_progress, worst


def ref(name: str) -> ObjectRef:
    return ObjectRef("local", "apps", "Deployment", "shop", name)


def test_nothing_is_healthy():
    assert worst({}) == current("no objects")


def test_one_healthy_object():
    assert worst({ref("a"): current("fine")}) == current("the object is healthy")


def test_all_healthy():
    assert worst({ref("a"): current(), ref("b"): current("2 of 2")}) == current("all 2 objects are healthy")


def test_names_the_one_that_is_not():
    health = worst({ref("a"): current(), ref("b"): in_progress("1 of 2 replicas available")})
    assert health == in_progress(
        "1 of 2 objects is not healthy: Deployment.apps/shop/b is InProgress: 1 of 2 replicas available"
    )


def test_without_a_message_names_the_status_only():
    health = worst({ref("a"): Health(HealthStatus.UNKNOWN)})
    assert health.message == "1 of 1 objects is not healthy: Deployment.apps/shop/a is Unknown"


def test_worst_comes_first_and_at_most_three_are_named():
    healths = {
        ref("a"): in_progress("slow"),
        ref("b"): Health(HealthStatus.UNKNOWN, "not seen"),
        ref("c"): Health(HealthStatus.TERMINATING, "being deleted"),
        ref("d"): failed("deadline"),
        ref("e"): in_progress("slow"),
    }
    health = worst(healths)
    assert health.status is HealthStatus.FAILED
    assert health.message == (
        "5 of 5 objects are not healthy: Deployment.apps/shop/d is Failed: deadline; "
        "Deployment.apps/shop/c is Terminating: being deleted; Deployment.apps/shop/a is InProgress: slow; and 2 more"
    )


@pytest.mark.parametrize(
    ("worse", "better"),
    [
        (HealthStatus.FAILED, HealthStatus.TERMINATING),
        (HealthStatus.TERMINATING, HealthStatus.IN_PROGRESS),
        (HealthStatus.IN_PROGRESS, HealthStatus.UNKNOWN),
        (HealthStatus.UNKNOWN, HealthStatus.CURRENT),
    ],
)
def test_order(worse, better):
    assert worst({ref("a"): Health(better), ref("b"): Health(worse)}).status is worse
