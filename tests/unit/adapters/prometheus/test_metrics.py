"""What the loop counts, as Prometheus reads it."""

from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse

from trimtab.adapters.prometheus.metrics import PrometheusMetrics
from trimtab.adapters.prometheus.registry import MetricRegistry
from trimtab.reconcile.ports import Metrics
from trimtab.report.metrics import METRICS, Counter


def samples(registry: MetricRegistry) -> dict[str, float]:
    """Series as `name label=value …`, labels in alphabetical order."""
    text, _ = registry.expose("")
    return {
        " ".join((sample.name, *(f"{name}={value}" for name, value in sorted(sample.labels.items())))): sample.value
        for family in parse(text.decode())
        for sample in family.samples
    }


def fresh() -> tuple[MetricRegistry, PrometheusMetrics]:
    registry = MetricRegistry(process=False)
    return registry, PrometheusMetrics(registry, version="1.2.3")


def test_fits_the_port():
    port: Metrics = fresh()[1]
    assert port is not None


def test_every_definition_is_exposed():
    registry, _ = fresh()
    text, content_type = registry.expose("text/plain")
    assert content_type.startswith("text/plain")
    exposed = {family.name: family.documentation for family in parse(text.decode())}
    # The text format names the family of a counter without its ending.
    expected = {each.name.removesuffix("_total") if isinstance(each, Counter) else each.name: each for each in METRICS}
    assert exposed == {name: each.help for name, each in expected.items()}


def test_openmetrics_for_those_who_ask():
    registry, metrics = fresh()
    metrics.api_request("get", "applications", 200, 0.1)
    text, content_type = registry.expose("application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text")
    assert any(family.name == "trimtab_api_requests" for family in parse_openmetrics(text.decode()))


def test_counts():
    registry, metrics = fresh()
    metrics.queue(depth=3, waited_seconds=0.02)
    metrics.reconciled("Application", "success", 0.2)
    metrics.fetched("unchanged", 0.3)
    metrics.rendered("rendered", 0.1)
    metrics.planned(0.4)
    metrics.applied("create", "done")
    metrics.applied("create", "done")
    metrics.api_request("patch", "deployments", 409, 0.01)
    metrics.event_loop_lag(0.003)
    metrics.commit_applied(4)
    metrics.commit_healthy(9)
    found = samples(registry)
    assert found["trimtab_build_info version=1.2.3"] == 1
    assert found["trimtab_queue_depth"] == 3
    assert found["trimtab_queue_wait_seconds_sum"] == 0.02
    assert found["trimtab_reconcile_duration_seconds_count kind=Application result=success"] == 1
    assert found["trimtab_reconcile_duration_seconds_bucket kind=Application le=0.25 result=success"] == 1
    assert found["trimtab_reconcile_duration_seconds_bucket kind=Application le=0.1 result=success"] == 0
    assert found["trimtab_fetch_duration_seconds_sum result=unchanged"] == 0.3
    assert found["trimtab_render_duration_seconds_count result=rendered"] == 1
    assert found["trimtab_revision_to_plan_seconds_sum"] == 0.4
    assert found["trimtab_objects_applied_total operation=create result=done"] == 2
    assert found["trimtab_api_requests_total code=409 verb=patch"] == 1
    assert found["trimtab_event_loop_lag_seconds_bucket le=0.005"] == 1
    assert found["trimtab_commit_to_applied_seconds_bucket le=5.0"] == 1
    assert found["trimtab_commit_to_healthy_seconds_bucket le=5.0"] == 0
    assert not any(series.split()[0].endswith("_created") for series in found)


def test_drift_and_its_end():
    registry, metrics = fresh()
    metrics.drifted("x", "shop", 2)
    metrics.drift_detected("x", "shop", 3)
    metrics.drift_corrected("x", "shop", [0.1, 0.4])
    metrics.drifted("x", "blog", 0)
    found = samples(registry)
    assert found["trimtab_drifted_objects application=shop namespace=x"] == 2
    assert found["trimtab_drift_detected_total application=shop namespace=x"] == 3
    assert found["trimtab_drift_corrected_total application=shop namespace=x"] == 2
    assert found["trimtab_drift_repair_duration_seconds_count"] == 2
    metrics.forget_application("x", "shop")
    metrics.forget_application("x", "never-known")
    left = samples(registry)
    assert not any("application=shop" in series for series in left)
    assert left["trimtab_drifted_objects application=blog namespace=x"] == 0


def test_gauges_that_are_asked_at_each_scrape():
    registry, metrics = fresh()
    ages = iter([5.0, 7.0])
    metrics.watch_age(lambda: next(ages))
    metrics.queue_depth(lambda: 4)
    assert samples(registry)["trimtab_watch_age_seconds"] == 5
    found = samples(registry)
    assert found["trimtab_watch_age_seconds"] == 7
    assert found["trimtab_queue_depth"] == 4


def test_process_series_on_request():
    text, _ = MetricRegistry().expose("")
    assert b"process_resident_memory_bytes" in text
