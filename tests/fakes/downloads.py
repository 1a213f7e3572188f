"""Registries and chart repositories in memory: the ports `OciRegistries` and `ChartRepositories`."""

import asyncio
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from trimtab.api.oci_repository import OciRepositorySpec
from trimtab.core.errors import Problem, SourceError
from trimtab.core.revision import Revision
from trimtab.reconcile.ports.downloads import Access, Chart, FetchedIndex, OciArtifact
from trimtab.source.chart_index import ChartIndex, ChartVersion
from trimtab.source.signed_object import NotVerified
from trimtab.source.tree_budget import TreeBudget
from trimtab.source.trusted_keys import TrustedKeys

Folders = Mapping[str, Sequence[dict[str, Any]]]


def digest(content: object) -> str:
    """Of anything."""
    return f"sha256:{sha256(json.dumps(content, default=str).encode()).hexdigest()}"


@dataclass(frozen=True, eq=False)
class FakeTree:
    """Objects by folder."""

    identity: str
    revision: str
    folders: Folders

    async def digest(self, path: str) -> str:
        """A hash of a folder's content."""
        if path not in self.folders:
            raise SourceError(Problem(f"there is no folder {path}", reason="PathNotFound"))
        return digest(self.folders[path])

    async def look_up(self, paths: Collection[str]) -> None:
        """All is at hand."""

    async def materialise(self, paths: Sequence[str], target: Path, *, budget: TreeBudget | None = None) -> None:
        """Not needed: the renderer reads the folders as they are."""
        raise AssertionError("nobody materialises here")


class FakeRegistries:
    """URL → folders of the one artifact there. `trouble` is raised by fetches as long as it is set."""

    def __init__(self) -> None:
        self.trouble: SourceError | None = None
        self.pushed: dict[str, Folders] = {}
        self.asked: list[tuple[Access, Mapping[str, bytes]]] = []
        self.stored: dict[str, OciArtifact] = {}
        self.signed: set[str] = set()
        """Digests of what counts as signed where keys are given."""

    async def fetch(
        self, spec: OciRepositorySpec, access: Access, keys: Mapping[str, bytes], known: OciArtifact | None
    ) -> OciArtifact:
        """The artifact under the tag."""
        self.asked.append((access, keys))
        if self.trouble is not None:
            raise self.trouble
        folders = self.pushed[spec.url]
        told = digest(folders)
        if known is not None and known.digest == told:
            return known
        if keys and told not in self.signed:
            raise NotVerified(Problem("nobody has signed it", reason="NotSigned", retry=True))
        revision = Revision(spec.ref.tag or "", told.removeprefix("sha256:"))
        signed = "cosign.pub" if keys else ""
        found = OciArtifact(revision, FakeTree(spec.url, told, folders), told, {"made": "here"}, signed)
        self.stored[told] = found
        return found

    async def recall(
        self, spec: OciRepositorySpec, keys: Mapping[str, bytes], revision: Revision
    ) -> OciArtifact | None:
        """What was fetched before."""
        return self.stored.get(f"sha256:{revision.sha}")


class FakeCharts:
    """One repository of charts: name → version → folders."""

    def __init__(self) -> None:
        self.trouble: SourceError | None = None
        self.listed: dict[str, dict[str, Folders]] = {}
        self.fetched: list[str] = []
        self.stalls = False
        """Whether downloads of charts take until their deadline."""
        self.unsigned: set[str] = set()
        """Versions without a provenance."""
        self.signers: dict[str, str] = {}
        """Names of the keys by which versions are signed; any key there is, otherwise."""

    async def index(
        self, url: str, access: Access, known: FetchedIndex | None, *, timeout_seconds: float
    ) -> FetchedIndex:
        """The list as it is."""
        if self.trouble is not None:
            raise self.trouble
        told = digest(self.listed)
        if known is not None and known.digest == told:
            return known
        charts = {
            name: tuple(ChartVersion(each, "x.tgz", digest(folders)) for each, folders in found.items())
            for name, found in self.listed.items()
        }
        return FetchedIndex(url, told, ChartIndex(charts))

    async def chart(
        self,
        found: FetchedIndex,
        access: Access,
        *,
        name: str,
        version: str,
        timeout_seconds: float,
        keys: TrustedKeys | None = None,
    ) -> Chart:
        """The chart that the index lists."""
        chosen = found.index.choose(name, version).version
        self.fetched.append(chosen)
        if self.stalls:
            await asyncio.sleep(timeout_seconds)
            raise SourceError(Problem("not done in time", reason="TimedOut", retry=True))
        if keys and chosen in self.unsigned:
            raise NotVerified(Problem("it has no provenance", reason="VerificationFailed", retry=True))
        if keys and chosen in self.signers and self.signers[chosen] not in dict(keys.pgp):
            raise NotVerified(Problem("signed by another key", reason="VerificationFailed", retry=True))
        folders = self.listed[name][chosen]
        told = digest(folders)
        return Chart(chosen, told, FakeTree(f"{found.url}#{name}", told, folders), "Ada (FPR)" if keys else "")
