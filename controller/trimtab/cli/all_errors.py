"""Every error of an Application, where its status holds the first fifty only.

An Application flows in; its attempted revision is rendered and rehearsed here, and all problems flow out.
"""

from collections.abc import Iterable

from trimtab.api.application import Application, ErrorItem
from trimtab.cli.declared import declared
from trimtab.cli.rehearsal import rehearse
from trimtab.cli.session import Session
from trimtab.core.errors import Problem, RenderError
from trimtab.report.application import error_item


async def all_errors(session: Session, application: Application) -> tuple[ErrorItem, ...]:
    """Errors found anew, then those of the status that only a real apply meets. Raises SourceError, ApiError."""
    try:
        state = await declared(session, application, revision=application.status.last_attempted_revision or "")
        problems: Iterable[Problem] = (await rehearse(session, state)).problems
    except RenderError as error:
        problems = error.problems
    found = [error_item(problem) for problem in problems]
    known = {(each.object, each.file, each.line) for each in found}
    rest = [each for each in application.status.errors if (each.object, each.file, each.line) not in known]
    return (*found, *rest)
