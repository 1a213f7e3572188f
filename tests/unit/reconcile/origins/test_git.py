"""GitRepository: polls, failures, credentials, restarts and suspension, on the whole loop."""

import asyncio
import base64
from itertools import pairwise
from typing import Any

import pytest
from tests.fakes.controller import Rig, config_map
from tests.fakes.office import APP, NAMESPACE, REPO

from trimtab.core.errors import Problem, SourceError
from trimtab.core.refs import ObjectRef
from trimtab.reconcile.git_tree import GitTree
from trimtab.reconcile.queue import Key
from trimtab.source.addresses import NamespaceAddresses

pytestmark = pytest.mark.looptime

A, B = config_map("a"), config_map("b")
UNREACHABLE = SourceError(Problem("cannot reach the server", reason="Unreachable", retry=True, remedy="look at it"))
REFUSED = SourceError(Problem("wrong password", reason="AuthenticationFailed", remedy="correct the Secret"))


def secret(**texts: str) -> dict[str, Any]:
    data = {name: base64.b64encode(text.encode()).decode() for name, text in texts.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys", "namespace": NAMESPACE}, "data": data}


async def test_a_fetch_is_told_with_its_commit(rig: Rig) -> None:
    await rig.sail(A)
    status = rig.office.status(REPO)
    assert rig.office.said(REPO) == ("True", "Fetched")
    assert status["artifact"]["revision"].startswith("main@sha1:")
    assert status["commit"] == {
        "author": "Ann",
        "committer": "Ben",
        "subject": "a change",
        "time": status["artifact"]["lastUpdateTime"],
    }
    assert rig.metrics.all("fetched")[0][0] == "changed"


async def test_a_first_fetch_is_told_while_it_lasts_and_no_later_one(rig: Rig) -> None:
    fetch = rig.git.fetch

    async def slow(*args: Any, **kwargs: Any) -> Any:
        await asyncio.sleep(20)
        return await fetch(*args, **kwargs)

    rig.git.fetch = slow  # type: ignore[method-assign]
    await rig.sail(A)
    assert rig.office.said(REPO) == ("Unknown", "Fetching")
    assert rig.office.said(REPO, "Reconciling") == ("True", "Fetching")
    await rig.settle(20)
    assert rig.office.said(REPO) == ("True", "Fetched")
    writes = len(rig.office.status_writes)
    await rig.settle(300)
    assert len(rig.office.status_writes) == writes


async def test_it_is_asked_every_interval_with_some_scatter(rig: Rig) -> None:
    times: list[float] = []
    fetch = rig.git.fetch

    async def timed(*args: Any, **kwargs: Any) -> Any:
        times.append(rig.clock.monotonic())
        return await fetch(*args, **kwargs)

    rig.git.fetch = timed  # type: ignore[method-assign]
    rig.declare(A)
    rig.source(interval="100s")
    rig.start()
    await rig.settle(5000)
    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert min(pauses) >= 100
    assert max(pauses) <= 110.1
    assert len({round(pause, 3) for pause in pauses}) > 10
    assert {values[0] for values in rig.metrics.all("fetched")[1:]} == {"unchanged"}


async def test_a_poll_finds_a_commit_and_its_applications_follow(rig: Rig) -> None:
    await rig.sail(A)
    rig.declare(A, B)
    await rig.settle(70)
    assert rig.is_there(B)


async def test_a_poke_fetches_at_once_and_is_acknowledged(rig: Rig) -> None:
    await rig.sail(A)
    rig.declare(A, B)
    rig.office.poke(REPO, "now")
    await rig.settle(1)
    assert rig.is_there(B)
    assert rig.office.status(REPO)["lastHandledReconcileAt"] == "now"


async def test_a_failure_is_told_and_the_artifact_stays(rig: Rig) -> None:
    await rig.sail(A)
    artifact = rig.office.status(REPO)["artifact"]
    rig.git.trouble = UNREACHABLE
    await rig.settle(200)
    assert rig.office.said(REPO) == ("False", "Unreachable")
    assert rig.office.status(REPO)["artifact"] == artifact
    assert rig.said() == ("True", "Applied")
    rig.edit(A, "data.mode", "slow")
    await rig.settle()
    assert rig.live(A)["data"] == {"mode": "fast"}, "healing goes on from what was fetched"
    assert ("Unreachable",) in {values[:1] for values in rig.metrics.all("fetched")}
    rig.git.trouble = None
    await rig.settle(100)
    assert rig.office.said(REPO) == ("True", "Fetched")


async def test_failures_are_tried_again_soon_at_first(rig: Rig) -> None:
    rig.git.trouble = UNREACHABLE
    rig.declare(A)
    rig.source(interval="600s")
    rig.application()
    rig.start()
    await rig.settle(20)
    assert 3 <= len(rig.git.fetches) <= 7
    rig.git.trouble = None
    await rig.settle(40)
    assert rig.said() == ("True", "Applied")


async def test_what_only_the_other_side_can_mend_is_asked_at_the_pace_of_polling(rig: Rig) -> None:
    rig.git.trouble = SourceError(Problem("no such branch", reason="RefNotFound"))
    rig.declare(A)
    rig.source(interval="100s")
    rig.start()
    await rig.settle(1050)
    assert 9 <= len(rig.git.fetches) <= 11
    assert rig.office.said(REPO, "Stalled") == ("True", "RefNotFound")


async def test_a_suspended_repository_is_not_fetched_and_its_applications_stay(rig: Rig) -> None:
    await rig.sail(A)
    rig.office.change(REPO, suspend=True)
    await rig.settle()
    fetches = len(rig.git.fetches)
    rig.declare(A, B)
    await rig.settle(3600)
    assert len(rig.git.fetches) == fetches
    assert rig.office.said(REPO) == ("True", "Suspended")
    assert not rig.is_there(B)
    rig.office.change(REPO, suspend=False)
    await rig.settle()
    assert rig.is_there(B)


async def test_an_invalid_repository_says_what_is_wrong_and_recovers(rig: Rig) -> None:
    rig.declare(A)
    rig.source(url=17)
    rig.application()
    rig.start()
    await rig.settle()
    assert rig.office.said(REPO) == ("False", "InvalidSpec")
    assert "spec.url" in rig.office.condition(REPO, "Ready")["message"]
    rig.office.change(REPO, url="https://git.example/fleet")
    await rig.settle()
    assert rig.office.said(REPO) == ("True", "Fetched")
    assert rig.said() == ("True", "Applied")


async def test_what_a_repository_told_stays_told_while_its_spec_cannot_be_read(rig: Rig) -> None:
    await rig.sail(A)
    artifact = rig.office.status(REPO)["artifact"]
    rig.office.change(REPO, url=17)
    await rig.settle()
    assert rig.office.said(REPO) == ("False", "InvalidSpec")
    assert rig.office.status(REPO)["artifact"] == artifact


async def test_a_deleted_repository_is_missed_by_its_applications_and_nothing_is_pruned(rig: Rig) -> None:
    await rig.sail(A)
    rig.office.delete(REPO)
    await rig.settle()
    assert rig.said() == ("Unknown", "Waiting")
    assert "does not exist" in rig.message()
    assert rig.is_there(A)
    rig.edit(A, "data.mode", "slow")
    await rig.settle()
    assert rig.live(A)["data"] == {"mode": "fast"}, "what was applied last is healed on"


async def test_a_repository_being_deleted_is_left_alone(rig: Rig) -> None:
    await rig.sail(A)
    rig.office.bodies[REPO]["metadata"]["finalizers"] = ["example.org/held"]
    rig.office.delete(REPO)
    await rig.settle()
    fetches = len(rig.git.fetches)
    await rig.settle(600)
    assert len(rig.git.fetches) == fetches


# --- credentials


async def test_the_secret_is_read_once_and_again_when_somebody_pokes(rig: Rig) -> None:
    rig.cluster.other_applies(secret(username="ann", password="one"))
    rig.declare(A)
    rig.source(secretRef={"name": "keys"})
    rig.start()
    await rig.settle(600)
    assert rig.objects.requests == [("get", "Secret/trimtab-system/keys")]
    assert rig.git.fetches[0] is not None
    assert (rig.git.fetches[0].username, rig.git.fetches[0].password) == ("ann", "one")
    rig.cluster.other_applies(secret(username="ann", password="two"))
    rig.office.poke(REPO, "now")
    await rig.settle()
    assert rig.git.fetches[-1] is not None
    assert rig.git.fetches[-1].password == "two"


async def test_a_refused_password_has_the_secret_read_again(rig: Rig) -> None:
    rig.cluster.other_applies(secret(username="ann", password="old"))
    rig.declare(A)
    rig.source(secretRef={"name": "keys"})
    rig.start()
    await rig.settle()
    rig.git.trouble = REFUSED
    await rig.settle(100)
    assert rig.office.said(REPO) == ("False", "AuthenticationFailed")
    rig.cluster.other_applies(secret(username="ann", password="new"))
    rig.git.trouble = None
    await rig.settle(100)
    assert rig.git.fetches[-1] is not None
    assert rig.git.fetches[-1].password == "new"
    assert rig.office.said(REPO) == ("True", "Fetched")


@pytest.mark.parametrize("reason", ["HostKeyRefused", "InvalidCredentials", "ProxyAuthenticationFailed", "TLSFailed"])
async def test_so_has_every_failure_that_a_secret_may_mend(rig: Rig, reason: str) -> None:
    rig.cluster.other_applies(secret(username="ann", password="old"))
    rig.declare(A)
    rig.source(secretRef={"name": "keys"})
    rig.git.trouble = SourceError(Problem("no", reason=reason, remedy="correct the Secret", retry=True))
    rig.start()
    await rig.settle()
    assert rig.office.said(REPO) == ("False", reason)
    rig.cluster.other_applies(secret(username="ann", password="new"))
    rig.git.trouble = None
    await rig.settle(100)
    assert rig.git.fetches[-1] is not None
    assert rig.git.fetches[-1].password == "new"


@pytest.mark.parametrize("restricted", [False, True])
async def test_the_policy_of_the_namespace_goes_with_each_request(rig: Rig, restricted: bool) -> None:
    rules = NamespaceAddresses(NAMESPACE, allowed=("10.0.0.0/8",), restricted=restricted)
    rig.declare(A)
    rig.source(lfs=True)
    rig.start()
    rig.git_origin.addresses = rules
    await rig.settle()
    assert rig.git.policies == [rules.of(NAMESPACE)] * 2
    artifact = rig.artifacts.get(REPO)
    assert artifact is not None
    assert isinstance(artifact.tree, GitTree)
    assert artifact.tree.addresses == rules.of(NAMESPACE)


async def test_a_missing_secret_is_named_and_waited_for(rig: Rig) -> None:
    rig.declare(A)
    rig.source(secretRef={"name": "keys"})
    rig.start()
    await rig.settle()
    assert rig.office.said(REPO) == ("False", "SecretNotFound")
    assert "Secret/trimtab-system/keys" in rig.office.condition(REPO, "Ready")["message"]
    rig.cluster.other_applies(secret(username="ann", password="one"))
    await rig.settle(120)
    assert rig.office.said(REPO) == ("True", "Fetched")


async def test_a_secret_that_was_wrong_is_read_again(rig: Rig) -> None:
    rig.cluster.other_applies(secret(username="ann"))
    rig.declare(A)
    rig.source(secretRef={"name": "keys"})
    rig.start()
    await rig.settle()
    assert rig.office.said(REPO) == ("False", "SecretInvalid")
    rig.cluster.other_applies(secret(username="ann", password="one"))
    await rig.settle(120)
    assert rig.office.said(REPO) == ("True", "Fetched")


# --- restarts


async def test_after_a_restart_the_mirror_serves_while_the_server_is_gone(rig: Rig) -> None:
    await rig.sail(A)
    await rig.stop()
    rig.git.trouble = UNREACHABLE
    rig.cluster.other_deletes(ObjectRef.of(A))
    rig.start()
    await rig.settle()
    assert rig.is_there(A)
    assert rig.said() == ("True", "Applied")
    assert rig.office.said(REPO) == ("False", "Unreachable")


async def test_after_a_restart_without_mirror_and_server_nothing_is_touched(rig: Rig) -> None:
    await rig.sail(A)
    await rig.stop()
    rig.git.trouble = UNREACHABLE
    rig.git.lose_mirrors()
    rig.start()
    await rig.settle()
    assert rig.is_there(A)
    assert rig.said() == ("Unknown", "Waiting")
    rig.git.trouble = None
    await rig.settle(120)
    assert rig.said() == ("True", "Applied")


async def test_after_a_restart_an_unreadable_artifact_is_passed_over(rig: Rig) -> None:
    await rig.sail(A)
    await rig.stop()
    rig.git.trouble = UNREACHABLE
    rig.office.bodies[REPO]["status"]["artifact"]["revision"] = "nonsense"
    rig.start()
    await rig.settle()
    assert rig.said() == ("Unknown", "Waiting")


async def test_after_a_restart_the_time_of_the_artifact_stays(rig: Rig) -> None:
    await rig.sail(A)
    before = rig.office.status(REPO)
    await rig.settle(300)
    writes = len(rig.office.status_writes)
    await rig.restart()
    assert rig.office.status(REPO) == before
    assert len(rig.office.status_writes) == writes


async def test_the_back_off_is_bounded_by_the_interval(rig: Rig) -> None:
    rig.declare(A)
    rig.source(interval="90s")
    rig.start()
    await rig.settle()
    assert rig.repositories.limit_seconds(REPO) == 90
    assert rig.repositories.limit_seconds(APP) == 60


async def test_a_new_repository_that_waits_for_its_turn_says_that_it_is_not_there_yet(rig: Rig) -> None:
    fetch, asked = rig.git.fetch, list[float]()

    async def slow(*args: Any, **kwargs: Any) -> Any:
        asked.append(rig.clock.monotonic())
        await asyncio.sleep(3600)
        return await fetch(*args, **kwargs)

    rig.git.fetch = slow  # type: ignore[method-assign]
    keys = [Key(REPO.kind, NAMESPACE, f"r{number}") for number in range(20)]
    for key in keys:
        rig.office.create(key, url="https://git.example/fleet", interval="60s")
    await rig.sail(A)
    assert len(asked) < len(keys)
    assert {rig.office.said(key) for key in keys} == {("Unknown", "Fetching")}
