"""RBAC, tokens, TLS, webhooks and the aggregation layer are those of a real cluster."""

import json
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from tests.fixtures.cluster import Kubectl, wait_for

from trimtab.localcluster import Cluster, LocalCluster, audit, kubeconfig
from trimtab.localcluster.certificates import Authority
from trimtab.localcluster.client import ApiClient, ApiFailure

PEM = serialization.Encoding.PEM


def with_token(cluster: Cluster, token: str) -> ApiClient:
    return ApiClient(kubeconfig.read(cluster.kubeconfig_path), token=token)


def test_a_token_may_do_what_its_role_says_and_no_more(cluster: Cluster, kubectl: Kubectl, namespace: str) -> None:
    kubectl("create", "serviceaccount", "clerk", "-n", namespace)
    client = with_token(cluster, kubectl("create", "token", "clerk", "-n", namespace).strip())
    path = f"/api/v1/namespaces/{namespace}"
    with pytest.raises(ApiFailure, match="forbidden") as refused:
        client.get(f"{path}/configmaps")
    assert refused.value.status == 403
    kubectl("create", "role", "reader", "-n", namespace, "--verb=list", "--resource=configmaps")
    kubectl("create", "rolebinding", "reader", "-n", namespace, "--role=reader", f"--serviceaccount={namespace}:clerk")

    def listed() -> Any:
        try:
            return client.get(f"{path}/configmaps")["items"]
        except ApiFailure:
            return None

    assert [item["metadata"]["name"] for item in wait_for(listed)] == ["kube-root-ca.crt"]
    with pytest.raises(ApiFailure, match="forbidden"):
        client.get(f"{path}/secrets")
    client.close()


def test_a_made_up_token_is_nobody(cluster: Cluster) -> None:
    with pytest.raises(ApiFailure) as refused:
        with_token(cluster, "made.up.token").get("/api/v1/namespaces")
    assert refused.value.status == 401


class Reviewer(BaseHTTPRequestHandler):
    """Refuses every object, and says so."""

    def do_POST(self) -> None:
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = {"uid": review["request"]["uid"], "allowed": False, "status": {"message": "not on my watch"}}
        content = json.dumps({**review, "response": answer, "request": None}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: object) -> None:
        return


@pytest.fixture
def reviewer(tmp_path: Path) -> Iterator[tuple[str, bytes]]:
    """A webhook server on loopback: its URL and the certificate of its authority."""
    authority = Authority.create("reviewer-ca")
    key, certificate = authority.issue("reviewer", names=("127.0.0.1",))
    (tmp_path / "tls.crt").write_bytes(certificate.public_bytes(PEM))
    private = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "tls.key").write_bytes(private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "tls.crt", tmp_path / "tls.key")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Reviewer)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}/review", authority.certificate.public_bytes(PEM)
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_webhook_on_loopback_is_asked(kubectl: Kubectl, namespace: str, reviewer: tuple[str, bytes]) -> None:
    url, authority = reviewer
    config = f"""
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {{name: {namespace}}}
webhooks:
- name: review.trimtab.dev
  clientConfig:
    url: {url}
    caBundle: {kubeconfig.encoded(authority)}
  rules: [{{operations: [CREATE], apiGroups: [""], apiVersions: [v1], resources: [configmaps]}}]
  namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {namespace}}}}}
  sideEffects: None
  admissionReviewVersions: [v1]
"""
    kubectl("apply", "-f", "-", stdin=config)

    def refusal() -> str:
        kubectl.run("delete", "configmap", "letter", "-n", namespace, "--ignore-not-found")
        result = kubectl.run("create", "configmap", "letter", "-n", namespace)
        return result.stderr if result.returncode else ""

    try:
        assert "not on my watch" in wait_for(refusal)
    finally:
        kubectl("delete", "validatingwebhookconfiguration", namespace)


def test_the_aggregation_layer_says_what_an_api_without_backend_lacks(kubectl: Kubectl, namespace: str) -> None:
    group = f"{namespace}.trimtab.dev"
    service = {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": f"v1.{group}"},
        "spec": {
            "group": group,
            "version": "v1",
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
            "insecureSkipTLSVerify": True,
            "service": {"namespace": namespace, "name": "absent"},
        },
    }
    kubectl.apply(service)
    try:
        found = wait_for(lambda: kubectl.get("apiservice", f"v1.{group}").get("status", {}).get("conditions"))
        assert (found[0]["status"], found[0]["reason"]) == ("False", "ServiceNotFound")
    finally:
        kubectl("delete", "apiservice", f"v1.{group}")


def test_the_audit_log_tells_who_asked_for_what(local_cluster: LocalCluster, namespace: str) -> None:
    path = local_cluster.audit_log_path
    _, offset = audit.read(path)
    local_cluster.client.create(f"/api/v1/namespaces/{namespace}/configmaps", {"metadata": {"name": "seen"}})
    requests = [request for request in audit.read(path, start_bytes=offset)[0] if request.name == "seen"]
    assert [(request.verb, request.resource, request.code) for request in requests] == [("create", "configmaps", 201)]
    assert requests[0].user == "trimtab-admin"
    assert requests[0].user_agent == "trimtab-localcluster"
    assert requests[0].writes
