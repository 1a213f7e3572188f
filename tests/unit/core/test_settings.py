"""The controller's settings."""

from dataclasses import FrozenInstanceError

import pytest

from trimtab.core.settings import Settings


def test_nothing_listens_beyond_loopback_unless_it_is_asked_for():
    settings = Settings()
    assert settings.metrics_bind_address.startswith("127.0.0.1:")
    assert settings.health_bind_address.startswith("127.0.0.1:")
    assert settings.namespace == "trimtab-system"


def test_settings_never_change():
    with pytest.raises(FrozenInstanceError):
        Settings().concurrency = 9  # type: ignore[misc]
