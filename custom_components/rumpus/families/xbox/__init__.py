"""Xbox consoles, over SmartGlass."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryNotReady

from ...const import CONF_FAMILY, DOMAIN, LOGGER
from ...coordinator import RumpusConfigEntry, RumpusRuntime
from ...device_coordinator import PlatformSetup
from .. import Family, FamilyFlow, FamilyOptions
from . import binary_sensor, button, event, media_player, remote, sensor
from .actions import async_action
from .const import CONF_LIVE_ID, FAMILY_KEY
from .coordinator import XboxCoordinator
from .flow import XboxFlow
from .flow_options import XboxOptionsSteps
from .hub import async_get_hub
from .store import async_get_store

if TYPE_CHECKING:
    from ...config_flow import RumpusConfigFlow, RumpusOptionsFlow

PLATFORMS: Final[Mapping[Platform, PlatformSetup[XboxCoordinator]]] = {
    Platform.BINARY_SENSOR: binary_sensor.async_setup,
    Platform.BUTTON: button.async_setup,
    Platform.EVENT: event.async_setup,
    Platform.MEDIA_PLAYER: media_player.async_setup,
    Platform.REMOTE: remote.async_setup,
    Platform.SENSOR: sensor.async_setup,
}


class XboxFamily(Family):
    """What Home Assistant asks of the family."""

    key = FAMILY_KEY

    @override
    async def async_setup_listener(self, hass: HomeAssistant) -> None:
        try:
            await async_get_hub(hass).async_lease()
        except OSError as err:
            LOGGER.warning("Xbox consoles cannot be searched for: %s", err)

    @override
    async def async_create_runtime(
        self, hass: HomeAssistant, entry: RumpusConfigEntry
    ) -> RumpusRuntime:
        try:
            lease = await async_get_hub(hass).async_lease()
        except OSError as err:
            raise ConfigEntryNotReady(
                translation_domain=DOMAIN, translation_key="xbox_cannot_search"
            ) from err
        try:
            return XboxCoordinator(hass, entry, lease, PLATFORMS, async_action)
        except BaseException:
            # Nobody else would: there is no runtime that has it.
            await lease.async_release()
            raise

    @override
    async def async_remove_entry(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        await async_get_store(hass).async_forget(entry.data[CONF_LIVE_ID])

    @override
    def create_flow(self, host: RumpusConfigFlow) -> FamilyFlow:
        return XboxFlow(host)

    @override
    def create_options(self, host: RumpusOptionsFlow) -> FamilyOptions:
        return XboxOptionsSteps(host)

    @override
    def system_health(self, hass: HomeAssistant) -> Mapping[str, str | int | bool]:
        if async_get_hub(hass).discoverer is None:
            return {}
        coordinators = [
            entry.runtime_data
            for entry in hass.config_entries.async_loaded_entries(DOMAIN)
            if entry.data[CONF_FAMILY] == FAMILY_KEY
        ]
        return {
            "xbox_connected": sum(
                coordinator.data.is_connected for coordinator in coordinators
            ),
            "xbox_off": sum(
                coordinator.data.is_off and not coordinator.data.is_connected
                for coordinator in coordinators
            ),
        }


FAMILY: Final = XboxFamily()
