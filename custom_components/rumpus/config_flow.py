"""Config flow: finds out which family is meant and lets its steps do the rest."""

from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import Any, override

from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigFlow,
    ConfigFlowResult,
    OptionsFlowWithReload,
)
from homeassistant.core import callback
from homeassistant.data_entry_flow import UnknownStep
from homeassistant.helpers.service_info.dhcp import DhcpServiceInfo
from homeassistant.helpers.service_info.ssdp import SsdpServiceInfo
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from homeassistant.helpers.typing import DiscoveryInfoType

from .const import CONF_FAMILY, DOMAIN
from .families import FAMILIES, FamilyFlow, FamilyOptions, async_get_family

type UserInput = dict[str, Any] | None
type Step = Callable[[UserInput], Coroutine[Any, Any, ConfigFlowResult]]

_STEP = "async_step_"


def _family_of(name: str) -> str:
    """Return the key of the family that a step belongs to; raises AttributeError for none."""
    for key in FAMILIES:
        if name.startswith(f"{_STEP}{key}_"):
            return key
    raise AttributeError(name)


def _step_of(flow: FamilyFlow | FamilyOptions, name: str) -> Step:
    """Return a step of a family's flow; raises UnknownStep when it has none of this name."""
    step: Step | None = getattr(flow, name, None)
    if step is None:
        raise UnknownStep(f"There is no step {name.removeprefix(_STEP)}")
    return step


class RumpusConfigFlow(ConfigFlow, domain=DOMAIN):
    """Sets up, repairs and changes entries of every family."""

    VERSION = 1
    MINOR_VERSION = 1

    def __init__(self) -> None:
        """Start without a family."""
        self._family_flow: FamilyFlow | None = None

    def __getattr__(self, name: str) -> Step:
        """Return the steps of the families, which are named `async_step_<family>_*`."""
        return partial(self._async_family_step, _family_of(name), name)

    async def _async_family_step(
        self, key: str, name: str, user_input: UserInput = None
    ) -> ConfigFlowResult:
        return await _step_of(await self._async_flow(key), name)(user_input)

    async def _async_flow(self, key: str) -> FamilyFlow:
        if self._family_flow is None:
            family = await async_get_family(self.hass, key)
            self._family_flow = family.create_flow(self)
        return self._family_flow

    @override
    async def async_step_user(self, user_input: UserInput = None) -> ConfigFlowResult:
        """Let the user choose a family, if there is a choice."""
        if len(FAMILIES) > 1:
            return self.async_show_menu(
                step_id="user", menu_options=[f"{key}_user" for key in FAMILIES]
            )
        return await (await self._async_flow(next(iter(FAMILIES)))).async_user()

    @override
    async def async_step_zeroconf(
        self, discovery_info: ZeroconfServiceInfo
    ) -> ConfigFlowResult:
        """Hand a discovered service to its family."""
        for key, listing in FAMILIES.items():
            if listing.has_service(discovery_info.type):
                return await (await self._async_flow(key)).async_zeroconf(
                    discovery_info
                )
        return self.async_abort(reason="invalid_discovery")

    @override
    async def async_step_dhcp(
        self, discovery_info: DhcpServiceInfo
    ) -> ConfigFlowResult:
        """Hand a device that has got an address to its family."""
        for key, listing in FAMILIES.items():
            if listing.has_host(discovery_info.hostname):
                return await (await self._async_flow(key)).async_dhcp(discovery_info)
        return self.async_abort(reason="invalid_discovery")

    @override
    async def async_step_ssdp(
        self, discovery_info: SsdpServiceInfo
    ) -> ConfigFlowResult:
        """Hand a device that describes itself to its family."""
        for key, listing in FAMILIES.items():
            if listing.has_description(discovery_info.upnp):
                return await (await self._async_flow(key)).async_ssdp(discovery_info)
        return self.async_abort(reason="invalid_discovery")

    @override
    async def async_step_integration_discovery(
        self, discovery_info: DiscoveryInfoType
    ) -> ConfigFlowResult:
        """Hand what a family has discovered back to it."""
        flow = await self._async_flow(discovery_info[CONF_FAMILY])
        return await flow.async_discovery(discovery_info)

    async def async_step_reauth(
        self, entry_data: Mapping[str, Any]
    ) -> ConfigFlowResult:
        """Ask for credentials that count again."""
        entry = self._get_reauth_entry()
        return await (await self._async_flow(entry.data[CONF_FAMILY])).async_reauth(
            entry, entry_data
        )

    async def async_step_reconfigure(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Change an entry."""
        entry = self._get_reconfigure_entry()
        return await (
            await self._async_flow(entry.data[CONF_FAMILY])
        ).async_reconfigure(entry)

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> RumpusOptionsFlow:
        """Return the flow that changes an entry's options."""
        return RumpusOptionsFlow()

    @callback
    @override
    def async_remove(self) -> None:
        """Let the family clean up."""
        if self._family_flow is not None:
            self._family_flow.async_remove()

    # What the families' steps may do with this flow

    @property
    def reconfigured_entry(self) -> ConfigEntry:
        """The entry that is changed."""
        return self._get_reconfigure_entry()

    @property
    def configured_ids(self) -> set[str | None]:
        """The unique ids of all entries; ignored devices do not count."""
        return self._async_current_ids(include_ignore=False)

    async def async_claim(
        self,
        unique_id: str,
        *,
        updates: dict[str, Any] | None = None,
        raise_on_progress: bool = True,
    ) -> None:
        """Say which device this flow is about.

        Aborts when the entry in question is another device's, when the device has an entry,
        which then gets the updates without a reload, and when another flow is about it.
        """
        if self.source in {SOURCE_REAUTH, SOURCE_RECONFIGURE}:
            # A card about the device does not matter here.
            await self.async_set_unique_id(unique_id, raise_on_progress=False)
            self._abort_if_unique_id_mismatch()
        else:
            await self.async_set_unique_id(
                unique_id, raise_on_progress=raise_on_progress
            )
            self._abort_if_unique_id_configured(updates=updates, reload_on_update=False)

    @callback
    def set_title(self, name: str) -> None:
        """Name the device on the card of a discovery."""
        self.context["title_placeholders"] = {"name": name}


class RumpusOptionsFlow(OptionsFlowWithReload):
    """Changes the options of entries of every family; a changed entry is set up anew."""

    def __init__(self) -> None:
        """Start without a family."""
        self._family_options: FamilyOptions | None = None

    def __getattr__(self, name: str) -> Step:
        """Return the steps of the families, which are named `async_step_<family>_*`."""
        _family_of(name)
        return partial(self._async_family_step, name)

    async def _async_family_step(
        self, name: str, user_input: UserInput = None
    ) -> ConfigFlowResult:
        return await _step_of(await self._async_options(), name)(user_input)

    async def _async_options(self) -> FamilyOptions:
        if self._family_options is None:
            family = await async_get_family(self.hass, self.entry.data[CONF_FAMILY])
            self._family_options = family.create_options(self)
        return self._family_options

    async def async_step_init(self, user_input: UserInput = None) -> ConfigFlowResult:
        """Let the entry's family begin."""
        return await (await self._async_options()).async_init()

    @property
    def entry(self) -> ConfigEntry:
        """The entry whose options are changed."""
        return self.config_entry
