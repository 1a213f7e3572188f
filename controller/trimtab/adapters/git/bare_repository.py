"""A bare repository that is written to by program, for the demo and for tests: commits without a working tree.

Files as a mapping flow in, commit SHAs flow out; every write is one run of the real `git fast-import`.
"""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

LINK_MODE = "120000"


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link, in place of a file's text."""

    target: str


Content = str | bytes | Link | None
"""What a path shall hold; None removes it."""


@dataclass(frozen=True, slots=True)
class BareRepository:
    """A bare repository at `path`; `author` is `Name <mail>`."""

    path: Path
    author: str = "Ada Example <ada@example.org>"

    @classmethod
    def create(cls, path: Path, *, branch: str = "main", object_format: str = "sha1") -> "BareRepository":
        """Make an empty one that also serves filtered fetches, as the large hosts do."""
        repository = cls(path)
        path.mkdir(parents=True)
        repository.git("init", "-q", "--bare", f"--initial-branch={branch}", f"--object-format={object_format}")
        repository.git("config", "uploadpack.allowFilter", "true")
        return repository

    def git(self, *arguments: str, stdin: bytes = b"") -> str:
        """Run git in the repository with no configuration from outside. Raises CalledProcessError."""
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_DIR": str(self.path),
        }
        done = subprocess.run(
            ["git", *arguments], cwd=self.path, env=environment, input=stdin, capture_output=True, check=True
        )
        return done.stdout.decode().strip()

    def sha(self, ref: str = "HEAD") -> str:
        """The commit a ref names."""
        return self.git("rev-parse", "--verify", f"{ref}^{{commit}}")

    def commit(
        self,
        files: Mapping[str, Content],
        message: str = "Change",
        *,
        branch: str = "main",
        parent: str | None = None,
        keep: bool = True,
    ) -> str:
        """Commit changed files onto a branch and return the SHA.

        `parent` forces the branch onto that commit first; `keep` False drops all files that are not given.
        """
        ref = f"refs/heads/{branch}"
        base = parent or self.git("for-each-ref", "--format=%(objectname)", ref)
        text = message.encode()
        lines = [b"commit %b\n" % ref.encode(), b"committer %b now\n" % self.author.encode()]
        lines += [b"data %d\n%b\n" % (len(text), text)]
        lines += [b"from %b\n" % base.encode()] if base else []
        lines += [] if keep else [b"deleteall\n"]
        lines += [_file(path, content) for path, content in files.items()]
        self.git("fast-import", "--quiet", "--force", "--date-format=now", stdin=b"".join(lines))
        return self.sha(ref)

    def delete(self, *paths: str, branch: str = "main") -> str:
        """Commit the removal of files or folders."""
        return self.commit(dict.fromkeys(paths), "Remove " + ", ".join(paths), branch=branch)

    def revert(self, sha: str = "", *, branch: str = "main") -> str:
        """Commit the files as they were before `sha` (the tip, where empty), as reverting the tip would."""
        undone = sha or self.sha(branch)
        tree = self.git("rev-parse", f"{undone}^^{{tree}}")
        subject = f'Revert "{self.git("log", "-1", "--format=%s", undone)}"'
        made = self.git(*self._identity(), "commit-tree", tree, "-p", self.sha(branch), "-m", subject)
        self.force(branch, made)
        return made

    def force(self, branch: str, sha: str) -> None:
        """Point a branch at a commit, as a forced push does; makes it where it is missing."""
        self.git("update-ref", f"refs/heads/{branch}", sha)

    def delete_branch(self, branch: str) -> None:
        """Remove a branch."""
        self.git("update-ref", "-d", f"refs/heads/{branch}")

    def tag(self, name: str, sha: str = "HEAD", *, message: str = "") -> None:
        """Make or move a tag, annotated where it has a message."""
        annotation = ["-a", "-m", message] if message else []
        self.git(*self._identity(), "tag", "-f", *annotation, name, sha)

    def _identity(self) -> list[str]:
        name, _, mail = self.author.removesuffix(">").partition(" <")
        return ["-c", f"user.name={name}", "-c", f"user.email={mail}"]


def _file(path: str, content: Content) -> bytes:
    if content is None:
        return b"D %b\n" % path.encode()
    mode = LINK_MODE if isinstance(content, Link) else "100644"
    text = content.target if isinstance(content, Link) else content
    data = text.encode() if isinstance(text, str) else text
    return b"M %b inline %b\ndata %d\n%b\n" % (mode.encode(), path.encode(), len(data), data)
