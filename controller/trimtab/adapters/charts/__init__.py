"""Helm charts out of HTTP repositories and OCI registries, unpacked in the artifact store."""
