"""The config flow of Apple TVs and HomePods: how it begins, and how a device is found."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, override

import probatio

from homeassistant.config_entries import (
    SOURCE_IGNORE,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlowResult,
)
from homeassistant.const import CONF_ADDRESS, CONF_DEVICE, CONF_NAME
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from homeassistant.helpers.typing import DiscoveryInfoType

from ... import cards
from ...const import CONF_FAMILY, DOMAIN
from ...protocols.apple.const import AppleProtocol
from ...protocols.apple.records import Announcement, ServiceType, announcement, devices
from ...protocols.apple.services import FoundDevice, join
from ...protocols.errors import RumpusError
from .const import CONF_IDENTIFIERS, FAMILY_KEY
from .data import (
    async_entry_of,
    device_name,
    is_ours,
    model_name,
    obstacles,
    paired_protocols,
    place,
    usable_protocols,
)
from .flow_check import CheckSteps, async_find
from .flow_device import LABELS, UserInput
from .hub import async_get_hub, async_search
from .troubles import CONF_PROTOCOLS

if TYPE_CHECKING:
    from ...config_flow import RumpusConfigFlow

SCAN_AGAIN: Final = "scan_again"
SCAN_SECONDS: Final = 5.0
"""How long devices may take to answer a search."""
GATHER_SECONDS: Final = 2.0
"""How long the other services of a device are waited for after the first."""

_ADDRESS_SCHEMA: Final = probatio.Schema(
    {probatio.Required(CONF_ADDRESS): TextSelector()}
)


class AppleTvFlow(CheckSteps):
    """Everything between a device that is somewhere and an entry for it."""

    def __init__(self, host: RumpusConfigFlow) -> None:
        """Start without a device."""
        super().__init__(host)
        self._choices: dict[str, FoundDevice] = {}

    # Beginnings

    @override
    async def async_user(self) -> ConfigFlowResult:
        return await self.async_step_apple_tv_user()

    @override
    async def async_discovery(self, info: DiscoveryInfoType) -> ConfigFlowResult:
        return self.host.async_abort(reason="invalid_discovery")

    @override
    async def async_zeroconf(self, info: ZeroconfServiceInfo) -> ConfigFlowResult:
        heard = announcement(
            info.type,
            info.name,
            addresses=[str(address) for address in info.ip_addresses],
            port=info.port,
            properties=info.properties,
            host=info.hostname,
        )
        found = None if heard is None else next(iter(devices([heard])), None)
        if heard is None or found is None or not found.address:
            return self.host.async_abort(reason="invalid_discovery")
        if not is_ours(found):
            return self.host.async_abort(reason="apple_tv_other_maker")
        hub = async_get_hub(self.host.hass)
        hub.feed(heard)
        if self._is_known(found):
            return self.host.async_abort(reason="already_configured")
        if hub.join_card(heard, found):
            return self.host.async_abort(reason="already_in_progress")
        if not cards.async_make_room(
            self.host.hass, FAMILY_KEY, lambda _: True, self.host.flow_id
        ):
            return self.host.async_abort(reason="too_many_discovered")
        card = hub.start_card(self.host.flow_id, heard, found)
        self.found = await _async_gather(found, card.announcements)
        card.identifiers.update(self.found.identifiers)
        return await self._async_show_card()

    async def _async_show_card(self) -> ConfigFlowResult:
        """Show what is known of a device now, if it is of any use."""
        if not self.found.is_ready or self._is_known(self.found):
            return self.host.async_abort(reason="already_configured")
        if not usable_protocols(self.found) and not obstacles(self.found):
            return self.host.async_abort(
                reason="apple_tv_too_old", description_placeholders=self.placeholders()
            )
        await self.async_claim(raise_on_progress=True)
        self.host.set_title(f"{device_name(self.found)}, {model_name(self.found)}")
        return await self.async_step_apple_tv_confirm()

    def _is_known(self, found: FoundDevice) -> bool:
        """Tell whether a device is set up or ignored, and let its entry know where it is.

        An entry that is loaded has heard it, too, and believes it when there is a link.
        """
        hass = self.host.hass
        entry = async_entry_of(hass, found.identifiers)
        if entry is None:
            # What tells no identifier is known by where it is; another device may have
            # got the address of one that is away.
            return not found.is_ready and any(
                other.data.get(CONF_FAMILY) == FAMILY_KEY
                and other.data.get(CONF_ADDRESS) == found.address
                for other in hass.config_entries.async_entries(DOMAIN)
            )
        if (
            entry.source != SOURCE_IGNORE
            and entry.state is not ConfigEntryState.LOADED
            and entry.data.get(CONF_FAMILY) == FAMILY_KEY
        ):
            hass.config_entries.async_update_entry(
                entry, data={**entry.data, CONF_ADDRESS: found.address}
            )
        return True

    @override
    async def async_reauth(
        self, entry: ConfigEntry, info: Mapping[str, object]
    ) -> ConfigFlowResult:
        await self.async_begin_with(entry)
        named = info.get(CONF_PROTOCOLS)
        if isinstance(named, list):
            self.wanted = tuple(one for one in LABELS if one.value in named)
            return await self.async_step_apple_tv_reauth()
        paired = paired_protocols(entry.data)
        lost = {one for one in paired if one not in self.credentials}
        self.wanted = tuple(one for one in LABELS if one in (lost or paired))
        if lost:
            return await self.async_step_apple_tv_reauth_lost()
        return await self.async_step_apple_tv_reauth()

    @override
    async def async_reconfigure(self, entry: ConfigEntry) -> ConfigFlowResult:
        await self.async_begin_with(entry)
        return await self.async_step_apple_tv_reconfigure()

    async def async_step_apple_tv_reauth(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Tell which pairing counts no more, and that the device will show a PIN."""
        # Another one may have been refused since the first.
        wanted = {*(self.wanted or ()), *self._refused()}
        self.wanted = tuple(one for one in LABELS if one in wanted)
        return await self._async_reauth("apple_tv_reauth", user_input)

    async def async_step_apple_tv_reauth_lost(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Tell which pairing we do not have any more, and that the device will show a PIN."""
        return await self._async_reauth("apple_tv_reauth_lost", user_input)

    async def _async_reauth(
        self, step_id: str, user_input: UserInput
    ) -> ConfigFlowResult:
        if user_input is not None:
            return await self.async_step_apple_tv_look()
        return self.host.async_show_form(
            step_id=step_id,
            description_placeholders=self.placeholders(
                protocol=", ".join(LABELS[one] for one in self.wanted or ())
            ),
        )

    def _refused(self) -> list[AppleProtocol]:
        entry = self.entry
        if entry is None or entry.state is not ConfigEntryState.LOADED:
            return []
        refused: list[AppleProtocol] = entry.runtime_data.refused
        return refused

    # Finding a device

    async def async_step_apple_tv_user(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Begin with a search: what is found needs no address."""
        return await self.async_step_apple_tv_scan()

    async def async_step_apple_tv_scan(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Search, and give devices time to answer."""
        if self._task is None:
            self._task = self.run(_async_scan(self.host))
        if not self._task.done():
            return self.host.async_show_progress(
                step_id="apple_tv_scan",
                progress_action="apple_tv_scan",
                progress_task=self._task,
            )
        answers: tuple[FoundDevice, ...] = self._task.result()
        self._task = None
        self._choices = {
            str(found.identifier): found
            for found in answers
            if found.is_ready
            and is_ours(found)
            and (usable_protocols(found) or obstacles(found))
            and not _is_set_up(self.host, found)
        }
        return self.host.async_show_progress_done(
            next_step_id="apple_tv_pick" if self._choices else "apple_tv_nothing_found"
        )

    async def async_step_apple_tv_nothing_found(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Tell why there may be no device in the list."""
        return self.host.async_show_menu(
            step_id="apple_tv_nothing_found",
            menu_options=["apple_tv_scan", "apple_tv_address"],
        )

    async def async_step_apple_tv_pick(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Let the user choose one of the devices that answered, or type an address."""
        errors: dict[str, str] = {}
        if user_input is not None:
            choice = user_input.get(CONF_DEVICE)
            if address := user_input.get(CONF_ADDRESS, "").strip():
                found = await self._async_at(address)
                if isinstance(found, FoundDevice):
                    return await self._async_chosen(found)
                errors[CONF_ADDRESS] = found
            elif choice == SCAN_AGAIN:
                return await self.async_step_apple_tv_scan()
            elif (chosen := self._choices.get(choice or "")) is not None:
                return await self._async_chosen(chosen)
            else:
                errors["base"] = "apple_tv_nothing_chosen"
        return self.host.async_show_form(
            step_id="apple_tv_pick",
            data_schema=self.host.add_suggested_values_to_schema(
                self._pick_schema(), user_input
            ),
            errors=errors,
        )

    def _pick_schema(self) -> probatio.Schema:
        options = [
            SelectOptionDict(value=identifier, label=_label(found))
            for identifier, found in sorted(
                self._choices.items(), key=lambda item: item[1].name.casefold()
            )
        ]
        options.append(SelectOptionDict(value=SCAN_AGAIN, label=SCAN_AGAIN))
        select = SelectSelector(
            SelectSelectorConfig(
                options=options,
                mode=SelectSelectorMode.LIST,
                translation_key="apple_tv_device",
            )
        )
        return probatio.Schema(
            {
                probatio.Optional(CONF_DEVICE): select,
                probatio.Optional(CONF_ADDRESS): TextSelector(),
            }
        )

    async def async_step_apple_tv_address(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Look for a device at an address."""
        errors: dict[str, str] = {}
        if user_input is not None:
            found = await self._async_at(user_input[CONF_ADDRESS].strip())
            if isinstance(found, FoundDevice):
                return await self._async_chosen(found)
            errors[CONF_ADDRESS] = found
        return self.host.async_show_form(
            step_id="apple_tv_address",
            data_schema=self.host.add_suggested_values_to_schema(
                _ADDRESS_SCHEMA, user_input
            ),
            errors=errors,
        )

    async def _async_at(self, address: str) -> FoundDevice | str:
        """Return the device at an address that a user has typed, or a key of an error."""
        found = await async_find(address)
        if found is None or not found.is_ready:
            return "apple_tv_no_answer"
        return found if is_ours(found) else "apple_tv_not_ours"

    async def _async_chosen(self, found: FoundDevice) -> ConfigFlowResult:
        """Ask whether it is the right device, which the user has chosen."""
        self.found = found
        await self.async_claim(raise_on_progress=False)
        return await self.async_step_apple_tv_confirm()

    async def async_step_apple_tv_confirm(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Ask whether this device is to be added."""
        if user_input is not None:
            return await self.async_step_apple_tv_look()
        return self.host.async_show_form(
            step_id="apple_tv_confirm", description_placeholders=self.placeholders()
        )

    # Changing an entry

    async def async_step_apple_tv_reconfigure(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Let the user choose what to change."""
        return self.host.async_show_menu(
            step_id="apple_tv_reconfigure",
            menu_options=["apple_tv_reconfigure_address", "apple_tv_reconfigure_pair"],
            description_placeholders=self.placeholders(),
        )

    async def async_step_apple_tv_reconfigure_address(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Look for the entry's device at another address."""
        entry = self.host.reconfigured_entry
        errors: dict[str, str] = {}
        if user_input is not None:
            found = await self._async_at(user_input[CONF_ADDRESS].strip())
            if not isinstance(found, FoundDevice):
                errors[CONF_ADDRESS] = found
            elif found.is_same_as(entry.data[CONF_IDENTIFIERS]):
                return self.host.async_update_reload_and_abort(
                    entry, data_updates=place(found, entry.data[CONF_IDENTIFIERS])
                )
            else:
                errors[CONF_ADDRESS] = "apple_tv_wrong_device"
        return self.host.async_show_form(
            step_id="apple_tv_reconfigure_address",
            data_schema=self.host.add_suggested_values_to_schema(
                _ADDRESS_SCHEMA, user_input or entry.data
            ),
            errors=errors,
            description_placeholders={CONF_NAME: entry.title},
        )

    async def async_step_apple_tv_reconfigure_pair(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Let the user choose what to pair for the first time, or once more."""
        possible = [
            one
            for one in (
                AppleProtocol.AIRPLAY,
                AppleProtocol.COMPANION,
                AppleProtocol.MRP,
            )
            if self.found.service(one) is not None
        ]
        errors: dict[str, str] = {}
        if user_input is not None:
            names = user_input[CONF_PROTOCOLS]
            self.wanted = tuple(one for one in possible if one.value in names)
            if self.wanted:
                return await self.async_step_apple_tv_look()
            errors[CONF_PROTOCOLS] = "apple_tv_nothing_chosen"
        select = SelectSelector(
            SelectSelectorConfig(
                options=[one.value for one in possible],
                multiple=True,
                mode=SelectSelectorMode.LIST,
                translation_key="apple_tv_protocols",
            )
        )
        missing = [one.value for one in possible if one not in self.credentials]
        return self.host.async_show_form(
            step_id="apple_tv_reconfigure_pair",
            data_schema=probatio.Schema(
                {probatio.Required(CONF_PROTOCOLS, default=missing): select}
            ),
            errors=errors,
            description_placeholders=self.placeholders(),
        )


async def _async_scan(host: RumpusConfigFlow) -> tuple[FoundDevice, ...]:
    try:
        return await async_search(host.hass, SCAN_SECONDS)
    except RumpusError, OSError:
        return ()


async def _async_gather(
    found: FoundDevice, heard: Mapping[ServiceType, Announcement]
) -> FoundDevice:
    """Return a device with all of its services: each is announced on its own."""
    await asyncio.sleep(GATHER_SECONDS)
    asked = await async_find(found.address, knock=False)
    if asked is not None and is_ours(asked):
        found = join(asked, found)
    for other in devices(heard.values()):
        found = join(found, other)
    return found


def _is_set_up(host: RumpusConfigFlow, found: FoundDevice) -> bool:
    entry = async_entry_of(host.hass, found.identifiers)
    return entry is not None and entry.source != SOURCE_IGNORE


def _label(found: FoundDevice) -> str:
    return f'"{device_name(found)}", {model_name(found)}, {found.address}'
