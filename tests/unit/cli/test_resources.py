"""How verbs name and read our objects."""

import pytest

from trimtab.cli.resources import APPLICATION, REPOSITORY, Named, UsageError, as_application, as_repository, kind_of


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("shop", APPLICATION, "shop"),
        ("application/shop", APPLICATION, "shop"),
        ("tapp/shop", APPLICATION, "shop"),
        ("repository/fleet", REPOSITORY, "fleet"),
        ("GitRepository/fleet", REPOSITORY, "fleet"),
        ("tgit/fleet", REPOSITORY, "fleet"),
    ],
)
def test_names(text, kind, name):
    assert Named.parse(text) == Named(kind, name)


@pytest.mark.parametrize("text", ["cheese/shop", "application/", "/shop"])
def test_what_names_nothing(text):
    with pytest.raises(UsageError, match="names nothing"):
        Named.parse(text)


def test_kinds():
    assert kind_of("Applications") == APPLICATION
    assert kind_of("repositories") == REPOSITORY
    assert kind_of("shop") is None
    assert str(Named(REPOSITORY, "fleet")) == "GitRepository/fleet"


def test_bodies_become_typed():
    spec = {"sourceRef": {"name": "fleet"}, "prune": True}
    assert as_application({"metadata": {"name": "shop"}, "spec": spec}).spec.prune
    assert as_repository({"metadata": {"name": "fleet"}, "spec": {"url": "https://git.example/x"}}).spec.url
    with pytest.raises(UsageError, match=r"Application/shop cannot be read: spec\.prune: Field required"):
        as_application({"kind": "Application", "metadata": {"name": "shop"}, "spec": {"sourceRef": {"name": "fleet"}}})
