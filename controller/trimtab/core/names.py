"""The names under which Trimtab is known to a cluster: API group, labels, annotations, finalizer, field manager.

Constants only; every layer reads them, nothing flows in.
"""

from typing import Final

API_GROUP: Final = "trimtab.dev"
API_VERSION: Final = "v1alpha1"
GROUP_VERSION: Final = f"{API_GROUP}/{API_VERSION}"

FIELD_MANAGER: Final = "trimtab"
FINALIZER: Final = "trimtab.dev/prune"

BUCKET_LABEL: Final = "trimtab.dev/bucket"
"""Label that managed objects carry and the watches select on: `<instance>-<0..255>`."""
BUCKETS: Final = 256

OWNER_ANNOTATION: Final = "trimtab.dev/owner"
"""Annotation that names the owning Application: `namespace/name/uid`."""
PRUNE_ANNOTATION: Final = "trimtab.dev/prune"
"""`disabled` on an object keeps it in the cluster when it leaves Git."""
DRIFT_ANNOTATION: Final = "trimtab.dev/drift"
"""`Correct`, `Report` or `Ignore` on an object overrides the Application's drift mode."""
FORCE_ANNOTATION: Final = "trimtab.dev/force"
"""`true` lets an immutable field be changed by deleting and creating the object again."""
REQUESTED_AT_ANNOTATION: Final = "reconcile.trimtab.dev/requestedAt"
"""Any new value pokes the GitRepository or Application that carries it."""

INSTANCE_NAME: Final = "trimtab-instance"
"""Name of the ConfigMap with the installation ID and of the Secret with the baseline key."""
DEFAULT_NAMESPACE: Final = "trimtab-system"

SUBSTITUTE_MARK = f"{API_GROUP}/substitute"
"""Annotation or label; `disabled` keeps an object's dollar signs as they are."""
