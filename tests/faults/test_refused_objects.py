"""The API server refuses single objects, for reasons that pass and others that do not: the rest stands, all is told."""

import json

from tests.faults.scene import config_map, folder, heals, value, wait_value
from tests.fixtures.cluster import wait_for
from tests.fixtures.lab import Lab


def errors(lab: Lab, name: str) -> dict[str, str]:
    """Message by object."""
    return {each.get("object", ""): each["message"] for each in lab.status(name).get("errors", ())}


def test_a_full_quota_holds_up_only_what_exceeds_it_until_it_is_raised(shared_lab: Lab) -> None:
    lab, target = shared_lab, f"{shared_lab.namespace}-quota"
    lab.kubectl("create", "namespace", target)
    lab.kubectl("create", "quota", "few", "--hard=count/configmaps=4", "-n", target)
    names = [f"quota-{number}" for number in range(6)]
    wait_for(
        lambda: lab.kubectl.get("quota", "few", "-n", target).get("status", {}).get("used"), what="the quota to count"
    )
    repository = lab.repository("quota", folder(*names))
    lab.application("quota", "quota", "app", targetNamespace=target, interval="2s")
    failed = lab.wait_condition("quota", "Ready", "False")
    assert "exceeded quota: few" in failed["message"]
    there = [name for name in names if value(lab, name, namespace=target)]
    assert len(there) == 3, "kube-root-ca.crt is the fourth"
    assert len(errors(lab, "quota")) == 3
    heals(lab, there[0], namespace=target)
    lab.kubectl("delete", "quota", "few", "-n", target)
    lab.wait_applied("quota", repository.sha())
    lab.wait_condition("quota", "Ready")
    assert errors(lab, "quota") == {}


def test_a_policy_that_denies_is_quoted_and_stops_nobody_else(shared_lab: Lab) -> None:
    lab, target = shared_lab, f"{shared_lab.namespace}-policy"
    policy = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": target},
        "spec": {
            "matchConstraints": {
                "resourceRules": [
                    {
                        "apiGroups": [""],
                        "apiVersions": ["v1"],
                        "operations": ["CREATE", "UPDATE"],
                        "resources": ["configmaps"],
                    }
                ]
            },
            "validations": [
                {"expression": "object.metadata.name != 'policy-bad'", "message": "no bad names in this house"}
            ],
        },
    }
    binding = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": target},
        "spec": {
            "policyName": target,
            "validationActions": ["Deny"],
            "matchResources": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": target}}},
        },
    }
    lab.kubectl("create", "namespace", target)
    for body in (policy, binding):
        lab.kubectl("create", "-f", "-", stdin=json.dumps(body))
    try:
        refused = ("create", "configmap", "policy-bad", "-n", target, "--dry-run=server")
        wait_for(lambda: lab.kubectl.run(*refused).returncode != 0, what="the policy to be in force")
        repository = lab.repository("policy", folder("policy-bad", "policy-good"))
        lab.application("policy", "policy", "app", targetNamespace=target, interval="2s")
        failed = lab.wait_condition("policy", "Ready", "False")
        assert "no bad names in this house" in failed["message"]
        assert "app/policy-bad.yaml:1" in failed["message"]
        assert value(lab, "policy-good", namespace=target) == "declared"
        heals(lab, "policy-good", namespace=target)
    finally:
        for kind in ("validatingadmissionpolicybinding", "validatingadmissionpolicy"):
            lab.kubectl("delete", kind, target)
    lab.wait_applied("policy", repository.sha())
    wait_value(lab, "policy-bad", "declared", namespace=target)


def test_an_object_too_large_for_the_server_is_named_and_the_last_good_one_stays(shared_lab: Lab) -> None:
    lab = shared_lab
    repository = lab.repository("large", folder("large", "large-not"))
    lab.application("large", "large", "app", interval="2s")
    first = repository.sha()
    lab.wait_applied("large", first)
    big = config_map("large", value="x" * 1_200_000)
    second = repository.commit({"app/large.yaml": big, **folder("large-not", value="newer")})
    lab.poke("large")
    failed = lab.wait_condition("large", "Ready", "False")
    assert "app/large.yaml:1" in failed["message"]
    assert "must have at most" in failed["message"].lower() or "too l" in failed["message"].lower()
    assert len(failed["message"]) < 2000
    wait_value(lab, "large-not", "newer")
    assert value(lab, "large") == "declared"
    assert lab.status("large")["lastAttemptedRevision"].endswith(second)
    repository.force("main", first)
    lab.poke("large")
    lab.wait_applied("large", first)
    wait_value(lab, "large-not", "declared")
