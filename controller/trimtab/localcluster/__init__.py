"""A real Kubernetes control plane on loopback, no containers: etcd, API server, controllers, scheduler, kwok nodes.

In: a name; out: a running cluster and its kubeconfig. The CLI, the demo, the bench and the test fixtures use it.
"""

from trimtab.localcluster.backend import Cluster
from trimtab.localcluster.cluster import LocalCluster
from trimtab.localcluster.components import Component
from trimtab.localcluster.errors import AssetMissing, ClusterError, ComponentFailed
from trimtab.localcluster.processes import Lifetime

__all__ = ["AssetMissing", "Cluster", "ClusterError", "Component", "ComponentFailed", "Lifetime", "LocalCluster"]
