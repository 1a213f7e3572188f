"""What is told of the HTTP library's exceptions."""

import aiohttp
import pytest

from trimtab.adapters.http.failures import connection_failure


@pytest.mark.parametrize("host", ["2130706434", "0177.0.0.2", "127.2"])
def test_an_address_in_an_unusual_spelling_is_no_fault_of_the_server(host: str) -> None:
    url = f"http://{host}/index.yaml"
    error = connection_failure(url, aiohttp.InvalidUrlClientError(url))
    assert error.reason == "InvalidURL"
    assert "neither a name nor an address" in str(error)
    assert "192.0.2.1" in error.problems[0].remedy


def test_a_server_that_lets_nobody_in_has_given_no_answer() -> None:
    error = connection_failure("https://charts.example/index.yaml", aiohttp.ConnectionTimeoutError())
    assert error.reason == "TimedOut"
    assert error.retry
