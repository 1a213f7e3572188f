"""Free ports on 127.0.0.1 for the components of a cluster.

`cluster` asks for them before a start; between the question and the start somebody may take one, so starts are retried.
"""

import random
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from trimtab.localcluster.errors import ClusterError

LOOPBACK: Final = "127.0.0.1"
# Below the range from which systems pick the local port of an outgoing connection: a component that is restarted finds
# its port still free.
_RANGE: Final = range(15_000, 30_000)
_TRIES: Final = 200


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of one cluster."""

    etcd: int
    etcd_peer: int
    apiserver: int

    def all(self) -> tuple[int, ...]:
        """Every port."""
        return (self.etcd, self.etcd_peer, self.apiserver)


def is_free(port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As Go's servers do: connections of an earlier server that linger in TIME_WAIT are no hindrance.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def choose(*, avoid: Iterable[int] = ()) -> Ports:
    """Three free ports, drawn at random so that clusters started at the same time seldom meet.

    Raises ClusterError where 200 draws found none.
    """
    taken = set(avoid)
    found: list[int] = []
    source = random.SystemRandom()
    for _ in range(_TRIES):
        port = source.choice(_RANGE)
        if port not in taken and is_free(port):
            taken.add(port)
            found.append(port)
        if len(found) == 3:
            return Ports(*found)
    raise ClusterError(
        f"no free port was found on {LOOPBACK} between {_RANGE.start} and {_RANGE.stop}",
        remedy="stop clusters that you no longer need: `trimtab cluster status --all` lists them",
    )
