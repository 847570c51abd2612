"""Rumpus: the devices of the play room, spoken to natively."""

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.typing import ConfigType

from .const import CONF_FAMILY, DOMAIN
from .coordinator import RumpusConfigEntry
from .families import FAMILIES, async_get_family
from .services import async_setup_services
from .views import async_setup_views

CONFIG_SCHEMA = cv.empty_config_schema(DOMAIN)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Register the actions, and listen for devices if the YAML configuration names us.

    Without that a family listens once it has an entry, and while a user searches.
    """
    async_setup_services(hass)
    async_setup_views(hass)
    if DOMAIN in config:
        for key in FAMILIES:
            await (await async_get_family(hass, key)).async_setup_listener(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: RumpusConfigEntry) -> bool:
    """Set up a device, whether or not it can be reached now."""
    family = await async_get_family(hass, entry.data[CONF_FAMILY])
    runtime = await family.async_create_runtime(hass, entry)
    entry.async_on_unload(runtime.async_stop)
    await runtime.async_start()
    entry.runtime_data = runtime
    await hass.config_entries.async_forward_entry_setups(entry, runtime.platforms)
    return True


async def async_unload_entry(hass: HomeAssistant, entry: RumpusConfigEntry) -> bool:
    """Let go of a device; a pairing with it stays."""
    return await hass.config_entries.async_unload_platforms(
        entry, entry.runtime_data.platforms
    )


async def async_remove_entry(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """End the pairing with a device."""
    family = await async_get_family(hass, entry.data[CONF_FAMILY])
    await family.async_remove_entry(hass, entry)
