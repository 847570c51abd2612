"""Forged Alliance Forever lobbies: who is online, and what is played."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, override

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryAuthFailed

from ...const import CONF_FAMILY, DOMAIN
from ...coordinator import RumpusConfigEntry, RumpusRuntime
from ...device_coordinator import PlatformSetup
from .. import Family, FamilyFlow, FamilyOptions
from . import binary_sensor, button, event, select, sensor
from .actions import async_action
from .const import FAMILY_KEY
from .coordinator import FafCoordinator
from .data import LobbyData
from .flow import FafFlow
from .flow_options import FafOptionsSteps
from .link import has_secrets
from .store import async_get_store
from .troubles import SIGNED_OUT

if TYPE_CHECKING:
    from ...config_flow import RumpusConfigFlow, RumpusOptionsFlow

PLATFORMS: Final[Mapping[Platform, PlatformSetup[FafCoordinator]]] = {
    Platform.BINARY_SENSOR: binary_sensor.async_setup,
    Platform.BUTTON: button.async_setup,
    Platform.EVENT: event.async_setup,
    Platform.SELECT: select.async_setup,
    Platform.SENSOR: sensor.async_setup,
}


class FafFamily(Family):
    """What Home Assistant asks of the family."""

    key = FAMILY_KEY

    @override
    async def async_setup_listener(self, hass: HomeAssistant) -> None:
        """Do nothing: lobbies do not announce themselves."""

    @override
    async def async_create_runtime(
        self, hass: HomeAssistant, entry: RumpusConfigEntry
    ) -> RumpusRuntime:
        data = LobbyData.from_entry(entry.data)
        store = async_get_store(hass)
        secrets = await store.async_get(_unique_id(entry))
        if not has_secrets(data, secrets):
            raise ConfigEntryAuthFailed(
                translation_domain=DOMAIN,
                translation_key="faf_sign_in_lost",
                translation_placeholders={"name": entry.title},
            )
        return FafCoordinator(hass, entry, store, PLATFORMS, async_action)

    @override
    async def async_remove_entry(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        await async_get_store(hass).async_forget(_unique_id(entry))

    @override
    def create_flow(self, host: RumpusConfigFlow) -> FamilyFlow:
        return FafFlow(host)

    @override
    def create_options(self, host: RumpusOptionsFlow) -> FamilyOptions:
        return FafOptionsSteps(host)

    @override
    async def async_fix_issue(
        self, hass: HomeAssistant, entry: ConfigEntry, key: str
    ) -> None:
        if key != SIGNED_OUT:
            await super().async_fix_issue(hass, entry, key)
        elif entry.state is ConfigEntryState.LOADED:
            await _coordinator(entry).async_sign_in_again()
        else:
            store = async_get_store(hass)
            await store.async_load()
            await store.async_set_signed_out(_unique_id(entry), is_signed_out=False)

    @override
    def system_health(self, hass: HomeAssistant) -> Mapping[str, str | int | bool]:
        states = [
            _coordinator(entry).data
            for entry in hass.config_entries.async_loaded_entries(DOMAIN)
            if entry.data[CONF_FAMILY] == FAMILY_KEY
        ]
        if not states:
            return {}
        return {
            "faf_connected": sum(state.is_connected for state in states),
            "faf_signed_in": sum(state.is_signed_in for state in states),
            "faf_signed_out_elsewhere": sum(
                state.is_signed_out_elsewhere for state in states
            ),
        }


def _unique_id(entry: ConfigEntry) -> str:
    return entry.unique_id or LobbyData.from_entry(entry.data).unique_id


def _coordinator(entry: ConfigEntry) -> FafCoordinator:
    coordinator: FafCoordinator = entry.runtime_data
    return coordinator


FAMILY: Final = FafFamily()
