"""The environment of git: closed to the outside, and credentials in the one place they belong."""

from hypothesis import given
from hypothesis import strategies as st

from trimtab.adapters.git.environment import basic_token, local_environment, network_environment


def settings(variables: dict[str, str]) -> dict[str, str]:
    count = int(variables["GIT_CONFIG_COUNT"])
    return {variables[f"GIT_CONFIG_KEY_{n}"]: variables[f"GIT_CONFIG_VALUE_{n}"] for n in range(count)}


def test_local_commands_can_reach_no_network_and_no_configuration():
    variables = local_environment(search_path="/bin", ceiling="/data")
    assert variables["GIT_ALLOW_PROTOCOL"] == "none"
    assert variables["GIT_NO_LAZY_FETCH"] == "1"
    assert variables["GIT_CONFIG_GLOBAL"] == variables["HOME"] == "/dev/null"
    assert settings(variables)["core.hooksPath"] == "/dev/null"


def test_network_commands_speak_http_only_and_follow_nothing():
    variables = network_environment(username="", password="", ca_path="")
    assert variables["GIT_ALLOW_PROTOCOL"] == "http:https"
    assert "GIT_SSL_CAINFO" not in variables
    assert settings(variables)["http.followRedirects"] == "false"
    assert settings(variables)["core.hooksPath"] == "/dev/null"
    assert "http.extraHeader" not in settings(variables)


@given(username=st.text(max_size=8), password=st.text(min_size=8, max_size=20))
def test_credentials_stand_in_one_header_only(username, password):
    variables = network_environment(username=username, password=password, ca_path="/ca")
    assert settings(variables)["http.extraHeader"] == f"Authorization: Basic {basic_token(username, password)}"
    assert variables["GIT_SSL_CAINFO"] == "/ca"
    holding = [key for key, value in variables.items() if basic_token(username, password) in value]
    assert len(holding) == 1
