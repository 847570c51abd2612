"""Fixtures for the tests of the Forged Alliance Forever family: a lobby on loopback."""

from collections.abc import AsyncIterator

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity import Entity

from .common import LOGIN, PASSWORD
from custom_components.rumpus.families.faf import coordinator, link, store
from custom_components.rumpus.protocols.faf.timing import Timing
from custom_components.rumpus.protocols.reconnect import Backoff
from tests.fakes.faf_lobby import FakeLobby
from tests.fakes.faf_tls import FakeAuthority

QUICK = Timing(
    connect=2.0,
    session=2.0,
    proof=5.0,
    welcome=2.0,
    pong=2.0,
    silence=5.0,
    ping=10.0,
    reply=2.0,
    change=2.0,
    queues=60.0,
)
"""As with the official lobby, but in a hurry."""


async def stop(hass: HomeAssistant) -> None:
    """Let what a test has set in motion come to its end before the lobby goes."""
    if hass.is_running:
        await hass.async_block_till_done()
        await hass.async_stop(force=True)


@pytest.fixture
async def lobby(hass: HomeAssistant, socket_enabled: None) -> AsyncIterator[FakeLobby]:
    """A lobby with our account, in which nobody is."""
    async with FakeLobby() as fake:
        fake.add_account(LOGIN, password=PASSWORD)
        yield fake
        await stop(hass)


@pytest.fixture(scope="session")
def authority() -> FakeAuthority:
    """Who may sign the certificates of lobbies."""
    return FakeAuthority()


@pytest.fixture
def trusting(authority: FakeAuthority, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Home Assistant trust the authority, and nobody else."""
    context = authority.client()
    monkeypatch.setattr(
        "homeassistant.helpers.aiohttp_client.ssl_util.client_context",
        lambda *args: context,
    )


@pytest.fixture
def timing() -> Timing:
    """How long everything may take."""
    return QUICK


@pytest.fixture(autouse=True)
def in_a_hurry(
    mock_async_zeroconf: object, monkeypatch: pytest.MonkeyPatch, timing: Timing
) -> None:
    """Wait for nothing longer than has to be."""
    monkeypatch.setattr(coordinator, "COUNTS_INTERVAL", 0.0)
    monkeypatch.setattr(link, "TIMING", timing)
    monkeypatch.setattr(link, "BACKOFF", Backoff((0.05, 0.2), jitter=0))
    monkeypatch.setattr(store, "SAVE_DELAY", 0)


@pytest.fixture
def all_enabled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Entities that a user has to enable are there from the start."""
    monkeypatch.setattr(Entity, "entity_registry_enabled_default", True)
