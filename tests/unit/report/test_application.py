"""The status of an Application in every phase of its life."""

import pytest

from trimtab.api.application import Application, ApplicationStatus
from trimtab.core.authorship import LastChange
from trimtab.core.errors import Problem
from trimtab.core.manifest import Origin
from trimtab.core.refs import ObjectRef
from trimtab.core.revision import Revision
from trimtab.health.status import Health, HealthStatus, current, failed, in_progress
from trimtab.report.application import (
    ERROR_ITEMS,
    HISTORY_ITEMS,
    ApplicationNews,
    Phase,
    application_status,
    error_item,
)
from trimtab.report.drift_items import DriftRecord

T0, LATER = 1767225600.0, 1767229200.0
ONE = Revision("main", "a" * 40)
TWO = Revision("main", "b" * 40)
WEB = ObjectRef("local", "apps", "Deployment", "shop", "web")
MAP = ObjectRef("local", "", "ConfigMap", "shop", "settings")
HEALTHY = {WEB: current("1 of 1 replicas available"), MAP: current()}
DRIFT = DriftRecord(WEB, "spec.replicas", 3, 5, "kubectl", T0)


def application(status: ApplicationStatus | None = None, *, requested: str = "", **spec: object) -> Application:
    annotations = {"reconcile.trimtab.dev/requestedAt": requested} if requested else {}
    parsed = Application.parse(
        {
            "metadata": {"name": "shop", "namespace": "x", "uid": "u", "generation": 7, "annotations": annotations},
            "spec": {"sourceRef": {"name": "fleet"}, "prune": True, **spec},
        }
    )
    return parsed.model_copy(update={"status": status}) if status else parsed


def applied(**news: object) -> ApplicationNews:
    return ApplicationNews(**{"phase": Phase.APPLIED, "revision": ONE, "objects": 2, "healths": HEALTHY, **news})  # type: ignore[arg-type]


def told(status: ApplicationStatus) -> dict[str, tuple[str, str, str]]:
    return {each.type: (each.status.value, each.reason, each.message) for each in status.conditions}


def test_waiting_for_its_source():
    status = application_status(application(), ApplicationNews(phase=Phase.WAITING), now_seconds=T0)
    message = "waiting for the first revision of its source"
    assert told(status) == {
        "Ready": ("Unknown", "Waiting", message),
        "Reconciling": ("True", "Waiting", message),
        "Healthy": ("Unknown", "NothingApplied", "nothing has been applied yet"),
        "Drifted": ("False", "NoDrift", "every declared field is as declared"),
    }
    assert status.last_attempted_revision is None


def test_applying_keeps_the_applied_revision():
    before = application_status(application(), applied(), now_seconds=T0)
    news = applied(phase=Phase.APPLYING, revision=TWO)
    status = application_status(application(before), news, now_seconds=LATER)
    assert told(status)["Ready"] == ("Unknown", "Applying", f"applying {TWO}")
    assert (status.last_applied_revision, status.last_attempted_revision) == (str(ONE), str(TWO))
    assert status.history == before.history


def test_applied():
    status = application_status(application(requested="now"), applied(), now_seconds=T0)
    assert told(status) == {
        "Ready": ("True", "Applied", f"applied {ONE}"),
        "Healthy": ("True", "Current", "all 2 objects are healthy"),
        "Drifted": ("False", "NoDrift", "every declared field is as declared"),
    }
    assert (status.last_applied_revision, status.last_attempted_revision) == (str(ONE), str(ONE))
    assert status.observed_generation == 7
    assert status.last_handled_reconcile_at == "now"
    assert status.inventory is not None
    assert (status.inventory.objects, status.inventory.ready, status.inventory.drifted) == (2, 2, 0)
    assert [(item.revision, item.result, item.time) for item in status.history] == [
        (str(ONE), "Applied", "2026-01-01T00:00:00Z")
    ]
    assert (status.errors, status.errors_total) == ((), None)


@pytest.mark.parametrize(
    "news",
    [
        applied(),
        applied(drift=[DRIFT]),
        applied(healths={WEB: failed("deadline")}),
        ApplicationNews(phase=Phase.WAITING),
        ApplicationNews(phase=Phase.FAILED, revision=ONE, problems=[Problem("bad")]),
        ApplicationNews(phase=Phase.SUSPENDED),
    ],
    ids=lambda news: news.phase,
)
def test_the_same_news_later_change_nothing(news):
    before = application_status(application(), news, now_seconds=T0)
    again = application_status(application(before), news, now_seconds=LATER)
    assert before == again


