"""Apple TV and HomePod, over AirPlay, Companion and MRP."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant

from ...const import CONF_FAMILY, DOMAIN
from ...coordinator import RumpusConfigEntry, RumpusRuntime
from ...device_coordinator import PlatformSetup
from .. import Family, FamilyFlow, FamilyOptions
from . import binary_sensor, button, media_player, remote, select, sensor, text
from .actions import async_action
from .const import FAMILY_KEY
from .coordinator import AppleTvCoordinator
from .flow import AppleTvFlow
from .flow_options import AppleTvOptionsSteps
from .hub import async_get_hub
from .pairings import async_get_pairing_store, async_pairings_of
from .store import async_get_store

if TYPE_CHECKING:
    from ...config_flow import RumpusConfigFlow, RumpusOptionsFlow

PLATFORMS: Final[Mapping[Platform, PlatformSetup[AppleTvCoordinator]]] = {
    Platform.BINARY_SENSOR: binary_sensor.async_setup,
    Platform.BUTTON: button.async_setup,
    Platform.MEDIA_PLAYER: media_player.async_setup,
    Platform.REMOTE: remote.async_setup,
    Platform.SELECT: select.async_setup,
    Platform.SENSOR: sensor.async_setup,
    Platform.TEXT: text.async_setup,
}


class AppleTvFamily(Family):
    """What Home Assistant asks of the family."""

    key = FAMILY_KEY

    @override
    async def async_setup_listener(self, hass: HomeAssistant) -> None:
        """Do nothing: Home Assistant listens by itself, and makes the cards."""

    @override
    async def async_create_runtime(
        self, hass: HomeAssistant, entry: RumpusConfigEntry
    ) -> RumpusRuntime:
        pairings = await async_pairings_of(hass, entry)
        store = async_get_store(hass)
        await store.async_load()
        lease = await async_get_hub(hass).async_lease()
        try:
            return AppleTvCoordinator(
                hass, entry, lease, store, pairings, PLATFORMS, async_action
            )
        except BaseException:
            # Nobody else would: there is no runtime that has it.
            await lease.async_release()
            raise

    @override
    async def async_remove_entry(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        if entry.unique_id is not None:
            pairings = async_get_pairing_store(hass)
            async with pairings.lock:
                await pairings.async_forget(entry.unique_id)
            await async_get_store(hass).async_forget(entry.unique_id)

    @override
    def create_flow(self, host: RumpusConfigFlow) -> FamilyFlow:
        return AppleTvFlow(host)

    @override
    def create_options(self, host: RumpusOptionsFlow) -> FamilyOptions:
        return AppleTvOptionsSteps(host)

    @override
    def system_health(self, hass: HomeAssistant) -> Mapping[str, str | int | bool]:
        states = [
            entry.runtime_data.data
            for entry in hass.config_entries.async_loaded_entries(DOMAIN)
            if entry.data[CONF_FAMILY] == FAMILY_KEY
        ]
        if not states:
            return {}
        return {
            "apple_tv_connected": sum(state.is_connected for state in states),
            "apple_tv_off": sum(state.is_off for state in states),
        }


FAMILY: Final = AppleTvFamily()
