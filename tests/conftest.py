"""Fixtures for all tests."""

# The test plugin brings a custom_components package of its own, which wins
# unless the one of this repository was imported before it.
import custom_components.rumpus  # noqa: F401  isort: skip

import pytest


@pytest.fixture(autouse=True)
def load_custom_integrations(enable_custom_integrations: None) -> None:
    """Let Home Assistant find the integration in every test."""
