"""The vocabulary that every stage shares: typed values without I/O, imported by all layers above."""
