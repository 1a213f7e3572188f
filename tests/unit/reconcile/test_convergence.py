"""Whatever happens, in whatever order: once it stops happening, the cluster is as Git says, and then all is quiet."""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from tests.fakes.cluster import kind_of
from tests.fakes.controller import Rig, config_map, deployment, ref_to
from tests.fakes.office import APP, REPO

from trimtab.core.api_error import ApiError
from trimtab.core.errors import Problem, SourceError
from trimtab.core.inventory import Applied
from trimtab.core.refs import ObjectRef

pytestmark = pytest.mark.looptime

SEEDS = 40
STEPS = 40
NAMES = ["a", "b", "c", "d", "e"]
STRANGER = config_map("stranger", kept="as it was")
ERRORS = [
    ApiError(0, "", "connection reset"),
    ApiError(409, "Conflict", "the object has been modified"),
    ApiError(429, "TooManyRequests", "slow down"),
    ApiError(503, "ServiceUnavailable", "later"),
]


class Storm:
    """Does things to a rig at random."""

    def __init__(self, rig: Rig, random: Random) -> None:
        self.rig, self.random = rig, random
        self.declared: list[dict[str, Any]] = []
        self.deeds: list[Callable[[], Any]] = [
            *[self.commit] * 3,
            *[self.edit] * 4,
            *[self.delete] * 2,
            *[self.wait] * 6,
            self.strip,
            self.replace,
            self.break_git,
            self.restart,
            self.cut_or_mend,
            self.refuse,
            self.git_trouble,
            self.store_trouble,
            self.suspend,
            self.poke,
            self.slow,
        ]

    def objects(self) -> list[dict[str, Any]]:
        maps = [config_map(name, mode=self.random.choice("xyz")) for name in NAMES]
        web = deployment("web", replicas=self.random.randint(1, 3))
        return [body for body in (*maps, web) if self.random.random() < 0.6]

    def commit(self) -> None:
        # Something is always declared: a revision of nothing waits for somebody to confirm it.
        self.declared = self.objects() or [config_map("a")]
        sha = self.rig.declare(*self.declared)
        if self.random.random() < 0.7:
            self.rig.office.poke(REPO, sha)

    def break_git(self) -> None:
        self.rig.git.commit({"shop": Problem("mapping values are not allowed here", reason="InvalidYaml")})

    def edit(self) -> None:
        ref = self._victim()
        if ref is not None and ref.kind == "ConfigMap":
            self.rig.cluster.edit(ref, "data.mode", self.random.choice("pqrxyz"), manager=self._manager())

    def delete(self) -> None:
        ref = self._victim()
        if ref is not None:
            self.rig.cluster.other_deletes(ref)

    def strip(self) -> None:
        ref = self._victim()
        if ref is not None and "trimtab.dev/bucket" in self.rig.cluster.objects[ref]["metadata"].get("labels", {}):
            self.rig.cluster.strip_label(ref)

    def replace(self) -> None:
        ref = self._victim()
        if ref is not None and ref.kind == "ConfigMap":
            self.rig.cluster.other_deletes(ref)
            self.rig.cluster.other_applies(config_map(ref.name, mode="theirs"))

    async def restart(self) -> None:
        await self.rig.stop()
        self.rig.start()

    def cut_or_mend(self) -> None:
        kind = kind_of(config_map("a"))
        if self.rig.watches.synced(kind):
            self.rig.watches.cut(kind)
        else:
            self.rig.watches.mend(kind)

    def refuse(self) -> None:
        verb = self.random.choice(["apply", "get", "delete", "merge", "dry-run"])
        name = f"ConfigMap/shop/{self.random.choice(NAMES)}"
        self.rig.objects.refuse(verb, name, self.random.choice(ERRORS), times=self.random.randint(1, 4))

    def git_trouble(self) -> None:
        trouble = SourceError(Problem("cannot reach the server", reason="Unreachable", retry=True))
        self.rig.git.trouble = trouble if self.rig.git.trouble is None else None

    def store_trouble(self) -> None:
        self.rig.store.trouble = self.random.choice(ERRORS) if self.rig.store.trouble is None else None

    def suspend(self) -> None:
        self.rig.office.change(APP, suspend=not self.rig.office.bodies[APP]["spec"].get("suspend", False))

    def poke(self) -> None:
        self.rig.office.poke(APP, str(self.random.random()))

    def slow(self) -> None:
        self.rig.objects.delay_seconds = self.random.choice([0.0, 0.0, 0.1, 3.0])

    async def wait(self) -> None:
        await self.rig.settle(self.random.choice([0.0, 0.01, 0.3, 2.0, 20.0, 200.0]))

    async def blow(self) -> None:
        for _ in range(STEPS):
            done = self.random.choice(self.deeds)()
            if done is not None:
                await done

    async def calm(self) -> None:
        """Everything works again, and Git says something usable."""
        rig = self.rig
        rig.objects.refusals.clear()
        rig.objects.delay_seconds = 0
        rig.git.trouble = rig.store.trouble = None
        for kind in rig.watches.wanted:
            if not rig.watches.synced(kind):
                rig.watches.mend(kind)
        rig.office.change(APP, suspend=False)
        self.commit()
        await rig.settle(3600)

    def _victim(self) -> ObjectRef | None:
        ours = sorted(ref for ref in self.rig.cluster.objects if ref.namespace == "shop" and ref != ref_to(STRANGER))
        return self.random.choice(ours) if ours else None

    def _manager(self) -> str:
        return self.random.choice(["kubectl-edit", "helm", "mallory"])


