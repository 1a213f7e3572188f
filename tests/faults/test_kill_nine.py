"""kill -9 at random points of a first sync and of a prune: after the restart all is converged, nothing orphaned.

Objects of others stand beside ours in the same namespace, with our bucket label copied: none of them may go.
TRIMTAB_KILLS and TRIMTAB_SEED make the run longer and repeat one; `make campaign` takes twenty of each.
"""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults.kills import OBJECTS, Kills
from tests.fixtures.lab import Lab, close_lab, make_lab

from trimtab.localcluster import Cluster

KILLS = int(os.environ.get("TRIMTAB_KILLS", "2"))
SEED = int(os.environ.get("TRIMTAB_SEED", "20"))


@pytest.fixture
def quiet_lab(cluster: Cluster, tmp_path: Path) -> Iterator[Lab]:
    """A lab whose controller the test starts itself."""
    lab = make_lab(cluster, tmp_path)
    yield lab
    if not lab.controller.running:
        lab.controller.start()
    close_lab(lab)


def test_a_first_sync_survives_any_kill(quiet_lab: Lab) -> None:
    kills = Kills(quiet_lab, random.Random(SEED))
    for _ in range(KILLS):
        kills.first_sync()
    assert all(0 <= point <= OBJECTS + 1 for point in kills.points)


def test_a_prune_survives_any_kill_and_takes_nothing_of_others(quiet_lab: Lab) -> None:
    kills = Kills(quiet_lab, random.Random(SEED + 1))
    kills.plant_strangers()
    for _ in range(KILLS):
        kills.prune()
    assert all(0 < point <= OBJECTS for point in kills.points)
