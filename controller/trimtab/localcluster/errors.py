"""What can go wrong with the local control plane, as its users read it: what failed, and what to install or do.

Every module of this package raises them; the CLI prints them and ends with exit code 1.
"""

from trimtab.core.errors import Problem, TrimtabError


class ClusterError(TrimtabError):
    """The local control plane could not do what was asked; carries one problem with its remedy."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(Problem(message, remedy=remedy, reason="LocalCluster"))


class AssetMissing(ClusterError):
    """A program is neither at hand nor could it be downloaded or built."""


class WrongChecksum(ClusterError):
    """A file is not what its publisher, or our own record, says it is."""


class ComponentFailed(ClusterError):
    """A component ended or never became ready; the message ends with the last lines of its log."""


class PortTaken(ComponentFailed):
    """A component found its port in use: another try with other ports may work."""
