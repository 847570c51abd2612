"""The pairing half of KDE Connect's config flow: asking, being asked, comparing keys, keeping."""

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Final, override

from homeassistant.config_entries import ConfigEntry, ConfigFlowResult
from homeassistant.const import CONF_NAME
from homeassistant.core import CALLBACK_TYPE, callback
from homeassistant.data_entry_flow import AbortFlow

from ...const import DOMAIN, LOGGER
from ...protocols.errors import (
    AuthenticationError,
    DisconnectedError,
    PeerTimeoutError,
    RumpusError,
    UnsupportedError,
)
from ...protocols.kdeconnect.const import TCP_PORTS, UDP_PORT, DeviceType
from ...protocols.kdeconnect.device import RemoteDevice
from ...protocols.kdeconnect.events import PeerEvent
from ...protocols.kdeconnect.local import LocalPeer
from ...protocols.kdeconnect.paired import (
    PairedDevice,
    PairingCanceledError,
    PairingRejectedError,
    PairingTimeoutError,
)
from ...protocols.kdeconnect.pairing import PairingState
from .. import FamilyFlow
from .const import MODELS
from .data import NotPairedError, entry_data, paired_device
from .hub import HubLease, async_get_hub

if TYPE_CHECKING:
    from ...config_flow import RumpusConfigFlow

type UserInput = dict[str, Any] | None

PORTS: Final = {
    "udp_port": str(UDP_PORT),
    "tcp_ports": f"{TCP_PORTS.start}-{TCP_PORTS.stop - 1}",
}
"""Placeholders of texts that tell what a firewall has to let through."""


