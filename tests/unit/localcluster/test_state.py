"""What is recorded about a cluster is read back, and anything else counts as no record."""

import json
from pathlib import Path

import pytest

from trimtab.localcluster.components import Component
from trimtab.localcluster.ports import Ports
from trimtab.localcluster.processes import Lifetime, ProcessRecord
from trimtab.localcluster.state import ClusterState

STATE = ClusterState("a", 2, Ports(1, 2, 3), Lifetime.DETACHED, {Component.ETCD: ProcessRecord(7, 1.5, "/bin/etcd")})


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    STATE.write(path)
    assert ClusterState.read(path) == STATE


def test_no_file_is_no_state(tmp_path: Path) -> None:
    assert ClusterState.read(tmp_path / "absent") is None


@pytest.mark.parametrize("change", [{"format": 2}, {"ports": {}}, {"lifetime": "eternal"}, {"processes": {"x": {}}}])
def test_a_record_of_another_form_is_no_state(tmp_path: Path, change: dict[str, object]) -> None:
    path = tmp_path / "state.json"
    STATE.write(path)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    assert ClusterState.read(path) is None


def test_a_broken_file_is_no_state(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_text("{")
    assert ClusterState.read(path) is None
