"""`trimtab diff`: what the newest revision, another one or a working copy would change in the cluster.

An Application's name flows in; a unified diff per object flows out, as text or in JSON or YAML, as a server dry run of
the controller's own applies tells it.
"""

import asyncio
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from trimtab.api.application import Application, DriftMode
from trimtab.cli.options import DEFAULT_NAMESPACE, Context, Kubeconfig, Namespace, Output, Outputs, Target
from trimtab.cli.printing import note, print_data
from trimtab.cli.resources import APPLICATION, Named, UsageError, as_application, read
from trimtab.cli.session import open_session

if TYPE_CHECKING:
    from trimtab.cli.rehearsal import Rehearsal

EXIT_DIFFERENT: Final = 1
EXIT_ERROR: Final = 2


@dataclass(frozen=True, slots=True)
class _Difference:
    """What would become of one object. `text` is its unified diff, `remark` what else to know."""

    object: str
    action: str
    text: str
    remark: str


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
    output: Output = Outputs.TABLE,
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
    coloured = output is Outputs.TABLE and (sys.stdout.isatty() if colour is None else colour)
    target = Target(kubeconfig, context, namespace)
    code = asyncio.run(_diff(target, named, revision=revision, path=path, output=output, coloured=coloured))
    if code:
        raise typer.Exit(code)


async def _diff(
    target: Target, named: Named, *, revision: str, path: Path | None, output: Outputs, coloured: bool
) -> int:
    from trimtab.cli.declared import declared
    from trimtab.cli.rehearsal import rehearse

    async with open_session(target) as session:
        application = as_application(await read(session, named))
        state = await declared(session, application, revision=revision, working_copy=path)
        rehearsal = await rehearse(session, state)
    found = _differences(rehearsal, _only_reported(application), coloured=coloured)
    shown = str(path or state.desired.revision)
    if output is Outputs.TABLE:
        _print(found, rehearsal, shown, coloured=coloured)
    else:
        print_data(_data(found, rehearsal, shown), output)
    if rehearsal.problems:
        return EXIT_ERROR
    return EXIT_DIFFERENT if found else 0


def _differences(rehearsal: "Rehearsal", reported: set[str], *, coloured: bool) -> list[_Difference]:
    from trimtab.report.diff import unified_diff

    found = []
    for each in rehearsal.objects:
        text = unified_diff(each.ref, each.before, each.after, coloured=coloured)
        remark = each.note or ("drift, which is only reported" if str(each.ref) in reported else "")
        if text or each.note:
            found.append(_Difference(str(each.ref), each.action, text, remark))
    return found


def _print(found: list[_Difference], rehearsal: "Rehearsal", shown: str, *, coloured: bool) -> None:
    for each in found:
        typer.echo(f"# {each.object}: {each.action}{f' ({each.remark})' if each.remark else ''}")
        typer.echo(each.text, nl=False, color=coloured)
    for ref in rehearsal.kept:
        note(f"{ref} is no longer declared, and stays: nothing is pruned")
    for problem in rehearsal.problems:
        note(f"Error: {problem}")
    counts = Counter(each.action for each in found)
    note(f"{shown}: {_summary(counts)}")


def _data(found: list[_Difference], rehearsal: "Rehearsal", shown: str) -> dict[str, object]:
    """The same for scripts: `kept` are objects that are no longer declared and stay."""
    return {
        "revision": shown,
        "objects": [
            {"object": each.object, "action": each.action, "remark": each.remark, "diff": each.text} for each in found
        ],
        "kept": [str(ref) for ref in rehearsal.kept],
        "errors": [str(problem) for problem in rehearsal.problems],
    }


def _only_reported(application: Application) -> set[str]:
    """Objects whose standing drift nobody corrects."""
    if application.spec.drift.mode is DriftMode.CORRECT:
        return set()
    return {item.object for item in application.status.drift if item.corrected is None}


def _summary(counts: Counter[str]) -> str:
    return ", ".join(f"{count} to {action}" for action, count in counts.items()) or "nothing would change"
