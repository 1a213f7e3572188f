"""Rendering as the loop needs it: the files of a source, what else goes in, and manifests that come out."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from trimtab.api.application import ApplicationSpec
from trimtab.core.manifest import Manifest
from trimtab.render.hooks import Hook
from trimtab.render.inputs import Capabilities, RenderInputs
from trimtab.source.remote_base import RemoteBase
from trimtab.source.tree_budget import TreeBudget


class SourceTree(Protocol):
    """The files of one source at one revision, wherever they are kept."""

    @property
    def identity(self) -> str:
        """Which source this is, whatever its revision: part of the render key, free of credentials."""
        ...

    @property
    def revision(self) -> str:
        """Which revision, as `Revision` prints it or by digest: with equal identities and revisions, equal files."""
        ...

    async def digest(self, path: str) -> str:
        """A hash of all that lies in a folder. Raises SourceError (PathNotFound) where there is none."""
        ...

    async def look_up(self, paths: Collection[str]) -> None:
        """Have the digests of these folders at hand, found by one look at most; ones that are not there are none.

        Raises SourceError.
        """
        ...

    async def materialise(self, paths: Sequence[str], target: Path, *, budget: TreeBudget | None = None) -> None:
        """Write the files under `paths` (all: `[""]`) below `target`; no symlink may leave it.

        What they take is spent of `budget`, which all calls of one rendering share; what lies there already is not
        counted again. Raises SourceError, TooManyBytes where the budget does not suffice.
        """
        ...


@dataclass(frozen=True, slots=True)
class BaseAtHand:
    """The files of a remote base's repository, and the revision they are those of."""

    tree: SourceTree
    revision: str


class Bases(Protocol):
    """The remote bases that one source may take."""

    @property
    def prefixes(self) -> tuple[str, ...]:
        """The URLs below which they may lie."""
        ...

    @property
    def field(self) -> str:
        """Where users say so, for errors."""
        ...

    async def fetch(self, base: RemoteBase) -> BaseAtHand:
        """Its repository at the revision that its ref stands for. Raises SourceError, also where it is not allowed."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderJob:
    """What to render: a folder of `tree` in the ways of `spec`, with what the cluster adds.

    `others` holds the further sources that the spec names, by their names there; `name` and `namespace` are the
    Application's own. `bases` None: there are no remote bases.
    """

    spec: ApplicationSpec
    tree: SourceTree
    name: str = "application"
    namespace: str = "default"
    others: Mapping[str, SourceTree] = field(default_factory=dict)
    inputs: RenderInputs = field(default_factory=RenderInputs)
    bases: Bases | None = None
    verified: bool = False
    """Whether the source had to carry a signature, so that its files bring in nothing that carries none."""

    def trees(self) -> Mapping[str, SourceTree]:
        """All sources by name; the Application's own has the empty name."""
        return {"": self.tree, **self.others}


Folder = tuple[str, str]
"""Name of the source (as in `RenderJob.trees`, or of a remote base) and path of the folder in it."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """Manifests as declared, and the folders that were read for them (outermost ones)."""

    manifests: tuple[Manifest, ...]
    folders: tuple[Folder, ...]
    hooks: tuple[Hook, ...] = ()
    """What a chart wants at moments of its own; not among the manifests."""
    keeps_namespaces: bool = False
    """Whether objects keep the namespace that they name, though the Application has a targetNamespace."""
    reads_capabilities: bool = False
    """Whether the manifests may depend on the cluster's version and APIs."""
    bases: tuple[RemoteBase, ...] = ()
    """The repositories of remote bases that were read."""


class ClusterCapabilities(Protocol):
    """What charts may know of the cluster."""

    async def look(self) -> Capabilities:
        """As it was known last; the server is asked where something new is known of what it serves. Raises ApiError."""
        ...


class Renderer(Protocol):
    """From sources and a spec to manifests."""

    @property
    def tools(self) -> Mapping[str, str]:
        """The programs that render, name → version: part of the render key."""
        ...

    async def render(self, job: RenderJob) -> Rendered:
        """Carry out a job. Raises RenderError with all problems at once, SourceError for a missing path."""
        ...
