"""Credentials: nothing that could change the request which carries them, and no error that repeats them."""

import pytest

from trimtab.core.errors import SourceError
from trimtab.source.credentials import MAX_CREDENTIAL_LENGTH, check_credentials

PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize(
    ("username", "password", "ca"),
    [("", "", ""), ("bob", "p@ss:w/örd", ""), ("", "token", PEM), ("bob", "", f"# comment\n{PEM}{PEM}")],
)
def test_usable_credentials_pass_until_one_character_is_wrong(username, password, ca):
    check_credentials(username, password, ca)
    with pytest.raises(SourceError):
        check_credentials(username + ":", password, ca)


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
        check_credentials(username, password, ca)
    assert caught.value.reason == "InvalidCredentials"
    assert str(caught.value).startswith(field)
    assert "canary" not in str(caught.value)
