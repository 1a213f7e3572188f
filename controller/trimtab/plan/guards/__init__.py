"""Safety rules: one file, one named refusal and one test each. `plan` and apply's steps ask them."""
