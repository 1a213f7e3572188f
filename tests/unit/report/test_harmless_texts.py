"""What is told of others' texts steers no terminal."""

from trimtab.core.errors import Problem
from trimtab.core.manifest import Origin
from trimtab.core.refs import ObjectRef
from trimtab.report.application import error_item
from trimtab.report.conditions import shorten
from trimtab.report.events import Happening, Reason, Regarding, event_body
from trimtab.report.masking import shown

REF = ObjectRef("local", "", "ConfigMap", "shop", "a")
EVIL = "\x1b]0;owned\x07\u202e"


def test_conditions_errors_events_and_values_are_without_escapes() -> None:
    item = error_item(Problem(EVIL, origin=Origin(f"{EVIL}.yaml", 1), remedy=EVIL))
    regarding = Regarding("trimtab.dev/v1alpha1", "Application", "ns", "shop", "uid")
    event = event_body(Happening(regarding, Reason.APPLIED, EVIL, "Apply"), instance="i", now_seconds=0)

    told = [item.message, item.file or "", event["note"], shorten(EVIL, characters=9), shown(REF, "data.a", EVIL)]

    assert all(text and text.isprintable() for text in told), told
