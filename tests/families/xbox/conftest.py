"""Fixtures for the tests of the Xbox family: our end and consoles on loopback."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity import Entity

from .common import CLIENT_UUID, STORE
from custom_components.rumpus.families.xbox import flow, hub, link, store
from custom_components.rumpus.protocols.reconnect import Backoff
from custom_components.rumpus.protocols.smartglass.discovery import Network
from custom_components.rumpus.protocols.smartglass.timing import Timing
from tests.fakes.xbox import FakeConsole

QUICK = Timing(
    discovery=0.4,
    discovery_interval=0.1,
    connect=(0.2, 0.3),
    pending_interval=0.05,
    pending=1.0,
    acks=(0.1,) * 8,
    channel=0.5,
    status=0.3,
    heartbeat=0.1,
    silence=0.5,
    farewell=0.3,
    power_off=0.6,
    power_off_silence=0.2,
    power_off_heartbeat=0.05,
    launch=0.2,
)
"""As in the network at home, but in a hurry."""


async def stop(hass: HomeAssistant) -> None:
    """Let what a test has set in motion come to its end before the consoles go."""
    if hass.is_running:
        await hass.async_block_till_done()
        await hass.async_stop(force=True)


@pytest.fixture
async def console(
    hass: HomeAssistant, socket_enabled: None
) -> AsyncIterator[FakeConsole]:
    """A console that is on and hears our searches."""
    async with FakeConsole() as fake:
        yield fake
        await stop(hass)


@pytest.fixture
def network(console: FakeConsole) -> Network:
    """Where we search."""
    return Network(
        bind="127.0.0.1",
        port=console.port,
        targets=((console.address, console.port),),
    )


@pytest.fixture
def timing() -> Timing:
    """How long everything may take."""
    return QUICK


@pytest.fixture(autouse=True)
def loopback(
    request: pytest.FixtureRequest,
    mock_async_zeroconf: object,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Keep everything on loopback, and quick."""
    if "console" not in request.fixturenames:
        return
    network: Network = request.getfixturevalue("network")

    async def async_network(hass: HomeAssistant) -> Network:
        return network

    monkeypatch.setattr(hub, "async_network", async_network)
    monkeypatch.setattr(hub, "SEARCH_BACKOFF", (0.1, 0.2))
    monkeypatch.setattr(hub, "SEARCH_INTERVAL", 0.3)
    monkeypatch.setattr(hub, "MISSED_INTERVAL", 0.3)
    monkeypatch.setattr(link, "TIMING", request.getfixturevalue("timing"))
    monkeypatch.setattr(link, "BACKOFF", Backoff((0.05, 0.2), jitter=0))
    monkeypatch.setattr(link, "OFF_PAUSE", 0.3)
    monkeypatch.setattr(link, "REFUSED_PAUSE", 0.1)
    monkeypatch.setattr(link, "WAKE_DEADLINE", 1.5)
    monkeypatch.setattr(link, "CONNECT_DEADLINE", 3.0)
    monkeypatch.setattr(link, "REACH_DEADLINE", 1.5)
    monkeypatch.setattr(link, "WAKES_REFILL", 10.0)
    monkeypatch.setattr(flow, "SCAN_SECONDS", 0.2)
    monkeypatch.setattr(flow, "FIND_SECONDS", 0.5)
    monkeypatch.setattr(store, "SAVE_DELAY", 0)


@pytest.fixture
def installation(hass_storage: dict[str, Any]) -> str:
    """What this installation has called itself since long ago."""
    hass_storage[STORE] = {
        "version": 1,
        "minor_version": 1,
        "key": STORE,
        "data": {"client_uuid": CLIENT_UUID, "consoles": {}},
    }
    return CLIENT_UUID


@pytest.fixture
def all_enabled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Entities that a user has to enable are there from the start."""
    monkeypatch.setattr(Entity, "entity_registry_enabled_default", True)
