import pytest

from trimtab.apply.retry import DELAYS_SECONDS, THROTTLED_TRIES, Tries, spread
from trimtab.core.api_error import ApiError


def test_transient_refusals_are_tried_a_few_times_with_growing_waits():
    tries = Tries("key")
    waits = [tries.delay_seconds(ApiError(503, "ServiceUnavailable", "")) for _ in range(len(DELAYS_SECONDS) + 1)]
    assert waits == [*(spread(delay, "key") for delay in DELAYS_SECONDS), None]


@pytest.mark.parametrize("status", [400, 403, 404, 422])
def test_final_refusals_are_not(status):
    assert Tries("key").delay_seconds(ApiError(status, "", "")) is None


def test_a_shape_that_does_not_fit_is_final_though_it_comes_as_a_500():
    error = ApiError(500, "InternalError", "failed to create typed patch object (x): .spec.y: field not declared")
    assert Tries("key").delay_seconds(error) is None


@pytest.mark.parametrize(("asked", "least"), [(3.0, 3.0), (None, 1.0), (0.0, 0.0)])
def test_a_throttling_server_gets_the_time_that_it_asks_for(asked, least):
    delay = Tries("key").delay_seconds(ApiError(429, "TooManyRequests", "", retry_after_seconds=asked))
    assert delay is not None
    assert least < delay < least + 0.5


def test_throttling_has_its_own_count_and_its_end():
    tries = Tries("key")
    error = ApiError(429, "TooManyRequests", "", retry_after_seconds=1)
    assert all(tries.delay_seconds(error) for _ in range(THROTTLED_TRIES))
    assert tries.delay_seconds(error) is None
    assert tries.delay_seconds(ApiError(500, "", "")) is not None


def test_a_server_that_asks_for_minutes_is_left_to_the_loop():
    assert Tries("key").delay_seconds(ApiError(429, "", "", retry_after_seconds=300)) is None


def test_delays_spread_by_key_within_a_quarter():
    delays = {spread(1.0, f"key-{number}") for number in range(100)}
    assert len(delays) > 50
    assert 0.75 <= min(delays) < max(delays) <= 1.25
