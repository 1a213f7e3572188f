"""A tenth of the campaign, seeded: random changes of managed objects, all told and met as they should be."""

from pathlib import Path

import pytest
from tests.campaign.campaign import SEED, Campaign
from tests.campaign.lab import corpus_folder
from tests.campaign.stage import stage

from trimtab.localcluster import LocalCluster

MUTATIONS = 20


@pytest.fixture(params=["ours", pytest.param("corpus", marks=pytest.mark.corpus)])
def corpus(request: pytest.FixtureRequest) -> Path | None:
    if request.param == "ours":
        return None
    if not corpus_folder().is_dir():
        pytest.skip(f"no example repositories in {corpus_folder()}: set TRIMTAB_CORPUS")
    return corpus_folder()


def test_random_changes_are_told_and_put_back(local_cluster: LocalCluster, tmp_path: Path, corpus: Path | None):
    # Those of kube-prometheus, which needs a cluster of its own, are changed where the corpus is applied.
    with stage(local_cluster, tmp_path, corpus, without={"monitoring"}) as (lab, targets):
        tally = Campaign(lab, targets, SEED + (corpus is not None), tell=print).run(MUTATIONS // 2)
        assert tally.complaints == []
        assert tally.total == MUTATIONS // 2
        assert tally.rests == 1
        assert tally.most_applies <= 20, "no fight"
        assert "Traceback" not in lab.controller.log()
