"""One Kubernetes API server: access, requests, discovery, objects and watches.

Wiring builds a `Connection` from an `Access` and everything else from the connection.
"""
