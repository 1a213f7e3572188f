"""Ports are free, distinct, and not where outgoing connections get theirs."""

import socket

import pytest

from trimtab.localcluster import ports
from trimtab.localcluster.errors import ClusterError


def test_ports_are_free_and_distinct() -> None:
    chosen = ports.choose()
    assert len(set(chosen.all())) == 3
    assert all(15_000 <= port < 30_000 for port in chosen.all())


def test_a_port_in_use_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not ports.is_free(server.getsockname()[1])


def test_ports_to_avoid_are_avoided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_RANGE", range(20_000, 20_004))
    monkeypatch.setattr(ports, "is_free", lambda port: True)
    assert set(ports.choose(avoid=[20_000]).all()) == {20_001, 20_002, 20_003}


def test_where_none_is_free_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "is_free", lambda port: False)
    with pytest.raises(ClusterError, match="no free port"):
        ports.choose()
