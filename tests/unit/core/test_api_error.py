"""An API server's refusals, and which of them time alone may mend."""

import pytest

from trimtab.core.api_error import ApiError, Cause


@pytest.mark.parametrize("status", [0, 408, 409, 429, 500, 503, 504])
def test_what_may_succeed_later(status):
    assert ApiError(status, "", "no").transient


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 413, 422])
def test_what_needs_somebodys_doing(status):
    assert not ApiError(status, "", "no").transient


@pytest.mark.parametrize(
    "message",
    [
        "failed to create typed patch object (shop/web; apps/v1, Kind=Deployment): .spec.replica: field not declared",
        "failed to convert new object (shop/web; apps/v1) to smd typed",
    ],
)
def test_a_shape_that_does_not_fit_the_schema_is_final_though_it_comes_as_500(message):
    error = ApiError(500, "", message)
    assert error.untypable
    assert not error.transient


def test_the_words_for_single_statuses():
    told = {
        status: (error.not_found, error.conflict, error.invalid)
        for status in (404, 409, 422)
        for error in [ApiError(status, "", "no")]
    }
    assert told == {404: (True, False, False), 409: (False, True, False), 422: (False, False, True)}


def test_its_text_names_the_reason_or_else_the_status():
    assert str(ApiError(403, "Forbidden", "not you")) == "Forbidden: not you"
    assert str(ApiError(502, "", "bad gateway")) == "502: bad gateway"


def test_causes_and_the_servers_wish_for_a_pause_are_kept():
    causes = (Cause("spec.replicas", "must be positive", "FieldValueInvalid"),)
    error = ApiError(429, "TooManyRequests", "slow down", causes=causes, retry_after_seconds=3.0)
    assert (error.causes, error.retry_after_seconds) == (causes, 3.0)
