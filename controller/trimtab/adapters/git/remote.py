"""The server's side of a mirror: asking what a ref stands at, and running commands that talk to it.

A checked URL, credentials and a wanted ref flow in, tips or a `SourceError` flow out. Runs in a worker.
"""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import git

from trimtab.adapters.git.environment import basic_token, network_environment
from trimtab.core.errors import Problem, SourceError
from trimtab.source.failures import problem_of, redirected
from trimtab.source.ref import Branch, DefaultBranch, Tag
from trimtab.source.url import show_url

_LOCATION = re.compile(r"Recv header: location:\s*(\S+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Tip:
    """What a ref stands at: the name for the revision, the full ref to fetch, and the (peeled) commit's SHA.

    `tag_sha` is the tag object's, where the ref is an annotated tag.
    """

    name: str
    remote_ref: str
    sha: str
    tag_sha: str = ""


@dataclass(frozen=True, slots=True)
class Remote:
    """A repository on a server. `environment` and `secrets` hold credentials, `repr` shows none."""

    url: str
    environment: Mapping[str, str]
    secrets: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Remote({show_url(self.url)})"

    def run(self, commands: git.Git, name: str, *arguments: str) -> str:
        """Run a git command against the server; its output. Raises SourceError as git's words tell."""
        status, output, words = self._try(commands, name, *arguments)
        if status == 0:
            return output
        problem = problem_of(words, url=self.url, secrets=self.secrets)
        if problem.reason == "Redirected":
            problem = redirected(self.url, self._location(commands))
        raise SourceError(problem)

    def tip(self, commands: git.Git, wanted: Branch | Tag | DefaultBranch) -> Tip:
        """Ask where a ref stands. Raises SourceError, among others with EmptyRepository and RefNotFound."""
        if isinstance(wanted, DefaultBranch):
            return self._default_branch(commands)
        kind, flag = ("branch", "--heads") if isinstance(wanted, Branch) else ("tag", "--tags")
        ref, peeled = wanted.remote_ref, f"{wanted.remote_ref}^{{}}"
        output = self.run(commands, "ls_remote", flag, "--", self.url, ref, peeled)
        # `ls-remote` matches the ends of names, so that more than was asked for may be among the rows.
        rows = dict(line.split("\t")[::-1] for line in output.splitlines() if "\t" in line)
        sha = rows.get(peeled) or rows.get(ref)
        if sha is None:
            raise self._missing(commands, f"{kind} {wanted.name}")
        return Tip(wanted.name, ref, sha, rows[ref] if peeled in rows and ref in rows else "")

    def _default_branch(self, commands: git.Git) -> Tip:
        output = self.run(commands, "ls_remote", "--symref", "--", self.url, "HEAD")
        rows = dict(line.split("\t")[::-1] for line in output.splitlines() if not line.startswith("ref: "))
        symbolic = [line for line in output.splitlines() if line.startswith("ref: ") and line.endswith("\tHEAD")]
        if "HEAD" not in rows:
            raise self._missing(commands, "default branch")
        full = symbolic[0].removeprefix("ref: ").removesuffix("\tHEAD") if symbolic else "HEAD"
        return Tip(full.removeprefix("refs/heads/"), full, rows["HEAD"])

    def _missing(self, commands: git.Git, what: str) -> SourceError:
        if not self.run(commands, "ls_remote", "--", self.url):
            return SourceError(
                Problem(
                    f"{show_url(self.url)}: the repository is empty",
                    reason="EmptyRepository",
                    remedy="push a first commit to it; check spec.url where there is one already",
                    retry=True,
                )
            )
        return SourceError(
            Problem(
                f"{show_url(self.url)}: {what} does not exist",
                reason="RefNotFound",
                remedy="check spec.ref, or push it; what was applied last stays as it is meanwhile",
                retry=True,
            )
        )

    def _location(self, commands: git.Git) -> str:
        """Ask once more, and read from the trace where the server points; git itself does not tell.

        The trace blots out credentials, and only the one header is taken from it.
        """
        with commands.custom_environment(GIT_TRACE_CURL="1", GIT_TRACE_CURL_NO_DATA="1", GIT_TRACE_REDACT="1"):
            _, _, words = self._try(commands, "ls_remote", "--", self.url)
        found = _LOCATION.search(words)
        return found.group(1) if found else ""

    def _try(self, commands: git.Git, name: str, *arguments: str) -> tuple[int, str, str]:
        with commands.custom_environment(**self.environment):
            return run(commands, name, *arguments)


def run(commands: git.Git, name: str, *arguments: str) -> tuple[int, str, str]:
    """Run a git command; its exit status, output and error output."""
    done = getattr(commands, name)(*arguments, with_extended_output=True, with_exceptions=False)
    status, output, words = done
    return int(status), str(output), str(words)


@contextmanager
def opened(url: str, *, username: str, password: str, ca_pem: str) -> Iterator[Remote]:
    """A Remote for as long as the block runs; its CA lies in memory that ends with it."""
    secrets = tuple(filter(None, (password, basic_token(username, password) if username or password else "")))
    descriptor = os.memfd_create("ca") if ca_pem else -1
    try:
        ca_path = ""
        if ca_pem:
            os.write(descriptor, ca_pem.encode())
            ca_path = f"/proc/{os.getpid()}/fd/{descriptor}"
        yield Remote(url, network_environment(username=username, password=password, ca_path=ca_path), secrets)
    finally:
        if ca_pem:
            os.close(descriptor)
