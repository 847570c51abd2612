"""Fixtures for the tests of the KDE Connect family: our end and devices on loopback."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from homeassistant.core import HomeAssistant

from .common import set_up, wait_state
from .players import PLAYER, vlc
from custom_components.rumpus.families.kde_connect import hub as hub_module
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from custom_components.rumpus.protocols.kdeconnect.discovery import Network
from tests import ports
from tests.fakes.kdeconnect import FakeCredentials, FakeDevice
from tests.fakes.kdeconnect_media import FakePlayer

# Making keys takes time, and no test minds whose they are.
_OURS = Credentials.generate()
_PHONE = FakeCredentials.generate("1" * 32)
_COMPUTER = FakeCredentials.generate("2" * 32)


@pytest.fixture
def our_udp_port() -> int:
    """The port where we hear announcements."""
    return ports.share().free_udp_port()


@pytest.fixture
def ours(hass_storage: dict[str, Any]) -> Credentials:
    """Our id and key, as made long ago."""
    hass_storage["rumpus.kde_connect"] = {
        "version": 1,
        "minor_version": 1,
        "key": "rumpus.kde_connect",
        "data": {
            "device_id": _OURS.device_id,
            "private_key": _OURS.private_key_pem,
            "certificate": _OURS.certificate_pem,
        },
    }
    return _OURS


async def stop(hass: HomeAssistant) -> None:
    """Stop calling devices before they go: a server must not close while it accepts.

    What a test has set in motion, such as the reload of an entry, comes to its end first.
    """
    if hass.is_running:
        await hass.async_block_till_done()
        await hass.async_stop(force=True)


@pytest.fixture
async def phone(
    hass: HomeAssistant, socket_enabled: None, our_udp_port: int
) -> AsyncIterator[FakeDevice]:
    """A phone that hears our announcements."""
    async with FakeDevice(
        "phone", name="Pixel", credentials=_PHONE, peer_udp_port=our_udp_port
    ) as device:
        # One link at a time: our end calls paired devices on loopback anyway.
        device.answers_udp = False
        yield device
        await stop(hass)


@pytest.fixture
async def computer(
    hass: HomeAssistant, socket_enabled: None, our_udp_port: int
) -> AsyncIterator[FakeDevice]:
    """A computer; it has to be called, since the phone hears our announcements."""
    async with FakeDevice(
        "computer",
        name="Tower",
        credentials=_COMPUTER,
        peer_udp_port=our_udp_port,
    ) as device:
        yield device
        await stop(hass)


@pytest.fixture(autouse=True)
def loopback(
    hass: HomeAssistant,
    mock_async_zeroconf: object,
    socket_enabled: None,
    our_udp_port: int,
    phone: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
) -> Network:
    """Keep everything on loopback."""
    network = Network(
        bind="127.0.0.1", udp_port=our_udp_port, peer_udp_port=phone.udp_port
    )

    async def async_network(hass: HomeAssistant) -> Network:
        return network

    async def async_zeroconf(hass: HomeAssistant) -> None:
        return None

    monkeypatch.setattr(hub_module, "async_network", async_network)
    monkeypatch.setattr(hub_module, "async_zeroconf", async_zeroconf)
    return network


@pytest.fixture
async def player(
    hass: HomeAssistant, ours: Credentials, computer: FakeDevice
) -> FakePlayer:
    """A player of a computer that is set up."""
    player = vlc()
    await computer.media.add(player)
    await set_up(hass, ours, computer, "tower")
    await wait_state(hass, PLAYER, "idle")
    return player
