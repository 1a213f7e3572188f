"""The order of the monorepo's part: made, synced, touched here and there, then followed over many commits.

Sizes and a scene flow in; figures flow out, filled as it goes, and words about the progress to `tell`.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tests.bench.monorepo import figures, history
from tests.bench.monorepo.content import Monorepo
from tests.bench.monorepo.measures import Fleet
from tests.bench.scene import Scene

NAMESPACE: Final = "monorepo"
TEAM_PREFIX: Final = "monorepo-"


@dataclass(frozen=True, slots=True)
class Size:
    """How large the repository is, and how many commits come after its first sync."""

    files: int = 20_000
    applications: int = 300
    commits: int = 2_000
    touching: int = 20
    readmes: int = 5
    few: int = 20
    row: int = 200
    """Commits as fast as they are followed; memory is looked at after the first `few` of them and at their end."""

    @property
    def steps(self) -> int:
        """How often `tell` is called."""
        return 3 + self.touching + self.readmes + 1

    def tenth(self) -> "Size":
        """A tenth of everything."""
        return Size(
            files=max(self.files // 10, 1),
            applications=max(self.applications // 10, 1),
            commits=max(self.commits // 10, 1),
            touching=max(self.touching // 10, 1),
            readmes=1,
            few=max(self.few // 10, 1),
            row=max(self.row // 10, 1),
        )


FULL: Final = Size()


async def run(size: Size, found: figures.Monorepo, tell: Callable[[str], None], scene: Scene) -> None:
    """Measure all of it with a controller of its own."""
    tell(f"making a repository of {size.files} files and {size.commits} commits")
    monorepo = Monorepo(size.files, size.applications)
    path = scene.folder / "git" / "monorepo.git"
    repository = await asyncio.to_thread(lambda: history.make(path, monorepo, commits=size.commits))
    scene = scene.of(repository)
    for name in (NAMESPACE, *(f"{TEAM_PREFIX}{team}" for team in monorepo.teams())):
        await scene.namespace(name)
    await scene.settle()
    controller = scene.controller(NAMESPACE)
    await asyncio.to_thread(controller.start)
    try:
        await _follow(size, found, tell, Fleet(scene, controller, NAMESPACE, monorepo))
    finally:
        await asyncio.to_thread(controller.stop)


async def _follow(size: Size, found: figures.Monorepo, tell: Callable[[str], None], fleet: Fleet) -> None:
    tell(f"first sync of {size.applications} Applications")
    monorepo = fleet.monorepo
    found.first = await fleet.first_sync(monorepo.specs(namespace_prefix=TEAM_PREFIX))
    await fleet.scene.settle()
    for number in range(size.touching):
        # Plain ones and overlays in turn, from all over the list.
        app = monorepo.apps[(number * 37 + 1) % len(monorepo.apps)]
        tell(f"a commit that touches {app.name}: {number + 1} of {size.touching}")
        found.touching.append(await fleet.follow(app.settings, number))
    for number in range(size.readmes):
        tell(f"a commit that touches a README: {number + 1} of {size.readmes}")
        app = monorepo.apps[number % len(monorepo.apps)]
        found.readmes.append(await fleet.follow(app.readme, number))
    tell(f"{size.row} commits in a row")
    found.row = await fleet.in_a_row(size.row, few=size.few, number=size.touching + size.readmes)
