"""The config flow of KDE Connect: how it begins, and how a device is found."""

import asyncio
from collections.abc import Mapping
import contextlib
from typing import TYPE_CHECKING, Any, Final, override

import probatio

from homeassistant.config_entries import ConfigEntry, ConfigFlowResult
from homeassistant.const import CONF_HOST, CONF_NAME, CONF_PORT
from homeassistant.core import callback
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
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from homeassistant.helpers.typing import DiscoveryInfoType

from ...protocols.errors import RumpusError
from ...protocols.kdeconnect.const import TCP_PORTS, DeviceType
from ...protocols.kdeconnect.device import RemoteDevice
from ...protocols.kdeconnect.discovery import is_local_address
from ...protocols.kdeconnect.identity import filter_name, is_valid_device_id
from .const import CONF_DEVICE_ID, CONF_DEVICE_TYPE, MODELS
from .data import NotPairedError, paired_device
from .flow_pairing import PORTS, PairingFlow, UserInput, connect_error
from .flow_tv import TvFlow
from .hub import async_get_hub
from .tv_data import is_tv

if TYPE_CHECKING:
    from ...config_flow import RumpusConfigFlow

CONF_DEVICE: Final = "device"
SCAN_AGAIN: Final = "scan_again"
BY_ADDRESS: Final = "by_address"

SCAN_SECONDS: Final = 4.0
"""How long devices may take to answer a search."""

_ADDRESS_SCHEMA: Final = probatio.Schema(
    {
        probatio.Required(CONF_HOST): TextSelector(),
        probatio.Required(CONF_PORT, default=TCP_PORTS.start): NumberSelector(
            NumberSelectorConfig(min=1, max=65535, mode=NumberSelectorMode.BOX)
        ),
    }
)


async def scan_pause() -> None:
    """Wait until every device has had time to answer."""
    await asyncio.sleep(SCAN_SECONDS)


