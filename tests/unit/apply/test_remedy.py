"""What users read of a refusal: reason, remedy, and whether time may mend it."""

import pytest
from tests.fakes.plan_objects import manifest

from trimtab.apply.remedy import explain, immutable, wrong_uid
from trimtab.core.api_error import ApiError, Cause

MANIFEST = manifest("Widget", "one", line=12)
FORBIDDEN = (
    'User "system:serviceaccount:trimtab-system:trimtab" cannot patch resource "deployments" in API group "apps" '
    'in the namespace "shop"'
)
REFUSALS = [
    (ApiError(403, "Forbidden", FORBIDDEN), "Forbidden", "the verb patch on deployments.apps", False),
    (
        ApiError(403, "Forbidden", 'cannot get resource "secrets" in API group "" at'),
        "Forbidden",
        "the verb get on secrets",
        False,
    ),
    (ApiError(403, "Forbidden", "no"), "Forbidden", "what the message names", False),
    (ApiError(403, "Forbidden", "x is attempting to grant RBAC permissions"), "Forbidden", "`escalate`", False),
    (ApiError(403, "Forbidden", "exceeded quota: small, requested"), "QuotaExceeded", "ResourceQuota", False),
    (ApiError(403, "Forbidden", 'pods "x" is forbidden: violates PodSecurity'), "PodSecurity", "security level", False),
    (
        ApiError(403, "Forbidden", "unable to create new content in namespace x because it is being terminated"),
        "NamespaceTerminating",
        "tried again",
        True,
    ),
    (ApiError(400, "BadRequest", 'admission webhook "p" denied the request: no'), "DeniedByPolicy", "policy", False),
    (ApiError(422, "Invalid", "ValidatingAdmissionPolicy 'p' denied request: no"), "DeniedByPolicy", "policy", False),
    (ApiError(500, "InternalError", 'failed calling webhook "p": refused'), "WebhookUnavailable", "backend up", True),
    (
        ApiError(404, "NotFound", "the server could not find the resource"),
        "KindNotServed",
        "of Widget",
        False,
    ),
    (
        ApiError(0, "", 'no matches for kind "Widget" in version "v1"'),
        "KindNotServed",
        "CustomResourceDefinition",
        True,
    ),
    (ApiError(404, "NotFound", 'namespaces "shop" not found'), "NamespaceMissing", "spec.createNamespace", False),
    (ApiError(422, "Invalid", "spec.x: field is immutable"), "Immutable", "trimtab.dev/force", False),
    (ApiError(422, "Invalid", "spec.x: Required value"), "Invalid", "correct the manifest", False),
    (ApiError(500, "", "failed to create typed patch object (x)"), "SchemaMismatch", "the field that is named", False),
    (ApiError(0, "", "connection refused"), "Unreachable", "API server is up", True),
    (ApiError(401, "Unauthorized", "no"), "Unauthorized", "credentials", False),
    (ApiError(409, "Conflict", "no"), "Conflict", "changes the object", True),
    (ApiError(413, "RequestEntityTooLarge", "no"), "TooLarge", "1.5 MiB", False),
    (ApiError(429, "TooManyRequests", "no"), "Throttled", "patience", True),
    (ApiError(503, "ServiceUnavailable", "no"), "ServerError", "tried again", True),
    (ApiError(405, "MethodNotAllowed", "no"), "MethodNotAllowed", "", False),
    (ApiError(418, "", "no"), "Refused", "", False),
]


@pytest.mark.parametrize(("error", "reason", "remedy", "retry"), REFUSALS)
def test_every_refusal_has_its_remedy(error, reason, remedy, retry):
    problem = explain(error, MANIFEST.ref, manifest=MANIFEST, verb="apply")
    assert (problem.reason, problem.retry) == (reason, retry)
    assert remedy in problem.remedy
    assert error.message in problem.message
    assert (problem.ref, problem.origin) == (MANIFEST.ref, MANIFEST.origin)


def test_refusals_without_a_manifest_have_no_place():
    problem = explain(ApiError(404, "NotFound", "gone"), MANIFEST.ref, verb="delete")
    assert problem.origin is None
    assert problem.message == "the server refused to delete: gone"
    assert explain(ApiError(0, "", "reset"), MANIFEST.ref, verb="delete").message == "no answer to delete: reset"


IMMUTABLE = Cause("spec.x", "Invalid value: field is immutable")


@pytest.mark.parametrize(
    "message",
    [
        "spec.selector: Invalid value: field is immutable",
        "spec: Forbidden: updates to statefulset spec for fields other than 'replicas' are forbidden",
        "spec: Forbidden: pod updates may not change fields other than image",
        "spec.clusterIPs[0]: Invalid value: may not change once set",
        "roleRef: Invalid value: cannot change roleRef",
    ],
)
def test_what_never_changes_is_told_by_its_words(message):
    assert immutable(ApiError(422, "Invalid", message))
    assert not immutable(ApiError(500, "Invalid", message))


def test_an_object_that_is_invalid_otherwise_too_would_not_come_back_after_a_deletion():
    other = Cause("spec.y", "Required value")
    assert immutable(ApiError(422, "Invalid", "", causes=(IMMUTABLE, IMMUTABLE)))
    assert not immutable(ApiError(422, "Invalid", "field is immutable", causes=(IMMUTABLE, other)))


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ApiError(409, "Conflict", "uid mismatch"), True),
        (ApiError(422, "Invalid", "", causes=(Cause("metadata.uid", "field is immutable"),)), True),
        (ApiError(422, "Invalid", "", causes=(IMMUTABLE,)), False),
        (ApiError(500, "", ""), False),
    ],
)
def test_a_failed_uid_precondition_comes_in_two_forms(error, expected):
    assert wrong_uid(error) is expected
