"""Events: what they say, and how often."""

from trimtab.api.application import RESOURCE, Application
from trimtab.report.events import (
    BURST,
    FORGET_SECONDS,
    KNOWN_EVENTS,
    REFILL_SECONDS,
    CountEvent,
    CreateEvent,
    EventLog,
    Happening,
    Level,
    Reason,
    Regarding,
    event_body,
)

T0 = 1767225600.0
SHOP = Regarding("trimtab.dev/v1alpha1", "Application", "trimtab-system", "shop", "uid-1")
APPLIED = Happening(SHOP, Reason.APPLIED, "applied main@sha1:abc", "Apply")


def other(number: int, regarding: Regarding = SHOP) -> Happening:
    return Happening(regarding, Reason.APPLIED, f"note {number}", "Apply")


def test_body():
    body = event_body(APPLIED, instance="pod-1", now_seconds=T0 + 0.25)
    name = body["metadata"].pop("name")
    assert name.startswith("shop.")
    assert body == {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"namespace": "trimtab-system"},
        "eventTime": "2026-01-01T00:00:00.250000Z",
        "reportingController": "trimtab.dev/controller",
        "reportingInstance": "pod-1",
        "action": "Apply",
        "reason": "Applied",
        "type": "Normal",
        "note": "applied main@sha1:abc",
        "regarding": {
            "apiVersion": "trimtab.dev/v1alpha1",
            "kind": "Application",
            "namespace": "trimtab-system",
            "name": "shop",
            "uid": "uid-1",
        },
    }


def test_warnings_by_nature_and_by_word():
    drift = Happening(SHOP, Reason.DRIFT_DETECTED, "spec.replicas", "Assess")
    health = Happening(SHOP, Reason.HEALTH_CHANGED, "Failed", "Assess", Level.WARNING)
    assert event_body(drift, instance="p", now_seconds=T0)["type"] == "Warning"
    assert event_body(health, instance="p", now_seconds=T0)["type"] == "Warning"


def test_long_notes_and_names_fit():
    regarding = Regarding("v1", "Application", "x", "n" * 229 + "." + "m" * 20, "u")
    body = event_body(Happening(regarding, Reason.APPLIED, "ü" * 2000, "Apply"), instance="p", now_seconds=T0)
    assert len(body["note"].encode()) <= 1024
    assert body["note"].endswith("…")
    assert len(body["metadata"]["name"]) <= 253
    assert ".." not in body["metadata"]["name"]


def test_regarding_one_of_our_objects():
    application = Application.parse(
        {
            "metadata": {"name": "shop", "namespace": "trimtab-system", "uid": "uid-1"},
            "spec": {"sourceRef": {"name": "fleet"}, "prune": True},
        }
    )
    assert Regarding.of(RESOURCE, application) == SHOP


def test_repeats_raise_a_count_once_a_minute():
    log = EventLog(instance="p")
    first = log.offer(APPLIED, now_seconds=T0)
    assert isinstance(first, CreateEvent)
    assert log.offer(APPLIED, now_seconds=T0 + 10) is None
    assert log.offer(APPLIED, now_seconds=T0 + 59) is None
    assert log.offer(APPLIED, now_seconds=T0 + 61) == CountEvent(
        "trimtab-system",
        first.body["metadata"]["name"],
        {"series": {"count": 4, "lastObservedTime": "2026-01-01T00:01:01.000000Z"}},
    )
    assert log.offer(APPLIED, now_seconds=T0 + 62) is None


def test_after_a_long_silence_it_is_news_again():
    log = EventLog(instance="p")
    first = log.offer(APPLIED, now_seconds=T0)
    again = log.offer(APPLIED, now_seconds=T0 + FORGET_SECONDS + 1)
    assert isinstance(first, CreateEvent)
    assert isinstance(again, CreateEvent)
    assert first.body["metadata"]["name"] != again.body["metadata"]["name"]


def test_other_words_are_another_event():
    log = EventLog(instance="p")
    assert isinstance(log.offer(other(1), now_seconds=T0), CreateEvent)
    assert isinstance(log.offer(other(2), now_seconds=T0), CreateEvent)


def test_a_flood_about_one_object_is_cut_and_others_are_heard():
    log = EventLog(instance="p")
    told = [log.offer(other(number), now_seconds=T0) for number in range(BURST + 20)]
    assert sum(write is not None for write in told) == BURST
    elsewhere = Regarding("trimtab.dev/v1alpha1", "Application", "trimtab-system", "blog", "uid-2")
    assert log.offer(other(1, elsewhere), now_seconds=T0) is not None
    assert log.offer(other(1000), now_seconds=T0 + REFILL_SECONDS) is not None
    assert log.offer(other(1001), now_seconds=T0 + REFILL_SECONDS) is None


def test_memory_is_bounded():
    log = EventLog(instance="p")
    for number in range(KNOWN_EVENTS + 1):
        regarding = Regarding("v1", "Application", "x", "n", f"uid-{number}")
        assert isinstance(log.offer(other(0, regarding), now_seconds=T0), CreateEvent)
    oldest = Regarding("v1", "Application", "x", "n", "uid-0")
    newest = Regarding("v1", "Application", "x", "n", f"uid-{KNOWN_EVENTS}")
    assert log.offer(other(0, newest), now_seconds=T0) is None
    assert isinstance(log.offer(other(0, oldest), now_seconds=T0), CreateEvent)
