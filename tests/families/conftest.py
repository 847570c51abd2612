"""Fixtures for the tests of the families."""

import pytest
from pytest_homeassistant_custom_component.syrupy import HomeAssistantSnapshotExtension
from syrupy.assertion import SnapshotAssertion

from custom_components.rumpus.protocols import reconnect
from custom_components.rumpus.protocols.kdeconnect import device


@pytest.fixture
def snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Write states and registry entries the way Home Assistant does."""
    return snapshot.use_extension(HomeAssistantSnapshotExtension)


@pytest.fixture
def grace() -> float:
    """For how long nobody is told that a link is lost, and none is made."""
    return 0.1


@pytest.fixture(autouse=True)
def quick_grace(grace: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let devices come back as soon as nobody would have noticed that they were gone."""
    monkeypatch.setattr(reconnect, "LINK_GRACE", grace)
    monkeypatch.setattr(device, "LINK_GRACE", grace)
