"""Every metric as data: name, help, labels, buckets, in Prometheus' conventions (base units, `_total`, bounded labels).

The Prometheus adapter turns these into series; the loop reaches that adapter through the port `Metrics`. Labels hold
only words of ours, status codes, and names of Applications and GitRepositories, whose series go when they are deleted.
"""

from dataclasses import dataclass
from typing import Final

FAST: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Bucket bounds in seconds for work inside the controller."""
SLOW: Final = (1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 14400.0, 86400.0)
"""Bucket bounds in seconds for ways that begin with a person's commit."""
LAG: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Bucket bounds in seconds for waits of the event loop."""


@dataclass(frozen=True, slots=True)
class Counter:
    """A number that only grows; its name ends in `_total`."""

    name: str
    help: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Gauge:
    """A number that goes up and down."""

    name: str
    help: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Histogram:
    """A distribution, counted under upper bounds; in seconds, as its name says."""

    name: str
    help: str
    buckets: tuple[float, ...]
    labels: tuple[str, ...] = ()


Metric = Counter | Gauge | Histogram

APPLICATION_LABELS: Final = ("namespace", "application")

RECONCILE_SECONDS: Final = Histogram(
    "trimtab_reconcile_duration_seconds",
    "Time taken by reconciliations, by kind and result; its count is the number of them.",
    FAST,
    ("kind", "result"),
)
DRIFTED_OBJECTS: Final = Gauge(
    "trimtab_drifted_objects",
    "Objects that differ from what was declared right now.",
    APPLICATION_LABELS,
)
DRIFT_DETECTED: Final = Counter(
    "trimtab_drift_detected_total",
    "Declared fields that were found changed.",
    APPLICATION_LABELS,
)
DRIFT_CORRECTED: Final = Counter(
    "trimtab_drift_corrected_total",
    "Declared fields that were put back.",
    APPLICATION_LABELS,
)
DRIFT_REPAIR_SECONDS: Final = Histogram(
    "trimtab_drift_repair_duration_seconds",
    "Time from seeing a declared field changed to having put it back.",
    FAST,
)
FETCH_SECONDS: Final = Histogram(
    "trimtab_fetch_duration_seconds",
    "Time taken by fetches from the servers of sources, by result (changed, unchanged or the reason of the failure).",
    FAST,
    ("result",),
)
RENDER_SECONDS: Final = Histogram(
    "trimtab_render_duration_seconds",
    "Time taken by renderings, by result (rendered or the reason of the failure); its count is the number of them.",
    FAST,
    ("result",),
)
REVISION_TO_PLAN_SECONDS: Final = Histogram(
    "trimtab_revision_to_plan_seconds",
    "Time from the arrival of a revision to the plan of an Application that it changes.",
    FAST,
)
OBJECTS_APPLIED: Final = Counter(
    "trimtab_objects_applied_total",
    "Objects that were created, updated, adopted, recreated, deleted or orphaned, by operation and result.",
    ("operation", "result"),
)
COMMIT_TO_APPLIED_SECONDS: Final = Histogram(
    "trimtab_commit_to_applied_seconds",
    "Time from a commit to its being fully applied by an Application.",
    SLOW,
)
COMMIT_TO_HEALTHY_SECONDS: Final = Histogram(
    "trimtab_commit_to_healthy_seconds",
    "Time from a commit to all objects of an Application being healthy with it.",
    SLOW,
)
API_REQUESTS: Final = Counter(
    "trimtab_api_requests_total",
    "Requests to the Kubernetes API server, by verb and HTTP status code (0: no answer).",
    ("verb", "code"),
)
WATCH_AGE_SECONDS: Final = Gauge(
    "trimtab_watch_age_seconds",
    "Time since the watch that has been silent longest showed a sign of life.",
)
QUEUE_DEPTH: Final = Gauge(
    "trimtab_queue_depth",
    "Keys that wait for a worker.",
)
QUEUE_WAIT_SECONDS: Final = Histogram(
    "trimtab_queue_wait_seconds",
    "Time that keys waited for a worker.",
    FAST,
)
EVENT_LOOP_LAG_SECONDS: Final = Histogram(
    "trimtab_event_loop_lag_seconds",
    "How much later than asked the event loop woke a sleeper.",
    LAG,
)
BUILD_INFO: Final = Gauge(
    "trimtab_build_info",
    "Always 1; the label tells the version of Trimtab.",
    ("version",),
)

METRICS: Final[tuple[Metric, ...]] = (
    RECONCILE_SECONDS,
    DRIFTED_OBJECTS,
    DRIFT_DETECTED,
    DRIFT_CORRECTED,
    DRIFT_REPAIR_SECONDS,
    FETCH_SECONDS,
    RENDER_SECONDS,
    REVISION_TO_PLAN_SECONDS,
    OBJECTS_APPLIED,
    COMMIT_TO_APPLIED_SECONDS,
    COMMIT_TO_HEALTHY_SECONDS,
    API_REQUESTS,
    WATCH_AGE_SECONDS,
    QUEUE_DEPTH,
    QUEUE_WAIT_SECONDS,
    EVENT_LOOP_LAG_SECONDS,
    BUILD_INFO,
)
"""All of them, in the order in which they are documented."""