def test_an_empty_application_is_healthy():
    status = application_status(application(), applied(objects=0, healths={}), now_seconds=T0)
    assert told(status)["Healthy"] == ("True", "Current", "no objects")


def test_unhealthy_is_ready_where_nobody_waits():
    status = application_status(application(), applied(healths={WEB: failed("deadline")}), now_seconds=T0)
    message = "1 of 1 objects is not healthy: Deployment.apps/shop/web is Failed: deadline"
    assert told(status)["Ready"] == ("True", "Applied", f"applied {ONE}")
    assert told(status)["Healthy"] == ("False", "Failed", message)


def test_unknown_health():
    healths = {WEB: Health(HealthStatus.UNKNOWN, "not seen yet")}
    status = application_status(application(), applied(healths=healths), now_seconds=T0)
    assert told(status)["Healthy"][:2] == ("Unknown", "Unknown")


def test_wait_asks_for_health():
    waiting = application_status(application(wait=True), applied(healths={WEB: in_progress("slow")}), now_seconds=T0)
    assert told(waiting)["Ready"][:2] == ("False", "WaitingForHealth")
    assert told(waiting)["Reconciling"][:2] == ("True", "WaitingForHealth")
    healthy = application_status(application(waiting, wait=True), applied(), now_seconds=T0)
    assert told(healthy)["Ready"][:2] == ("True", "Applied")
    assert "Reconciling" not in told(healthy)


@pytest.mark.parametrize(
    "news", [applied(healths={WEB: in_progress("slow")}, overdue=True), applied(healths={WEB: failed("deadline")})]
)
def test_wait_ends_with_time_or_failure(news):
    status = application_status(application(wait=True), news, now_seconds=T0)
    assert told(status)["Ready"][:2] == ("False", "Unhealthy")
    assert "Reconciling" not in told(status)


def test_failed_and_retried():
    news = ApplicationNews(
        phase=Phase.FAILED,
        revision=TWO,
        reason="ApplyFailed",
        problems=[
            Problem("is refused", ref=WEB, origin=Origin("apps/web.yaml", 3), remedy="name the image"),
            Problem("is too big", ref=MAP, origin=Origin("apps/map.yaml")),
            Problem("cannot be read"),
        ],
    )
    before = application_status(application(), applied(), now_seconds=T0)
    status = application_status(application(before, requested="x"), news, now_seconds=LATER)
    message = "apps/web.yaml:3: Deployment.apps/shop/web: is refused (name the image) (and 2 more errors)"
    assert told(status)["Ready"] == ("False", "ApplyFailed", message)
    assert told(status)["Reconciling"] == ("True", "Retrying", message)
    assert [error.to_body() for error in status.errors] == [
        {
            "object": "Deployment.apps/shop/web",
            "file": "apps/web.yaml",
            "line": 3,
            "message": "is refused (name the image)",
        },
        {"object": "ConfigMap/shop/settings", "file": "apps/map.yaml", "message": "is too big"},
        {"message": "cannot be read"},
    ]
    assert status.errors_total == 3
    assert (status.last_applied_revision, status.last_attempted_revision) == (str(ONE), str(TWO))
    assert [(item.revision, item.result) for item in status.history] == [(str(TWO), "Failed"), (str(ONE), "Applied")]
    assert status.last_handled_reconcile_at == "x"


def test_failed_for_good():
    news = ApplicationNews(phase=Phase.FAILED, reason="PathNotFound", message="no such folder", retry=False)
    status = application_status(application(), news, now_seconds=T0)
    assert told(status)["Stalled"] == ("True", "PathNotFound", "no such folder")
    assert "Reconciling" not in told(status)
    assert status.history == ()


def test_failed_without_words():
    status = application_status(application(), ApplicationNews(phase=Phase.FAILED), now_seconds=T0)
    assert told(status)["Ready"] == ("False", "Failed", "failed")


def test_two_errors_are_counted_in_the_singular():
    news = ApplicationNews(phase=Phase.FAILED, problems=[Problem("one"), Problem("two")])
    status = application_status(application(), news, now_seconds=T0)
    assert told(status)["Ready"][2] == "one (and 1 more error)"


