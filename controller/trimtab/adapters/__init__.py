"""The outside world: each folder implements ports of `reconcile` for one thing that is not ours."""
