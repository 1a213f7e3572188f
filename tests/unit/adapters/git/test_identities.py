"""Names of mirrors: the same for the same, different for anything else, and telling nothing."""

from trimtab.adapters.git.identities import Identities
from trimtab.reconcile.ports import GitCredentials
from trimtab.source.credentials import GitHubApp
from trimtab.source.proxy import Proxy

BOB = GitCredentials(username="bob", password="canary")
URL = "https://git.example.org/app.git"


def test_names_differ_by_url_and_by_every_credential():
    names = Identities(b"s" * 32)
    variants = [
        (URL, None),
        (URL + "x", None),
        (URL, BOB),
        (URL, GitCredentials(username="bob", password="canary2")),
        (URL, GitCredentials(username="eve", password="canary")),
        (URL, GitCredentials(username="bob", password="canary", ca_pem="x")),
        (URL, GitCredentials(password="canary")),
        (URL, GitCredentials(bearer_token="canary")),
        (URL, GitCredentials(certificate="x", certificate_key="canary")),
        (URL, GitCredentials(identity="canary", known_hosts="x")),
        (URL, GitCredentials(identity="canary", known_hosts="y")),
        (URL, GitCredentials(github_app=GitHubApp("1", "2", "canary"))),
        (URL, GitCredentials(github_app=GitHubApp("1", "3", "canary"))),
        (URL, GitCredentials(proxy=Proxy("http://p", "u", "canary"))),
    ]
    assert len({names.name(*variant) for variant in variants}) == len(variants)
    assert names.name(URL, None) == names.name(URL, GitCredentials())


def test_names_last_over_restarts_and_differ_between_installations(tmp_path):
    first = Identities.at(tmp_path / "salt").name(URL, BOB)
    assert Identities.at(tmp_path / "salt").name(URL, BOB) == first
    assert Identities.at(tmp_path / "other").name(URL, BOB) != first
    (tmp_path / "salt").write_bytes(b"damaged")
    assert Identities.at(tmp_path / "salt").name(URL, BOB) != first
    assert len((tmp_path / "salt").read_bytes()) == 32
