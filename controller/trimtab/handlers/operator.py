"""kopf as the runner of the operator: our kinds are watched by it, its login is ours, nothing else of it is used.

Wiring's parts flow in; `serve` runs until it is cancelled.
"""

import asyncio
import logging
from typing import Any

import kopf

from trimtab.adapters.kube.access import Access
from trimtab.handlers.own_kinds import operator_settings, register
from trimtab.reconcile.desk import Desk


def _register_login(registry: kopf.OperatorRegistry, access: Access) -> None:
    async def login(**_: Any) -> kopf.AiohttpSession:
        session = access.open_session()
        authorization = await access.authorization()
        if authorization is not None:
            session.headers["Authorization"] = authorization
        return kopf.AiohttpSession(server=access.host, aiohttp_session=session, default_namespace=access.namespace)

    kopf.on.login(registry=registry)(login)


async def serve(access: Access, desk: Desk, *, namespace: str, serving: asyncio.Event) -> None:
    """Watch our kinds in one namespace until cancelled; `serving` is set once that has begun."""
    # kopf tells of every watch and task; what matters of it is told as metrics and conditions.
    logging.getLogger("kopf").setLevel(logging.WARNING)
    registry = kopf.OperatorRegistry()
    register(registry, desk)
    _register_login(registry, access)
    await kopf.operator(
        registry=registry,
        settings=operator_settings(),
        namespaces=[namespace],
        standalone=True,
        ready_flag=serving,
    )
