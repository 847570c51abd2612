"""What the system health page shows."""

from collections.abc import AsyncIterator

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    get_system_health_info,
)

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component

from .families.kde_connect.common import data_of
from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.families.kde_connect import FAMILY, hub as hub_module
from custom_components.rumpus.protocols.kdeconnect.discovery import Network
from tests.fakes.kdeconnect import FakeDevice


@pytest.fixture
async def phone(socket_enabled: None) -> AsyncIterator[FakeDevice]:
    """A phone that nobody has paired with."""
    async with FakeDevice("phone", name="Pixel") as device:
        yield device


@pytest.mark.usefixtures("mock_async_zeroconf")
async def test_system_health(
    hass: HomeAssistant, phone: FakeDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numbers of devices, and whether they can be heard."""

    async def async_network(hass: HomeAssistant) -> Network:
        return Network(bind="127.0.0.1", udp_port=0, peer_udp_port=9)

    async def async_zeroconf(hass: HomeAssistant) -> None:
        return None

    monkeypatch.setattr(hub_module, "async_network", async_network)
    monkeypatch.setattr(hub_module, "async_zeroconf", async_zeroconf)
    assert await async_setup_component(hass, "system_health", {})
    assert await async_setup_component(hass, DOMAIN, {})
    assert await get_system_health_info(hass, DOMAIN) == {"devices": 0}

    entry = MockConfigEntry(
        domain=DOMAIN, unique_id=phone.device_id, data=data_of(phone)
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)

    facts = await get_system_health_info(hass, DOMAIN)
    assert facts.pop("kde_connect_tcp_port") in range(1716, 1765)
    assert facts == {
        "devices": 1,
        "kde_connect_connected": 0,
        "kde_connect_hears_broadcasts": True,
    }


async def test_family_that_does_not_run(hass: HomeAssistant) -> None:
    """There is nothing to tell of an end that nobody needs."""
    assert FAMILY.system_health(hass) == {}
