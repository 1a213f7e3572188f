"""The environment of git: closed to the outside, and credentials in the one place they belong."""

from hypothesis import given
from hypothesis import strategies as st

from trimtab.adapters.git.environment import basic_token, http_environment, local_environment, ssh_environment


def settings(variables: dict[str, str]) -> dict[str, str]:
    count = int(variables["GIT_CONFIG_COUNT"])
    return {variables[f"GIT_CONFIG_KEY_{n}"]: variables[f"GIT_CONFIG_VALUE_{n}"] for n in range(count)}


def test_local_commands_can_reach_no_network_and_no_configuration():
    variables = local_environment(search_path="/bin", ceiling="/data")
    assert variables["GIT_ALLOW_PROTOCOL"] == "none"
    assert variables["GIT_NO_LAZY_FETCH"] == "1"
    assert variables["GIT_CONFIG_GLOBAL"] == variables["HOME"] == "/dev/null"
    assert settings(variables)["core.hooksPath"] == "/dev/null"


def test_http_commands_speak_http_only_and_follow_nothing():
    variables = http_environment()
    assert variables["GIT_ALLOW_PROTOCOL"] == "http:https"
    assert not {"GIT_SSL_CAINFO", "GIT_SSL_CERT", "GIT_SSL_KEY"} & variables.keys()
    assert settings(variables)["http.followRedirects"] == "false"
    assert settings(variables)["core.hooksPath"] == "/dev/null"
    assert not {"http.extraHeader", "http.proxy", "http.curloptResolve"} & settings(variables).keys()


@given(username=st.text(max_size=8), password=st.text(min_size=8, max_size=20))
def test_credentials_stand_in_one_header_only(username, password):
    variables = http_environment(authorization=f"Basic {basic_token(username, password)}", ca_path="/ca")
    assert settings(variables)["http.extraHeader"] == f"Authorization: Basic {basic_token(username, password)}"
    assert variables["GIT_SSL_CAINFO"] == "/ca"
    holding = [key for key, value in variables.items() if basic_token(username, password) in value]
    assert len(holding) == 1


def test_certificates_pins_and_proxy_have_their_settings():
    variables = http_environment(
        certificate_path="/crt", key_path="/key", pins=["h:443:1.1.1.1"], proxy="http://u:p@h:1", proxy_ca_path="/pca"
    )
    assert (variables["GIT_SSL_CERT"], variables["GIT_SSL_KEY"]) == ("/crt", "/key")
    assert settings(variables)["http.curloptResolve"] == "h:443:1.1.1.1"
    assert settings(variables)["http.proxy"] == "http://u:p@h:1"
    assert settings(variables)["http.proxyAuthMethod"] == "basic"
    assert settings(variables)["http.proxySSLCAInfo"] == "/pca"
    assert "http.proxyAuthMethod" not in settings(http_environment(proxy="http://h:1"))


def test_ssh_commands_speak_ssh_only():
    variables = ssh_environment("ssh -F none")
    assert variables["GIT_ALLOW_PROTOCOL"] == "ssh"
    assert variables["GIT_SSH_COMMAND"] == "ssh -F none"
    assert settings(variables)["core.hooksPath"] == "/dev/null"
