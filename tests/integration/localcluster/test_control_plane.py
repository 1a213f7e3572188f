"""The control plane behaves like any other: what is applied becomes ready, or fails as it was told to."""

from tests.fixtures.cluster import Kubectl, wait_for

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: "registry.example/web:1"}]
"""


def test_a_deployment_of_three_becomes_available(kubectl: Kubectl, namespace: str) -> None:
    kubectl("apply", "-n", namespace, "-f", "-", stdin=DEPLOYMENT)
    wait_for(lambda: kubectl.get("deployment", "web", "-n", namespace)["status"].get("availableReplicas") == 3)
