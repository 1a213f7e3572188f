"""The port `Metrics` over the registry: what the loop counts becomes series.

Wiring makes one per process; the loop calls it. Nothing here raises or waits.
"""

from collections.abc import Callable, Sequence

from trimtab.adapters.prometheus.registry import MetricRegistry
from trimtab.report import metrics as m


class PrometheusMetrics:
    """Implements `trimtab.reconcile.ports.Metrics`; what only adapters and wiring count stands at the end."""

    def __init__(self, registry: MetricRegistry, *, version: str) -> None:
        self._registry = registry
        registry.set(m.BUILD_INFO, version, value=1)

    def queue(self, *, depth: int, waited_seconds: float) -> None:
        """A worker took a key."""
        self._registry.set(m.QUEUE_DEPTH, value=depth)
        self._registry.observe(m.QUEUE_WAIT_SECONDS, value=waited_seconds)

    def reconciled(self, kind: str, result: str, seconds: float) -> None:
        """A turn ended."""
        self._registry.observe(m.RECONCILE_SECONDS, kind, result, value=seconds)

    def fetched(self, result: str, seconds: float) -> None:
        """A fetch ended: changed, unchanged, or the reason of its failure."""
        self._registry.observe(m.FETCH_SECONDS, result, value=seconds)

    def rendered(self, result: str, seconds: float) -> None:
        """A rendering ended: rendered, or the reason of its failure."""
        self._registry.observe(m.RENDER_SECONDS, result, value=seconds)

    def planned(self, seconds: float) -> None:
        """What a new revision changes for an Application was planned so long after the revision arrived."""
        self._registry.observe(m.REVISION_TO_PLAN_SECONDS, value=seconds)

    def applied(self, operation: str, result: str) -> None:
        """An object was created, updated, deleted and so on."""
        self._registry.add(m.OBJECTS_APPLIED, operation, result)

    def drift_detected(self, namespace: str, application: str, fields: int) -> None:
        """Declared fields were found changed."""
        self._registry.add(m.DRIFT_DETECTED, namespace, application, amount=fields)

    def drift_corrected(self, namespace: str, application: str, repair_seconds: Sequence[float]) -> None:
        """Declared fields were put back, each after so long."""
        self._registry.add(m.DRIFT_CORRECTED, namespace, application, amount=len(repair_seconds))
        for seconds in repair_seconds:
            self._registry.observe(m.DRIFT_REPAIR_SECONDS, value=seconds)

    def drifted(self, namespace: str, application: str, objects: int) -> None:
        """So many objects drift now."""
        self._registry.set(m.DRIFTED_OBJECTS, namespace, application, value=objects)

    def commit_applied(self, seconds: float) -> None:
        """A commit was fully applied so long after it was made."""
        self._registry.observe(m.COMMIT_TO_APPLIED_SECONDS, value=seconds)

    def commit_healthy(self, seconds: float) -> None:
        """All objects of a commit became healthy so long after it was made."""
        self._registry.observe(m.COMMIT_TO_HEALTHY_SECONDS, value=seconds)

    def forget_application(self, namespace: str, application: str) -> None:
        """The Application is gone: so are its series."""
        for metric in (m.DRIFTED_OBJECTS, m.DRIFT_DETECTED, m.DRIFT_CORRECTED):
            self._registry.remove(metric, namespace, application)

    def api_request(self, verb: str, _resource: str, code: int, _seconds: float) -> None:
        """The API server answered a request (code 0: it did not); fits the connection's `on_request`."""
        self._registry.add(m.API_REQUESTS, verb, str(code))

    def event_loop_lag(self, seconds: float) -> None:
        """The event loop woke a sleeper so much later than asked."""
        self._registry.observe(m.EVENT_LOOP_LAG_SECONDS, value=seconds)

    def watch_age(self, seconds: Callable[[], float]) -> None:
        """Ask this at each scrape for the age of the oldest sign of life of all watches."""
        self._registry.ask(m.WATCH_AGE_SECONDS, seconds)

    def queue_depth(self, depth: Callable[[], float]) -> None:
        """Ask this at each scrape for the number of waiting keys, which `queue` would tell only when one is taken."""
        self._registry.ask(m.QUEUE_DEPTH, depth)
