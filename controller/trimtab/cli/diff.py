"""`trimtab diff`: what the newest revision, another one or a working copy would change in the cluster.

An Application's name flows in; a unified diff per object flows out, as a server dry run of the controller's own applies
tells it.
"""

import asyncio
import sys
from collections import Counter
from pathlib import Path
from typing import Annotated, Final

import typer

from trimtab.api.application import Application, DriftMode
from trimtab.cli.options import DEFAULT_NAMESPACE, Context, Kubeconfig, Namespace, Target
from trimtab.cli.printing import note
from trimtab.cli.resources import APPLICATION, Named, UsageError, as_application, read
from trimtab.cli.session import open_session

EXIT_DIFFERENT: Final = 1
EXIT_ERROR: Final = 2


def diff(
    name: Annotated[str, typer.Argument(metavar="APP", help="The Application.")],
    path: Annotated[
        Path | None,
        typer.Option(
            help="Compare with this working copy in place of the repository; spec.path is looked up in it.",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    revision: Annotated[
        str, typer.Option(help="Compare with this commit (its full SHA) or branch; the newest revision by default.")
    ] = "",
    colour: Annotated[
        bool | None, typer.Option("--colour/--no-colour", help="Coloured output; by default on a terminal only.")
    ] = None,
    namespace: Namespace = DEFAULT_NAMESPACE,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
) -> None:
    """Show what would change in the cluster, as unified diffs; values of Secrets are masked.

    Exits 0 where nothing would change, 1 where something would, 2 on an error.

    Example: trimtab diff shop --path .
    """
    if path and revision:
        raise UsageError("--path and --revision exclude each other", remedy="leave one of them out")
    named = Named.parse(name)
    if named.kind != APPLICATION:
        raise UsageError(f"{named} is no Application", remedy="name an Application")
    coloured = sys.stdout.isatty() if colour is None else colour
    code = asyncio.run(
        _diff(Target(kubeconfig, context, namespace), named, revision=revision, path=path, coloured=coloured)
    )
    if code:
        raise typer.Exit(code)


async def _diff(target: Target, named: Named, *, revision: str, path: Path | None, coloured: bool) -> int:
    from trimtab.cli.declared import declared
    from trimtab.cli.rehearsal import rehearse
    from trimtab.report.diff import unified_diff

    async with open_session(target) as session:
        application = as_application(await read(session, named))
        state = await declared(session, application, revision=revision, working_copy=path)
        rehearsal = await rehearse(session, state)
    reported = _only_reported(application)
    counts: Counter[str] = Counter()
    for each in rehearsal.objects:
        text = unified_diff(each.ref, each.before, each.after, coloured=coloured)
        if not text and not each.note:
            continue
        counts[each.action] += 1
        remark = each.note or ("drift, which is only reported" if str(each.ref) in reported else "")
        typer.echo(f"# {each.ref}: {each.action}{f' ({remark})' if remark else ''}")
        typer.echo(text, nl=False, color=coloured)
    for ref in rehearsal.kept:
        note(f"{ref} is no longer declared, and stays: nothing is pruned")
    for problem in rehearsal.problems:
        note(f"Error: {problem}")
    note(f"{path or state.desired.revision}: {_summary(counts)}")
    if rehearsal.problems:
        return EXIT_ERROR
    return EXIT_DIFFERENT if counts else 0


def _only_reported(application: Application) -> set[str]:
    """Objects whose standing drift nobody corrects."""
    if application.spec.drift.mode is DriftMode.CORRECT:
        return set()
    return {item.object for item in application.status.drift if item.corrected is None}


def _summary(counts: Counter[str]) -> str:
    return ", ".join(f"{count} to {action}" for action, count in counts.items()) or "nothing would change"
