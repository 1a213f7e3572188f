"""Every refusal and every stale field that a claim is for, on the real API server."""

import json
from functools import partial

import pytest
from tests.integration.drift.examples import container_of, deployment, pod_of, service

from trimtab.core.api_error import ApiError
from trimtab.core.fields.managed import entries_of, our_paths
from trimtab.plan.claim import (
    Breadth,
    causes_of,
    claim_after_invalid,
    claim_dropped,
    claim_for_adoption,
    declared_paths,
)


def correct(server, body):
    """Apply as the loop does: claim after each refusal, wider and wider. The answer, and the breadths that it took."""
    widths, refusal = [], ApiError(0, "", "nothing was tried")
    for breadth in (None, *Breadth):
        if breadth is not None:
            error = refusal
            causes = causes_of(refusal)
            if server.claim(body, partial(claim_after_invalid, body=body, causes=causes, breadth=breadth)) is None:
                continue
            widths.append(breadth)
        try:
            return server.apply(body), widths
        except ApiError as error:
            if not causes_of(error):
                raise
            refusal = error
    raise refusal


def ports(body):
    return {port["port"]: port.get("name") for port in body["spec"]["ports"]}


def test_a_renumbered_port_comes_back_and_a_foreign_one_beside_it_stays(server):
    body = service({"name": "http", "port": 80, "targetPort": 8000})
    server.apply(body)

    def renumber(live):
        live["spec"]["ports"][0]["port"] = 8080
        live["spec"]["ports"].append({"name": "metrics", "port": 9090})

    server.replace(body, renumber)
    answer, widths = correct(server, body)
    assert ports(answer) == {80: "http", 9090: "metrics"}
    assert widths == [Breadth.COLLIDING]


def test_an_unnamed_port_renumbered(server):
    body = service({"port": 80})
    server.apply(body)
    server.replace(body, lambda live: live["spec"]["ports"][0].update(port=8080))
    answer, widths = correct(server, body)
    assert ports(answer) == {80: None}
    assert widths == [Breadth.COLLIDING]


def test_an_unnamed_port_beside_named_ones_of_others_is_made_possible_again(server):
    body = service({"port": 80})
    server.apply(body)

    def rename(live):
        live["spec"]["ports"] = [{"name": "x", "port": 8080}, {"name": "y", "port": 9090}]

    server.replace(body, rename)
    answer, _ = correct(server, body)
    assert ports(answer) == {80: None}


def test_a_node_port_given_to_a_renumbered_and_renamed_port(server):
    body = service({"name": "http", "port": 80, "nodePort": 30123}, type="NodePort")
    server.apply(body)
    server.replace(body, lambda live: live["spec"]["ports"][0].update(port=8080, name="other"))
    answer, widths = correct(server, body)
    assert ports(answer) == {80: "http"}
    assert widths == [Breadth.COLLIDING]


def test_a_container_port_renumbered(server):
    body = deployment()
    server.apply(body)
    server.replace(body, lambda live: container_of(live)["ports"][0].update(containerPort=8080))
    answer, widths = correct(server, body)
    assert [port["containerPort"] for port in container_of(answer)["ports"]] == [80]
    assert widths == [Breadth.COLLIDING]


def test_a_value_turned_into_a_reference_and_a_foreign_one_stays(server):
    body = deployment()
    server.apply(body)
    reference = {"fieldRef": {"fieldPath": "metadata.name"}}

    def refer(live):
        container_of(live)["env"][0] = {"name": "MODE", "valueFrom": reference}
        container_of(live)["env"].append({"name": "OTHER", "valueFrom": reference})

    server.replace(body, refer)
    answer, widths = correct(server, body)
    env = {item["name"]: item for item in container_of(answer)["env"]}
    assert env["MODE"] == {"name": "MODE", "value": "fast"}
    assert "valueFrom" in env["OTHER"]
    assert widths == [Breadth.COLLIDING]


