"""Credentials: nothing that could change the request which carries them, and no error that repeats them."""

import json
from dataclasses import replace

import pytest

from trimtab.core.errors import SourceError
from trimtab.source.credentials import MAX_CREDENTIAL_LENGTH, GitCredentials, GitHubApp, check_credentials
from trimtab.source.proxy import Proxy

URL = "https://git.example.org/app"
KEY = "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n"
APP = GitHubApp("12", "34", KEY)
PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize(
    ("username", "password", "ca"),
    [("", "", ""), ("bob", "p@ss:w/örd", ""), ("", "token", PEM), ("bob", "", f"# comment\n{PEM}{PEM}")],
)
def test_usable_credentials_pass_until_one_character_is_wrong(username, password, ca):
    check_credentials(URL, GitCredentials(username, password, ca))
    with pytest.raises(SourceError):
        check_credentials(URL, GitCredentials(username + ":", password, ca))


@pytest.mark.parametrize(
    ("username", "password", "ca", "field"),
    [
        ("bob\n", "canary", "", "username"),
        ("bob", "canary\r\nX-Evil: 1", "", "password"),
        ("bob", "canary\n", "", "password"),
        ("bob", "canary\x7f", "", "password"),
        ("bob", "canary" * MAX_CREDENTIAL_LENGTH, "", "password"),
        ("bob:canary", "", "", "username"),
        ("", "", "canary", "ca.crt"),
        ("", "", "-----BEGIN CERTIFICATE-----canary", "ca.crt"),
        ("", "", f"{PEM}-----BEGIN PRIVATE KEY-----canary", "ca.crt"),
    ],
)
def test_unusable_ones_are_refused_by_field_without_their_value(username, password, ca, field):
    with pytest.raises(SourceError) as caught:
        check_credentials(URL, GitCredentials(username, password, ca))
    assert caught.value.reason == "InvalidCredentials"
    assert str(caught.value).startswith(field)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (GitCredentials(bearer_token="canary\n"), "bearerToken"),
        (GitCredentials(bearer_token="canary-ä"), "outside ASCII"),
        (GitCredentials(certificate=PEM), "tls.key"),
        (GitCredentials(certificate_key=KEY), "tls.crt"),
        (GitCredentials(certificate=PEM, certificate_key="canary"), "tls.key"),
        (GitCredentials(certificate="canary", certificate_key=KEY), "tls.crt"),
        (GitCredentials(certificate=PEM, certificate_key=KEY.replace("EC ", "ENCRYPTED ")), "without a passphrase"),
        (GitCredentials(certificate=PEM, certificate_key=KEY.replace("AAAA", "Proc-Type: 4,ENCRYPTED\n")), "encrypted"),
        (GitCredentials(github_app=replace(APP, app_id="canary")), "githubAppID"),
        (GitCredentials(github_app=replace(APP, installation_id="../1")), "githubAppInstallationID"),
        (GitCredentials(github_app=replace(APP, private_key="canary")), "githubAppPrivateKey"),
        (GitCredentials(github_app=replace(APP, base_url="http://canary.example")), "githubAppBaseURL"),
        (GitCredentials(github_app=replace(APP, base_url="https://u:canary@x")), "githubAppBaseURL"),
        (GitCredentials(proxy=Proxy("http://p:1", ca_pem="canary")), "ca.crt of the proxy"),
    ],
)
def test_what_is_malformed_is_named_without_its_value(given, words):
    with pytest.raises(SourceError) as caught:
        check_credentials(URL, given)
    assert caught.value.reason == "InvalidCredentials"
    assert words in str(caught.value)
    assert "canary" not in str(caught.value)


def test_whole_ones_pass():
    check_credentials(URL, GitCredentials(bearer_token="abc", certificate=PEM, certificate_key=KEY))
    check_credentials(URL, GitCredentials(github_app=APP, proxy=Proxy("socks5://p:1080", ca_pem=PEM)))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (GitCredentials(), "identity and known_hosts"),
        (GitCredentials(identity="canary", known_hosts="h k v"), "identity"),
        (GitCredentials(identity=KEY, known_hosts="canary"), "known_hosts"),
    ],
)
def test_ssh_needs_both_keys(given, words):
    with pytest.raises(SourceError) as caught:
        check_credentials("ssh://git@git.example.org/app", given)
    assert caught.value.reason == "InvalidCredentials"
    assert words in str(caught.value)
    assert "canary" not in str(caught.value)


def test_they_survive_the_way_to_a_worker_and_show_nothing():
    full = GitCredentials("ann", "canary", PEM, identity=KEY, github_app=APP, proxy=Proxy("http://p", "u", "canary"))
    assert GitCredentials.from_body(json.loads(json.dumps(full.to_body()))) == full
    assert GitCredentials.from_body({}) == GitCredentials()
    assert "canary" not in f"{full!r}{full.proxy!r}"
    assert "PRIVATE" not in repr(full.github_app)
