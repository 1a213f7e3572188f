"""A tenth of the campaign of git faults, seeded: no hang, no leak, no delete."""

from pathlib import Path

import pytest
from tests.campaign.campaign import SEED
from tests.campaign.git_faults.campaign import play

from trimtab.localcluster import LocalCluster

RUNS = 30
MARGIN_SECONDS = 20.0
"""Wider than the campaign's: still short of the half minute after which git itself would give up a silent server."""


# Seconds of a quiet machine; one that does other work may take its time, and must not fail for it.
@pytest.mark.timeout(1200)
def test_faults_of_the_git_server_neither_hang_nor_leak_nor_delete(local_cluster: LocalCluster, tmp_path: Path):
    tally = play(local_cluster, tmp_path, range(RUNS), seed=SEED, tell=print, margin_seconds=MARGIN_SECONDS)
    assert tally.complaints == []
    assert len(tally.results) == RUNS
    assert sum(1 for result in tally.results if result.reason) > RUNS // 2, "most faults are felt"
    assert tally.prunes > 0
    assert tally.deletes_within == 0
    assert tally.rests == 1