def test_a_reference_turned_into_a_value(server):
    body = deployment()
    declared = {"name": "MODE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    container_of(body)["env"] = [declared]
    server.apply(body)
    server.replace(body, lambda live: container_of(live).update(env=[{"name": "MODE", "value": "slow"}]))
    answer, widths = correct(server, body)
    (env,) = container_of(answer)["env"]
    assert env["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.name"
    assert "value" not in env
    assert len(widths) == 1


@pytest.mark.parametrize("manager", ["kubectl-edit", "another-applier"])
def test_a_strategy_that_came_with_defaults(server, manager):
    body = deployment(strategy={"type": "Recreate"})
    server.apply(body)
    if manager == "kubectl-edit":
        server.replace(body, lambda live: live["spec"]["strategy"].update(type="RollingUpdate"))
    else:
        identity = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}}
        server.apply({**identity, "spec": {"strategy": {"type": "RollingUpdate"}}}, manager)
    answer, widths = correct(server, body)
    assert answer["spec"]["strategy"] == {"type": "Recreate"}
    assert widths == [Breadth.COLLIDING]


def test_git_itself_goes_from_defaults_to_a_form_that_forbids_them(server):
    server.apply(deployment())
    body = deployment(strategy={"type": "Recreate"})
    answer, _ = correct(server, body)
    assert answer["spec"]["strategy"] == {"type": "Recreate"}


def test_a_volume_of_another_kind(server):
    body = deployment()
    server.apply(body)

    def turn(live):
        pod_of(live)["volumes"] = [
            {"name": "scratch", "hostPath": {"path": "/x"}},
            {"name": "foreign", "hostPath": {"path": "/y"}},
        ]

    server.replace(body, turn)
    answer, widths = correct(server, body)
    assert {volume["name"]: sorted(volume) for volume in pod_of(answer)["volumes"]} == {
        "scratch": ["emptyDir", "name"],
        "foreign": ["hostPath", "name"],
    }
    assert widths == [Breadth.COLLIDING]


def test_a_probe_of_another_kind(server):
    body = deployment()
    container_of(body)["livenessProbe"] = {"httpGet": {"path": "/alive", "port": 80}}
    server.apply(body)
    server.replace(
        body, lambda live: container_of(live).update(livenessProbe={"tcpSocket": {"port": 81}, "periodSeconds": 3})
    )
    answer, widths = correct(server, body)
    probe = container_of(answer)["livenessProbe"]
    assert probe["httpGet"]["path"] == "/alive"
    assert "tcpSocket" not in probe
    assert probe["periodSeconds"] == 3
    assert widths == [Breadth.COLLIDING]


def test_a_request_above_the_declared_limit(server):
    body = deployment()
    server.apply(body)
    server.replace(
        body,
        lambda live: container_of(live).update(
            resources={"limits": {"cpu": "3", "memory": "512Mi"}, "requests": {"cpu": "2", "memory": "1Mi"}}
        ),
    )
    answer, widths = correct(server, body)
    resources = container_of(answer)["resources"]
    assert resources["limits"]["cpu"] == "1"
    assert "cpu" not in resources["requests"]
    assert resources["requests"]["memory"] == "1Mi"
    assert widths == [Breadth.COLLIDING]


def test_a_key_moved_from_data_to_binary_data(server):
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "1"}}
    server.apply(body)

    def move(live):
        live["binaryData"] = {"a": "eA==", "foreign": "eQ=="}
        del live["data"]

    server.replace(body, move)
    answer, widths = correct(server, body)
    assert answer["data"] == {"a": "1"}
    assert answer["binaryData"] == {"foreign": "eQ=="}
    assert widths == [Breadth.COLLIDING]