def test_errors_are_bounded_and_counted():
    news = ApplicationNews(phase=Phase.FAILED, problems=[Problem("x" * 5000)] * 60)
    status = application_status(application(), news, now_seconds=T0)
    assert (len(status.errors), status.errors_total) == (ERROR_ITEMS, 60)
    assert max(len(error.message) for error in status.errors) == 1024


def test_suspended_says_so_and_keeps_what_was_true():
    before = application_status(application(), applied(drift=[DRIFT]), now_seconds=T0)
    news = applied(phase=Phase.SUSPENDED)
    status = application_status(application(before, requested="x"), news, now_seconds=LATER)
    assert told(status)["Ready"] == (
        "True",
        "Suspended",
        "suspended: neither synced nor healed until spec.suspend is false",
    )
    assert told(status)["Drifted"] == ("Unknown", "NotWatched", "drift is not looked for: the Application is suspended")
    assert status.last_handled_reconcile_at is None


def test_suspended_from_the_start():
    status = application_status(application(), ApplicationNews(phase=Phase.SUSPENDED), now_seconds=T0)
    assert told(status)["Ready"][:2] == ("Unknown", "Suspended")


def test_deleting():
    status = application_status(application(), ApplicationNews(phase=Phase.DELETING), now_seconds=T0)
    assert told(status)["Ready"] == ("Unknown", "Deleting", "deleting what it owns")


def test_drift_never_changes_ready():
    status = application_status(application(drift={"mode": "Report"}), applied(drift=[DRIFT]), now_seconds=T0)
    assert told(status)["Ready"][0] == "True"
    assert told(status)["Drifted"] == (
        "True",
        "DriftDetected",
        "1 object drifted: Deployment.apps/shop/web spec.replicas (by kubectl)",
    )
    assert status.inventory is not None
    assert status.inventory.drifted == 1
    assert status.drift[0].field == "spec.replicas"


def test_ignored_drift_is_not_looked_for():
    status = application_status(application(drift={"mode": "Ignore"}), applied(), now_seconds=T0)
    assert told(status)["Drifted"] == ("Unknown", "NotWatched", "drift is not looked for: drift.mode is Ignore")


def test_superseded_revisions_enter_the_history():
    news = applied(phase=Phase.APPLYING, revision=TWO, supersedes=ONE)
    status = application_status(application(), news, now_seconds=T0)
    assert [(item.revision, item.result) for item in status.history] == [(str(ONE), "Superseded")]


def test_repeated_failures_are_one_entry_with_the_newest_message():
    first = ApplicationNews(phase=Phase.FAILED, revision=ONE, message="no route")
    second = ApplicationNews(phase=Phase.FAILED, revision=ONE, message="refused")
    before = application_status(application(), first, now_seconds=T0)
    (item,) = application_status(application(before), second, now_seconds=LATER).history
    assert (item.message, item.time) == ("refused", "2026-01-01T00:00:00Z")


def test_history_is_bounded():
    status = ApplicationStatus()
    for number in range(HISTORY_ITEMS + 5):
        news = applied(revision=Revision("main", f"{number:040x}"))
        status = application_status(application(status), news, now_seconds=T0)
    assert len(status.history) == HISTORY_ITEMS
    assert status.history[0].revision == f"main@sha1:{HISTORY_ITEMS + 4:040x}"


def test_what_is_not_watched_may_drift_unseen():
    status = application_status(application(), applied(blind="configmaps: forbidden"), now_seconds=T0)
    why = "drift is not seen until the watches work again, of configmaps: forbidden"
    assert told(status)["Drifted"] == ("Unknown", "WatchBroken", why)
    assert told(status)["Ready"][0] == "True"


def test_errors_name_who_last_changed_their_file():
    item = error_item(Problem("broken", last_change=LastChange("a" * 40, "Ann\x1b[31m <a@example.test>")))
    assert (item.commit, item.author) == ("a" * 40, "Ann\\x1b[31m <a@example.test>")
    assert item.message == "broken"


def test_a_file_without_history_is_told_with_its_artifact() -> None:
    item = error_item(Problem("broken", origin=Origin("a.yaml", 1), artifact="sha256:abc"))
    assert (item.artifact, item.commit, item.author) == ("sha256:abc", None, None)
    assert error_item(Problem("broken")).artifact is None
