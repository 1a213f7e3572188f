"""Replicas that leave Git, on the real API server: three stay three."""

from tests.integration.drift.examples import deployment
from tests.integration.drift.server import MERGE

from trimtab.core.fields.managed import entries_of, our_paths
from trimtab.core.fields.path import fields
from trimtab.drift.compare import differences
from trimtab.plan.live_value import with_live_values

REPLICAS = fields("spec", "replicas")


def without_replicas():
    body = deployment()
    del body["spec"]["replicas"]
    return body


def test_dropping_them_at_once_sets_the_default(server):
    server.apply(deployment(replicas=3))
    assert server.apply(without_replicas())["spec"]["replicas"] == 1


def test_they_keep_their_live_value_until_somebody_else_owns_them(server):
    live = server.apply(deployment(replicas=3))
    body = with_live_values(without_replicas(), live)
    live = server.apply(body)
    assert live["spec"]["replicas"] == 3
    assert REPLICAS in our_paths(live)

    server.patch(body, {"spec": {"replicas": 2}}, "kubectl", kind=MERGE, subresource="scale")
    live = server.get(body)
    body = with_live_values(without_replicas(), live)
    assert "replicas" not in body["spec"]
    assert differences(server.apply(body, dry_run=True), live) == ()
    answer = server.apply(body)
    assert answer["spec"]["replicas"] == 2
    assert REPLICAS not in our_paths(answer)


def test_an_ignored_path_goes_over_to_its_new_owner(server):
    body, ignored = deployment(replicas=1), [REPLICAS]
    live = server.apply(body)
    assert with_live_values(body, live, ignored=ignored) == body
    server.patch(body, {"spec": {"replicas": 2}}, "kubectl", kind=MERGE, subresource="scale")
    answer = server.apply(with_live_values(body, server.get(body), ignored=ignored))
    assert answer["spec"]["replicas"] == 2
    assert [entry.manager for entry in entries_of(answer) if REPLICAS in entry.paths] == ["kubectl"]
