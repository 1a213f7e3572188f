"""The server's side of a mirror: asking what a ref stands at, and running commands that talk to it.

A checked URL, credentials and a wanted ref flow in, tips or a `SourceError` flow out. Runs in a worker.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import IO

import git

from trimtab.core.errors import Problem, SourceError
from trimtab.source.failures import problem_of, redirected, refused_host_key, through_proxy
from trimtab.source.proxy import Proxy
from trimtab.source.ref import Branch, DefaultBranch, Name, Semver, Tag, WantedTip
from trimtab.source.ssh_keys import host_alias, known_hosts
from trimtab.source.url import place_of, show_url

_HOST_KEY = re.compile(r"debug1: Server host key: (\S+ SHA256:\S+)")
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
    secrets: tuple[str, ...] = ()
    verbose: Mapping[str, str] | None = None
    """For SSH: the environment in which ssh tells what the server shows."""
    known_hosts: str = ""
    proxy: Proxy | None = None

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
        if problem.reason == "HostKeyRefused":
            problem = self._refused_host_key(commands)
        raise SourceError(through_proxy(problem, self.proxy) if self.proxy else problem)

    def tip(self, commands: git.Git, wanted: WantedTip) -> Tip:
        """Ask where a ref stands. Raises SourceError, among others with EmptyRepository and RefNotFound."""
        match wanted:
            case DefaultBranch():
                return self._default_branch(commands)
            case Branch():
                return self._named(commands, wanted.remote_ref, wanted.name, f"branch {wanted.name}", "--heads")
            case Tag():
                return self._named(commands, wanted.remote_ref, wanted.name, f"tag {wanted.name}", "--tags")
            case Name():
                return self._named(commands, wanted.remote_ref, wanted.short, f"ref {wanted.name}")
            case Semver():
                return self._highest(commands, wanted)

    def _named(self, commands: git.Git, ref: str, name: str, what: str, *flags: str) -> Tip:
        peeled = f"{ref}^{{}}"
        # `ls-remote` matches the ends of names, so that more than was asked for may be among the rows.
        rows = _rows(self.run(commands, "ls_remote", *flags, "--", self.url, ref, peeled))
        sha = rows.get(peeled) or rows.get(ref)
        if sha is None:
            raise self._missing(commands, what)
        return Tip(name, ref, sha, _tag_sha(rows, ref))

    def _highest(self, commands: git.Git, wanted: Semver) -> Tip:
        """Annotated tags have a second row for the commit, which ends with ^{}."""
        rows = _rows(self.run(commands, "ls_remote", "--tags", "--", self.url))
        tags = [ref.removeprefix("refs/tags/") for ref in rows if ref.startswith("refs/tags/")]
        tag = wanted.range.highest(tags)
        if not tag:
            error = self._missing(commands, f"a tag with a version in {wanted.name}")
            remedy = "push such a tag, or widen ref.semver; pre-releases count only where it names one, as in >=1.0.0-0"
            if error.reason == "RefNotFound":
                error = SourceError(replace(error.problems[0], remedy=remedy))
            raise error
        ref = f"refs/tags/{tag}"
        return Tip(tag, ref, rows.get(f"{ref}^{{}}") or rows[ref], _tag_sha(rows, ref))

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

    def _refused_host_key(self, commands: git.Git) -> Problem:
        """Ask once more, and have ssh say which key the server shows; without being asked it only refuses."""
        _, _, words = replace(self, environment=self.verbose or {})._try(commands, "ls_remote", "--", self.url)
        found = _HOST_KEY.search(words)
        place = place_of(self.url)
        alias = host_alias(place.host, place.port)
        known = [str(host) for host in known_hosts(self.known_hosts) if host.names(alias)]
        return refused_host_key(self.url, shown=found.group(1) if found else "", known=known)

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


def run(commands: git.Git, name: str, *arguments: str, istream: IO[bytes] | None = None) -> tuple[int, str, str]:
    """Run a git command; its exit status, output and error output. `istream` is a file that it reads."""
    done = getattr(commands, name)(*arguments, istream=istream, with_extended_output=True, with_exceptions=False)
    status, output, words = done
    return int(status), str(output), str(words)


def _tag_sha(rows: Mapping[str, str], ref: str) -> str:
    """The annotated tag that a ref names; empty where it names a commit."""
    return rows[ref] if ref in rows and f"{ref}^{{}}" in rows else ""


def _rows(output: str) -> dict[str, str]:
    """SHA by ref, of what `ls-remote` prints."""
    return dict(line.split("\t")[::-1] for line in output.splitlines() if "\t" in line)
