"""The Git side fails: what is in the cluster stays and is healed, the condition tells, and all goes on by itself."""

import shutil
from collections.abc import Callable

import pytest
from tests.faults.scene import folder, heals, value
from tests.fixtures.cluster import wait_for
from tests.fixtures.git_server import Fault
from tests.fixtures.lab import Lab

from trimtab.adapters.git.bare_repository import BareRepository

Break = Callable[[Lab], None]


def always(fault: Fault) -> Break:
    return lambda lab: lab.server.faults.always(fault)


@pytest.mark.parametrize(
    ("name", "break_server", "reason", "told"),
    [
        ("gone", lambda lab: lab.server.stop(), "ConnectionFailed", "127.0.0.1"),
        ("locked", always(Fault.STATUS_401), "AuthenticationFailed", "secretRef"),
        ("failing", always(Fault.STATUS_500), "ServerError", "500"),
        ("stalling", always(Fault.STALL_BEFORE), "TimedOut", "2 s"),
    ],
)
def test_applications_are_healed_while_the_server_fails(
    shared_lab: Lab, name: str, break_server: Break, reason: str, told: str
) -> None:
    lab = shared_lab
    repository = lab.repository(name, folder(name, f"{name}-too"), timeout="2s" if reason == "TimedOut" else "30s")
    lab.application(name, name, "app")
    lab.wait_applied(name, repository.sha())
    try:
        break_server(lab)
        unseen = repository.commit(folder(f"{name}-new"), "Add one")
        lab.poke(name)
        failed = lab.wait_condition(name, "Ready", "False", of="tgit")
        assert failed["reason"] == reason
        assert told in failed["message"]
        heals(lab, name)
        assert lab.condition(name, "Ready")["status"] == "True", "what was applied is still applied"
        kept = lab.status(name, "tgit")["artifact"]["revision"]
        assert not kept.endswith(unseen), "the last good artifact stays"
    finally:
        lab.server.start()
        lab.server.faults.never()
    lab.wait_applied(name, unseen)
    lab.wait_condition(name, "Ready", of="tgit")
    assert {value(lab, each) for each in (name, f"{name}-too", f"{name}-new")} == {"declared"}


def delete_all(repository: BareRepository) -> None:
    repository.commit({}, "Empty it", keep=False)


def only_a_readme(repository: BareRepository) -> None:
    repository.commit({"app/README.md": "# Nothing\n"}, "Empty the folder", keep=False)


def remove_path(repository: BareRepository) -> None:
    repository.commit(folder("moved", path="elsewhere"), "Move everything", keep=False)


def break_yaml(repository: BareRepository) -> None:
    repository.commit({"app/broken.yaml": "kind: ConfigMap\n  name: [unclosed\n"}, "Break it")


def break_kind(repository: BareRepository) -> None:
    repository.commit({"app/broken.yaml": "apiVersion: v1\nmetadata:\n  name: x\n"}, "Forget the kind")


@pytest.mark.parametrize(
    ("name", "spoil", "told"),
    [
        ("emptied", delete_all, ("app", "spec.path")),
        ("readme", only_a_readme, ("app: no manifests", "delete the Application")),
        ("no-path", remove_path, ("app", "spec.path")),
        ("bad-yaml", break_yaml, ("app/broken.yaml:2", "not valid YAML")),
        ("no-kind", break_kind, ("app/broken.yaml", "kind")),
    ],
)
def test_a_revision_that_cannot_be_used_prunes_nothing(
    shared_lab: Lab, name: str, spoil: Callable[[BareRepository], None], told: tuple[str, ...]
) -> None:
    lab = shared_lab
    repository = lab.repository(name, folder(name, f"{name}-too"))
    other = f"{name}-other"
    neighbour = lab.repository(other, folder(other))
    lab.application(name, name, "app")
    lab.application(other, other, "app")
    good = repository.sha()
    lab.wait_applied(name, good)
    lab.wait_applied(other, neighbour.sha())

    spoil(repository)
    lab.poke(name)

    failed = lab.wait_condition(name, "Ready", "False")
    assert all(part in failed["message"] for part in told), failed
    status = lab.status(name)
    assert status["lastAppliedRevision"].endswith(good)
    assert status["lastAttemptedRevision"].endswith(repository.sha())
    assert status["errorsTotal"] >= 1
    heals(lab, name)
    assert value(lab, f"{name}-too") == "declared"
    newer = neighbour.commit(folder(other, value="newer"), "Go on")
    lab.poke(other)
    lab.wait_applied(other, newer)
    mended = repository.commit(folder(name, f"{name}-too"), "Mend it", parent=good)
    lab.poke(name)
    lab.wait_applied(name, mended)
    lab.wait_condition(name, "Ready")
    assert not lab.status(name).get("errors")


@pytest.mark.parametrize("name", ["no-branch", "no-commits"])
def test_a_branch_that_is_gone_leaves_the_last_revision_standing(shared_lab: Lab, name: str) -> None:
    lab = shared_lab
    repository = lab.repository(name, folder(name))
    lab.application(name, name, "app")
    good = repository.sha()
    lab.wait_applied(name, good)

    if name == "no-branch":
        repository.force("other", good)
    repository.delete_branch("main")
    lab.poke(name)

    failed = lab.wait_condition(name, "Ready", "False", of="tgit")
    assert failed["reason"] in ("RefNotFound", "EmptyRepository")
    assert name in failed["message"]
    heals(lab, name)
    assert lab.status(name, "tgit")["artifact"]["revision"].endswith(good)
    repository.force("main", good)
    lab.poke(name)
    lab.wait_condition(name, "Ready", of="tgit")


def test_a_forced_push_is_a_revision_like_any_other(shared_lab: Lab) -> None:
    lab, name = shared_lab, "forced"
    repository = lab.repository(name, folder(name, "forced-kept"))
    lab.application(name, name, "app")
    first = repository.sha()
    lab.wait_applied(name, first)
    second = repository.commit(folder(name, "forced-too", value="second"), "Go on")
    lab.poke(name)
    lab.wait_applied(name, second)

    third = repository.commit(folder(name, value="third"), "Rewrite history", parent=first)
    lab.poke(name)
    lab.wait_applied(name, third)
    assert value(lab, name) == "third"
    assert value(lab, "forced-kept") == "declared"
    wait_for(lambda: value(lab, "forced-too") is None, what="what only the lost history declared to be pruned")

    repository.force("main", first)
    lab.poke(name)
    lab.wait_applied(name, first)
    assert value(lab, name) == "declared"


def test_mirrors_may_be_lost_and_the_disk_unusable(shared_lab: Lab) -> None:
    lab, name = shared_lab, "mirrors"
    repository = lab.repository(name, folder(name))
    lab.application(name, name, "app")
    lab.wait_applied(name, repository.sha())
    mirrors = lab.controller.folder / "data" / "git"
    shutil.rmtree(mirrors)
    second = repository.commit(folder(name, value="second"))
    lab.poke(name)
    lab.wait_applied(name, second)

    shutil.rmtree(mirrors)
    mirrors.write_text("no folder can be made here\n")
    third = repository.commit(folder(name, value="third"))
    lab.poke(name)
    failed = lab.wait_condition(name, "Ready", "False", of="tgit")
    assert "data folder" in failed["message"]
    heals(lab, name)
    mirrors.unlink()
    lab.wait_applied(name, third)
    lab.wait_condition(name, "Ready", of="tgit")
