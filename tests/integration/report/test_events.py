"""The API server takes our Events, and raises of their count."""

import json

from trimtab.report.events import CountEvent, CreateEvent, EventLog, Happening, Reason, Regarding

T0 = 1767225600.0


def test_events_are_taken_and_shown(kubectl, namespace):
    regarding = Regarding("trimtab.dev/v1alpha1", "Application", namespace, "shop", "uid-1")
    happening = Happening(regarding, Reason.DRIFT_CORRECTED, "spec.replicas ü" + "x" * 2000, "Correct")
    log = EventLog(instance="trimtab-0")
    first = log.offer(happening, now_seconds=T0)
    assert isinstance(first, CreateEvent)
    kubectl("create", "-f", "-", stdin=json.dumps(first.body))
    again = log.offer(happening, now_seconds=T0 + 61)
    assert isinstance(again, CountEvent)
    path = f"/apis/events.k8s.io/v1/namespaces/{namespace}/events/{again.name}"
    kubectl("patch", "events.events.k8s.io", again.name, "-n", namespace, "--type=merge", "-p", json.dumps(again.patch))
    stored = json.loads(kubectl("get", "--raw", path))
    assert stored["series"]["count"] == 2
    assert stored["reason"] == "DriftCorrected"
    shown = kubectl("events", "-n", namespace)
    assert "Application/shop" in shown
    assert "spec.replicas" in shown