class PairingFlow(FamilyFlow):
    """From a device that is known to an entry for it."""

    def __init__(self, host: RumpusConfigFlow) -> None:
        """Start without a device."""
        super().__init__(host)
        self._lease: HubLease | None = None
        self._unsubscribe: CALLBACK_TYPE | None = None
        # The device that was asked for pairing, and what becomes of that.
        self._asked: RemoteDevice
        self._answer: asyncio.Task[str | None]
        self._entry: ConfigEntry | None = None
        # Which device it is about, and what it said of itself last.
        self._device_id = ""
        self._name = ""
        self._type = DeviceType.UNKNOWN
        self._address: str | None = None
        self._port = TCP_PORTS.start
        # What to show and what to take back.
        self._first_step = "kde_connect_confirm"
        self._failure: str | None = None
        self._shown_key: str | None = None
        self._has_asked = False
        self._unpinned: RemoteDevice | None = None
        self._has_orphaned = False
        self._paired: PairedDevice | None = None
        self._has_ended = False
        self._has_succeeded = False

    # Pairing

    async def async_step_kde_connect_confirm(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Ask whether a discovered device is to be added."""
        return await self._async_question("kde_connect_confirm", user_input)

    async def async_step_kde_connect_reauth_unpaired(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Tell that the device has ended the pairing, and offer to pair again."""
        return await self._async_question("kde_connect_reauth_unpaired", user_input)

    async def async_step_kde_connect_reauth_changed(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Warn that the device has another key than before, and offer to pair again."""
        return await self._async_question("kde_connect_reauth_changed", user_input)

    async def async_step_kde_connect_retry(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Tell what went wrong, and offer to try again."""
        return await self._async_question("kde_connect_retry", user_input)

    async def _async_question(
        self, step_id: str, user_input: UserInput
    ) -> ConfigFlowResult:
        if self._asks_us() is not None:
            return await self.async_step_kde_connect_accept()
        if user_input is not None:
            return await self._async_begin(step_id)
        return self._form(step_id, self._failure)

    async def _async_first_step(self) -> ConfigFlowResult:
        return await self._async_question(self._first_step, None)

    async def async_step_kde_connect_accept(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Show the key of the device that asks for pairing; go on if the user finds it right."""
        if (device := self._asks_us()) is None:
            # The other user did not wait, or somebody else has answered.
            self._failure = "request_ended" if user_input is not None else self._failure
            return await self._async_first_step()
        key = device.verification_key
        # Accept only the request whose key was on the screen.
        if user_input is not None and key is not None and key == self._shown_key:
            try:
                await device.accept_pairing()
                self._paired = await device.wait_pairing()
            except RumpusError as err:
                self._failure = _pairing_error(err)
                return self._form(self._first_step, self._failure)
            return await self.async_step_kde_connect_finish()
        self._remember(device)
        self._shown_key = key
        return self.host.async_show_form(
            step_id="kde_connect_accept",
            description_placeholders={**self._placeholders(), "key": key or "?"},
        )

    async def _async_begin(self, step_id: str) -> ConfigFlowResult:
        """Ask the device for pairing, or show this step with the reason why that fails."""
        self._failure = None
        try:
            device = await self._async_link()
            self._remember(device)
            if device.pairing_state is PairingState.REQUESTED_BY_PEER:
                return await self.async_step_kde_connect_accept()
            if device.is_paired:  # a pairing that was never made an entry
                self._paired = device.paired
                return await self.async_step_kde_connect_finish()
            await device.request_pairing()
        except (RumpusError, OSError) as err:
            self._failure = connect_error(err)
            return self._form(step_id, self._failure)
        self._has_asked = True
        self._asked = device
        self._answer = self.host.hass.async_create_task(
            self._async_wait_answer(device), "kde_connect pairing"
        )
        return await self.async_step_kde_connect_pair()

    async def async_step_kde_connect_pair(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Show the key and wait for the user of the device."""
        if not self._answer.done():
            return self.host.async_show_progress(
                step_id="kde_connect_pair",
                progress_action="kde_connect_pair",
                progress_task=self._answer,
                description_placeholders={
                    **self._placeholders(),
                    "key": self._asked.verification_key or "?",
                },
            )
        self._failure = self._answer.result()
        return self.host.async_show_progress_done(
            next_step_id="kde_connect_retry" if self._failure else "kde_connect_finish"
        )

    async def _async_wait_answer(self, device: RemoteDevice) -> str | None:
        """Wait for the answer; return the key of an error if it is no."""
        try:
            self._paired = await device.wait_pairing()
        except RumpusError as err:
            self._restore_pin()
            return _pairing_error(err)
        return None

    async def async_step_kde_connect_finish(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Keep what the pairing brought."""
        if TYPE_CHECKING:
            assert self._paired is not None
            assert self._lease is not None
        # Another flow may have been quicker.
        await self.host.async_claim(self._paired.device_id, raise_on_progress=False)
        self._has_succeeded = True
        self._lease.finishing.add(self._device_id)
        data = entry_data(self._paired)
        if self._entry is not None:
            return self.host.async_update_reload_and_abort(
                self._entry, data_updates=data
            )
        return self.host.async_create_entry(
            title=self._paired.name, data=data, description="kde_connect_device"
        )

    # The device

    @property
    def _device(self) -> RemoteDevice | None:
        """The device in question while our end knows it; after a lost link it is another one."""
        if self._lease is None:
            return None
        return self._lease.peer.devices.get(self._device_id)

    def _asks_us(self) -> RemoteDevice | None:
        """Return the device if its user waits for our answer."""
        device = self._device
        if device is None or device.pairing_state is not PairingState.REQUESTED_BY_PEER:
            return None
        return device

    def _remember(self, device: RemoteDevice) -> None:
        self._device_id = device.device_id
        self._name, self._type = device.name, device.device_type
        self._address, self._port = device.address, device.port

    async def _async_link(self) -> RemoteDevice:
        """Return the device with a link.

        Raises OSError when we cannot listen, RumpusError when the device cannot be reached.
        """
        peer = await self._async_peer()
        device = peer.devices.get(self._device_id)
        if device is not None and device.is_connected:
            return device
        if device is not None and device.is_paired and self._entry is not None:
            # Its new certificate is refused as long as the old one is pinned. The entry
            # keeps the old one until the users have compared the keys.
            self._unpinned = device
            device.untrust()
        if self._address is None:
            raise DisconnectedError("no address is known")
        device = await peer.connect_to(self._address, self._port)
        if device.device_id != self._device_id:
            raise DisconnectedError("another device has the address now")
        return device

    async def _async_peer(self) -> LocalPeer:
        """Return our end, which runs until this flow ends; raise OSError."""
        if self._lease is None:
            lease = await async_get_hub(self.host.hass).async_lease()
            if self._has_ended:  # the flow was closed meanwhile
                await lease.async_release()
                raise AbortFlow("no_longer_there")
            self._lease = lease
            self._unsubscribe = lease.peer.subscribe(self._on_peer_event)
        return self._lease.peer

    async def _async_peer_or_abort(self) -> LocalPeer:
        try:
            return await self._async_peer()
        except OSError as err:
            LOGGER.warning("KDE Connect cannot listen in the network: %s", err)
            raise AbortFlow("cannot_listen", PORTS) from err

    @callback
    def _on_peer_event(self, event: PeerEvent) -> None:
        """Show a question anew when its device comes, goes or asks us."""
        if event.device.device_id != self._device_id:
            return
        self._remember(event.device)
        self.host.async_notify_flow_changed()

    # What is shown

    def _placeholders(self) -> dict[str, str]:
        return {
            CONF_NAME: self._name,
            "type": MODELS[self._type],
            "address": self._address or "?",
        }

    def _restore_pin(self) -> None:
        """Let the old pin count again: what was to take its place has failed.

        Without it the genuine device would be taken for a stranger, and told so.
        """
        unpinned, self._unpinned = self._unpinned, None
        if unpinned is None or self._entry is None or self._lease is None:
            return
        with contextlib.suppress(NotPairedError):
            device = self._lease.peer.add_paired(paired_device(self._entry.data))
            # Then the entry follows an object that our end has given up.  To reload it would
            # end this flow, so that has to wait.
            self._has_orphaned |= device is not unpinned

    def _form(self, step_id: str, error: str | None) -> ConfigFlowResult:
        if error is not None:
            self._restore_pin()
        return self.host.async_show_form(
            step_id=step_id,
            errors={"base": error} if error is not None else None,
            description_placeholders=self._placeholders(),
        )

    # The end

    @callback
    @override
    def async_remove(self) -> None:
        self._has_ended = True
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        if self._lease is not None:
            if self._has_succeeded:
                self._lease.finishing.discard(self._device_id)
            self.host.hass.async_create_task(
                self._async_clean_up(self._lease), "kde_connect flow ends"
            )

    async def _async_clean_up(self, lease: HubLease) -> None:
        """Take back what did not become an entry, and let go of our end."""
        entries = self.host.hass.config_entries
        entry = entries.async_entry_for_domain_unique_id(DOMAIN, self._device_id)
        device = lease.peer.devices.get(self._device_id)
        if device is not None and not self._has_succeeded:
            if self._has_asked and device.pairing_state is PairingState.REQUESTED:
                await device.reject_pairing()
            elif not (
                self._paired is None
                # Another flow has paired with it, too, and was quicker.
                or self._device_id in lease.finishing
                or _is_kept(self._paired, entry)
            ):
                await device.unpair()
        if not self._has_succeeded:
            self._restore_pin()
            if self._has_orphaned and entry is not None:
                entries.async_schedule_reload(entry.entry_id)
        await lease.async_release()


def _is_kept(paired: PairedDevice, entry: ConfigEntry | None) -> bool:
    """Tell whether an entry has this very pairing."""
    if entry is None:
        return False
    try:
        return paired_device(entry.data).certificate == paired.certificate
    except NotPairedError, KeyError:  # an ignored device has no data
        return False


def connect_error(err: RumpusError | OSError) -> str:
    """Return the error to show when a device cannot be reached."""
    match err:
        case AuthenticationError():
            return "other_key"
        case DisconnectedError() | PeerTimeoutError() | UnsupportedError():
            return "cannot_connect"
        case RumpusError():
            return "not_understood"
        case _:
            return "cannot_listen"


def _pairing_error(err: RumpusError) -> str:
    """Return the error to show when a pairing fails."""
    match err:
        case PairingRejectedError():
            return "pairing_rejected"
        case PairingTimeoutError():
            return "pairing_timed_out"
        case PairingCanceledError():
            return "pairing_canceled"
        case _:
            return "connection_lost"
