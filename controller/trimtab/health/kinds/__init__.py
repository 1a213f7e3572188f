"""The table of kinds with rules of their own: (group, kind) → rule. A new kind is a new file and a line here."""

from collections.abc import Callable
from typing import Any, Final

from trimtab.health.kinds import (
    admission_policy,
    api_service,
    crd,
    cron_job,
    daemon_set,
    deployment,
    disruption_budget,
    gateway,
    horizontal_autoscaler,
    ingress,
    job,
    namespace,
    pod,
    replica_set,
    route,
    service,
    stateful_set,
    volume_claim,
)
from trimtab.health.status import Health

Rule = Callable[[dict[str, Any]], Health]

_GATEWAY_API: Final = "gateway.networking.k8s.io"

RULES: Final[dict[tuple[str, str], Rule]] = {
    ("", "Namespace"): namespace.assess,
    ("", "PersistentVolumeClaim"): volume_claim.assess,
    ("", "Pod"): pod.assess,
    ("", "Service"): service.assess,
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"): admission_policy.assess,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): crd.assess,
    ("apiregistration.k8s.io", "APIService"): api_service.assess,
    ("apps", "DaemonSet"): daemon_set.assess,
    ("apps", "Deployment"): deployment.assess,
    ("apps", "ReplicaSet"): replica_set.assess,
    ("apps", "StatefulSet"): stateful_set.assess,
    ("autoscaling", "HorizontalPodAutoscaler"): horizontal_autoscaler.assess,
    ("batch", "CronJob"): cron_job.assess,
    ("batch", "Job"): job.assess,
    ("networking.k8s.io", "Ingress"): ingress.assess,
    ("policy", "PodDisruptionBudget"): disruption_budget.assess,
    (_GATEWAY_API, "Gateway"): gateway.assess,
    (_GATEWAY_API, "GatewayClass"): gateway.assess,
    (_GATEWAY_API, "GRPCRoute"): route.assess,
    (_GATEWAY_API, "HTTPRoute"): route.assess,
    (_GATEWAY_API, "TCPRoute"): route.assess,
    (_GATEWAY_API, "TLSRoute"): route.assess,
    (_GATEWAY_API, "UDPRoute"): route.assess,
}