def test_a_budget_stated_the_other_way(server):
    body = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "web"},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}},
    }
    server.apply(body)

    def turn(live):
        live["spec"].update(maxUnavailable=1, unhealthyPodEvictionPolicy="AlwaysAllow")
        del live["spec"]["minAvailable"]

    server.replace(body, turn)
    answer, widths = correct(server, body)
    assert answer["spec"]["minAvailable"] == 1
    assert "maxUnavailable" not in answer["spec"]
    assert answer["spec"]["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
    assert widths == [Breadth.COLLIDING]


def test_session_affinity_that_came_with_a_default(server):
    body = service(sessionAffinity="None")
    server.apply(body)
    server.replace(body, lambda live: live["spec"].update(sessionAffinity="ClientIP"))
    answer, widths = correct(server, body)
    assert answer["spec"]["sessionAffinity"] == "None"
    assert "sessionAffinityConfig" not in answer["spec"]
    assert widths in ([], [Breadth.COLLIDING])


@pytest.mark.parametrize("other", ["NodePort", "LoadBalancer", "ExternalName"])
def test_a_service_made_another_type(server, other):
    body = service(type="ClusterIP")
    address = server.apply(body)["spec"]["clusterIP"]

    def turn(live):
        live["spec"]["type"] = other
        if other == "LoadBalancer":
            live["spec"].update(loadBalancerClass="example.com/x", externalTrafficPolicy="Local")
        if other == "ExternalName":
            live["spec"]["externalName"] = "example.com"

    server.replace(body, turn)
    answer, _ = correct(server, body)
    assert answer["spec"]["type"] == "ClusterIP"
    assert answer["spec"]["clusterIP"] == address or other == "ExternalName"
    assert "loadBalancerClass" not in answer["spec"]
    assert "nodePort" not in answer["spec"]["ports"][0]


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet"])
def test_an_update_strategy_that_came_with_defaults(server, kind):
    body = deployment()
    del body["spec"]["replicas"]
    body["kind"] = kind
    body["spec"]["updateStrategy"] = {"type": "OnDelete"}
    server.apply(body)
    strategy = {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": 1} if kind == "DaemonSet" else {"partition": 1},
    }
    server.replace(body, lambda live: live["spec"].update(updateStrategy=strategy))
    answer, widths = correct(server, body)
    assert answer["spec"]["updateStrategy"]["type"] == "OnDelete"
    assert widths in ([], [Breadth.COLLIDING])


def test_a_hook_of_another_kind(server):
    body = deployment()
    container_of(body)["lifecycle"] = {"preStop": {"exec": {"command": ["x"]}}}
    server.apply(body)
    hook = {"preStop": {"httpGet": {"port": 80, "path": "/bye"}}, "postStart": {"exec": {"command": ["foreign"]}}}
    server.replace(body, lambda live: container_of(live).update(lifecycle=hook))
    answer, widths = correct(server, body)
    lifecycle = container_of(answer)["lifecycle"]
    assert lifecycle == {"preStop": {"exec": {"command": ["x"]}}, "postStart": {"exec": {"command": ["foreign"]}}}
    assert widths == [Breadth.COLLIDING]


def test_a_webhook_sent_elsewhere_keeps_the_bundle_that_somebody_injected(server):
    service_at = {"name": "hook", "namespace": "hooks", "path": "/x"}
    hook = {
        "name": "check.example.com",
        "clientConfig": {"service": service_at},
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "failurePolicy": "Ignore",
    }
    body = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": f"hook-{server.namespace}"},
        "webhooks": [hook],
    }
    server.apply(body)
    try:

        def turn(live):
            live["webhooks"][0]["clientConfig"] = {"url": "https://example.com/x", "caBundle": "eA=="}

        server.replace(body, turn)
        answer, widths = correct(server, body)
        config = answer["webhooks"][0]["clientConfig"]
        assert config["service"]["name"] == "hook"
        assert "url" not in config
        assert config["caBundle"] == "eA=="
        assert widths == [Breadth.COLLIDING]
    finally:
        server.delete(body)


def test_what_git_gets_wrong_is_claimed_from_nobody(server):
    body = deployment()
    server.apply(body)
    foreign = {"spec": {"template": {"metadata": {"labels": {"foreign": "1"}}}}}
    server.patch(body, foreign)
    body["spec"]["selector"] = {"matchLabels": {"app": "other"}}
    before = entries_of(server.get(body))
    with pytest.raises(ApiError) as refused:
        correct(server, body)
    assert refused.value.invalid
    after = entries_of(server.get(body))
    assert [entry.paths for entry in after if entry.manager == "kubectl-patch"] == [
        entry.paths for entry in before if entry.manager == "kubectl-patch"
    ]


def test_adoption_removes_what_was_declared_before_and_keeps_what_was_added_by_hand(server, kubectl):

    old = deployment(replicas=1)
    old["metadata"]["labels"]["old"] = "1"
    pod_of(old)["containers"].append({"name": "stale", "image": "stale:1"})
    kubectl("apply", "-n", server.namespace, "-f", "-", stdin=json.dumps(old))
    kubectl("label", "-n", server.namespace, "deploy/web", "hand=made")
    kubectl("annotate", "-n", server.namespace, "deploy/web", "hand=made")
    kubectl("scale", "-n", server.namespace, "deploy/web", "--replicas=2")

    body = deployment()
    del body["spec"]["replicas"]
    del container_of(body)["args"]
    assert server.claim(body, lambda live: claim_for_adoption(live, body)) is not None
    answer = server.apply(body)
    assert [item["name"] for item in pod_of(answer)["containers"]] == ["web"]
    assert "args" not in container_of(answer)
    assert "old" not in answer["metadata"]["labels"]
    assert answer["metadata"]["labels"]["hand"] == "made"
    assert answer["metadata"]["annotations"]["hand"] == "made"
    assert "kubectl.kubernetes.io/last-applied-configuration" not in answer["metadata"]["annotations"]
    assert answer["spec"]["replicas"] == 2
    assert answer["spec"]["template"]["spec"]["dnsPolicy"] == "ClusterFirst"
    assert {entry.manager for entry in entries_of(answer)} >= {"trimtab", "kubectl-label", "kubectl-annotate"}
    assert "kubectl-client-side-apply" not in {entry.manager for entry in entries_of(answer)}


