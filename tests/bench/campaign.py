"""The order of the bench: rounds of first applies, then rest, pokes, repairs and a restart of the last controller.

A plan flows in; `Results` flow out, filled as it goes, and words about the progress to `tell`.
"""

import asyncio
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.bench import measures
from tests.bench.edits import edits
from tests.bench.monorepo.campaign import Size
from tests.bench.monorepo.campaign import run as follow_monorepo
from tests.bench.processes import PeakSampler
from tests.bench.results import FirstApply, Plain, Results, Round
from tests.bench.scene import Scene
from tests.bench.workload import System, systems

from trimtab.cli.demo.controller_process import ControllerProcess
from trimtab.localcluster import LocalCluster
from trimtab.localcluster.progress import Progress

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of each. All objects follow from `seed`."""

    applications: int
    rounds: int
    idle_seconds: float
    pokes: int
    repairs: int
    seed: int
    monorepo: Size | None = None
    """None: without it. No rounds: nothing but it."""

    @property
    def steps(self) -> int:
        """How often `tell` is called."""
        here = 1 + 3 * self.rounds + 1 + self.pokes + self.repairs + 1 if self.rounds else 0
        return 1 + here + (self.monorepo.steps if self.monorepo else 0)


async def run(plan: Plan, results: Results, tell: Tell, progress: Progress) -> None:
    """Measure everything on a control plane of its own, which is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="trimtab-bench-") as name:
        folder = Path(name)
        tell("starting a control plane")
        cluster = LocalCluster(name="bench", folder=folder / "cluster", progress=progress)
        await asyncio.to_thread(cluster.start)
        try:
            async with Scene.open(cluster, folder) as scene:
                if plan.rounds:
                    await _Campaign(plan, results, tell, scene).run()
                if plan.monorepo and results.monorepo:
                    await follow_monorepo(plan.monorepo, results.monorepo, tell, scene)
        finally:
            await asyncio.to_thread(cluster.stop)


class _Campaign:
    def __init__(self, plan: Plan, results: Results, tell: Tell, scene: Scene) -> None:
        self._plan = plan
        self._results = results
        self._tell = tell
        self._scene = scene

    async def run(self) -> None:
        self._tell("warming the API server up")
        await measures.floor(self._scene, systems(1, prefix="warm", seed=self._plan.seed))
        for number in range(self._plan.rounds):
            last = number == self._plan.rounds - 1
            await self._round(number, last=last)

    async def _round(self, number: int, *, last: bool) -> None:
        """Floor, kubectl and Trimtab in an order that turns; Trimtab last in the last: what follows is its own."""
        order = [*("floor", "kubectl", "trimtab")[number % 3 :], *("floor", "kubectl", "trimtab")[: number % 3]]
        if last:
            order.sort(key=lambda name: name == "trimtab")
        taken: dict[str, Plain] = {}
        applied: list[FirstApply] = []
        for name in order:
            self._tell(f"round {number + 1} of {self._plan.rounds}: {name}")
            await self._scene.settle()
            if name == "trimtab":
                applied.append(await self._trimtab(number, last=last))
            else:
                measure = measures.floor if name == "floor" else measures.kubectl
                taken[name] = await measure(self._scene, self._systems(f"{name}{number}"))
        self._results.rounds.append(Round(taken["floor"], taken["kubectl"], applied[0]))

    def _systems(self, prefix: str) -> list[System]:
        return systems(self._plan.applications, prefix=prefix, seed=self._plan.seed)

    async def _trimtab(self, number: int, *, last: bool) -> FirstApply:
        """Have a fresh controller apply the objects of a commit for the first time; go on with the last one."""
        namespace = f"trimtab{number}"
        declared = self._systems(f"{namespace}-apps")
        await self._scene.namespace(namespace)
        revision = self._scene.commit(measures.sources(declared), f"Round {number + 1}")
        controller = self._scene.controller(namespace)
        await asyncio.to_thread(controller.start)
        try:
            with PeakSampler(controller.pid) as sampler:
                applied = await measures.first_apply(self._scene, controller, namespace, declared, revision)
                if last:
                    await self._afterwards(controller, namespace, declared)
            self._results.peak_rss_bytes = max(self._results.peak_rss_bytes, sampler.peak_bytes)
            if last:
                self._tell("restart with nothing changed")
                self._results.restart = await measures.restart(self._scene, controller)
        finally:
            await asyncio.to_thread(controller.stop)
        return applied

    async def _afterwards(self, controller: ControllerProcess, namespace: str, declared: list[System]) -> None:
        plan, results, scene = self._plan, self._results, self._scene
        self._tell(f"idle for {plan.idle_seconds:g} s")
        await scene.settle()
        await scene.quiet(seconds=3.0)
        results.idle = await measures.idle(scene, controller, plan.idle_seconds)
        results.at_rest = measures.rest(controller)
        for number in range(plan.pokes):
            self._tell(f"poke {number + 1} of {plan.pokes}")
            results.pokes.append(await measures.poke(scene, namespace, declared, number))
            await scene.quiet(seconds=0.5)
        chosen = edits(declared, plan.repairs, seed=plan.seed)
        for number, edit in enumerate(chosen, start=1):
            self._tell(f"repair {number} of {plan.repairs}: {edit.body['kind']} {edit.what}")
            results.repairs.append(await measures.repair(scene, edit))
        await scene.quiet(seconds=1.0)
        results.after_work = measures.rest(controller)
