"""The five programs of the control plane and the flags each is started with.

In: the cluster's files, its ports, the programs' paths; out: argv. Pure; `cluster` runs them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from trimtab.localcluster.layout import Layout
from trimtab.localcluster.ports import LOOPBACK, Ports
from trimtab.localcluster.registry import KWOK_STAGES

SERVICE_RANGE: Final = "10.96.0.0/16"
POD_RANGE: Final = "10.244.0.0/16"
NODE_ADDRESS: Final = "10.245.0.1"
"""Not a loopback address: those may not stand in an EndpointSlice, where Pods on the host network would put them."""

OWN_STAGES: Final = Path(__file__).parent / "stages"
"""Our stages: one YAML file for each."""


class Component(StrEnum):
    """A component by the name of its program, in the order in which they start."""

    ETCD = "etcd"
    APISERVER = "kube-apiserver"
    CONTROLLER_MANAGER = "kube-controller-manager"
    SCHEDULER = "kube-scheduler"
    KWOK = "kwok"


CLIENTS: Final = (Component.CONTROLLER_MANAGER, Component.SCHEDULER, Component.KWOK)
"""Those that need a kubeconfig, and an API server that answers."""

AUDIT_POLICY: Final = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that the flags of one cluster depend on. `programs` maps asset names to files."""

    layout: Layout
    ports: Ports
    programs: Mapping[str, Path]
    apiserver_arguments: Sequence[str] = ()

    @property
    def server(self) -> str:
        """The API server's URL."""
        return f"https://{LOOPBACK}:{self.ports.apiserver}"


def argv(component: Component, plan: Plan) -> list[str]:
    """The command line of a component: the program's path and its flags."""
    flags = _FLAGS[component](plan)
    return [str(plan.programs[component]), *(f"--{name}={value}" for name, value in flags), *_extra(component, plan)]


Flags = list[tuple[str, object]]


def _extra(component: Component, plan: Plan) -> Sequence[str]:
    return plan.apiserver_arguments if component is Component.APISERVER else ()


def _etcd(plan: Plan) -> Flags:
    layout, client = plan.layout, f"https://{LOOPBACK}:{plan.ports.etcd}"
    peer = f"https://{LOOPBACK}:{plan.ports.etcd_peer}"
    flags: Flags = [
        ("name", "local"),
        ("data-dir", layout.etcd_data),
        ("listen-client-urls", client),
        ("advertise-client-urls", client),
        ("listen-peer-urls", peer),
        ("initial-advertise-peer-urls", peer),
        ("initial-cluster", f"local={peer}"),
        # A cluster that dies with its machine needs no disk that has really written.
        ("unsafe-no-fsync", "true"),
        ("log-level", "warn"),
    ]
    for prefix in ("", "peer-"):
        flags += [
            (f"{prefix}cert-file", layout.certificate("etcd")),
            (f"{prefix}key-file", layout.key("etcd")),
            (f"{prefix}trusted-ca-file", layout.certificate("etcd-ca")),
            (f"{prefix}client-cert-auth", "true"),
        ]
    return flags


def _apiserver(plan: Plan) -> Flags:
    layout = plan.layout
    return [
        ("etcd-servers", f"https://{LOOPBACK}:{plan.ports.etcd}"),
        ("etcd-cafile", layout.certificate("etcd-ca")),
        ("etcd-certfile", layout.certificate("etcd-client")),
        ("etcd-keyfile", layout.key("etcd-client")),
        ("bind-address", LOOPBACK),
        ("secure-port", plan.ports.apiserver),
        ("advertise-address", LOOPBACK),
        # The Service `kubernetes` cannot have the loopback address as its endpoint.
        ("endpoint-reconciler-type", "none"),
        ("tls-cert-file", layout.certificate("kube-apiserver")),
        ("tls-private-key-file", layout.key("kube-apiserver")),
        ("client-ca-file", layout.certificate("ca")),
        ("authorization-mode", "Node,RBAC"),
        ("service-account-issuer", "https://kubernetes.default.svc.cluster.local"),
        ("service-account-key-file", layout.pki / "sa.pub"),
        ("service-account-signing-key-file", layout.key("sa")),
        ("service-cluster-ip-range", SERVICE_RANGE),
        ("requestheader-client-ca-file", layout.certificate("front-proxy-ca")),
        ("requestheader-allowed-names", "front-proxy-client"),
        ("requestheader-username-headers", "X-Remote-User"),
        ("requestheader-group-headers", "X-Remote-Group"),
        ("requestheader-extra-headers-prefix", "X-Remote-Extra-"),
        ("proxy-client-cert-file", layout.certificate("front-proxy-client")),
        ("proxy-client-key-file", layout.key("front-proxy-client")),
        ("allow-privileged", "true"),
        ("profiling", "false"),
        ("audit-policy-file", layout.audit_policy),
        ("audit-log-path", layout.audit_log),
        # Rotation would take away what a test is about to count.
        ("audit-log-maxsize", 0),
    ]


def _controller_manager(plan: Plan) -> Flags:
    layout = plan.layout
    return [
        ("kubeconfig", layout.component_kubeconfig(Component.CONTROLLER_MANAGER)),
        ("service-account-private-key-file", layout.key("sa")),
        ("root-ca-file", layout.certificate("ca")),
        ("cluster-signing-cert-file", layout.certificate("ca")),
        ("cluster-signing-key-file", layout.key("ca")),
        ("use-service-account-credentials", "true"),
        # By default an autoscaler is looked at for the first time after a quarter of a minute.
        ("horizontal-pod-autoscaler-sync-period", "1s"),
        *_CLIENT_FLAGS,
    ]


def _scheduler(plan: Plan) -> Flags:
    return [("kubeconfig", plan.layout.component_kubeconfig(Component.SCHEDULER)), *_CLIENT_FLAGS]


def _kwok(plan: Plan) -> Flags:
    stages = [plan.programs[KWOK_STAGES], *sorted(OWN_STAGES.glob("*.yaml"))]
    return [
        ("kubeconfig", plan.layout.component_kubeconfig(Component.KWOK)),
        ("manage-all-nodes", "true"),
        ("node-ip", NODE_ADDRESS),
        ("cidr", POD_RANGE),
        ("node-lease-duration-seconds", 40),
        *(("config", stage) for stage in stages),
    ]


_CLIENT_FLAGS: Final[Flags] = [
    ("leader-elect", "false"),
    # No port of its own: whether it works shows in the cluster.
    ("secure-port", 0),
    # The limits for sharing a server with others would take up most of the start.
    ("kube-api-qps", 1000),
    ("kube-api-burst", 2000),
]

_FLAGS: Final = {
    Component.ETCD: _etcd,
    Component.APISERVER: _apiserver,
    Component.CONTROLLER_MANAGER: _controller_manager,
    Component.SCHEDULER: _scheduler,
    Component.KWOK: _kwok,
}
