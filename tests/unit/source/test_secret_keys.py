"""Secrets by Flux's key names: what fits an URL is read, halves and contradictions are refused by name."""

import pytest

from trimtab.core.errors import SourceError
from trimtab.core.refs import LOCAL_CLUSTER, ObjectRef
from trimtab.source.credentials import GITHUB_API, GitCredentials, GitHubApp
from trimtab.source.proxy import Proxy
from trimtab.source.secret_keys import credentials_of, proxy_of

REF = ObjectRef(LOCAL_CLUSTER, "", "Secret", "team", "keys")
HTTPS, HTTP, SSH = "https://git.example.org/a", "http://git.example.org/a", "ssh://git@git.example.org/a"
APP = {"githubAppID": "12\n", "githubAppInstallationID": "34", "githubAppPrivateKey": "PEM"}


@pytest.mark.parametrize(
    ("url", "secret", "credentials"),
    [
        (HTTPS, {}, GitCredentials()),
        (HTTPS, {"unrelated": "x"}, GitCredentials()),
        (HTTPS, {"username": "ann", "password": "x"}, GitCredentials("ann", "x")),
        (HTTP, {"username": "ann", "password": "x", "ca.crt": "CA"}, GitCredentials("ann", "x", "CA")),
        (HTTPS, {"bearerToken": "t", "ca.crt": "CA"}, GitCredentials(bearer_token="t", ca_pem="CA")),
        (
            HTTPS,
            {"tls.crt": "C", "tls.key": "K", "username": "ann", "password": "x"},
            GitCredentials("ann", "x", certificate="C", certificate_key="K"),
        ),
        (
            HTTPS,
            {"certFile": "C", "keyFile": "K", "caFile": "CA"},
            GitCredentials(ca_pem="CA", certificate="C", certificate_key="K"),
        ),
        (HTTPS, APP, GitCredentials(github_app=GitHubApp("12", "34", "PEM", GITHUB_API))),
        (
            HTTPS,
            {**APP, "githubAppBaseURL": "https://hub.example/api/v3/", "ca.crt": "CA"},
            GitCredentials(ca_pem="CA", github_app=GitHubApp("12", "34", "PEM", "https://hub.example/api/v3")),
        ),
        (
            SSH,
            {"identity": "K", "identity.pub": "P", "known_hosts": "H"},
            GitCredentials(identity="K", known_hosts="H"),
        ),
        (
            SSH,
            {"identity": "K", "known_hosts": "H", "password": "x"},
            GitCredentials(password="x", identity="K", known_hosts="H"),
        ),
    ],
)
def test_what_fits_the_url_is_read(url, secret, credentials):
    assert credentials_of(REF, secret, url) == credentials


@pytest.mark.parametrize(
    ("url", "secret", "words"),
    [
        (HTTPS, {"username": "canary"}, "only one of username and password"),
        (HTTPS, {"password": "canary"}, "only one of username and password"),
        (HTTPS, {"username": "a", "password": "canary", "bearerToken": "canary"}, "both username and bearerToken"),
        (HTTPS, {**APP, "bearerToken": "canary"}, "both bearerToken and githubAppID"),
        (HTTPS, {"githubAppID": "1", "githubAppPrivateKey": "canary"}, "without githubAppInstallationID"),
        (HTTPS, {"githubAppBaseURL": "https://canary"}, "without githubAppID"),
        (HTTPS, {"tls.crt": "canary"}, "only one of tls.crt and tls.key"),
        (HTTPS, {"ca.crt": "canary", "caFile": "canary"}, "both caFile and ca.crt"),
        (HTTPS, {"identity": "canary", "known_hosts": "x"}, "identity, which an https URL does not use"),
        (HTTP, {"tls.crt": "canary", "tls.key": "canary"}, "needs an https URL"),
        (HTTP, dict.fromkeys(APP, "canary"), "needs an https URL"),
        (SSH, {}, "no identity"),
        (SSH, {"identity": "canary"}, "only one of identity and known_hosts"),
        (SSH, {"known_hosts": "canary"}, "only one of identity and known_hosts"),
        (SSH, {"username": "a", "password": "canary"}, "username, which an ssh URL does not use"),
        (SSH, {"identity": "canary", "known_hosts": "x", "ca.crt": "canary"}, "ca.crt, which an ssh URL"),
    ],
)
def test_halves_and_contradictions_are_refused_by_name(url, secret, words):
    with pytest.raises(SourceError, match=words) as caught:
        credentials_of(REF, secret, url)
    assert caught.value.reason == "SecretInvalid"
    assert caught.value.problems[0].remedy
    assert "Secret/team/keys" in str(caught.value)
    assert "canary" not in str(caught.value)


def test_the_proxy_of_a_secret():
    assert proxy_of(REF, {"address": " http://p:1\n"}) == Proxy("http://p:1")
    full = {"address": "https://p", "username": "u", "password": "x", "ca.crt": "CA"}
    assert proxy_of(REF, full) == Proxy("https://p", "u", "x", "CA")


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        ({"username": "u", "password": "canary"}, "no address"),
        ({"address": "http://p", "username": "u"}, "only one of"),
    ],
)
def test_half_a_proxy_is_refused(secret, words):
    with pytest.raises(SourceError, match=words) as caught:
        proxy_of(REF, secret)
    assert "canary" not in str(caught.value)
