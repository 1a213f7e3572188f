"""Desired state × inventory × what is known of the cluster → an ordered, guarded list of changes. Pure."""
