"""Each declared field of rich objects, changed and removed by somebody else: found, told and healed; nothing else is.

What the server's validation refuses to the other writer is no change; what it refuses to us needs a claim.
"""

import copy

import pytest
from tests.integration.drift.examples import container_of, deployment, marked, pod_of, service
from tests.integration.drift.test_claim import correct

from trimtab.core.api_error import ApiError
from trimtab.core.fields.managed import our_paths
from trimtab.core.fields.path import MISSING, SegmentKind, resolve, same, step_into, text_of
from trimtab.drift.baseline import baseline
from trimtab.drift.compare import differences, differences_from_manifest
from trimtab.plan.claim import causes_of

KEY = b"installation"


def rich_deployment():
    body = deployment(
        strategy={"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "30%", "maxUnavailable": 0}},
        minReadySeconds=2,
        paused=True,
    )
    container_of(body).update(
        command=["/web"],
        livenessProbe={"httpGet": {"path": "/alive", "port": "http"}, "periodSeconds": 7},
        lifecycle={"preStop": {"exec": {"command": ["sleep", "1"]}}},
        securityContext={"runAsNonRoot": True, "capabilities": {"drop": ["ALL"]}},
        envFrom=[{"configMapRef": {"name": "settings"}}],
    )
    container_of(body)["env"].append({"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}})
    pod_of(body)["containers"].append({"name": "second", "image": "second:1"})
    pod_of(body)["volumes"].append({"name": "config", "configMap": {"name": "settings", "defaultMode": 416}})
    pod_of(body).update(
        nodeSelector={"disk": "fast"},
        tolerations=[{"key": "a", "operator": "Exists"}],
        topologySpreadConstraints=[
            {"topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway", "maxSkew": 1, "labelSelector": {}}
        ],
        serviceAccountName="default",
        terminationGracePeriodSeconds=5,
        securityContext={"fsGroup": 5},
        hostAliases=[{"ip": "10.1.1.1", "hostnames": ["a", "b"]}],
    )
    return body


def rich_service():
    return service(
        {"name": "http", "port": 80, "targetPort": "http"},
        {"name": "dns", "port": 53, "protocol": "UDP", "nodePort": 31053},
        type="NodePort",
        sessionAffinity="ClientIP",
        externalTrafficPolicy="Local",
    )


def cron_job():
    pod = {"restartPolicy": "Never", "containers": [{"name": "job", "image": "job:1", "args": ["a"]}]}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": marked("nightly"),
        "spec": {
            "schedule": "0 1 * * *",
            "concurrencyPolicy": "Forbid",
            "suspend": True,
            "jobTemplate": {"spec": {"backoffLimit": 2, "template": {"spec": pod}}},
        },
    }


def other(value):
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str):
        return {"RollingUpdate": "Recreate", "Forbid": "Replace", "ClientIP": "None"}.get(value, f"{value}1")
    if isinstance(value, list) and value and isinstance(value[0], str):
        return [*value, "more"]
    return MISSING


def changed(live, path, value):
    """`live` with the value at the path, or without the path: None where that is no change."""
    body = copy.deepcopy(live)
    holder, last = resolve(body, path[:-1]), path[-1]
    if last.kind is SegmentKind.FIELD:
        if not isinstance(holder, dict) or last.text not in holder:
            return None
        del holder[last.text]
        if value is not MISSING:
            holder[last.text] = value
        return body
    item = step_into(holder, last)
    if item is MISSING or value is not MISSING:
        return None
    holder.remove(item)
    return body


def put_back(server, body, declared):
    try:
        return correct(server, body)[0]
    except ApiError as refusal:
        raise AssertionError(f"{text_of(declared)} was not healed: {refusal.message}") from refusal


def verdict(server, body, live):
    """The findings, as Report mode comes to them: from the manifest where the server gives no answer."""
    try:
        return differences(server.apply(body, dry_run=True), live)
    except ApiError as refusal:
        if not causes_of(refusal):
            raise
        return differences_from_manifest(body, live)


def put(server, body, wanted):
    """The server's answer, None where its validation refuses this change to anybody."""
    wanted["metadata"].pop("resourceVersion")
    try:
        return server.send("PUT", f"{server.path(body)}?fieldManager=kubectl-edit", wanted)
    except ApiError as refused:
        if refused.status not in (400, 422):
            raise
        return None


def same_value(one, another, path):
    left, right = resolve(one, path), resolve(another, path)
    return same(None if left is MISSING else left, None if right is MISSING else right)


@pytest.mark.parametrize("how", ["changed", "removed"])
@pytest.mark.parametrize("make", [rich_deployment, rich_service, cron_job])
def test_each_declared_field_is_found_told_and_healed(server, make, how):
    body = make()
    first = server.apply(body)
    rest = baseline(first, key=KEY)
    owned = {text_of(path): path for path in our_paths(first)}
    tried = 0
    for path in sorted(our_paths(first)):
        live = server.get(body)
        before = resolve(live, path)
        wanted = changed(live, path, other(before) if how == "changed" else MISSING)
        if wanted is None or (how == "changed" and other(before) is MISSING):
            continue
        edited = put(server, body, wanted)
        if edited is None:
            continue
        found = {drift.path_text: drift for drift in verdict(server, body, edited)}
        if same_value(edited, first, path):
            # The server filled in by itself what was removed.
            assert found == {}, text_of(path)
        else:
            tried += 1
            assert baseline(edited, key=KEY) != rest, text_of(path)
            assert any(text_of(path[:depth]) in found for depth in range(1, len(path) + 1)), found
            assert not any(same_value(edited, first, owned[text]) for text in found), found
            if text_of(path) in found:
                named = resolve(edited, path) is not MISSING
                assert found[text_of(path)].actor == ("kubectl-edit" if named else "unknown")
        answer = put_back(server, body, path)
        assert differences(answer, first) == (), text_of(path)
        assert baseline(answer, key=KEY) == rest, text_of(path)
    # Its node port is free again for the next test.
    server.delete(body)
    assert tried >= 8
