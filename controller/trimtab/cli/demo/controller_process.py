"""The controller as a process of its own, as `trimtab run` starts it: started, probed, killed, started again.

Where the cluster is and where data goes flow in; a running controller, its metrics and its log flow out. The demo and
the test fixtures hold one; it dies with the process that started it.
"""

import os
import sys
import time
from collections.abc import Sequence
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Final, Self

from trimtab.localcluster import ClusterError, Lifetime
from trimtab.localcluster.ports import LOOPBACK, choose
from trimtab.localcluster.processes import ProcessRecord, alive, spawn, stop

START_SECONDS: Final = 60.0
_GRACE_SECONDS: Final = 15.0
_POLL_SECONDS: Final = 0.05
_KEPT: Final = ("PATH", "HOME", "LANG", "TMPDIR")
"""Of the environment: no proxy, no other kubeconfig, no setting of the user's."""


class ControllerProcess:
    """`trimtab run` on loopback ports that stay the same over restarts; `arguments` are further flags of it."""

    def __init__(
        self,
        *,
        namespace: str,
        kubeconfig: Path,
        kustomize: Path,
        helm: Path,
        folder: Path,
        arguments: Sequence[str] = (),
    ) -> None:
        self.log_path = folder / "controller.log"
        ports = choose()
        self._metrics_port, self._health_port = ports.etcd, ports.apiserver
        self._argv = [
            *(sys.executable, "-m", "trimtab", "run"),
            f"--namespace={namespace}",
            f"--kubeconfig={kubeconfig}",
            f"--kustomize={kustomize}",
            f"--helm={helm}",
            f"--data-dir={folder / 'data'}",
            f"--metrics-bind-address={LOOPBACK}:{self._metrics_port}",
            f"--health-bind-address={LOOPBACK}:{self._health_port}",
            *arguments,
        ]
        self._record: ProcessRecord | None = None

    @property
    def pid(self) -> int:
        """Its process ID, that of the last one after its end. Only once it was started."""
        assert self._record is not None, "the controller was never started"
        return self._record.pid

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self._record is not None and alive(self._record)

    @property
    def metrics_url(self) -> str:
        """Where Prometheus would scrape it."""
        return f"http://{LOOPBACK}:{self._metrics_port}/metrics"

    def start(self, *, wait: bool = True) -> Self:
        """Start it and, unless told otherwise, wait until it is ready. Raises ClusterError where it ends or is not."""
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
        self._record = spawn(self._argv, log=self.log_path, environment=environment, lifetime=Lifetime.ATTACHED)
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self, *, timeout_seconds: float = START_SECONDS) -> None:
        """Wait for its readiness. Raises ClusterError, with the end of its log, where that does not come."""
        deadline = time.monotonic() + timeout_seconds
        while not self.probe("readyz"):
            if not self.running:
                raise ClusterError(f"the controller ended: {self._last_words()}")
            if time.monotonic() > deadline:
                raise ClusterError(f"the controller was not ready in {timeout_seconds:.0f} s: {self._last_words()}")
            time.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        """Ask it to end, and wait for that; harmless where it does not run."""
        if self._record is not None:
            stop([self._record], grace_seconds=_GRACE_SECONDS)

    def kill(self) -> None:
        """kill -9."""
        if self._record is not None:
            stop([self._record])

    def probe(self, name: str) -> bool:
        """Whether `livez` or `readyz` answers 200."""
        return self._get(self._health_port, f"/{name}")[0] == 200

    def metrics(self) -> str:
        """What Prometheus would read. Raises ClusterError where nobody answers."""
        status, text = self._get(self._metrics_port, "/metrics")
        if status != 200:
            raise ClusterError(f"no metrics came from {self.metrics_url} (status {status})")
        return text

    def log(self) -> str:
        """Everything it wrote, over all starts."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    @staticmethod
    def _get(port: int, path: str) -> tuple[int, str]:
        """Status and text; status 0 where nobody answers."""
        connection = HTTPConnection(LOOPBACK, port, timeout=5)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        except (OSError, HTTPException):
            return 0, ""
        finally:
            connection.close()

    def _last_words(self) -> str:
        lines = [line for line in self.log().splitlines() if line.strip()]
        return lines[-1] if lines else "it wrote nothing"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
