"""The controller as a process: killed, started again, told to end."""

import time

from tests.fixtures.cluster import Kubectl, wait_for
from tests.fixtures.controller import Controller, Served, application, git_repository, is_true, status


def test_a_killed_controller_goes_on_where_it_was(
    kubectl: Kubectl, controller: Controller, shop: Served, namespace: str
):
    repository = git_repository(controller.namespace, shop.url)
    overlay = application(controller.namespace, "staging", "overlays/staging", namespace, wait=True)
    kubectl("apply", "-f", "-", stdin=repository + overlay)
    wait_for(
        lambda: is_true(status(kubectl, controller.namespace, "staging"), "Ready"), timeout_seconds=60, what="Ready"
    )
    first = controller.pid
    assert "trimtab_reconcile_duration_seconds" in controller.metrics()
    controller.kill()
    assert not controller.running
    kubectl("-n", namespace, "delete", "service", "web")
    controller.start()
    assert controller.pid != first
    wait_for(lambda: kubectl.run("-n", namespace, "get", "service", "web").returncode == 0, what="the Service")
    assert controller.probe("livez")


def test_it_ends_soon_when_told_to(controller: Controller):
    started = time.monotonic()
    controller.stop()
    assert time.monotonic() - started < 25, "Kubernetes kills what takes 30 s to end"
    assert not controller.running
    assert "Traceback" not in controller.log()
