"""The example shop and the commits of the story."""

from pathlib import Path

import pytest

from trimtab.cli.demo import shop
from trimtab.localcluster import ClusterError


def test_the_example_is_found_as_it_lies_in_the_repository():
    assert {"base/kustomization.yaml", "overlays/staging/kustomization.yaml", shop.DISRUPTION} <= shop.files().keys()


def test_the_commits_change_what_they_say():
    assert "catalog:1.5.0" in shop.new_catalog().files[shop.CATALOG]
    broken = shop.broken().files
    assert "web:3.2.0" in broken[shop.WEB]
    assert "minAvailable: two" in broken[shop.DISRUPTION]
    assert broken[shop.CATALOG] == shop.new_catalog().files[shop.CATALOG]


def test_an_example_that_was_edited_is_noticed():
    with pytest.raises(ClusterError, match="does not hold 'catalog:0'"):
        shop._replaced(shop.CATALOG, "catalog:0", "catalog:1")


def test_an_installation_without_the_example_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr("trimtab.__file__", str(tmp_path / "a" / "b" / "__init__.py"))
    with pytest.raises(ClusterError, match="from a checkout"):
        shop.files()
