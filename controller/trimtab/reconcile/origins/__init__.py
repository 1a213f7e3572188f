"""Where artifacts come from: each kind of source's way from spec to artifact, one kind per file."""
