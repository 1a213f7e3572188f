"""The adapter under test, on a store in the test's folder."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.fixtures.oci_registry import Registry

from trimtab.adapters.artifacts.store import ArtifactStore
from trimtab.adapters.charts.repositories import HttpChartRepositories
from trimtab.adapters.http.loop_thread import LoopThread
from trimtab.adapters.http.pinning import no_link_local
from trimtab.adapters.oci.sources import OciSources
from trimtab.api.oci_repository import OciRepositorySpec


@pytest.fixture
async def downloads() -> AsyncIterator[LoopThread]:
    thread = LoopThread()
    yield thread
    await thread.close()


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    made = ArtifactStore(tmp_path / "artifacts")
    made.open()
    return made


@pytest.fixture
def sources(downloads: LoopThread, store: ArtifactStore) -> OciSources:
    return OciSources(downloads, store, no_link_local)


@pytest.fixture
def charts(downloads: LoopThread, store: ArtifactStore) -> HttpChartRepositories:
    return HttpChartRepositories(downloads, store, no_link_local)


def spec_of(registry: Registry, name: str = "app", **spec: object) -> OciRepositorySpec:
    """A spec as users write it."""
    insecure = registry.url.startswith("http:")
    body = {"url": f"oci://{registry.host}/{name}", "insecure": insecure, "timeout": "10s", **spec}
    return OciRepositorySpec.model_validate(body)
