"""The measurements on the monorepo: first sync, commits one by one, commits in a row.

A scene with the monorepo's repository and a running controller flow in, figures flow out. Renders, plans and fetches
are what the controller's own metrics tell, requests what the API server's audit log does.
"""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from math import nan
from typing import Final

from prometheus_client.parser import text_string_to_metric_families
from tests.bench import processes
from tests.bench.monorepo.content import App, Monorepo
from tests.bench.monorepo.figures import FirstSync, Followed, InARow
from tests.bench.scene import Change, Scene, condition

from trimtab.api import application, git_repository
from trimtab.cli.demo.controller_process import ControllerProcess

_FIRST_SECONDS: Final = 1800.0
_FOLLOW_SECONDS: Final = 600.0
_QUIET_SECONDS: Final = 1.0
_LOOK_SECONDS: Final = 0.5
REST_SECONDS: Final = 25.0
"""Longer than idle Git workers live, and than freed memory is kept."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What the controller has counted since it began."""

    renders: int
    render_seconds: float
    plans: int
    plan_seconds: float
    fetch_seconds: float

    @classmethod
    def of(cls, controller: ControllerProcess) -> "Counts":
        """As it tells now."""
        samples: defaultdict[str, float] = defaultdict(float)
        for family in text_string_to_metric_families(controller.metrics()):
            for sample in family.samples:
                if "le" not in sample.labels and sample.labels.get("result") != "unchanged":
                    samples[sample.name] += sample.value
        return cls(
            renders=round(samples["trimtab_render_duration_seconds_count"]),
            render_seconds=samples["trimtab_render_duration_seconds_sum"],
            plans=round(samples["trimtab_revision_to_plan_seconds_count"]),
            plan_seconds=samples["trimtab_revision_to_plan_seconds_sum"],
            fetch_seconds=samples["trimtab_fetch_duration_seconds_sum"],
        )


