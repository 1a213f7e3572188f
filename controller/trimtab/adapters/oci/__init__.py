"""OCI registries: what stands in them, fetched by digest and verified."""
