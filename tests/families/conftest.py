"""Fixtures for the tests of the families."""

import pytest
from pytest_homeassistant_custom_component.syrupy import HomeAssistantSnapshotExtension
from syrupy.assertion import SnapshotAssertion


@pytest.fixture
def snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Write states and registry entries the way Home Assistant does."""
    return snapshot.use_extension(HomeAssistantSnapshotExtension)
