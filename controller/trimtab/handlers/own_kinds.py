"""kopf event handlers for our kinds: each event is put on the desk as it came.

kopf's watches flow in, the desk's queue gets keys out; the operator calls `register` for each run of kopf.
"""

from collections.abc import Callable, Iterator
from itertools import chain, repeat
from typing import Any, Final

import kopf

from trimtab.api import application, git_repository, helm_repository, inventory, oci_repository
from trimtab.reconcile.desk import Desk

KINDS: Final = (
    git_repository.RESOURCE,
    oci_repository.RESOURCE,
    helm_repository.RESOURCE,
    application.RESOURCE,
    inventory.RESOURCE,
)

Deliver = Callable[..., object]
"""Calls a function with arguments where the desk lives, in order; kopf runs in a thread of its own."""


def register(registry: kopf.OperatorRegistry, desk: Desk, deliver: Deliver) -> None:
    """Have every event of our kinds told to the desk."""

    async def told(event: kopf.RawEvent, **_: Any) -> None:
        deliver(desk.gone if event["type"] == "DELETED" else desk.shown, dict(event["object"]))

    for kind in KINDS:
        kopf.on.event(kind.group, kind.version, kind.plural, registry=registry)(told)


class Pauses:
    """Seconds between the tries of a request: they grow and never end, for kopf gives up where they do."""

    def __iter__(self) -> Iterator[float]:
        return chain((0.2, 0.5, 1.0, 2.0), repeat(5.0))


def operator_settings(*, idle_seconds: float) -> kopf.OperatorSettings:
    """kopf's settings for this use: no Events from log lines, no look for new CRDs or namespaces, streamed lists.

    A watch is opened anew after `idle_seconds` of silence, or sooner by kopf's own rule.
    """
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.watching.initial_streaming = True
    settings.watching.inactivity_timeout = min(idle_seconds, settings.watching.inactivity_timeout)
    settings.networking.connect_timeout = 10.0
    settings.networking.error_backoffs = Pauses()
    # A worker per object that waits for more events costs memory, and time at the end.
    settings.queueing.idle_timeout = 1.0
    settings.queueing.exit_timeout = 0.2
    return settings
