"""A server's refusal in, a problem with object, place and remedy out. Steps call it for every final refusal."""

import re
from typing import Final

from trimtab.core.api_error import ApiError
from trimtab.core.errors import Problem
from trimtab.core.manifest import Manifest
from trimtab.core.names import FORCE_ANNOTATION
from trimtab.core.refs import ObjectRef

_FORBIDDEN: Final = re.compile(r'cannot (?P<verb>\w+) resource "(?P<resource>[^"]+)" in API group "(?P<group>[^"]*)"')
_IMMUTABLE: Final = re.compile(
    "|".join(
        (
            "immutable",
            "may not (be )?change",
            "can ?not (be )?change",
            "updates to .* (are|is) forbidden",
            "pod updates may not",
        )
    ),
    re.IGNORECASE,
)

_PHRASES: Final = (
    # (text in the server's message, reason, remedy)
    ("is being terminated", "NamespaceTerminating", "wait until the old namespace is gone, it is tried again"),
    ("exceeded quota", "QuotaExceeded", "raise the ResourceQuota or ask for less"),
    (" usage per ", "LimitExceeded", "stay within the LimitRange, or change it"),
    ("violates PodSecurity", "PodSecurity", "meet the namespace's pod security level, or change its label"),
    ("attempting to grant RBAC permissions", "Forbidden", "grant the controller these permissions, or `escalate`"),
    ("failed calling webhook", "WebhookUnavailable", "bring the webhook's backend up; it is tried again"),
    ("denied the request", "DeniedByPolicy", "change the manifest to please the policy that is named, or the policy"),
    ("denied request", "DeniedByPolicy", "change the manifest to please the policy that is named, or the policy"),
    ("no matches for kind", "KindNotServed", "install the CustomResourceDefinition of this kind, or mend apiVersion"),
)


def immutable(error: ApiError) -> bool:
    """Whether the server refused nothing but changes of fields that never change: deleting the object would help.

    Every single cause has to say so; otherwise the object would be deleted and then not be created again.
    """
    if not error.invalid:
        return False
    texts = [cause.message for cause in error.causes] or [error.message]
    return all(_IMMUTABLE.search(text) for text in texts)


def wrong_uid(error: ApiError) -> bool:
    """Whether a UID precondition may not have held: another object of that name is there, or none."""
    return error.conflict or (error.invalid and any(cause.field == "metadata.uid" for cause in error.causes))


def explain(error: ApiError, ref: ObjectRef, *, manifest: Manifest | None = None, verb: str) -> Problem:
    """The problem that users read. `verb`: what was tried, as in `apply`, `delete`."""
    reason, remedy = _reason_and_remedy(error, manifest)
    return Problem(
        f"the server refused to {verb}: {error.message}" if error.status else f"no answer to {verb}: {error.message}",
        ref=ref,
        origin=manifest.origin if manifest else None,
        remedy=remedy,
        reason=reason,
        retry=error.transient or reason in ("NamespaceTerminating", "WebhookUnavailable"),
    )


def _reason_and_remedy(error: ApiError, manifest: Manifest | None) -> tuple[str, str]:
    if error.untypable:
        return "SchemaMismatch", "correct the field that is named: its type or place does not fit the kind's schema"
    for phrase, reason, remedy in _PHRASES:
        if phrase in error.message:
            return reason, remedy
    if error.status == 403:
        return "Forbidden", _missing_permission(error.message)
    if error.status == 404 and manifest is not None:
        return _not_found(error, manifest)
    if immutable(error):
        return "Immutable", f'set the annotation {FORCE_ANNOTATION}: "true" to have the object deleted and created anew'
    if error.invalid:
        return "Invalid", "correct the manifest"
    return _by_status(error)


def _by_status(error: ApiError) -> tuple[str, str]:
    match error.status:
        case 0:
            return "Unreachable", "see whether the API server is up and reachable; it is tried again"
        case 401:
            return "Unauthorized", "renew the controller's credentials"
        case 409:
            return "Conflict", "something else changes the object all the time; it is tried again"
        case 413:
            return "TooLarge", "split the object: the server takes 1.5 MiB at most"
        case 429:
            return "Throttled", "the server asks for patience; it is tried again"
        case status if status >= 500:
            return "ServerError", "it is tried again"
        case _:
            return error.reason or "Refused", ""


def _missing_permission(message: str) -> str:
    found = _FORBIDDEN.search(message)
    if found is None:
        return "grant the controller what the message names"
    group = f".{found['group']}" if found["group"] else ""
    return f"grant the controller's ServiceAccount the verb {found['verb']} on {found['resource']}{group}"


def _not_found(error: ApiError, manifest: Manifest) -> tuple[str, str]:
    if "namespaces" in error.message:
        return "NamespaceMissing", f"declare the namespace {manifest.ref.namespace}, or set spec.createNamespace"
    return "KindNotServed", f"install the CustomResourceDefinition of {manifest.ref.kind}, or mend apiVersion"
