"""The story, act by act; each act does something, waits for what must follow, and verifies it in the cluster.

A `Stage` and a `Scene` flow in; rows of the tally flow out. An act that does not happen raises ClusterError.
"""

import time
from collections.abc import Callable
from typing import Any, Final

from trimtab.api.application import DriftItem, ErrorItem
from trimtab.api.timestamps import parse_time
from trimtab.cli.demo import shop
from trimtab.cli.demo.scene import Scene
from trimtab.cli.demo.stage import NAMESPACE, OVERLAYS, Stage
from trimtab.cli.demo.tally import Row, Tally, controllers, gap_seconds
from trimtab.cli.demo.watching import View, live, until, views
from trimtab.localcluster import ClusterError
from trimtab.localcluster.audit import AuditedRequest
from trimtab.report.events import Reason

STAGING, PRODUCTION = APPLICATIONS = tuple(f"shop-{overlay}" for overlay in OVERLAYS)
"""Names of the Applications, and of the namespaces that they fill."""
_QUIET_SECONDS: Final = 3.0
_QUIET_TRIES: Final = 6
_COUNTER: Final = "trimtab_drift_corrected_total"


def deployment(namespace: str, name: str) -> str:
    """The API path of a Deployment."""
    return f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}"


class Story:
    """Seven acts; `tell` plays them all."""

    def __init__(self, stage: Stage, scene: Scene) -> None:
        self._stage = stage
        self._scene = scene
        self._tally = Tally(stage.cluster.audit_log_path)
        self._bad = ""

    def tell(self) -> list[Row]:
        """Play all acts. Raises ClusterError at the first that does not happen."""
        for act in (
            self.first_sync,
            self.commit,
            self.hand_edit,
            self.deletion,
            self.broken_commit,
            self.revert,
            self.rest,
        ):
            self._tally.begin()
            act()
        return self._tally.rows

    def first_sync(self) -> None:
        """Both overlays come up from nothing."""
        self._scene.act("First sync", "A GitRepository and two Applications: the shop in staging and in production.")
        self._scene.typed("kubectl apply -f shop.yaml")
        sha = self._stage.repository.sha()
        self._stage.kubectl("apply", "-f", "-", stdin=self._stage.manifests())
        last = self._await("the first sync", lambda view: len(view.applications) == 2 and view.applied(sha))
        seconds = self._tally.elapsed_seconds()
        objects = sum(count.objects for name in APPLICATIONS if (count := last.status(name).inventory))
        self._verify_image("catalog", "catalog:1.4.0")
        self._scene.seen(f"{objects} objects applied and healthy, {seconds:.2f} s after the apply")
        self._tally.end("first sync", seconds, f"{objects} objects, all healthy")

    def commit(self) -> None:
        """A commit is rolled out."""
        self._scene.act("A commit", "A new version of the catalogue. Git is polled, the cluster is not.")
        _, seen_seconds, seconds = self._push(shop.new_catalog(), lambda view, made: view.applied(made))
        self._verify_image("catalog", "catalog:1.5.0")
        self._scene.seen(f"seen after {seen_seconds:.2f} s; rolled out and healthy in both after {seconds:.2f} s")
        self._tally.end("commit", seconds, f"to healthy; seen after {seen_seconds:.2f} s")

    def hand_edit(self) -> None:
        """A declared field is changed by hand, and comes back."""
        self._scene.act("A hand edit", "Somebody puts a hotfix into production, past Git.")
        image = "registry.example/shop/catalog:hotfix"
        command = ("-n", PRODUCTION, "set", "image", "deployment/catalog", f"catalog={image}")
        self._scene.typed(f"kubectl {' '.join(command)}")
        since = int(time.time())
        self._stage.kubectl(*command)
        item = self._await_drift("Deployment.apps/shop-production/catalog", since)
        until(self._stage, "the healing", lambda: self._image(PRODUCTION, "catalog").endswith("catalog:1.5.0"))
        if image not in item.live or "catalog:1.5.0" not in item.declared:
            raise ClusterError(f"the drift was told wrongly: {item}")
        self._verify_told()
        repair = self._repair("deployments.apps", "catalog")
        self._scene.seen(f"put back {repair:.2f} s after it was written; status, an Event and metrics tell:")
        self._scene.detail(f"field     {item.field}")
        self._scene.detail(f"declared  {item.declared}")
        self._scene.detail(f"found     {item.live}")
        self._scene.detail(f"by        {item.actor}")
        self._tally.end("hand edit", repair, f"by {item.actor}, put back")

    def deletion(self) -> None:
        """A deleted object comes back."""
        self._scene.act("A deletion", "Somebody deletes the cart's Service.")
        path = f"/api/v1/namespaces/{PRODUCTION}/services/cart"
        before = _uid(live(self._stage, path))
        self._scene.typed(f"kubectl -n {PRODUCTION} delete service cart")
        since = int(time.time())
        self._stage.kubectl("-n", PRODUCTION, "delete", "service", "cart", "--wait=false")
        until(self._stage, "the return of the Service", lambda: _uid(live(self._stage, path)) not in ("", before))
        self._await_drift("Service/shop-production/cart", since)
        repair = self._repair("services", "cart")
        self._scene.seen(f"it is back, {repair:.2f} s after it was gone")
        self._tally.end("deletion", repair, "created again")

    def broken_commit(self) -> None:
        """One bad object in a commit: everything else is applied."""
        self._scene.act("A broken commit", "A new shop window for both, and a mistake in an object of production.")
        self._bad, _, seconds = self._push(shop.broken(), self._only_production_fails)
        self._verify_image("web", "web:3.2.0")
        error = self._error()
        self._scene.seen(f"staging is at it, and so is everything else of production, after {seconds:.2f} s")
        self._scene.news(f"{error.file}:{error.line}: {error.object}")
        self._scene.detail(error.message)
        self._tally.end("broken commit", seconds, "one object refused, all others applied")

    def revert(self) -> None:
        """The revert makes everything well again."""
        self._scene.act("A revert", "git revert, and nothing else.")
        self._scene.typed("git revert HEAD && git push")
        self._tally.begin()
        sha = self._stage.repository.revert(self._bad)
        self._await("the revert", lambda view: view.applied(sha) and not view.status(PRODUCTION).errors)
        seconds = self._tally.elapsed_seconds()
        self._verify_image("web", "web:3.1.0")
        self._scene.seen(f"both are ready and healthy at the revert, {seconds:.2f} s after it; no error is left")
        self._tally.end("revert", seconds, "all as before, no error left")

    def rest(self) -> None:
        """Nothing changes: nothing is asked."""
        self._scene.act("Rest", "Nothing changes. How much does the controller ask of the API server?")
        busy: list[AuditedRequest] = []
        for _ in range(_QUIET_TRIES):
            self._tally.begin()
            for _ in self._scene.watch(views(self._stage, "the rest")):
                if self._tally.elapsed_seconds() >= _QUIET_SECONDS:
                    break
            busy = controllers(self._tally.requests())
            if not busy:
                self._scene.seen(f"in {_QUIET_SECONDS:.0f} s: no request at all, only open watches")
                self._tally.end("rest", _QUIET_SECONDS, "watches only")
                return
        asked = ", ".join(sorted({f"{request.verb} {request.uri}" for request in busy}))
        raise ClusterError(f"the controller did not come to rest: {asked}")

    # --------------------------------------------------------------------------------------------- what the acts use

    def _push(self, change: shop.Change, done: Callable[[View, str], bool]) -> tuple[str, float, float]:
        """Commit to the served repository and wait; the SHA, and seconds from the commit until seen and until done."""
        self._scene.typed(f"git commit -m {change.subject!r} && git push")
        self._tally.begin()
        sha = self._stage.repository.commit(dict(change.files), change.subject)
        seen_seconds: list[float] = []

        def followed(view: View) -> bool:
            attempted = any((view.status(name).last_attempted_revision or "").endswith(sha) for name in APPLICATIONS)
            if attempted and not seen_seconds:
                seen_seconds.append(self._tally.elapsed_seconds())
            return attempted and done(view, sha)

        self._await(change.subject, followed)
        return sha, seen_seconds[0], self._tally.elapsed_seconds()

    def _await(self, what: str, done: Callable[[View], bool]) -> View:
        for view in self._scene.watch(views(self._stage, what)):
            if done(view):
                return view
        raise AssertionError("views have no end")

    def _only_production_fails(self, view: View, sha: str) -> bool:
        production = view.status(PRODUCTION)
        attempted = (production.last_attempted_revision or "").endswith(sha)
        return view.applied(sha, STAGING) and attempted and bool(production.errors) and self._all_others_applied()

    def _all_others_applied(self) -> bool:
        return self._image(PRODUCTION, "web").endswith("web:3.2.0")

    def _error(self) -> ErrorItem:
        """The one error of production, which has to name its place."""
        errors = next(views(self._stage, "the error")).status(PRODUCTION).errors
        if len(errors) != 1 or errors[0].file != shop.DISRUPTION or not errors[0].line:
            raise ClusterError(f"the mistake in {shop.DISRUPTION} was not told by file and line: {errors}")
        return errors[0]

    def _await_drift(self, ref: str, since: int) -> DriftItem:
        """The corrected drift of an object that status tells of."""
        found: list[DriftItem] = []

        def told(view: View) -> bool:
            found[:] = [
                item
                for item in view.status(PRODUCTION).drift
                if item.object == ref and item.corrected and parse_time(item.since) >= since - 1
            ]
            return bool(found)

        self._await(f"the healing of {ref}", told)
        return found[0]

    def _verify_told(self) -> None:
        """The healing is an Event and a metric, too."""
        path = f"/apis/events.k8s.io/v1/namespaces/{NAMESPACE}/events"

        def told() -> bool:
            events = self._stage.cluster.client.get(path)["items"]
            return any(event["reason"] == Reason.DRIFT_CORRECTED for event in events)

        until(self._stage, "the Event about the healing", told)
        counted = [line for line in self._stage.controller.metrics().splitlines() if _COUNTER in line]
        if not any(PRODUCTION in line and not line.endswith(" 0.0") for line in counted):
            raise ClusterError(f"{_COUNTER} does not count the healing: {counted}")

    def _repair(self, resource: str, name: str) -> float:
        """Seconds from the change to the controller's answer, by the API server's own clock."""
        gap = gap_seconds(self._tally.requests(), resource=resource, namespace=PRODUCTION, name=name)
        if gap is None:
            raise ClusterError(f"the audit log does not show that {name} was put back")
        return gap

    def _image(self, namespace: str, name: str) -> str:
        body = live(self._stage, deployment(namespace, name))
        return str(body["spec"]["template"]["spec"]["containers"][0]["image"]) if body else ""

    def _verify_image(self, name: str, ending: str) -> None:
        for namespace in APPLICATIONS:
            image = self._image(namespace, name)
            if not image.endswith(ending):
                raise ClusterError(f"Deployment {namespace}/{name} runs {image or 'nothing'}, not {ending}")


def _uid(body: dict[str, Any] | None) -> str:
    return body["metadata"]["uid"] if body and not body["metadata"].get("deletionTimestamp") else ""
