import pytest
from tests.fakes.plan_objects import manifest

from trimtab.plan.guards.declared_twice import DeclaredTwice, check


def test_the_second_declaration_is_refused_and_both_places_are_named():
    with pytest.raises(DeclaredTwice, match=r"a\.yaml:9: ConfigMap/shop/a: is declared already in a\.yaml:1"):
        check(manifest("ConfigMap", "a", line=9), manifest("ConfigMap", "a", line=1))


def test_the_first_passes():
    check(manifest("ConfigMap", "a"), None)
