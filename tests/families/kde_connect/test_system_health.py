"""What the system health page shows."""

from pytest_homeassistant_custom_component.common import get_system_health_info

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component

from .common import our_end, set_up
from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.families.kde_connect import FAMILY
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from tests.fakes.kdeconnect import FakeDevice


async def test_system_health(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """Numbers of devices, and whether they can be heard."""
    assert await async_setup_component(hass, "system_health", {})
    assert await async_setup_component(hass, DOMAIN, {})
    assert await get_system_health_info(hass, DOMAIN) == {"devices": 0}

    await set_up(hass, ours, phone, "pixel")

    assert await get_system_health_info(hass, DOMAIN) == {
        "devices": 1,
        "kde_connect_connected": 1,
        "kde_connect_hears_broadcasts": True,
        "kde_connect_tcp_port": our_end(hass).tcp_port,
    }


async def test_family_that_does_not_run(hass: HomeAssistant) -> None:
    """There is nothing to tell of an end that nobody needs."""
    assert FAMILY.system_health(hass) == {}
