"""The campaign of git faults: run after run, in lanes side by side, each with a fault, its end, and what comes of both.

A cluster, a folder, a seed and the runs' numbers flow in; a `Tally` flows out, with every complaint in words.
"""

import json
import random
import secrets
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from tests.campaign.git_faults import rest
from tests.campaign.git_faults.proxy import GitProxy
from tests.campaign.git_faults.rules import BORNE, judge, reasons
from tests.campaign.git_faults.scene import HOMES, SECRETS, TIMEOUTS, Lane, Scene, ready, scene
from tests.campaign.git_faults.ssh_proxy import SshProxy
from tests.campaign.git_faults.strikes import Run, Transport, draw
from tests.campaign.git_faults.tally import Result, Tally
from tests.fixtures.cluster import wait_for
from tests.fixtures.lab import close_lab, make_lab

from trimtab.localcluster import LocalCluster, audit

MARGIN_SECONDS: Final = 10.0
"""Beyond spec.timeout, for the queue, the start of a worker, the status and the look at it."""
BLOCK: Final = 60
"""Runs between two looks at the level at rest."""
_PATIENCE_SECONDS: Final = 120.0
_TRIES: Final = 6
_NOISE_BYTES: Final = 40_000
_OBJECTS: Final = 4


def play(
    cluster: LocalCluster,
    folder: Path,
    numbers: Collection[int],
    *,
    seed: int,
    tell: Callable[[str], None],
    margin_seconds: float = MARGIN_SECONDS,
) -> Tally:
    """A lab of its own, and the runs of these numbers in it."""
    started = time.monotonic()
    lab = make_lab(cluster, folder)
    temporary = folder / "tmp"
    temporary.mkdir()
    lab.controller.environment = {"TMPDIR": str(temporary)}
    tally = Tally(seed, TIMEOUTS, margin_seconds)
    try:
        with scene(lab) as opened:
            lab.controller.start(ready=False)
            wait_for(lab.controller.is_ready, timeout_seconds=_PATIENCE_SECONDS, what="readyz")
            _Campaign(opened, temporary, cluster, tally, tell).play(sorted(numbers))
            if "Traceback" in lab.controller.log():
                tally.complaints.append(f"seed {seed}: the controller's log holds a traceback")
    finally:
        close_lab(lab)
    tally.seconds = time.monotonic() - started
    return tally


@dataclass(frozen=True, slots=True)
class _Told:
    """A status, how long it took to come and how long that was after spec.timeout, and how often it was asked anew."""

    status: dict[str, Any]
    seconds: float
    beyond_seconds: float
    again: int


