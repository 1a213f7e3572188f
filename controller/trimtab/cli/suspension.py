"""`trimtab suspend` and `trimtab resume`: stop both syncing and healing for a while, and take them up again.

Names flow in; `spec.suspend` of each is patched, and said on stdout.
"""

import asyncio
from typing import Annotated, Final

import typer

from trimtab.cli.options import DEFAULT_NAMESPACE, Context, Kubeconfig, Namespace, Target
from trimtab.cli.resources import APPLICATION, SOURCES, Named, UsageError, kind_of, read, read_all
from trimtab.cli.session import open_session
from trimtab.core.refs import LOCAL_CLUSTER, ObjectRef

Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NAME|KIND/NAME]...", help="Applications, or sources: repository, oci or helm/NAME."),
]
All = Annotated[
    bool, typer.Option("--all", help="All Applications, or with `repositories`, `oci` or `helm` all of these.")
]
_KIND_WORDS: Final = "applications, repositories, oci or helm"


def suspend(
    names: Names = None,
    everything: All = False,
    namespace: Namespace = DEFAULT_NAMESPACE,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
) -> None:
    """Suspend Applications (neither synced nor healed) or sources (not fetched). Exits 0, or 2 on an error.

    Example: trimtab suspend shop repository/fleet
    """
    asyncio.run(_set(Target(kubeconfig, context, namespace), names or [], everything=everything, suspended=True))


def resume(
    names: Names = None,
    everything: All = False,
    namespace: Namespace = DEFAULT_NAMESPACE,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
) -> None:
    """Take up syncing, healing and fetching again. Exits 0, or 2 on an error.

    Example: trimtab resume --all
    """
    asyncio.run(_set(Target(kubeconfig, context, namespace), names or [], everything=everything, suspended=False))


async def _set(target: Target, names: list[str], *, everything: bool, suspended: bool) -> None:
    async with open_session(target) as session:
        if everything:
            kinds = [kind_of(name) for name in names] or [APPLICATION]
            if None in kinds:
                raise UsageError("--all goes with no names", remedy=f"leave them out, or say {_KIND_WORDS}")
            wanted = [
                Named(kind, body["metadata"]["name"])
                for kind in (APPLICATION, *SOURCES)
                if kind in kinds
                for body in await read_all(session, kind, session.namespace)
            ]
        else:
            wanted = [Named.parse(name) for name in names]
        if not wanted:
            raise UsageError("nothing is named", remedy="give names, or --all")
        # All are looked up before the first is changed: a typing error must not leave half of it done.
        bodies = [await read(session, named) for named in wanted]
        for named, body in zip(wanted, bodies, strict=True):
            was = bool(body["spec"].get("suspend"))
            if was != suspended:
                ref = ObjectRef(LOCAL_CLUSTER, named.kind.group, named.kind.kind, session.namespace, named.name)
                await session.objects.merge(ref, named.kind.version, {"spec": {"suspend": suspended}})
            state = "suspended" if suspended else "resumed"
            typer.echo(f"{named} {f'was {state} already' if was == suspended else state}")
