"""One object's way through a run, one small state machine per sort of change. `apply.engine` drives them."""
