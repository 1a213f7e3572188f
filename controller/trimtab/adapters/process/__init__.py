"""Subprocesses under a deadline, with bounded output and memory, without network; and the renderer that needs them."""
