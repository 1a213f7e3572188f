"""A minimal client for these tests: requests under any field manager, refusals as the controller's own ApiError."""

import copy
import json
from typing import Any

from trimtab.core.api_error import ApiError, Cause
from trimtab.core.names import FIELD_MANAGER

PLURALS = {
    "Deployment": "deployments",
    "StatefulSet": "statefulsets",
    "Service": "services",
    "ConfigMap": "configmaps",
    "Secret": "secrets",
    "Widget": "widgets",
    "ClusterRole": "clusterroles",
    "CustomResourceDefinition": "customresourcedefinitions",
    "CronJob": "cronjobs",
    "DaemonSet": "daemonsets",
    "PodDisruptionBudget": "poddisruptionbudgets",
    "ValidatingWebhookConfiguration": "validatingwebhookconfigurations",
}
CLUSTER_WIDE = {"ClusterRole", "CustomResourceDefinition", "ValidatingWebhookConfiguration"}
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
UNTIL_NO_CONFLICT = 20


class Server:
    """Objects of one namespace."""

    def __init__(self, client: Any, namespace: str) -> None:
        self._client = client
        self.namespace = namespace

    def path(self, body: dict, subresource: str = "") -> str:
        version = body["apiVersion"]
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        place = "" if body["kind"] in CLUSTER_WIDE else f"/namespaces/{self.namespace}"
        end = f"/{subresource}" if subresource else ""
        return f"{root}{place}/{PLURALS[body['kind']]}/{body['metadata']['name']}{end}"

    def send(self, method: str, path: str, body: object = None, media_type: str = "application/json") -> dict:
        content = None if body is None else json.dumps(body).encode()
        headers = {**self._client._headers, "Content-Type": media_type}
        response = self._client._pool.request(method, self._client._server + path, body=content, headers=headers)
        try:
            answer: dict = json.loads(response.data)
        except ValueError:
            raise ApiError(response.status, "", response.data.decode()) from None
        if response.status < 400:
            return answer
        causes = tuple(
            Cause(cause.get("field", ""), cause.get("message", ""), cause.get("reason", ""))
            for cause in (answer.get("details") or {}).get("causes") or ()
        )
        raise ApiError(response.status, answer.get("reason", ""), answer.get("message", ""), causes=causes)

    def apply(self, body: dict, manager: str = FIELD_MANAGER, *, dry_run: bool = False) -> dict:
        query = f"?fieldManager={manager}&force=true" + ("&dryRun=All" if dry_run else "")
        return self.send("PATCH", self.path(body) + query, body, APPLY)

    def patch(
        self, body: dict, patch: object, manager: str = "kubectl-patch", *, kind: str = STRATEGIC, subresource: str = ""
    ) -> dict:
        """By somebody else; `kind` MERGE for custom resources, JSON_PATCH for lists of operations."""
        for _ in range(UNTIL_NO_CONFLICT):
            try:
                path = f"{self.path(body, subresource)}?fieldManager={manager}"
                answer = self.send("PATCH", path, patch, JSON_PATCH if isinstance(patch, list) else kind)
            except ApiError as error:
                if not error.conflict:
                    raise
            else:
                return answer
        raise AssertionError("conflict after conflict")

    def replace(self, body: dict, change: Any, manager: str = "kubectl-edit") -> dict:
        """Read, change in place, and PUT: what `kubectl edit` and `kubectl replace` come to."""
        for _ in range(UNTIL_NO_CONFLICT):
            live = copy.deepcopy(self.get(body))
            change(live)
            try:
                return self.send("PUT", f"{self.path(body)}?fieldManager={manager}", live)
            except ApiError as error:
                if not error.conflict:
                    raise
        raise AssertionError("conflict after conflict")

    def get(self, body: dict) -> dict:
        return self.send("GET", self.path(body))

    def create(self, body: dict, manager: str = "kubectl-create") -> dict:
        return self.send("POST", f"{self.path(body).rpartition('/')[0]}?fieldManager={manager}", body)

    def delete(self, body: dict) -> None:
        self.send("DELETE", self.path(body))

    def claim(self, body: dict, claim: Any) -> dict | None:
        """Read, let `claim(live)` say the new managedFields, PATCH them under the resourceVersion; None: no claim."""
        for _ in range(UNTIL_NO_CONFLICT):
            live = self.get(body)
            managed_fields = claim(live)
            if managed_fields is None:
                return None
            version = live["metadata"]["resourceVersion"]
            patch = {"metadata": {"managedFields": managed_fields, "resourceVersion": version}}
            try:
                return self.send("PATCH", f"{self.path(body)}?fieldManager={FIELD_MANAGER}", patch, MERGE)
            except ApiError as error:
                if not error.conflict:
                    raise
        raise AssertionError("conflict after conflict")
