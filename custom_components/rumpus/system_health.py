"""System health: whether each family that is in use can do its work."""

from typing import Any

from homeassistant.components import system_health
from homeassistant.core import HomeAssistant, callback

from .const import CONF_FAMILY, DOMAIN
from .families import async_get_family


@callback
def async_register(
    hass: HomeAssistant, register: system_health.SystemHealthRegistration
) -> None:
    """Register what we tell."""
    register.async_register_info(system_health_info)


async def system_health_info(hass: HomeAssistant) -> dict[str, Any]:
    """Return the number of devices and what their families tell."""
    entries = hass.config_entries.async_loaded_entries(DOMAIN)
    facts: dict[str, Any] = {"devices": len(entries)}
    for key in sorted({entry.data[CONF_FAMILY] for entry in entries}):
        facts.update((await async_get_family(hass, key)).system_health(hass))
    return facts
