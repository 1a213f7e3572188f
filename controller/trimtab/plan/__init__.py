"""Desired state, inventory and what is known of the cluster in; an ordered, guarded list of changes out. Pure."""
