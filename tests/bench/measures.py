"""The measurements, each a function from a scene to figures.

`campaign` calls them in turn; `results` holds what they find.
"""

import asyncio
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Final

import orjson
from tests.bench import processes
from tests.bench.edits import Edit
from tests.bench.results import FirstApply, Idle, Plain, Poke, Repair, Restart
from tests.bench.scene import Change, Scene, condition
from tests.bench.workload import Body, System

from trimtab.api import application, git_repository
from trimtab.cli.demo.controller_process import ControllerProcess

_APPLY_SECONDS: Final = 180.0
_REPAIR_SECONDS: Final = 30.0
_BETWEEN_EDITS_SECONDS: Final = 0.2
_ROOT: Final = Path(__file__).parents[2]


async def floor(scene: Scene, systems: list[System]) -> Plain:
    """What bare server-side apply takes."""
    file = scene.folder / "bodies.json"
    file.write_bytes(orjson.dumps([body for system in systems for body in system.bodies]))
    argv = [sys.executable, "-m", "tests.bench.floor", str(scene.cluster.kubeconfig_path), str(file)]
    done = await asyncio.to_thread(subprocess.run, argv, cwd=_ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the floor could not be measured: {done.stderr.strip()}")
    seconds, cpu_seconds = map(float, done.stdout.split())
    return Plain(seconds, cpu_seconds)


async def kubectl(scene: Scene, systems: list[System]) -> Plain:
    """What `kubectl apply --server-side` takes, from its start to its end."""
    folder = scene.folder / systems[0].namespace
    for system in systems:
        (folder / system.name).mkdir(parents=True, exist_ok=True)
        for name, text in system.files().items():
            (folder / name).write_text(text)
    argv = [str(scene.cluster.program("kubectl")), f"--kubeconfig={scene.cluster.kubeconfig_path}", "apply"]
    argv += ["--server-side", "--recursive", "-f", str(folder)]
    started, used = time.perf_counter(), _children_cpu_seconds()
    done = await asyncio.to_thread(subprocess.run, argv, capture_output=True, text=True, check=False)
    taken = Plain(time.perf_counter() - started, _children_cpu_seconds() - used)
    if done.returncode:
        raise RuntimeError(f"kubectl could not apply the objects: {done.stderr.strip()}")
    return taken


def _children_cpu_seconds() -> float:
    """Of all children that have ended: the control plane's programs do not, meanwhile."""
    times = os.times()
    return times.children_user + times.children_system


async def first_apply(
    scene: Scene, controller: ControllerProcess, namespace: str, systems: list[System], revision: str
) -> FirstApply:
    """Seconds from the creation of our custom resources until the last Application says Ready, and Healthy."""
    path = application.RESOURCE.path(namespace)
    version = await scene.version(path)
    log_bytes, used = scene.log_bytes(), processes.cpu_seconds(processes.family(controller.pid))
    ready: dict[str, float] = {}
    healthy: dict[str, float] = {}
    async with asyncio.timeout(_APPLY_SECONDS), scene.watch(path, version) as changes:
        started = time.perf_counter()
        await scene.declare(namespace, {each.name: {"path": each.name, "prune": True} for each in systems})
        async for change in changes:
            name = change.body["metadata"]["name"]
            if change.body.get("status", {}).get("lastAppliedRevision") == revision:
                if condition(change.body, application.READY):
                    ready.setdefault(name, change.at - started)
                if condition(change.body, application.HEALTHY):
                    healthy.setdefault(name, change.at - started)
            if len(ready) == len(healthy) == len(systems):
                break
    used = processes.cpu_seconds(processes.family(controller.pid)) - used
    requests = Counter(request.verb for request in scene.requests_since(log_bytes))
    return FirstApply(max(ready.values()), max(healthy.values()), used, dict(sorted(requests.items())))


async def idle(scene: Scene, controller: ControllerProcess, seconds: float) -> Idle:
    """What is asked and used while nothing happens, per minute."""
    log_bytes, started = scene.log_bytes(), time.perf_counter()
    used = processes.cpu_seconds(processes.family(controller.pid))
    await asyncio.sleep(seconds)
    minutes = (time.perf_counter() - started) / 60
    used = processes.cpu_seconds(processes.family(controller.pid)) - used
    requests = scene.requests_since(log_bytes)
    asked = [f"{each.verb} {each.uri}" for each in requests if each.verb != "watch"]
    watches = sum(each.verb == "watch" for each in requests)
    return Idle(seconds, len(asked) / minutes, watches, used / minutes, tuple(asked[:10]))


async def poke(scene: Scene, namespace: str, systems: list[System], number: int) -> Poke:
    """Commit one change, poke, and see how long it takes to be seen, and to be applied by its Application."""
    system = systems[number % len(systems)]
    revision = scene.commit(_changed(system, number), f"Turn setting {number}")
    repositories, applications = (kind.path(namespace) for kind in (git_repository.RESOURCE, application.RESOURCE))
    version = await scene.version(repositories)

    def seen(body: Body) -> bool:
        return bool(body.get("status", {}).get("artifact", {}).get("revision") == revision)

    def applied(body: Body) -> bool:
        return body["metadata"]["name"] == system.name and body["status"].get("lastAppliedRevision") == revision

    async with (
        asyncio.timeout(_REPAIR_SECONDS),
        scene.watch(repositories, version) as of_repositories,
        scene.watch(applications, version) as of_applications,
        asyncio.TaskGroup() as group,
    ):
        started = time.perf_counter()
        await scene.poke(namespace, revision)
        first = group.create_task(_until(of_repositories, seen))
        second = group.create_task(_until(of_applications, applied))
    return Poke(first.result() - started, second.result() - started)


def _changed(system: System, number: int) -> dict[str, str]:
    """The system's files with one setting turned."""
    for body in system.bodies:
        if body["kind"] == "ConfigMap" and body["metadata"]["name"].endswith("-settings"):
            body["data"]["TURN"] = str(number)
            return system.files()
    raise AssertionError("a system has settings")


async def repair(scene: Scene, edit: Edit) -> Repair:
    """Edit a declared field and see how long it takes to have its declared value again."""
    collection, _, name = edit.path.rpartition("/")
    # Not the object's own version: it may be too old by now to watch from.
    version = await scene.version(collection)
    selector = {"fieldSelector": f"metadata.name={name}"}
    async with (
        asyncio.timeout(_REPAIR_SECONDS),
        scene.watch(collection, version, **selector) as changes,
    ):
        started = time.perf_counter()
        answer = await scene.patch(edit.path, edit.patch, media_type=edit.media_type)
        edited = answer["metadata"]["resourceVersion"]
        if edit.read(answer) == edit.declared:
            raise AssertionError(f"the edit of {edit.path} changed nothing")
        at = await _until(changes, lambda body: _later(body, edited) and edit.read(body) == edit.declared)
    await asyncio.sleep(_BETWEEN_EDITS_SECONDS)
    return Repair(edit.body["kind"], edit.what, at - started)


def _later(body: Body, version: str) -> bool:
    return int(body["metadata"]["resourceVersion"]) > int(version)


async def _until(changes: AsyncIterator[Change], wanted: Callable[[Body], bool]) -> float:
    """When the first change came that is wanted."""
    async for change in changes:
        if wanted(change.body):
            return change.at
    raise RuntimeError("the watch ended before what it was to see")


async def restart(scene: Scene, controller: ControllerProcess, *, quiet_seconds: float = 3.0) -> Restart:
    """Stop the controller, start it again with nothing changed, and count what it asks until it is quiet."""
    await asyncio.to_thread(controller.stop)
    log_bytes, started = scene.log_bytes(), time.perf_counter()
    await asyncio.to_thread(controller.start)
    ready = time.perf_counter() - started
    await scene.quiet(seconds=quiet_seconds)
    requests = scene.requests_since(log_bytes)
    lists = sum(each.verb == "list" or "sendInitialEvents=true" in each.uri for each in requests)
    written = tuple(f"{each.verb} {each.uri}" for each in requests if each.writes)
    return Restart(ready, lists, len(written), len(requests), written[:10])


def rest(controller: ControllerProcess) -> list[processes.Memory]:
    """What the controller's processes hold now."""
    return processes.memory(controller.pid, pss=True)


def sources(systems: Iterable[System]) -> dict[str, str]:
    """All files of these systems."""
    return {name: text for system in systems for name, text in system.files().items()}
