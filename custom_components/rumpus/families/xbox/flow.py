"""The config flow of consoles: how it begins, and how a console is found."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, override
from urllib.parse import urlsplit

import probatio

from homeassistant.config_entries import ConfigEntry, ConfigFlowResult
from homeassistant.const import CONF_HOST, CONF_NAME, CONF_PORT
from homeassistant.helpers.selector import (
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)
from homeassistant.helpers.service_info.dhcp import DhcpServiceInfo
from homeassistant.helpers.service_info.ssdp import SsdpServiceInfo
from homeassistant.helpers.typing import DiscoveryInfoType
from homeassistant.util.network import is_ipv4_address

from ...protocols.errors import PeerTimeoutError
from ...protocols.smartglass.const import PORT
from ...protocols.smartglass.discovery import DiscoveredConsole
from .account import is_signed_in, signed_out
from .const import CONF_LIVE_ID
from .data import console_data, console_name, is_usable, model, place
from .flow_connect import ConnectSteps, UserInput
from .hub import async_get_hub

if TYPE_CHECKING:
    import asyncio

    from ...config_flow import RumpusConfigFlow

CONF_CONSOLE: Final = "console"
SCAN_AGAIN: Final = "scan_again"
BY_ADDRESS: Final = "by_address"

SCAN_SECONDS: Final = 4.0
"""How long consoles may take to answer a search."""
FIND_SECONDS: Final = 4.0
"""How long a console may take to answer at one address."""

_ADDRESS_SCHEMA: Final = probatio.Schema(
    {
        probatio.Required(CONF_HOST): TextSelector(),
        probatio.Required(CONF_PORT, default=PORT): NumberSelector(
            NumberSelectorConfig(min=1, max=65535, mode=NumberSelectorMode.BOX)
        ),
    }
)


class XboxFlow(ConnectSteps):
    """Everything between a console that is somewhere and an entry for it."""

    def __init__(self, host: RumpusConfigFlow) -> None:
        """Start without a console."""
        super().__init__(host)
        self._scan: asyncio.Task[tuple[DiscoveredConsole, ...]] | None = None
        self._found: dict[str, DiscoveredConsole] = {}

    # Beginnings

    @override
    async def async_user(self) -> ConfigFlowResult:
        return await self.async_step_xbox_user()

    @override
    async def async_discovery(self, info: DiscoveryInfoType) -> ConfigFlowResult:
        await self.host.async_claim(info[CONF_LIVE_ID])
        # What was heard while Home Assistant started comes all at once.
        if not async_get_hub(self.host.hass).async_make_room(self.host.flow_id):
            return self.host.async_abort(reason="too_many_discovered")
        self.target = dict(info)
        self.host.set_title(info[CONF_NAME])
        return await self.async_step_xbox_confirm()

    @override
    async def async_dhcp(self, info: DhcpServiceInfo) -> ConfigFlowResult:
        return await self._async_hinted(info.ip)

    @override
    async def async_ssdp(self, info: SsdpServiceInfo) -> ConfigFlowResult:
        try:
            host = urlsplit(info.ssdp_location or "").hostname or ""
        except ValueError:
            host = ""
        if not is_ipv4_address(host):
            return self.host.async_abort(reason="invalid_discovery")
        return await self._async_hinted(host)

    async def _async_hinted(self, address: str) -> ConfigFlowResult:
        """Ask a device that may be a console who it is: only the address is of use."""
        if not async_get_hub(self.host.hass).async_make_room(self.host.flow_id):
            return self.host.async_abort(reason="too_many_discovered")
        try:
            async with self.leased() as lease:
                console = await lease.discoverer.find(address, timeout=FIND_SECONDS)
        except PeerTimeoutError, OSError:
            return self.host.async_abort(reason="xbox_no_answer")
        if not is_usable(console):
            return self.host.async_abort(reason="xbox_not_ready")
        live_id = str(console.live_id)
        # Anybody can answer anything. An entry that is set up has heard it, too, and
        # believes it when there is a session.
        await self.host.async_claim(
            live_id, updates=None if self.is_set_up(live_id) else place(console)
        )
        self.target = console_data(console)
        self.host.set_title(console_name(console))
        return await self.async_step_xbox_confirm()

    @override
    async def async_reauth(
        self, entry: ConfigEntry, info: Mapping[str, object]
    ) -> ConfigFlowResult:
        self.entry = entry
        self.target = signed_out(entry.data)
        if is_signed_in(entry.data):
            return await self.async_step_xbox_reauth_account()
        return await self.async_step_xbox_reauth()

    @override
    async def async_reconfigure(self, entry: ConfigEntry) -> ConfigFlowResult:
        self.entry = entry
        self.target = signed_out(entry.data)
        return await self.async_step_xbox_reconfigure()

    # Finding a console

    async def async_step_xbox_user(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Let the user choose between searching and typing an address."""
        return self.host.async_show_menu(
            step_id="xbox_user", menu_options=["xbox_scan", "xbox_address"]
        )

    async def async_step_xbox_scan(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Search, and give consoles time to answer."""
        if self._scan is None:
            self._scan = self.host.hass.async_create_task(
                self._async_search(), "xbox scan", eager_start=False
            )
        if not self._scan.done():
            return self.host.async_show_progress(
                step_id="xbox_scan",
                progress_action="xbox_scan",
                progress_task=self._scan,
            )
        try:
            answers = self._scan.result()
        except OSError:
            return self.host.async_show_progress_done(next_step_id="xbox_no_network")
        finally:
            self._scan = None
        configured = self.host.configured_ids
        self._found = {
            str(console.live_id): console
            for console in answers
            if is_usable(console) and console.live_id not in configured
        }
        if self._found:
            step_id = "xbox_pick"
        elif any(not is_usable(console) for console in answers):
            step_id = "xbox_not_ready"
        else:
            step_id = "xbox_nothing_found"
        return self.host.async_show_progress_done(next_step_id=step_id)

    async def _async_search(self) -> tuple[DiscoveredConsole, ...]:
        async with self.leased() as lease:
            return await lease.discoverer.search(SCAN_SECONDS)

    async def async_step_xbox_no_network(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Tell that nothing can be sent."""
        return self.host.async_abort(reason="xbox_cannot_search")

    async def async_step_xbox_not_ready(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Tell that a console has answered that cannot be connected to yet."""
        return self._search_again("xbox_not_ready")

    async def async_step_xbox_nothing_found(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Tell why there may be no console in the list."""
        return self._search_again("xbox_nothing_found")

    def _search_again(self, step_id: str) -> ConfigFlowResult:
        return self.host.async_show_menu(
            step_id=step_id,
            menu_options=["xbox_scan", "xbox_address"],
            description_placeholders={"udp_port": str(PORT)},
        )

    async def async_step_xbox_pick(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Let the user choose one of the consoles that answered."""
        if user_input is not None:
            choice: str = user_input[CONF_CONSOLE]
            if choice == BY_ADDRESS:
                return await self.async_step_xbox_address()
            if (console := self._found.get(choice)) is None:
                return await self.async_step_xbox_scan()
            return await self._async_chosen(console)
        options = [
            SelectOptionDict(value=live_id, label=_label(console))
            for live_id, console in sorted(
                self._found.items(), key=lambda item: item[1].name.casefold()
            )
        ]
        options += [
            SelectOptionDict(value=value, label=value)
            for value in (SCAN_AGAIN, BY_ADDRESS)
        ]
        select = SelectSelector(
            SelectSelectorConfig(
                options=options,
                mode=SelectSelectorMode.LIST,
                translation_key="xbox_console",
            )
        )
        return self.host.async_show_form(
            step_id="xbox_pick",
            data_schema=probatio.Schema({probatio.Required(CONF_CONSOLE): select}),
        )

    async def async_step_xbox_address(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Look for a console at an address."""
        errors: dict[str, str] = {}
        if user_input is not None:
            found = await self._async_find(user_input)
            if isinstance(found, DiscoveredConsole):
                return await self._async_chosen(found)
            errors["base"] = found
        return self.host.async_show_form(
            step_id="xbox_address",
            data_schema=self.host.add_suggested_values_to_schema(
                _ADDRESS_SCHEMA, user_input
            ),
            errors=errors,
        )

    async def _async_find(self, user_input: dict[str, Any]) -> DiscoveredConsole | str:
        """Return the console at the address that a user has typed, or a key of an error."""
        try:
            async with self.leased() as lease:
                console = await lease.discoverer.find(
                    user_input[CONF_HOST].strip(),
                    int(user_input[CONF_PORT]),
                    timeout=FIND_SECONDS,
                )
        except PeerTimeoutError:
            return "xbox_no_answer"
        except OSError:
            return "xbox_cannot_search"
        return console if is_usable(console) else "xbox_not_ready"

    async def _async_chosen(self, console: DiscoveredConsole) -> ConfigFlowResult:
        """Connect to a console that the user has chosen: no further question is needed."""
        await self.host.async_claim(str(console.live_id), raise_on_progress=False)
        self.target = console_data(console)
        return await self.async_step_xbox_connect()

    # Changing an entry

    async def async_step_xbox_reconfigure(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Let the user choose what to change."""
        entry = self.host.reconfigured_entry
        menu = ["xbox_reconfigure_address", "xbox_sign_in"]
        if is_signed_in(entry.data):
            menu.append("xbox_sign_out")
        return self.host.async_show_menu(
            step_id="xbox_reconfigure",
            menu_options=menu,
            description_placeholders={CONF_NAME: entry.title},
        )

    async def async_step_xbox_reconfigure_address(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Look for the entry's console at another address."""
        entry = self.host.reconfigured_entry
        errors: dict[str, str] = {}
        if user_input is not None:
            found = await self._async_find(user_input)
            if isinstance(found, DiscoveredConsole):
                await self.host.async_claim(str(found.live_id))
                return self.host.async_update_reload_and_abort(
                    entry, data_updates=place(found)
                )
            errors["base"] = found
        return self.host.async_show_form(
            step_id="xbox_reconfigure_address",
            data_schema=self.host.add_suggested_values_to_schema(
                _ADDRESS_SCHEMA, user_input or entry.data
            ),
            errors=errors,
            description_placeholders={CONF_NAME: entry.title},
        )

    async def async_step_xbox_sign_out(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Forget the account after asking."""
        entry = self.host.reconfigured_entry
        if user_input is None:
            return self.host.async_show_form(
                step_id="xbox_sign_out",
                description_placeholders={CONF_NAME: entry.title},
            )
        return self.host.async_update_reload_and_abort(
            entry, data=signed_out(entry.data)
        )


def _label(console: DiscoveredConsole) -> str:
    series = model({CONF_LIVE_ID: str(console.live_id)})
    return f'"{console_name(console)}" ({series}, {console.address})'
