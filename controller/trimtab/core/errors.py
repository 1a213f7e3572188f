"""Failures as users read them: which object, which file and line, what is wrong, what to do.

Stages return or raise them; status, Events and the CLI print them. No message holds a secret.
"""

from dataclasses import dataclass

from trimtab.core.authorship import LastChange
from trimtab.core.manifest import Origin
from trimtab.core.refs import ObjectRef


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    `retry` says whether time alone may mend it, `last_change` whom to ask; of files that have no history, `artifact` is
    the revision of what they came in.
    """

    message: str
    ref: ObjectRef | None = None
    origin: Origin | None = None
    remedy: str = ""
    reason: str = "Failed"
    retry: bool = False
    last_change: LastChange | None = None
    artifact: str = ""

    def __str__(self) -> str:
        place = f"{self.origin}: " if self.origin else ""
        subject = f"{self.ref}: " if self.ref else ""
        remedy = f" ({self.remedy})" if self.remedy else ""
        change = f" [{self.last_change}]" if self.last_change else ""
        artifact = f" [of {self.artifact}]" if self.artifact else ""
        return f"{place}{subject}{self.message}{remedy}{change}{artifact}"


class TrimtabError(Exception):
    """Base of all expected failures; carries the problems to show, at least one.

    `reason` is the CamelCase word for the condition, `retry` whether time alone may mend it.
    """

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        super().__init__("; ".join(str(problem) for problem in problems))

    @property
    def reason(self) -> str:
        """The first problem's reason."""
        return self.problems[0].reason

    @property
    def retry(self) -> bool:
        """Whether any of the problems may go away by itself."""
        return any(problem.retry for problem in self.problems)


class SourceError(TrimtabError):
    """A source could not be resolved or fetched."""


class RenderError(TrimtabError):
    """Manifests could not be read or built; the desired state is incomplete."""


class PlanRefused(TrimtabError):
    """A guard refused the plan."""
