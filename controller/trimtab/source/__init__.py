"""Rules of sources: which URLs, refs, paths and links are accepted, and what an artifact's identity is.

Declared values flow in, checked values or a `SourceError` flow out; the Git adapter and the loop call it.
"""
