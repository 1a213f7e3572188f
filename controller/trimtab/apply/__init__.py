"""A plan becomes commands, and what came of them becomes results: a state machine that touches nothing itself. Pure."""
