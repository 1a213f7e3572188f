"""`trimtab get`: how Applications and their sources fare.

Objects are read from the cluster; tables, JSON or YAML flow out.
"""

import asyncio
import sys
import time
from dataclasses import replace
from typing import Annotated, Any

import typer

from trimtab.api.application import ApplicationStatus
from trimtab.api.git_repository import GitRepository
from trimtab.api.model import Status
from trimtab.cli.options import DEFAULT_NAMESPACE, Context, Kubeconfig, Namespace, Output, Outputs, Target
from trimtab.cli.printing import as_list, note, print_data, print_table, without_managed_fields
from trimtab.cli.resources import (
    APPLICATION,
    REPOSITORY,
    SOURCES,
    Named,
    UsageError,
    as_application,
    as_repository,
    as_source,
    kind_of,
    read,
    read_all,
)
from trimtab.cli.session import Session, open_session
from trimtab.core.refs import ResourceType
from trimtab.report.text import (
    Table,
    age,
    applications_table,
    errors_table,
    fetched_table,
    history_table,
    repositories_table,
)


def get(
    what: Annotated[
        str, typer.Argument(metavar="[all|applications|repositories|oci|helm|NAME|KIND/NAME]", show_default=False)
    ] = "all",
    errors: Annotated[bool, typer.Option("--errors", help="All errors of an Application, not just the first.")] = False,
    history: Annotated[bool, typer.Option("--history", help="The last revisions of an Application.")] = False,
    all_namespaces: Annotated[bool, typer.Option("--all-namespaces", "-A", help="Of every namespace.")] = False,
    output: Output = Outputs.TABLE,
    namespace: Namespace = DEFAULT_NAMESPACE,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
) -> None:
    """Show Applications and their sources: ready, healthy, drifted, revision and what there is to know.

    A NAME is that of an Application. Where status has no room for all errors, `--errors` finds them anew, by rendering
    the revision here and rehearsing it on the server. Exits 0, or 2 on an error.

    Example: trimtab get shop --errors
    """
    target = Target(kubeconfig, context, namespace)
    words = {"all": (*SOURCES, APPLICATION)}
    kind = kind_of(what)
    if errors or history:
        if what in words or kind:
            raise UsageError("--errors and --history are of one Application", remedy="name it: trimtab get NAME")
        asyncio.run(_errors(target, what, output) if errors else _history(target, what, output))
    elif kind or what in words:
        asyncio.run(_many(target, (kind,) if kind else words[what], output, "" if all_namespaces else namespace))
    else:
        asyncio.run(_one(target, Named.parse(what), output))


async def _many(target: Target, kinds: tuple[ResourceType, ...], output: Outputs, namespace: str) -> None:
    async with open_session(target) as session:
        found = {kind: await read_all(session, kind, namespace) for kind in kinds}
    if output is not Outputs.TABLE:
        print_data(as_list([body for bodies in found.values() for body in bodies]), output)
        return
    shown = [table(kind, bodies, namespaces=not namespace) for kind, bodies in found.items() if bodies]
    if not shown:
        note(f"nothing found in namespace {namespace}" if namespace else "nothing found")
    for index, each in enumerate(shown):
        if index:
            typer.echo()
        _print(each)


def _print(shown: Table) -> None:
    """The table; a terminal is too narrow for messages, which follow below for what is not ready."""
    if not sys.stdout.isatty():
        print_table(shown)
        return
    name, ready = shown.columns.index("NAME"), shown.columns.index("READY")
    print_table(Table(shown.columns[:-1], tuple(row[:-1] for row in shown.rows)))
    for row in shown.rows:
        if row[ready] != "True" and row[-1]:
            typer.echo(f"{row[name]}: {row[-1]}")


def table(kind: ResourceType, bodies: list[dict[str, Any]], *, namespaces: bool) -> Table:
    """The rows of one kind, with the age of each object, and with its namespace if asked for."""
    now_seconds = time.time()
    if kind == APPLICATION:
        plain = applications_table(as_application(body) for body in bodies)
    elif kind == REPOSITORY:
        plain = repositories_table((as_repository(body) for body in bodies), now_seconds=now_seconds)
    else:
        sources = [as_source(body) for body in bodies]
        plain = fetched_table(each for each in sources if not isinstance(each, GitRepository))
    born = {
        (body["metadata"].get("namespace", ""), body["metadata"]["name"]): body["metadata"].get("creationTimestamp")
        for body in bodies
    }
    ages = [age(made, now_seconds=now_seconds) if (made := born[row[0], row[1]]) else "" for row in plain.rows]
    # The namespace stands first. Messages are long: they stay last.
    first = 0 if namespaces else 1
    columns = (*plain.columns[first:-1], "AGE", plain.columns[-1])
    rows = tuple((*row[first:-1], old, row[-1]) for row, old in zip(plain.rows, ages, strict=True))
    return replace(plain, columns=columns, rows=rows)


async def _one(target: Target, named: Named, output: Outputs) -> None:
    async with open_session(target) as session:
        body = await read(session, named)
    if output is not Outputs.TABLE:
        print_data(without_managed_fields(body), output)
        return
    shown = table(named.kind, [body], namespaces=False)
    # The conditions below say more than the message.
    print_table(Table(shown.columns[:-1], tuple(row[:-1] for row in shown.rows)))
    status: Status = as_application(body).status if named.kind == APPLICATION else as_source(body).status
    typer.echo()
    print_table(_conditions(status))
    if isinstance(status, ApplicationStatus):
        if status.errors:
            count = status.errors_total or len(status.errors)
            typer.echo(f"\n{count} error{'s' if count > 1 else ''}: trimtab get {named.name} --errors")
        if any(item.corrected is None for item in status.drift):
            typer.echo(f"\nthere is drift: trimtab drift {named.name}")


def _conditions(status: Status) -> Table:
    now_seconds = time.time()
    rows = tuple(
        (each.type, each.status, each.reason, age(each.last_transition_time, now_seconds=now_seconds), each.message)
        for each in status.conditions
    )
    return Table(("CONDITION", "STATUS", "REASON", "SINCE", "MESSAGE"), rows)


async def _errors(target: Target, name: str, output: Outputs) -> None:
    async with open_session(target) as session:
        application = as_application(await _application(session, name))
        status = application.status
        if (status.errors_total or 0) > len(status.errors):
            from trimtab.cli.all_errors import all_errors

            note(f"status holds {len(status.errors)} of {status.errors_total} errors: rehearsing the revision")
            found = await all_errors(session, application)
            application = application.model_copy(update={"status": status.model_copy(update={"errors": found})})
    if output is not Outputs.TABLE:
        print_data([error.to_body() for error in application.status.errors], output)
        return
    print_table(errors_table(application), empty=f"Application {name} has no errors")


async def _history(target: Target, name: str, output: Outputs) -> None:
    async with open_session(target) as session:
        application = as_application(await _application(session, name))
    if output is not Outputs.TABLE:
        print_data([item.to_body() for item in application.status.history], output)
        return
    shown = history_table(application, now_seconds=time.time())
    print_table(shown, empty=f"Application {name} has no history yet")


async def _application(session: Session, name: str) -> dict[str, Any]:
    named = Named.parse(name)
    if named.kind != APPLICATION:
        raise UsageError(f"{named} is no Application", remedy="name an Application")
    return await read(session, named)
