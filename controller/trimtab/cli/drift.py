"""`trimtab drift`: what others changed in the cluster, field by field, standing and lately corrected.

Statuses flow in; a table, JSON or YAML flows out. Where a status has no room for all of it, the rest is asked of the
server by rehearsal.
"""

import asyncio
import time
from typing import Annotated, Final

import typer

from trimtab.api.application import Application, DriftItem
from trimtab.cli.options import DEFAULT_NAMESPACE, Context, Kubeconfig, Namespace, Output, Outputs, Target
from trimtab.cli.printing import note, print_data, print_table
from trimtab.cli.resources import APPLICATION, Named, UsageError, as_application, read, read_all
from trimtab.cli.session import Session, open_session
from trimtab.report.drift_items import DRIFT_ITEMS
from trimtab.report.text import Table, drift_table

EXIT_DRIFTED: Final = 1


def drift(
    name: Annotated[
        str | None, typer.Argument(metavar="[APP]", help="The Application; all where none is named.")
    ] = None,
    output: Output = Outputs.TABLE,
    namespace: Namespace = DEFAULT_NAMESPACE,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
) -> None:
    """Show drift: object, field, declared and live value, who did it, since when, and when it was corrected.

    Exits 0 where none stands, 1 where some does, 2 on an error.

    Example: trimtab drift shop -o json
    """
    if asyncio.run(_drift(Target(kubeconfig, context, namespace), name, output)):
        raise typer.Exit(EXIT_DRIFTED)


async def _drift(target: Target, name: str | None, output: Outputs) -> bool:
    """Print it; whether any stands."""
    async with open_session(target) as session:
        if name:
            named = Named.parse(name)
            if named.kind != APPLICATION:
                raise UsageError(f"{named} is no Application", remedy="name an Application")
            bodies = [await read(session, named)]
        else:
            bodies = await read_all(session, APPLICATION, session.namespace)
        applications = [await _complete(session, as_application(body)) for body in bodies]
    if output is Outputs.TABLE:
        print_table(_rows(applications), empty="no drift is known")
    else:
        print_data([_data(each, item) for each in applications for item in each.status.drift], output)
    return any(item.corrected is None for each in applications for item in each.status.drift)


def _rows(applications: list[Application]) -> Table:
    now_seconds = time.time()
    tables = [(each.metadata.name, drift_table(each, now_seconds=now_seconds)) for each in applications]
    columns = ("APPLICATION", *(tables[0][1].columns if tables else ()))
    return Table(columns, tuple((name, *row) for name, table in tables for row in table.rows))


def _data(application: Application, item: DriftItem) -> dict[str, object]:
    return {"application": application.metadata.name, **item.to_body()}


async def _complete(session: Session, application: Application) -> Application:
    """The Application with all of its standing drift, though status bounds how much it shows."""
    status = application.status
    standing = {item.object for item in status.drift if item.corrected is None}
    drifted = status.inventory.drifted if status.inventory else 0
    # Standing drift comes first: where the last item is standing and the list is full, more may have been cut off.
    full = len(status.drift) >= DRIFT_ITEMS and status.drift[-1].corrected is None
    if drifted <= len(standing) and not full:
        return application
    from trimtab.cli.all_drift import all_drift

    note(f"the status of {application.metadata.name} has no room for all of it: asking the server")
    found = await all_drift(session, application)
    return application.model_copy(update={"status": status.model_copy(update={"drift": found})})
