"""Metric definitions keep Prometheus' conventions."""

import re

import pytest

from trimtab.report import metrics
from trimtab.report.metrics import METRICS, Counter, Gauge, Histogram

BOUNDED = {"namespace", "application", "kind", "result", "operation", "verb", "code", "version"}


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_conventions(metric):
    assert re.fullmatch(r"trimtab_[a-z_]+[a-z]", metric.name)
    assert metric.name.endswith("_total") == isinstance(metric, Counter)
    assert metric.help.endswith(".")
    assert set(metric.labels) <= BOUNDED
    assert not re.search(r"milli|minutes|hours|kilo|mega", metric.name)
    if isinstance(metric, Histogram):
        assert metric.name.endswith("_seconds")
        assert list(metric.buckets) == sorted(set(metric.buckets))


def test_all_definitions_are_listed_once():
    defined = [each for each in vars(metrics).values() if isinstance(each, Counter | Gauge | Histogram)]
    assert sorted(each.name for each in defined) == sorted(each.name for each in METRICS)
    assert len({each.name for each in METRICS}) == len(METRICS)
