"""Live objects against what was applied: do they differ, in which fields, by whom, and does somebody fight. Pure."""
