"""`trimtab install`: what a cluster needs before the controller can run.

The CRDs made from the models flow in; they are applied by server-side apply and waited for.
"""

import asyncio
import time
from typing import Annotated, Any, Final

import typer

from trimtab.cli.options import DEFAULT_NAMESPACE, Context, Kubeconfig, Target
from trimtab.cli.resources import UsageError
from trimtab.cli.session import Session, open_session
from trimtab.core.observed import Live
from trimtab.core.refs import ObjectRef

_ESTABLISH_SECONDS: Final = 30.0


def install(
    crds_only: Annotated[bool, typer.Option("--crds-only", help="Install the CustomResourceDefinitions.")] = False,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
) -> None:
    """Install the CustomResourceDefinitions, or renew them. Exits 0, or 2 on an error.

    Running the controller inside the cluster is not offered yet: run it beside it with `trimtab run`.

    Example: trimtab install --crds-only
    """
    if not crds_only:
        raise UsageError(
            "only the CustomResourceDefinitions can be installed so far",
            remedy="use `trimtab install --crds-only`, then `trimtab run`",
        )
    asyncio.run(_install(Target(kubeconfig, context, DEFAULT_NAMESPACE)))


async def _install(target: Target) -> None:
    from trimtab.api.crd import crds

    async with open_session(target) as session:
        for body in crds():
            ref = ObjectRef.of(body)
            before = await session.objects.get(ref, "v1")
            after = await session.objects.apply(body)
            await _established(session, ref)
            typer.echo(f"{ref} {_what(before, after)}")


def _what(before: object, after: dict[str, Any]) -> str:
    if not isinstance(before, Live):
        return "created"
    same = before.resource_version == after["metadata"]["resourceVersion"]
    return "unchanged" if same else "renewed"


async def _established(session: Session, ref: ObjectRef) -> None:
    deadline = time.monotonic() + _ESTABLISH_SECONDS
    while time.monotonic() < deadline:
        found = await session.objects.get(ref, "v1")
        conditions = found.body.get("status", {}).get("conditions") or () if isinstance(found, Live) else ()
        if any(each["type"] == "Established" and each["status"] == "True" for each in conditions):
            return
        await asyncio.sleep(0.05)
    raise UsageError(f"{ref} was not established within {_ESTABLISH_SECONDS:.0f} s", remedy="see its conditions")
