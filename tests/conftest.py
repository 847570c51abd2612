"""Fixtures for all tests."""

# The test plugin brings a custom_components package of its own, which wins
# unless the one of this repository was imported before it.
import custom_components.rumpus  # noqa: F401  isort: skip

import pytest


@pytest.fixture(autouse=True)
def load_custom_integrations(request: pytest.FixtureRequest) -> None:
    """Let Home Assistant find the integration, in every test that has one."""
    if "hass" in request.fixturenames:
        request.getfixturevalue("enable_custom_integrations")
