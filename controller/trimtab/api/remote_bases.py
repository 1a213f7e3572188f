"""`spec.remoteBases` of GitRepository and OCIRepository: where kustomizations may take remote bases from."""

from typing import Annotated, Any, Final

from pydantic import Field

RemoteBases = Annotated[tuple[Annotated[str, Field(min_length=1, max_length=512)], ...], Field(max_length=32)]
"""URLs at or below which the repositories of remote bases may lie."""

# They stand on the spec because rules on the items themselves would print a password in their refusal.
REMOTE_BASE_RULES: Final[list[dict[str, Any]]] = [
    {
        "rule": r"!has(self.remoteBases) || self.remoteBases.all(base, base.matches('^(https?://[^/?#@\\s]+|"
        r"ssh://([A-Za-z0-9_][A-Za-z0-9._-]*@)?[^/?#@\\s]+/[^/?#@\\s])[^?#@\\s\\x00-\\x1f\\x7f]*$'))",
        "message": "remoteBases must be URLs like https://HOST/ORG or ssh://git@HOST/ORG, without password and query",
        "fieldPath": ".remoteBases",
    }
]
