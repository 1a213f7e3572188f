"""The port `Metrics`: remembers what it was told."""

from collections.abc import Sequence
from typing import Any


class FakeMetrics:
    """`told` holds (name, values) in order."""

    def __init__(self) -> None:
        self.told: list[tuple[str, tuple[Any, ...]]] = []

    def all(self, name: str) -> list[tuple[Any, ...]]:
        """The values of every call of that name."""
        return [values for told, values in self.told if told == name]

    def queue(self, *, depth: int, waited_seconds: float) -> None:
        self.told.append(("queue", (depth, waited_seconds)))

    def reconciled(self, kind: str, result: str, seconds: float) -> None:
        self.told.append(("reconciled", (kind, result, seconds)))

    def fetched(self, result: str, seconds: float) -> None:
        self.told.append(("fetched", (result, seconds)))

    def rendered(self, result: str, seconds: float) -> None:
        self.told.append(("rendered", (result, seconds)))

    def planned(self, seconds: float) -> None:
        self.told.append(("planned", (seconds,)))

    def applied(self, operation: str, result: str) -> None:
        self.told.append(("applied", (operation, result)))

    def drift_detected(self, namespace: str, application: str, fields: int) -> None:
        self.told.append(("drift_detected", (namespace, application, fields)))

    def drift_corrected(self, namespace: str, application: str, repair_seconds: Sequence[float]) -> None:
        self.told.append(("drift_corrected", (namespace, application, tuple(repair_seconds))))

    def drifted(self, namespace: str, application: str, objects: int) -> None:
        self.told.append(("drifted", (namespace, application, objects)))

    def commit_applied(self, seconds: float) -> None:
        self.told.append(("commit_applied", (seconds,)))

    def commit_healthy(self, seconds: float) -> None:
        self.told.append(("commit_healthy", (seconds,)))

    def forget_application(self, namespace: str, application: str) -> None:
        self.told.append(("forget_application", (namespace, application)))
