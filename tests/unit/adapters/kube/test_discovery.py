from trimtab.adapters.kube.discovery import Served, read_aggregated
from trimtab.core.refs import ResourceType

DOCUMENT = {
    "kind": "APIGroupDiscoveryList",
    "items": [
        {
            "metadata": {"name": "apps"},
            "versions": [
                {
                    "version": "v1",
                    "freshness": "Current",
                    "resources": [
                        {
                            "resource": "deployments",
                            "responseKind": {"group": "", "version": "", "kind": "Deployment"},
                            "scope": "Namespaced",
                            "verbs": ["get", "list", "watch", "patch"],
                            "subresources": [{"subresource": "status", "verbs": ["patch"]}],
                        },
                        {"resource": "only-subresources", "responseKind": None, "scope": "Cluster"},
                    ],
                }
            ],
        },
        {
            "metadata": {"name": "metrics.k8s.io"},
            "versions": [{"version": "v1beta1", "freshness": "Stale"}],
        },
        {
            "metadata": {},
            "versions": [
                {
                    "version": "v1",
                    "resources": [
                        {
                            "resource": "namespaces",
                            "responseKind": {"kind": "Namespace"},
                            "scope": "Cluster",
                            "verbs": ["get"],
                        }
                    ],
                }
            ],
        },
    ],
}


def test_types_come_with_scope_and_verbs() -> None:
    catalogue = read_aggregated([DOCUMENT])

    deployment = ResourceType("apps", "v1", "Deployment", "deployments", namespaced=True)
    namespace = ResourceType("", "v1", "Namespace", "namespaces", namespaced=False)
    assert catalogue.types == {
        ("apps", "v1", "Deployment"): Served(deployment, frozenset({"get", "list", "watch", "patch"})),
        ("", "v1", "Namespace"): Served(namespace, frozenset({"get"})),
    }


def test_groups_whose_server_is_away_are_noted() -> None:
    assert read_aggregated([DOCUMENT]).stale == {"metrics.k8s.io/v1beta1"}


def test_an_empty_document_is_no_failure() -> None:
    assert read_aggregated([{"items": None}, {}]).types == {}
