"""The proxy for SSH, of which it sees nothing but bytes: a strike comes after so many of them.

How many, follows from what whole connections have carried; `learn` is told that of a fetch without faults.
"""

import select
import socket
from collections.abc import Sequence

from tests.campaign.git_faults.proxy import FOREIGN_ANSWER, GitProxy, end
from tests.campaign.git_faults.strikes import Fault, Phase, Strike


class SshProxy(GitProxy):
    """Before an SSH server on loopback. `sizes` are those of whole connections, server to client, in any order."""

    def __init__(self, upstream_port: int) -> None:
        super().__init__(upstream_port)
        self.sizes: list[int] = []
        self._refs_bytes = self._fetch_bytes = 0

    def learn(self, sizes: Sequence[int]) -> None:
        """One connection has fetched; those that are much shorter have asked where the branch stands."""
        self._fetch_bytes = max(sizes)
        self._refs_bytes = max(size for size in sizes if size < self._fetch_bytes / 2)

    def serve(self, client: socket.socket) -> None:
        """One connection, until either side ends."""
        strike = self.strike
        if strike and strike.fault is Fault.FOREIGN:
            self.struck += 1
            client.sendall(FOREIGN_ANSWER)
            end(client)
            return
        with socket.create_connection(("127.0.0.1", self.upstream_port), timeout=60) as upstream:
            self._relay(client, upstream, strike, self._after(strike) if strike else 0)

    def _relay(self, client: socket.socket, upstream: socket.socket, strike: Strike | None, after: int) -> None:
        """By one thread: a socket that another one still reads from does not close."""
        sent = 0
        while True:
            for source in select.select([client, upstream], [], [])[0]:
                data = source.recv(65536)
                if source is client:
                    if not data:
                        self.sizes.append(sent)
                        return
                    upstream.sendall(data)
                elif strike and sent + len(data) > after:
                    self.struck += 1
                    client.sendall(data[: after - sent])
                    self.break_off(client, data[after - sent :], strike)
                    return
                elif not data:
                    self.sizes.append(sent)
                    end(client)
                    return
                else:
                    client.sendall(data)
                    sent += len(data)

    def _after(self, strike: Strike) -> int:
        """Connections that carry fewer bytes pass."""
        first, last = {
            # From the banner on; the rest of a connection that only asks is the login and one line for the ref.
            Phase.KEYS: (0, int(self._refs_bytes * 0.5)),
            Phase.REFS: (int(self._refs_bytes * 0.5), int(self._refs_bytes * 0.95)),
            Phase.PACK: (int(self._refs_bytes * 1.2), int(self._fetch_bytes * 0.95)),
        }.get(strike.phase, (0, 1))
        return first + int(strike.share * (last - first))
