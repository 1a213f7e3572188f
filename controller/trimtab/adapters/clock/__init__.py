"""Time as the operating system tells it."""
