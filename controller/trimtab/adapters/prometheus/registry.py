"""The definitions of report.metrics as series of prometheus-client, in a registry of their own.

Adapters and the metrics port add, set and observe by definition; the metrics server asks for the text at each scrape.
"""

from collections.abc import Callable

import prometheus_client
from prometheus_client.exposition import choose_encoder

from trimtab.report.metrics import METRICS, Counter, Gauge, Histogram, Metric


class MetricRegistry:
    """All series of one process. Thread-safe, as prometheus-client is."""

    def __init__(self, *, process: bool = True) -> None:
        """`process` adds the process_* series (CPU seconds, resident memory, file descriptors)."""
        # The time of creation would double the number of series, and Prometheus has no use for it.
        prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = prometheus_client.CollectorRegistry(auto_describe=True)
        self._counters: dict[str, prometheus_client.Counter] = {}
        self._gauges: dict[str, prometheus_client.Gauge] = {}
        self._histograms: dict[str, prometheus_client.Histogram] = {}
        for metric in METRICS:
            self._define(metric)
        if process:
            prometheus_client.ProcessCollector(registry=self._registry)

    def _define(self, metric: Metric) -> None:
        if isinstance(metric, Counter):
            self._counters[metric.name] = prometheus_client.Counter(
                metric.name, metric.help, metric.labels, registry=self._registry
            )
        elif isinstance(metric, Gauge):
            self._gauges[metric.name] = prometheus_client.Gauge(
                metric.name, metric.help, metric.labels, registry=self._registry
            )
        else:
            self._histograms[metric.name] = prometheus_client.Histogram(
                metric.name, metric.help, metric.labels, buckets=metric.buckets, registry=self._registry
            )

    def add(self, metric: Counter, *labels: str, amount: float = 1) -> None:
        """Raise a counter. Labels in the definition's order."""
        series = self._counters[metric.name]
        (series.labels(*labels) if metric.labels else series).inc(amount)

    def set(self, metric: Gauge, *labels: str, value: float) -> None:
        """Set a gauge. Labels in the definition's order."""
        series = self._gauges[metric.name]
        (series.labels(*labels) if metric.labels else series).set(value)

    def ask(self, metric: Gauge, value: Callable[[], float]) -> None:
        """Have a gauge without labels asked for its value at each scrape."""
        self._gauges[metric.name].set_function(value)

    def observe(self, metric: Histogram, *labels: str, value: float) -> None:
        """Count one value in a distribution. Labels in the definition's order."""
        series = self._histograms[metric.name]
        (series.labels(*labels) if metric.labels else series).observe(value)

    def remove(self, metric: Counter | Gauge, *labels: str) -> None:
        """Drop the series with these labels, where there is one."""
        series = self._counters if isinstance(metric, Counter) else self._gauges
        known: prometheus_client.Counter | prometheus_client.Gauge = series[metric.name]
        known.remove_by_labels(dict(zip(metric.labels, labels, strict=True)))

    def expose(self, accept: str) -> tuple[bytes, str]:
        """The text in the best format that the scraper's Accept header takes, and its content type."""
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type
