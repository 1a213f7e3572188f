"""The program between ssh and a proxy: connects through it and passes bytes on, in place of a direct connection.

Run as `python -m trimtab.adapters.git.tunnel` by ssh (ProxyCommand). A Route flows in by the environment, where its
password stands beside that of git itself; ssh's bytes flow through standard input and output.
"""

import json
import os
import selectors
import sys
from typing import Any, Final

from trimtab.adapters.git.routes import NoRoute, Route, connected

VARIABLE: Final = "TRIMTAB_TUNNEL"
_CONNECT_SECONDS: Final = 30.0
_CHUNK_BYTES: Final = 65536


def main() -> int:
    """Connect, then relay until either side ends. Errors go to standard error in git's manner, without a password."""
    route = Route.from_body(json.loads(os.environ.pop(VARIABLE)))
    try:
        connection = connected(route, tls=False, timeout_seconds=_CONNECT_SECONDS)
    except NoRoute as error:
        sys.stderr.write(f"fatal: {error.words}\n")
        return 1
    connection.settimeout(None)
    _relay(connection)
    return 0


def _relay(connection: Any) -> None:
    """Writes block: each side reads what it is sent before it sends without end."""
    with selectors.DefaultSelector() as selector:
        selector.register(0, selectors.EVENT_READ)
        selector.register(connection, selectors.EVENT_READ)
        while True:
            ready = {key.fd for key, _ in selector.select()}
            if 0 in ready:
                data = os.read(0, _CHUNK_BYTES)
                if not data:
                    return
                connection.sendall(data)
            if ready - {0} and not _pass_on(connection):
                return


def _pass_on(connection: Any) -> bool:
    """What has come, and what TLS has unpacked already and no selector shows."""
    while True:
        data = connection.recv(_CHUNK_BYTES)
        if not data:
            return False
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        pending = getattr(connection, "pending", None)
        if not (pending and pending()):
            return True


if __name__ == "__main__":
    sys.exit(main())