@dataclass(frozen=True, slots=True)
class Fleet:
    """A controller that serves the monorepo's Applications in a namespace."""

    scene: Scene
    controller: ControllerProcess
    namespace: str
    monorepo: Monorepo

    async def first_sync(self, specs: Mapping[str, dict]) -> FirstSync:
        """Create the GitRepository and all Applications, and wait until they are Ready with the tip."""
        scene, path = self.scene, application.RESOURCE.path(self.namespace)
        revision = f"main@sha1:{scene.repository.sha()}"
        log_bytes, started = scene.log_bytes(), time.perf_counter()
        await scene.declare(self.namespace, specs)
        # Lists and no watch: the server ends that of a reader who falls behind hundreds of Applications.
        async with asyncio.timeout(_FIRST_SECONDS):
            while True:
                shown = [each for each in (await scene.get(path))["items"] if _is_ready(each, revision)]
                if len(shown) == len(specs):
                    break
                await asyncio.sleep(_LOOK_SECONDS)
        seconds = time.perf_counter() - started
        await scene.quiet(seconds=_QUIET_SECONDS, limit_seconds=_FOLLOW_SECONDS)
        counts = Counts.of(self.controller)
        return FirstSync(
            fetch_seconds=counts.fetch_seconds,
            ready_seconds=seconds,
            renders=counts.renders,
            render_seconds=counts.render_seconds,
            objects=sum(each["status"]["inventory"]["objects"] for each in shown),
            writes=self._writes(log_bytes),
        )

    async def follow(self, path: str, number: int) -> Followed:
        """Commit one file in another version, poke, and wait until all Applications name the revision."""
        scene, collection = self.scene, application.RESOURCE.path(self.namespace)
        version, log_bytes = await scene.version(collection), scene.log_bytes()
        before, used = Counts.of(self.controller), self._cpu_seconds()
        revision = self._commit(path, number)
        async with (
            asyncio.timeout(_FOLLOW_SECONDS),
            scene.watch(collection, version) as changes,
            scene.watch(git_repository.RESOURCE.path(self.namespace), version) as of_source,
        ):
            started = time.perf_counter()
            await scene.poke(self.namespace, revision)
            told = await _told(changes, revision, self.monorepo.applications)
            # The GitRepository, too, has told it then.
            await _seen(of_source, revision)
        await scene.quiet(seconds=_QUIET_SECONDS, limit_seconds=_FOLLOW_SECONDS)
        after = Counts.of(self.controller)
        plans, planned = after.plans - before.plans, after.plan_seconds - before.plan_seconds
        return Followed(
            fetch_seconds=after.fetch_seconds - before.fetch_seconds,
            renders=after.renders - before.renders,
            plans=plans,
            plan_seconds=planned / plans if plans else nan,
            told_seconds=(told.get(_application(path), min(told.values())) - started, max(told.values()) - started),
            cpu_seconds=self._cpu_seconds() - used,
            writes=self._writes(log_bytes),
        )

    async def in_a_row(self, commits: int, *, few: int, number: int) -> InARow:
        """Commits, each as soon as the last one was applied where it changed something, and seen where it did not."""
        before, started = Counts.of(self.controller), time.perf_counter()
        paths = _mixed(self.monorepo)
        after_few: list[processes.Memory] = []
        rested = 0.0
        for index in range(commits):
            await self._hasten(paths[index % len(paths)], number + index)
            if index + 1 == few:
                resting = time.perf_counter()
                after_few = await self._at_rest()
                rested = time.perf_counter() - resting
        seconds = time.perf_counter() - started - rested
        fetched = Counts.of(self.controller).fetch_seconds - before.fetch_seconds
        return InARow(few, commits, seconds, fetched, after_few, await self._at_rest())

    async def _hasten(self, path: str, number: int) -> None:
        scene, name = self.scene, _application(path)
        repositories, applications = (
            kind.path(self.namespace) for kind in (git_repository.RESOURCE, application.RESOURCE)
        )
        version = await scene.version(repositories)
        revision = self._commit(path, number)
        collection = applications if name else repositories
        selector = f"metadata.name={name or scene.source}"
        async with asyncio.timeout(_FOLLOW_SECONDS), scene.watch(collection, version, fieldSelector=selector) as seen:
            await scene.poke(self.namespace, revision)
            async for change in seen:
                status = change.body.get("status", {})
                if revision in (status.get("lastAppliedRevision"), status.get("artifact", {}).get("revision")):
                    return

    async def _at_rest(self) -> list[processes.Memory]:
        await self.scene.quiet(seconds=_QUIET_SECONDS, limit_seconds=_FOLLOW_SECONDS)
        await asyncio.sleep(REST_SECONDS)
        return processes.memory(self.controller.pid, pss=True)

    def _commit(self, path: str, number: int) -> str:
        return self.scene.commit({path: self.monorepo.text(path, 1_000 + number)}, f"Turn {path}")

    def _cpu_seconds(self) -> float:
        return processes.cpu_seconds(processes.family(self.controller.pid))

    def _writes(self, log_bytes: int) -> dict[str, int]:
        return dict(Counter(each.resource for each in self.scene.requests_since(log_bytes) if each.writes))


def _is_ready(body: dict, revision: str) -> bool:
    applied = body.get("status", {}).get("lastAppliedRevision") == revision
    return applied and condition(body, application.READY)


async def _seen(changes: AsyncIterator[Change], revision: str) -> None:
    async for change in changes:
        if change.body["status"].get("artifact", {}).get("revision") == revision:
            return
    raise RuntimeError("the watch ended before the GitRepository had told the revision")


async def _told(changes: AsyncIterator[Change], revision: str, count: int) -> dict[str, float]:
    told: dict[str, float] = {}
    async for change in changes:
        if change.body.get("status", {}).get("lastAppliedRevision") == revision:
            told.setdefault(change.body["metadata"]["name"], change.at)
        if len(told) == count:
            return told
    raise RuntimeError("the watch ended before all Applications had told the revision")


def _application(path: str) -> str:
    """Which Application reads a file; empty where none does."""
    parts = path.split("/")
    return parts[2] if parts[0] == "teams" and path == App(int(parts[2].removeprefix("app-"))).settings else ""


def _mixed(monorepo: Monorepo) -> list[str]:
    """Files to change in turn: of Applications, and between them those that nobody reads."""
    paths = []
    for app in monorepo.apps:
        paths += [app.settings, app.readme, monorepo.paths[-1 - app.number]]
    return paths
