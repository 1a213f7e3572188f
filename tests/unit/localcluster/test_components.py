"""Every component listens on loopback only, trusts the right authority, and nothing skips TLS."""

import re
from pathlib import Path

import pytest
import yaml

from trimtab.localcluster.components import OWN_STAGES, Component, Plan, argv
from trimtab.localcluster.layout import Layout
from trimtab.localcluster.ports import Ports
from trimtab.localcluster.registry import ASSETS

PLAN = Plan(
    Layout(Path("/c")),
    Ports(etcd=1, etcd_peer=2, apiserver=3),
    {name: Path("/bin") / name for name in ASSETS},
    ("--feature-gates=X=true",),
)


def flags(component: Component) -> dict[str, str]:
    program, *rest = argv(component, PLAN)
    assert program == f"/bin/{component}"
    return dict(flag.removeprefix("--").split("=", 1) for flag in rest)


def test_all_addresses_are_loopback() -> None:
    for component in Component:
        for flag in argv(component, PLAN):
            for address in re.findall(r"https?://([^:/]+)", flag):
                assert address in {"127.0.0.1", "kubernetes.default.svc.cluster.local"}
    assert flags(Component.APISERVER)["bind-address"] == "127.0.0.1"


def test_etcd_asks_its_clients_and_peers_for_certificates() -> None:
    found = flags(Component.ETCD)
    for prefix in ("", "peer-"):
        assert found[f"{prefix}client-cert-auth"] == "true"
        assert found[f"{prefix}trusted-ca-file"] == "/c/pki/etcd-ca.crt"
    assert found["unsafe-no-fsync"] == "true"


def test_the_api_server_is_strict_and_can_be_given_more() -> None:
    found = flags(Component.APISERVER)
    assert found["authorization-mode"] == "Node,RBAC"
    assert found["client-ca-file"] == "/c/pki/ca.crt"
    assert found["requestheader-client-ca-file"] == "/c/pki/front-proxy-ca.crt"
    assert found["audit-log-path"] == "/c/audit.log"
    assert found["feature-gates"] == "X=true"
    assert "feature-gates" not in flags(Component.SCHEDULER)


@pytest.mark.parametrize("component", [Component.CONTROLLER_MANAGER, Component.SCHEDULER, Component.KWOK])
def test_clients_have_kubeconfigs_of_their_own(component: Component) -> None:
    assert flags(component)["kubeconfig"] == f"/c/{component}.kubeconfig"


def test_kwok_gets_its_own_stages_and_ours() -> None:
    configs = [flag.removeprefix("--config=") for flag in argv(Component.KWOK, PLAN) if flag.startswith("--config=")]
    assert configs[0] == "/bin/kwok-stages"
    assert [Path(config) for config in configs[1:]] == sorted(OWN_STAGES.glob("*.yaml"))


@pytest.mark.parametrize("path", sorted(OWN_STAGES.glob("*.yaml")), ids=lambda path: path.stem)
def test_our_stages_outweigh_the_ordinary_ones_and_spare_what_is_being_deleted(path: Path) -> None:
    for stage in yaml.safe_load_all(path.read_text()):
        assert stage["metadata"]["name"].startswith("trimtab-")
        expressions = stage["spec"]["selector"]["matchExpressions"]
        assert {"key": ".metadata.deletionTimestamp", "operator": "DoesNotExist"} in expressions
        if stage["spec"]["resourceRef"]["kind"] == "Pod":
            assert stage["spec"]["weight"] > 0
