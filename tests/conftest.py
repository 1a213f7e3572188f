"""Fixtures that every kind of test may ask for; those of the cluster start nothing until a test names them."""

import asyncio

from hypothesis import HealthCheck, settings

pytest_plugins = [
    "tests.fixtures.cluster",
    "tests.fixtures.git_server",
    "tests.fixtures.keyring",
    "tests.fixtures.kube",
    "tests.fixtures.controller",
    "tests.fixtures.lab",
    "tests.fixtures.oci_registry",
    "tests.fixtures.downloads",
    "tests.fixtures.web_server",
]


# How long an example takes says how busy the machine is, not whether the rule holds.
settings.register_profile("trimtab", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("trimtab")


def pytest_configure() -> None:
    """Before Python 3.12, the first look for a loop makes one that nobody closes; its warning fails a later test."""
    asyncio.set_event_loop(None)
