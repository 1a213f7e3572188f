"""The bytes of commits and tags as Git keeps them: what signatures are made over.

A RawObject request flows in, base64 flows out. Runs in a worker.
"""

import base64
from pathlib import Path

from trimtab.adapters.git import store
from trimtab.adapters.git.messages import RawObject
from trimtab.adapters.git.remote import run
from trimtab.core.errors import Problem, SourceError


def raw(request: RawObject) -> str:
    """The object's content. Raises SourceError (CommitNotFetched, ContentRefused)."""
    kind, sha = ("tag", request.tag_sha) if request.tag_sha else ("commit", request.sha)
    with store.open_tips(Path(request.mirror), request.sha) as tips:
        status, size, _ = run(tips.git, "cat_file", "-s", sha)
        if status:
            # A tag may have moved between the look at it and the fetch.
            raise store.not_fetched(sha)
        if int(size) > request.max_bytes:
            problem = Problem(
                f"the {kind} object {sha} is larger than {request.max_bytes} bytes",
                reason="ContentRefused",
                remedy="shorten its message",
                retry=True,
            )
            raise SourceError(problem)
        done = tips.git.cat_file(
            kind,
            sha,
            with_extended_output=True,
            with_exceptions=False,
            stdout_as_string=False,
            strip_newline_in_stdout=False,
        )
        if done[0]:
            raise store.broken(Path(tips.git_dir), str(done[2]))
        return base64.b64encode(done[1]).decode()
