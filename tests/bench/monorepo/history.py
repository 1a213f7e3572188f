"""The past of the bench's monorepo: commits by many people over two years, as one stream for `git fast-import`.

A Monorepo and a number of commits flow in; a bare repository whose tip holds all files flows out. Nothing depends on
the clock, so that equal sizes make equal commits.
"""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.bench.monorepo.content import Monorepo

from trimtab.adapters.git.bare_repository import BareRepository

SEED: Final = 20_250_101
_FIRST: Final = 1_704_704_400
"""A Monday morning in January 2024, seconds since the epoch."""
_SPAN_SECONDS: Final = 2 * 365 * 86_400
_GIVEN: Final = ("Ada", "Bo", "Chen", "Dara", "Edda", "Femi", "Gus", "Hana", "Ivo", "June", "Kofi", "Lea")
_FAMILY: Final = ("Amsel", "Birke", "Castor", "Dohle", "Erle", "Falke", "Ginster", "Hasel")


def make(path: Path, monorepo: Monorepo, *, commits: int) -> BareRepository:
    """The repository, packed as a server would have it. Raises ValueError where there are more commits than files."""
    repository = BareRepository.create(path)
    repository.git("fast-import", "--quiet", "--date-format=raw", stdin=b"".join(stream(monorepo, commits=commits)))
    repository.git("repack", "-a", "-d", "-q", "--write-bitmap-index")
    return repository


def stream(monorepo: Monorepo, *, commits: int) -> Iterator[bytes]:
    """What fast-import reads: each commit adds its share of the files and changes some that are there."""
    chance = random.Random(SEED)
    paths = monorepo.paths.copy()
    if commits > len(paths):
        raise ValueError(f"{commits} commits cannot each add one of {len(paths)} files")
    chance.shuffle(paths)
    versions = dict.fromkeys(paths, 0)
    moments = sorted(chance.randrange(_SPAN_SECONDS) for _ in range(commits))
    done = 0
    for number, moment in enumerate(moments, 1):
        upto = len(paths) * number // commits
        added = paths[done:upto]
        changed = chance.sample(paths[:done], min(chance.randrange(4), done))
        for path in changed:
            versions[path] += 1
        yield from _commit(_author(chance), _FIRST + moment, f"{_verb(changed)} {added[0].rpartition('/')[2]}")
        for path in (*added, *changed):
            text = monorepo.text(path, versions[path]).encode()
            yield b"M 100644 inline %b\ndata %d\n%b\n" % (path.encode(), len(text), text)
        done = upto


def _commit(author: str, moment: int, message: str) -> Iterator[bytes]:
    person = f"{author} {moment} +0000\n".encode()
    text = message.encode()
    yield b"commit refs/heads/main\nauthor %bcommitter %bdata %d\n%b\n" % (person, person, len(text), text)


def _author(chance: random.Random) -> str:
    given, family = chance.choice(_GIVEN), chance.choice(_FAMILY)
    return f"{given} {family} <{given.lower()}.{family.lower()}@example.org>"


def _verb(changed: list[str]) -> str:
    return "Add" if not changed else "Rework and extend"
