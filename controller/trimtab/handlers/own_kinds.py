"""kopf event handlers for our kinds: each event is put on the desk as it came.

kopf's watches flow in, the desk's queue gets keys out; wiring calls `register` once per process.
"""

from typing import Any

import kopf

from trimtab.api import application, git_repository, inventory
from trimtab.reconcile.desk import Desk

_KINDS = (git_repository.RESOURCE, application.RESOURCE, inventory.RESOURCE)


def register(registry: kopf.OperatorRegistry, desk: Desk) -> None:
    """Have every event of GitRepositories, Applications and Inventories told to the desk."""

    async def told(event: kopf.RawEvent, **_: Any) -> None:
        body = dict(event["object"])
        if event["type"] == "DELETED":
            desk.gone(body)
        else:
            desk.shown(body)

    for kind in _KINDS:
        kopf.on.event(kind.group, kind.version, kind.plural, registry=registry)(told)


def operator_settings() -> kopf.OperatorSettings:
    """kopf's settings for this use: no Events from log lines, no look for new CRDs or namespaces, streamed lists."""
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.watching.initial_streaming = True
    # A worker per object that waits for more events costs memory, and time at the end.
    settings.queueing.idle_timeout = 1.0
    settings.queueing.exit_timeout = 0.2
    return settings
