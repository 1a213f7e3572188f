"""The whole loop over fakes; tests that use it are marked `looptime`, so that hours pass in no time."""

from collections.abc import AsyncIterator

import pytest
from tests.fakes.controller import Rig


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    """A world; its controller, once started, ends with the test."""
    rig = Rig()
    yield rig
    if rig.running:
        await rig.stop()
