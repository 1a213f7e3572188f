"""Laboratories that the tests of one file share: each costs a start of the controller."""

from collections.abc import Iterator

import pytest
from tests.fixtures.lab import Lab, close_lab, make_lab

from trimtab.localcluster import Cluster


@pytest.fixture(scope="module")
def shared_lab(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A running controller on the shared cluster; each test brings repositories and Applications of its own names."""
    lab = make_lab(cluster, tmp_path_factory.mktemp("lab"))
    lab.controller.start()
    yield lab
    close_lab(lab)
