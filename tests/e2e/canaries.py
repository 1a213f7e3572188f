"""Secrets that occur nowhere else, and the places where others could find one: texts, files, the process table.

The canary tests keep each secret they make in `Canaries`, watch all of the controller's children by `Processes`, and
search.
"""

import base64
import os
import secrets
import stat
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

MARK = "Kanari"
_LARGEST_FILE = 64 * 1024 * 1024
_MAY_CARRY = ("GIT_CONFIG_VALUE_", "TRIMTAB_TUNNEL=")
"""Variables in which a credential travels to git, and to the tunnel below ssh."""
_CARRIERS = ("git", "git-remote-http", "git-remote-https", "ssh", "sh", "trimtab.adapters.git.tunnel")


def forms(value: str) -> tuple[str, ...]:
    """The value as it may turn up: plain, and the middle of its base64 at each of the three offsets."""
    encoded = [base64.b64encode(b" " * pad + value.encode()).decode()[4:-4] for pad in range(3)]
    return (value, *encoded)


@dataclass
class Canaries:
    """All secrets of a test, by what they are."""

    known: dict[str, str] = field(default_factory=dict)

    def make(self, what: str) -> str:
        """A new one."""
        value = MARK + secrets.token_hex(6)
        self.known[value] = what
        return value

    def key(self, what: str, text: str) -> str:
        """A private key in PEM: any line of it stands for all of it. Gives the key back."""
        for line in text.splitlines():
            if len(line) > 24 and "---" not in line and ":" not in line:
                self.known[line.strip()] = what
        return text

    def found(self, places: Mapping[str, str]) -> list[str]:
        """Every place that holds one, with what stands around it."""
        hits = []
        for place, text in places.items():
            for value, what in self.known.items():
                for form in forms(value):
                    if len(form) > 8 and form in text:
                        position = text.index(form)
                        hits.append(f"{place}: {what}: …{text[max(position - 100, 0) : position + 20]}…")
        return hits


class Processes(threading.Thread):
    """Keeps argument lists and environments of a process' descendants as they come and go, until it is stopped."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self._ending = threading.Event()
        self.arguments: set[str] = set()
        self.environments: dict[str, set[str]] = {}
        """Program → variables, as NAME=VALUE."""
        self.open_environments: set[str] = set()
        """Programs whose environment others than their user could read."""

    def run(self) -> None:
        while not self._ending.wait(0.004):
            for pid in (self._pid, *_descendants(self._pid)):
                with suppress(OSError):
                    self._note(Path(f"/proc/{pid}"))

    def _note(self, process: Path) -> None:
        line = (process / "cmdline").read_bytes()
        words = line.decode(errors="replace").split("\0")
        self.arguments.add(" ".join(words))
        with (process / "environ").open("rb") as file:
            variables = file.read().decode(errors="replace").split("\0")
            if not line or (process / "cmdline").read_bytes() != line:
                # It became another program meanwhile: whose environment this is, is not known.
                return
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                self.open_environments.add(words[0])
        self.environments.setdefault(_program(words), set()).update(variables)

    def stop(self) -> None:
        """Look no more."""
        self._ending.set()
        self.join()

    def places(self) -> dict[str, str]:
        """What must hold no secret: all arguments, and all environments but those variables that carry one to git."""
        found = {"arguments": "\n".join(self.arguments)}
        for program, variables in self.environments.items():
            carried = _MAY_CARRY if program in _CARRIERS else ()
            found[f"environment of {program}"] = "\n".join(each for each in variables if not each.startswith(carried))
        return found


def _program(words: list[str]) -> str:
    """By its name; of Python by the module that it runs."""
    if "-m" in words[:-1]:
        return words[words.index("-m") + 1]
    return Path(words[0]).name


def _descendants(pid: int) -> Iterator[int]:
    with suppress(OSError):
        for task in os.scandir(f"/proc/{pid}/task"):
            with suppress(OSError):
                for child in Path(task.path, "children").read_text().split():
                    yield int(child)
                    yield from _descendants(int(child))


def contents(folders: Iterable[Path], *, since: float = 0.0, without: Iterable[Path] = ()) -> dict[str, str]:
    """The text of all files below folders that were written since, by path; names and link targets count as well."""
    found: dict[str, str] = {}
    skipped = {str(path) for path in without}
    for folder in folders:
        for root, below, files in os.walk(folder):
            below[:] = [name for name in below if str(Path(root, name)) not in skipped]
            for name in files:
                path = Path(root, name)
                with suppress(OSError):
                    state = path.lstat()
                    if state.st_mtime < since or state.st_size > _LARGEST_FILE:
                        continue
                    text = str(path.readlink()) if path.is_symlink() else ""
                    if stat.S_ISREG(state.st_mode):
                        text = path.read_bytes().decode(errors="replace")
                    found[str(path)] = f"{name}\n{text}"
    return found
