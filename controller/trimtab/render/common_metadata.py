"""Labels and annotations of `spec.kustomize.commonMetadata`, set on every object after everything else.

`shaping` calls it. As with Flux only an object's own metadata get them: selectors cannot be changed, and templates
would start every Pod anew.
"""

from typing import Any

from trimtab.api.kustomize import CommonMetadata


def with_common_metadata(body: dict[str, Any], common: CommonMetadata) -> dict[str, Any]:
    """The object with labels and annotations added or replaced; one without metadata stays for the checks to tell."""
    metadata = body.get("metadata")
    if not isinstance(metadata, dict):
        return body
    changed = dict(metadata)
    for field, wanted in (("labels", common.labels), ("annotations", common.annotations)):
        present = metadata.get(field)
        if wanted and isinstance(present, dict | None):
            changed[field] = {**(present or {}), **wanted}
    return {**body, "metadata": changed}
