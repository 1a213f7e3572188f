"""`trimtab reconcile`: have an Application or a source looked at now.

A name flows in, the annotation `reconcile.trimtab.dev/requestedAt` flows out; with `--wait` progress follows until the
controller has acted on it.
"""

import asyncio
import time
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer

from trimtab.api.application import READY, RECONCILING
from trimtab.api.model import Condition, ConditionStatus, Status
from trimtab.cli.options import DEFAULT_NAMESPACE, Context, Kubeconfig, Namespace, Target
from trimtab.cli.progress import Ticker
from trimtab.cli.resources import (
    APPLICATION,
    SOURCES,
    Named,
    UsageError,
    argument,
    as_application,
    as_source,
    read,
)
from trimtab.cli.session import Session, open_session
from trimtab.core.names import REQUESTED_AT_ANNOTATION
from trimtab.core.refs import LOCAL_CLUSTER, ObjectRef

EXIT_NOT_READY: Final = 1
_POLL_SECONDS: Final = 0.1
_SETTLED: Final = frozenset({"Retrying"})
"""Reasons of Reconciling at which there is nothing more to wait for."""


def reconcile(
    name: Annotated[
        str, typer.Argument(metavar="NAME|KIND/NAME", help="An Application, or a source: repository, oci or helm/NAME.")
    ],
    with_source: Annotated[bool, typer.Option("--with-source", help="Fetch the Application's sources first.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it was done, showing how far it is.")] = False,
    timeout_seconds: Annotated[float, typer.Option("--timeout", min=0.1, help="Seconds to wait.")] = 300.0,
    namespace: Namespace = DEFAULT_NAMESPACE,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
) -> None:
    """Have an Application, or a source, reconciled now rather than when something happens.

    Exits 0 when it was asked for (with --wait: when it is Ready), 1 when it ended not Ready, 2 on an error.

    Example: trimtab reconcile shop --with-source --wait
    """
    target = Target(kubeconfig, context, namespace)
    ready = asyncio.run(
        _reconcile(target, Named.parse(name), with_source=with_source, wait=wait, timeout_seconds=timeout_seconds)
    )
    if not ready:
        raise typer.Exit(EXIT_NOT_READY)


async def _reconcile(target: Target, named: Named, *, with_source: bool, wait: bool, timeout_seconds: float) -> bool:
    """Poke, and wait if asked to; whether it is Ready (True where nobody waits)."""
    deadline = time.monotonic() + timeout_seconds
    async with open_session(target) as session:
        body = await read(session, named)
        if with_source:
            if named.kind != APPLICATION:
                raise UsageError(f"{named} has no source", remedy="leave out --with-source")
            spec = as_application(body).spec
            kinds = {kind.kind: kind for kind in SOURCES}
            refs = (spec.source_ref, *(further.source_ref for further in spec.sources))
            for source in dict.fromkeys(Named(kinds[ref.kind], ref.name) for ref in refs):
                if not await _poke(session, source, wait=wait, deadline=deadline):
                    return False
        return await _poke(session, named, wait=wait, deadline=deadline)


async def _poke(session: Session, named: Named, *, wait: bool, deadline: float) -> bool:
    body = await read(session, named)
    if body["spec"].get("suspend"):
        raise UsageError(f"{named} is suspended", remedy=f"trimtab resume {argument(named)}")
    stamp = datetime.now(UTC).isoformat()
    patch = {"metadata": {"annotations": {REQUESTED_AT_ANNOTATION: stamp}}}
    ref = ObjectRef(LOCAL_CLUSTER, named.kind.group, named.kind.kind, session.namespace, named.name)
    await session.objects.merge(ref, named.kind.version, patch)
    if not wait:
        typer.echo(f"{named} is asked to reconcile")
        return True
    with Ticker(str(named)) as ticker:
        status = await _handled(session, named, stamp, deadline, ticker)
    ready = status.condition(READY)
    typer.echo(f"{named}: {_sentence(ready)}")
    return ready is not None and ready.status is ConditionStatus.TRUE


async def _handled(session: Session, named: Named, stamp: str, deadline: float, ticker: Ticker) -> Status:
    """The status once the controller has acted on the poke and rests. Raises UsageError when time is up."""
    status = Status()
    while time.monotonic() < deadline:
        body = await read(session, named)
        status = _status(named, body)
        if status.last_handled_reconcile_at == stamp and rests(status):
            return status
        ticker.show(_sentence(status.condition(READY)))
        await asyncio.sleep(_POLL_SECONDS)
    if status.last_handled_reconcile_at != stamp:
        raise UsageError(
            f"no controller acted on {named} in time", remedy=f"is `trimtab run -n {session.namespace}` running?"
        )
    raise UsageError(f"{named} is not ready in time: {_sentence(status.condition(READY))}")


def rests(status: Status) -> bool:
    """Whether the controller is done with it for now: nothing under way, or only retries of a failure."""
    reconciling = status.condition(RECONCILING)
    return reconciling is None or reconciling.status is not ConditionStatus.TRUE or reconciling.reason in _SETTLED


def _status(named: Named, body: dict[str, Any]) -> Status:
    return as_application(body).status if named.kind == APPLICATION else as_source(body).status


def _sentence(ready: Condition | None) -> str:
    if ready is None:
        return "waiting for the controller"
    return ready.message or ready.reason