class _Campaign:
    def __init__(
        self, opened: Scene, temporary: Path, cluster: LocalCluster, tally: Tally, tell: Callable[[str], None]
    ) -> None:
        self._scene = opened
        self._temporary = temporary
        self._cluster = cluster
        self._tally = tally
        self._tell = tell
        self._pruned: set[str] = set()
        self._spans: list[tuple[str, float, float]] = []
        """When a fault lasted that was not borne: lane, begin and end, in seconds since the epoch."""

    def play(self, numbers: Sequence[int]) -> None:
        """Begin, then block after block of runs, each with a look at what is left of it."""
        for lane in self._scene.lanes:
            self._begin(lane)
        self._learn()
        before, _ = rest.await_rest(self._scene.lab, self._temporary)
        self._tally.levels = (before,)
        log = self._cluster.audit_log_path
        read_to = log.stat().st_size
        for start in range(0, len(numbers), BLOCK):
            block = numbers[start : start + BLOCK]
            with ThreadPoolExecutor(len(HOMES)) as pool:
                # By number, so that a run that is repeated alone has the lane that it had.
                parts = [[number for number in block if number % len(HOMES) == index] for index in range(len(HOMES))]
                for results in pool.map(self._play_lane, self._scene.lanes, parts):
                    self._tally.results += results
            read_to = self._check_deletes(log, read_to)
            self._check_rest(before, f"runs {block[0]} to {block[-1]}")
        self._tally.results.sort(key=lambda result: result.run.number)
        self._tally.complaints += [each for result in self._tally.results for each in result.complaints]

    # --- before the first run

    def _begin(self, lane: Lane) -> None:
        lane.declared |= {f"{lane.name}-keep{index}": "first" for index in range(_OBJECTS)}
        files: dict[str, str | bytes] = {f"app/{name}.yaml": _config_map(name, "first") for name in lane.declared}
        files["noise"] = random.Random(lane.name).randbytes(_NOISE_BYTES)
        sha = lane.repository.commit(files)
        self._ask(lane, self._scene.spec(lane, lane.home))
        left = self._await_mended(lane, sha)
        assert not left, f"{lane.name} did not begin: {left}\n{self._scene.lab.controller.log()[-3000:]}"

    def _learn(self) -> None:
        """How many bytes go over SSH, for all lanes."""
        proxies = [each for lane in self._scene.lanes if isinstance(each := lane.proxies[Transport.SSH], SshProxy)]
        # The proxy sees the end of a connection a moment after the controller does.
        wait_for(lambda: max(self._sizes(proxies), default=0) > _NOISE_BYTES, what="a fetch over ssh")
        for proxy in proxies:
            proxy.learn(self._sizes(proxies))

    @staticmethod
    def _sizes(proxies: Sequence[SshProxy]) -> list[int]:
        return [size for proxy in proxies for size in proxy.sizes]

    # --- one run

    def _play_lane(self, lane: Lane, numbers: Sequence[int]) -> list[Result]:
        return [self._play(lane, draw(self._tally.seed, number, lane.home)) for number in numbers]

    def _play(self, lane: Lane, run: Run) -> Result:
        self._await_handled(lane, self._ask(lane, self._scene.spec(lane, lane.home)), _PATIENCE_SECONDS)
        before, kept = self._scene.live(lane), self._kept(lane)
        proxy, began = lane.proxies[run.transport], time.time()
        proxy.begin(run.strike)
        sha, pruned = self._change(lane, run)
        alias, commit = f"run{run.number}" if run.first else "", sha if run.pinned else ""
        spec = self._scene.spec(lane, run.transport, alias=alias, commit=commit)
        told = self._tell_of(lane, run, spec)
        borne = run.strike.fault in BORNE and self._kept(lane).endswith(sha)
        found = [] if borne else self._felt(lane, run, told, spec, before, kept)
        if told.beyond_seconds > self._tally.margin_seconds:
            found.append(f"it hung: told {told.beyond_seconds:.1f} s after its time, as {ready(told.status)}")
        if not proxy.struck:
            found.append("the fault struck nothing")
        # What is deleted after the fault's end may be.
        if not borne:
            self._spans.append((lane.name, began, time.time()))
        mended_seconds, left = self._mend(lane, proxy, spec, sha)
        found += [f"not mended: {left}"] if left else []
        found += self._same(lane, before, pruned)
        reason = "" if borne else ready(told.status).get("reason", "nothing")
        complaints = tuple(f"seed {self._tally.seed}, {run}: {each}" for each in found)
        self._tell(f"{run}: {reason or 'borne'} after {told.seconds:.2f} s: {ready(told.status).get('message')}")
        for complaint in complaints:
            self._tell(f"! {complaint}")
        return Result(run, reason, told.seconds, told.beyond_seconds, mended_seconds, told.again, complaints)

    def _felt(
        self,
        lane: Lane,
        run: Run,
        told: _Told,
        spec: dict[str, Any],
        before: dict[str, tuple[str, str]],
        kept: str,
    ) -> list[str]:
        """What is wrong with how a fault is told, or with what it does to the cluster."""
        found = judge(run, ready(told.status), spec["url"], SECRETS)
        # In one of five, long enough for a second try.
        time.sleep(1.5 if run.strike.noise % 5 == 0 else 0.2)
        return found + self._untouched(lane, before, kept)

    def _mend(self, lane: Lane, proxy: GitProxy, spec: dict[str, Any], sha: str) -> tuple[float, str]:
        """End the fault, and wait for what it held up: how long that took, and what is still missing."""
        ended = time.monotonic()
        proxy.end()
        self._ask(lane, spec)
        left = self._await_mended(lane, sha)
        return time.monotonic() - ended, left

    def _kept(self, lane: Lane) -> str:
        """The revision of the artifact."""
        return str(self._scene.status(lane).get("artifact", {}).get("revision"))

    def _tell_of(self, lane: Lane, run: Run, spec: dict[str, Any]) -> _Told:
        """What is told of a fault.

        On a busy machine the time may be over before the fault has struck; then there is more of it the next time.
        """
        proxy, beyond = lane.proxies[run.transport], -TIMEOUTS[run.transport]
        again = 0
        while True:
            timeout_seconds = TIMEOUTS[run.transport] * 2**again
            started = time.monotonic()
            token = self._ask(lane, spec | {"timeout": f"{timeout_seconds:g}s"})
            status = self._await_handled(lane, token, timeout_seconds + _PATIENCE_SECONDS)
            seconds = time.monotonic() - started
            beyond = max(beyond, seconds - timeout_seconds)
            told = _Told(status, seconds, beyond, again)
            early = ready(status).get("reason") == "TimedOut" and "TimedOut" not in reasons(run)
            if (proxy.struck and not early) or again == _TRIES:
                return told
            again += 1

    def _change(self, lane: Lane, run: Run) -> tuple[str, set[str]]:
        """Commit a change and an addition, and with a run that deletes the removal of earlier additions."""
        extra = {name for name in lane.declared if "-run" in name}
        pruned = extra if run.deletes else set()
        lane.declared = {name: value for name, value in lane.declared.items() if name not in pruned}
        changed = {f"{lane.name}-keep{run.number % _OBJECTS}", f"{lane.name}-run{run.number}"}
        lane.declared |= dict.fromkeys(changed, str(run.number))
        files: dict[str, str | bytes | None] = {f"app/{name}.yaml": None for name in pruned}
        files |= {f"app/{name}.yaml": _config_map(name, str(run.number)) for name in changed}
        # Incompressible, so that packs are large enough to break within them, and always of one size.
        files["noise"] = random.Random(run.strike.noise).randbytes(_NOISE_BYTES)
        self._pruned |= pruned
        return lane.repository.commit(files, f"Run {run.number}"), pruned

    def _untouched(self, lane: Lane, before: dict[str, tuple[str, str]], kept: str) -> list[str]:
        found = []
        if self._scene.live(lane) != before:
            found.append(f"objects changed while the fault lasted: {before} → {self._scene.live(lane)}")
        if (now := self._kept(lane)) != kept:
            found.append(f"the last artifact {kept} did not stay, it is {now}")
        application = ready(self._scene.status(lane, "applications"))
        if application.get("status") != "True":
            found.append(f"the Application is not Ready any more: {application}")
        if any(secret in rest.arguments(self._scene.lab) for secret in SECRETS):
            found.append("a command line holds credentials")
        return found

    def _same(self, lane: Lane, before: dict[str, tuple[str, str]], pruned: set[str]) -> list[str]:
        """What was there and is still declared is the same object."""
        now = self._scene.live(lane)
        anew = [name for name, (_, uid) in before.items() if name not in pruned and now.get(name, ("", ""))[1] != uid]
        return [f"made anew or gone: {', '.join(anew)}"] if anew else []

    # --- asking and waiting

    def _ask(self, lane: Lane, spec: dict[str, Any]) -> str:
        token = secrets.token_hex(6)
        self._scene.patch(lane, token, spec)
        return token

    def _await_handled(self, lane: Lane, token: str, seconds: float) -> dict[str, Any]:
        """The GitRepository's status once it tells of this request; the last one seen where that does not come."""
        deadline = time.monotonic() + seconds
        while True:
            status = self._scene.status(lane)
            if status.get("lastHandledReconcileAt") == token or time.monotonic() > deadline:
                return status
            time.sleep(0.03)

    def _await_mended(self, lane: Lane, sha: str) -> str:
        """Nothing, once the commit is applied in full; else what is missing."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while left := self._missing(lane, sha):
            if time.monotonic() > deadline:
                return left
            time.sleep(0.05)
        return ""

    def _missing(self, lane: Lane, sha: str) -> str:
        repository, application = self._scene.status(lane), self._scene.status(lane, "applications")
        if ready(repository).get("status") != "True":
            return f"the GitRepository is not Ready: {ready(repository)}"
        applied = application.get("lastAppliedRevision", "")
        if not applied.endswith(sha) or ready(application).get("status") != "True":
            return f"the Application is at {applied}, not at {sha}: {ready(application)}"
        live = {name: value for name, (value, _) in self._scene.live(lane).items()}
        return "" if live == lane.declared else f"{live} is there, {lane.declared} is declared"

    # --- after a block

    def _check_deletes(self, log: Path, start_bytes: int) -> int:
        """What the controller deleted, and when, by the audit log."""
        namespace, tally = self._scene.lab.namespace, self._tally
        found, read_to = audit.read(log, start_bytes=start_bytes)
        for each in found:
            deletes = each.verb in ("delete", "deletecollection") and each.namespace == namespace
            if not deletes or not each.user_agent.startswith("trimtab/") or each.resource != "configmaps":
                continue
            at = datetime.fromisoformat(each.time).timestamp()
            within = [
                lane for lane, began, ended in self._spans if each.name.startswith(f"{lane}-") and began <= at <= ended
            ]
            if within or each.name not in self._pruned:
                tally.deletes_within += 1
                tally.complaints.append(f"seed {tally.seed}: {each.name} was deleted at {each.time}, within a fault")
            else:
                tally.prunes += 1
        return read_to

    def _check_rest(self, before: rest.Level, what: str) -> None:
        now, left = rest.await_rest(self._scene.lab, self._temporary, before)
        tally = self._tally
        tally.rests += 1
        tally.levels = (before, now)
        self._tell(f"at rest after {what}: {now}")
        places = sum(len(lane.places) for lane in self._scene.lanes)
        if now.mirrors > places:
            left = f"{left}; {now.mirrors} mirrors of {places} repositories"
        if left:
            tally.complaints.append(f"seed {tally.seed}, {what}: not back at rest: {left}")
        told = self._scene.told()
        if any(secret in told for secret in SECRETS):
            tally.complaints.append(f"seed {tally.seed}, {what}: a log, Event, status or metric holds credentials")


def _config_map(name: str, value: str) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"value": value}})