class KdeConnectFlow(PairingFlow, TvFlow):
    """Everything between a device that is somewhere and an entry for it."""

    def __init__(self, host: RumpusConfigFlow) -> None:
        """Start without a device."""
        super().__init__(host)
        self._scan: asyncio.Task[None] | None = None

    # Beginnings

    @override
    async def async_user(self) -> ConfigFlowResult:
        return await self.async_step_kde_connect_user()

    @override
    async def async_zeroconf(self, info: ZeroconfServiceInfo) -> ConfigFlowResult:
        device_id = info.properties.get("id")
        name = filter_name(info.properties.get("name") or "")
        hosts = [
            str(address)
            for address in info.ip_addresses
            if address.version == 4 and is_local_address(str(address))
        ]
        if (
            not isinstance(device_id, str)
            or not is_valid_device_id(device_id)
            or not name
        ):
            return self.host.async_abort(reason="invalid_discovery")
        if not hosts:
            return self.host.async_abort(reason="invalid_discovery")
        hub = async_get_hub(self.host.hass)
        if hub.is_own(device_id):
            return self.host.async_abort(reason="own_service")
        # Anybody can announce anything: where a connected device is, its link tells.
        known = hub.peer.devices.get(device_id) if hub.peer is not None else None
        is_there = known is not None and known.is_paired and known.is_connected
        await self.host.async_claim(
            device_id, updates=None if is_there else {CONF_HOST: hosts[0]}
        )
        if not hub.async_make_room(self.host.flow_id):
            return self.host.async_abort(reason="too_many_discovered")
        peer = await self._async_peer_or_abort()
        if peer.is_own(device_id):
            return self.host.async_abort(reason="own_service")
        self._device_id, self._name, self._address = device_id, name, hosts[0]
        if info.port is not None and info.port in TCP_PORTS:  # some announce port 0
            self._port = info.port
        with contextlib.suppress(ValueError):
            self._type = DeviceType(str(info.properties.get("type")))
        self.host.set_title(name)
        # Now it gives us a link, and so its authentic name; the card need not wait for that.
        peer.invite(device_id, hosts[0])
        return await self.async_step_kde_connect_confirm()

    @override
    async def async_discovery(self, info: DiscoveryInfoType) -> ConfigFlowResult:
        if is_tv(info):
            return await self.async_tv_request(info)
        await self.host.async_claim(info[CONF_DEVICE_ID])
        peer = await self._async_peer_or_abort()
        if (device := peer.devices.get(info[CONF_DEVICE_ID])) is None:
            return self.host.async_abort(reason="no_longer_there")
        self._remember(device)
        self.host.set_title(device.name)
        return await self.async_step_kde_connect_confirm()

    @override
    async def async_reauth(
        self, entry: ConfigEntry, info: Mapping[str, object]
    ) -> ConfigFlowResult:
        self._entry = entry
        self._device_id, self._name = entry.data[CONF_DEVICE_ID], entry.data[CONF_NAME]
        self._type = DeviceType(entry.data[CONF_DEVICE_TYPE])
        self._address = entry.data[CONF_HOST]
        self._port = entry.data.get(CONF_PORT, TCP_PORTS.start)
        try:
            paired_device(entry.data)
        except NotPairedError:
            self._first_step = "kde_connect_reauth_unpaired"
        else:
            self._first_step = "kde_connect_reauth_changed"
        # Listen already now: the device's user may be the one who asks for pairing.
        with contextlib.suppress(OSError):
            await self._async_peer()
        return await self._async_first_step()

    @override
    async def async_reconfigure(self, entry: ConfigEntry) -> ConfigFlowResult:
        if is_tv(entry.data):
            return await self.async_step_kde_connect_tv_reconfigure()
        return await self.async_step_kde_connect_reconfigure()

    # Finding a device

    async def async_step_kde_connect_user(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Let the user choose between searching, typing an address, and showing a TV."""
        return self.host.async_show_menu(
            step_id="kde_connect_user",
            menu_options=["kde_connect_scan", "kde_connect_address", "kde_connect_tv"],
        )

    async def async_step_kde_connect_scan(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Announce ourselves and give devices time to answer."""
        if self._scan is None:
            peer = await self._async_peer_or_abort()
            await peer.announce()
            self._scan = self.host.hass.async_create_task(
                scan_pause(), "kde_connect scan"
            )
        if not self._scan.done():
            return self.host.async_show_progress(
                step_id="kde_connect_scan",
                progress_action="kde_connect_scan",
                progress_task=self._scan,
            )
        self._scan = None
        return self.host.async_show_progress_done(next_step_id=self._after_scan())

    def _after_scan(self) -> str:
        if self._found():
            return "kde_connect_pick"
        if self._lease is not None and not self._lease.peer.udp_bound:
            return "kde_connect_nothing_heard"
        return "kde_connect_nothing_found"

    def _found(self) -> dict[str, RemoteDevice]:
        """Return the devices that have a link and no entry."""
        devices = self._lease.peer.devices if self._lease is not None else {}
        configured = self.host.configured_ids
        return {
            device_id: device
            for device_id, device in devices.items()
            if device.is_connected and device_id not in configured
        }

    async def async_step_kde_connect_nothing_found(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Tell why there may be no device in the list."""
        return self.host.async_show_menu(
            step_id="kde_connect_nothing_found",
            menu_options=["kde_connect_scan", "kde_connect_address"],
            description_placeholders=PORTS,
        )

    async def async_step_kde_connect_nothing_heard(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Tell that another program gets what devices say."""
        return self.host.async_show_menu(
            step_id="kde_connect_nothing_heard",
            menu_options=["kde_connect_scan", "kde_connect_address"],
            description_placeholders=PORTS,
        )

    async def async_step_kde_connect_pick(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Let the user choose one of the devices that answered."""
        found = self._found()
        errors: dict[str, str] = {}
        if user_input is not None:
            choice: str = user_input[CONF_DEVICE]
            if choice == SCAN_AGAIN:
                return await self.async_step_kde_connect_scan()
            if choice == BY_ADDRESS:
                return await self.async_step_kde_connect_address()
            if (device := found.get(choice)) is not None:
                return await self._async_chosen(device)
            errors["base"] = "no_longer_there"
        options = [
            SelectOptionDict(
                value=device_id,
                label=f'"{device.name}" ({MODELS[device.device_type]}, {device.address})',
            )
            for device_id, device in sorted(
                found.items(), key=lambda item: item[1].name.casefold()
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
                translation_key="kde_connect_device",
            )
        )
        return self.host.async_show_form(
            step_id="kde_connect_pick",
            data_schema=probatio.Schema({probatio.Required(CONF_DEVICE): select}),
            errors=errors,
        )

    async def async_step_kde_connect_address(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Look for a device at an address."""
        errors: dict[str, str] = {}
        if user_input is not None:
            try:
                device = await self._async_connect_to(user_input)
            except (RumpusError, OSError) as err:
                errors["base"] = connect_error(err)
            else:
                return await self._async_chosen(device)
        return self.host.async_show_form(
            step_id="kde_connect_address",
            data_schema=self.host.add_suggested_values_to_schema(
                _ADDRESS_SCHEMA, user_input
            ),
            errors=errors,
        )

    async def async_step_kde_connect_reconfigure(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Look for the entry's device at another address."""
        entry = self.host.reconfigured_entry
        errors: dict[str, str] = {}
        if user_input is not None:
            try:
                device = await self._async_connect_to(user_input)
            except (RumpusError, OSError) as err:
                errors["base"] = connect_error(err)
            else:
                await self.host.async_claim(device.device_id)
                self._has_succeeded = True
                return self.host.async_update_reload_and_abort(
                    entry,
                    data_updates={
                        CONF_HOST: user_input[CONF_HOST],
                        CONF_PORT: device.port,
                    },
                )
        known = {
            CONF_HOST: entry.data[CONF_HOST],
            CONF_PORT: entry.data.get(CONF_PORT, TCP_PORTS.start),
        }
        return self.host.async_show_form(
            step_id="kde_connect_reconfigure",
            data_schema=self.host.add_suggested_values_to_schema(
                _ADDRESS_SCHEMA, user_input or known
            ),
            errors=errors,
            description_placeholders={CONF_NAME: entry.title},
        )

    async def _async_connect_to(self, user_input: dict[str, Any]) -> RemoteDevice:
        peer = await self._async_peer()
        return await peer.connect_to(
            user_input[CONF_HOST].strip(), int(user_input[CONF_PORT])
        )

    async def _async_chosen(self, device: RemoteDevice) -> ConfigFlowResult:
        """Pair with a device that the user has chosen: no further question is needed."""
        await self.host.async_claim(device.device_id, raise_on_progress=False)
        self._remember(device)
        self._first_step = "kde_connect_retry"
        return await self._async_begin("kde_connect_retry")

    # The end

    @callback
    @override
    def async_remove(self) -> None:
        self.async_leave_phone()
        super().async_remove()