def test_adoption_leaves_undeclared_replicas_with_their_former_owner(server):
    server.create(deployment(replicas=2))
    body = deployment()
    del body["spec"]["replicas"]
    server.claim(body, lambda live: claim_for_adoption(live, body))
    answer = server.apply(body)
    assert answer["spec"]["replicas"] == 2


def test_adoption_of_a_service_keeps_its_addresses(server):
    body = service(type="NodePort")
    created = server.create(body)
    server.claim(body, lambda live: claim_for_adoption(live, body))
    answer = server.apply(body)
    for field in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "ports"):
        assert answer["spec"][field] == created["spec"][field]


def test_adoption_takes_nothing_from_an_object_that_only_controllers_wrote(server):
    body = deployment()
    server.create(body, "some-controller")
    assert claim_for_adoption(server.get(body), body) is None


def dropped_to(server, old, new, edit):
    server.apply(old)
    last = declared_paths(old, server.get(old))
    server.replace(old, edit)
    assert server.claim(new, lambda live: claim_dropped(live, new, dropped=last)) is not None
    return server.apply(new)


def test_a_dropped_field_goes_although_somebody_changed_it(server):
    old, new = deployment(), deployment()
    container_of(new)["env"] = [{"name": "EMPTY", "value": ""}]
    del new["metadata"]["labels"]["tier"]
    del container_of(new)["args"]

    def edit(live):
        container_of(live)["env"][0]["value"] = "slow"
        container_of(live)["env"].append({"name": "FOREIGN", "value": "1"})
        container_of(live)["args"] = ["--other"]
        live["metadata"]["labels"].update(tier="back", foreign="1")

    answer = dropped_to(server, old, new, edit)
    assert [item["name"] for item in container_of(answer)["env"]] == ["EMPTY", "FOREIGN"]
    assert "args" not in container_of(answer)
    assert "tier" not in answer["metadata"]["labels"]
    assert answer["metadata"]["labels"]["foreign"] == "1"


def test_a_dropped_probe_goes_although_somebody_turned_it_into_another(server):
    old, new = deployment(), deployment()
    container_of(old)["livenessProbe"] = {"httpGet": {"path": "/alive", "port": 80}}
    answer = dropped_to(
        server, old, new, lambda live: container_of(live).update(livenessProbe={"tcpSocket": {"port": 81}})
    )
    assert "livenessProbe" not in container_of(answer)


def test_dropped_annotations_that_somebody_removed_take_no_foreign_ones_along(server):
    old, new = deployment(), deployment()
    old["spec"]["template"]["metadata"]["annotations"] = {"a": "1"}

    def edit(live):
        live["spec"]["template"]["metadata"]["annotations"] = {"foreign": "1"}

    server.apply(old)
    last = declared_paths(old, server.get(old))
    server.replace(old, edit)
    server.claim(new, lambda live: claim_dropped(live, new, dropped=last))
    answer = server.apply(new)
    assert answer["spec"]["template"]["metadata"]["annotations"] == {"foreign": "1"}


def test_nothing_dropped_and_nothing_lost_need_no_claim(server):
    body = deployment()
    live = server.apply(body)
    assert claim_dropped(live, body, dropped=our_paths(live)) is None
    smaller = deployment()
    del container_of(smaller)["args"]
    assert claim_dropped(live, smaller, dropped=our_paths(live)) is None


def test_dropped_replicas_stay_with_whoever_scales(server):
    old, new = deployment(replicas=1), deployment()
    del new["spec"]["replicas"]
    server.apply(old)
    last = declared_paths(old, server.get(old))
    server.patch(old, {"spec": {"replicas": 2}}, "kubectl", kind="application/merge-patch+json", subresource="scale")
    assert claim_dropped(server.get(old), new, dropped=last) is None
    assert server.apply(new)["spec"]["replicas"] == 2