async def weather(rig: Rig, seed: int, **spec: Any) -> Storm:
    storm = Storm(rig, Random(seed))
    rig.cluster.other_applies(STRANGER)
    await rig.sail(*storm.objects(), adopt="Always", interval="300s", timeout="30s", **spec)
    await storm.blow()
    await storm.calm()
    return storm


def differing(rig: Rig, storm: Storm) -> dict[str, Any]:
    """Declared objects that are not as declared."""
    found = {}
    for body in storm.declared:
        live = rig.cluster.objects.get(ref_to(body), {})
        for part in ("data", "spec"):
            declared = body.get(part, {})
            if {key: live.get(part, {}).get(key) for key in declared} != declared:
                found[str(ref_to(body))] = live.get(part)
    return found


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_after_any_storm_the_cluster_is_as_git_says(rig: Rig, seed: int) -> None:
    storm = await weather(rig, seed)
    assert differing(rig, storm) == {}
    assert rig.said() == ("True", "Applied"), rig.message()
    entries = rig.store.entries[rig.office.bodies[APP]["metadata"]["uid"]]
    assert set(entries) == {ref_to(body) for body in storm.declared}
    for ref, entry in entries.items():
        assert isinstance(entry, Applied)
        assert entry.uid == rig.cluster.objects[ref]["metadata"]["uid"]
    assert rig.live(STRANGER)["data"] == {"kept": "as it was"}
    assert not any(ref == ref_to(STRANGER) for ref, _ in rig.cluster.deleted)


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_after_any_storm_all_is_quiet_and_stays_so_over_a_restart(rig: Rig, seed: int) -> None:
    await weather(rig, seed)
    rig.objects.take_requests()
    writes, changes = len(rig.office.status_writes), len(rig.store.changes)
    await rig.settle(3600)
    assert rig.objects.take_requests() == []
    await rig.restart()
    assert list(rig.writes) == []
    assert (len(rig.office.status_writes), len(rig.store.changes)) == (writes, changes)


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_after_any_storm_deletion_leaves_nothing_of_ours(rig: Rig, seed: int) -> None:
    storm = Storm(rig, Random(seed))
    rig.cluster.other_applies(STRANGER)
    await rig.sail(*storm.objects(), adopt="Always", interval="300s", timeout="30s")
    await storm.blow()
    rig.office.delete(APP)
    rig.objects.refusals.clear()
    rig.objects.delay_seconds = 0
    rig.git.trouble = rig.store.trouble = None
    await rig.settle(3600)
    assert APP not in rig.office.bodies
    assert rig.store.entries == {}
    assert rig.is_there(STRANGER)
    left = [body["metadata"]["name"] for body in rig.cluster.marked()]
    assert left == []


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_after_any_storm_reported_drift_is_exactly_what_differs(rig: Rig, seed: int) -> None:
    storm = await weather(rig, seed, drift={"mode": "Report"})
    standing = [item for item in rig.office.status(APP)["drift"] if "corrected" not in item]
    values = {item["object"] for item in standing if item["field"] in ("", "data.mode", "spec.replicas")}
    assert values == set(differing(rig, storm))
    assert rig.said() == ("True", "Applied"), rig.message()
    assert rig.said("Drifted")[0] == ("True" if standing else "False")
