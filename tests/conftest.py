"""Fixtures that every kind of test may ask for; those of the cluster start nothing until a test names them."""

import asyncio

pytest_plugins = [
    "tests.fixtures.cluster",
    "tests.fixtures.git_server",
    "tests.fixtures.kube",
    "tests.fixtures.controller",
    "tests.fixtures.lab",
]


def pytest_configure() -> None:
    """Before Python 3.12, the first look for a loop makes one that nobody closes; its warning fails a later test."""
    asyncio.set_event_loop(None)
