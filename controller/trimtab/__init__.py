"""Trimtab keeps Kubernetes clusters on the course that Git declares, and says how each release fared."""

__version__ = "0.1.0"
