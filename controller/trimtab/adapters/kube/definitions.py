"""Definitions of custom resources, made ready to be deleted.

The API server empties a kind before its definition goes, and looks for instances at once. Where nobody has used the
kind yet, that look opens the cache of its instances and is refused ("storage is (re)initializing", 429); of the tries
that follow within milliseconds, one that meets its own last status write as a conflict counts as done, and the next
look is the resync of an informer, five minutes later (crd_finalizer.go in apiextensions-apiserver 0.36). One deletion
in some hundreds met it. Whoever lists the kind first, until it is answered, spares the definition all of that.
"""

import logging
from typing import Any, Final

from trimtab.adapters.kube.connection import Connection, Request, encode_query
from trimtab.adapters.kube.lists import METADATA
from trimtab.core.api_error import ApiError
from trimtab.health.assess import assess
from trimtab.health.status import HealthStatus

log = logging.getLogger(__name__)

_FROM_CACHE: Final = encode_query({"resourceVersion": "0", "fieldSelector": "metadata.name=-"})
"""A list that is answered from the cache alone, with a selector that no object's name can meet."""
_ROUNDS: Final = 4
"""How often the connection is to send it, which itself tries three times, a second apart."""


async def open_instances(connection: Connection, definition: dict[str, Any]) -> None:
    """List the instances of a live definition, so that their cache is open; what is refused is only logged.

    A cache that is slow to open is waited for some ten seconds.
    """
    path = instances_path(definition)
    if path is None:
        return
    resource = definition["spec"]["names"]["plural"]
    request = Request("GET", path, _FROM_CACHE, accept=METADATA, verb="list", resource=resource)
    for _ in range(_ROUNDS):
        try:
            await connection.send(request)
        except ApiError as error:
            log.debug("%s: the instances cannot be listed before their definition goes: %s", path, error)
            if error.status == 429:
                continue
        return


def instances_path(definition: dict[str, Any]) -> str | None:
    """The path of all instances in the version that is stored; None where none are served, or it is going already."""
    if assess(definition).status is not HealthStatus.CURRENT:
        return None
    spec = definition["spec"]
    served = sorted((each for each in spec["versions"] if each["served"]), key=lambda each: not each["storage"])
    return f"/apis/{spec['group']}/{served[0]['name']}/{spec['names']['plural']}" if served else None
