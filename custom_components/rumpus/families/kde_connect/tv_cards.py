"""Shows the phones that ask for pairing with a TV as discovered."""

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from homeassistant.config_entries import SOURCE_INTEGRATION_DISCOVERY
from homeassistant.const import CONF_NAME
from homeassistant.core import CALLBACK_TYPE, HassJob, callback
from homeassistant.helpers import discovery_flow
from homeassistant.helpers.discovery_flow import DiscoveryKey
from homeassistant.helpers.event import async_call_later

from ...const import CONF_FAMILY, DOMAIN, LOGGER
from ...protocols.kdeconnect.device import RemoteDevice
from ...protocols.kdeconnect.events import DeviceEvent, LinkDown, PairingChanged
from ...protocols.kdeconnect.pairing import PairingState
from .const import CONF_DEVICE_ID, FAMILY_KEY
from .hub import async_get_hub
from .tv_data import CONF_KIND, CONF_TV_ID, KIND_TV

if TYPE_CHECKING:
    from .tv import TvCoordinator

CARD_GRACE: Final = 60.0
"""Seconds that a card outlives its request.

Somebody may be about to read why it cannot be accepted any more, and a phone that asks again
within half a minute is not told of anew.
"""


def card_id(tv_id: str, device_id: str) -> str:
    """Return the unique id of the card of a phone that asks for pairing with a TV."""
    return f"{tv_id}_{device_id}"


class TvCards:
    """The cards of one TV; those that nobody answers are withdrawn."""

    def __init__(self, tv: TvCoordinator) -> None:
        """Start with none."""
        self._tv = tv
        self._hass = tv.hass
        self._unsubscribe: dict[str, CALLBACK_TYPE] = {}
        self._timers: dict[str, CALLBACK_TYPE] = {}

    @callback
    def requested(self, device: RemoteDevice) -> None:
        """Show a phone that asks for pairing."""
        hub = async_get_hub(self._hass)
        device_id = device.device_id
        if not hub.async_make_room():
            LOGGER.debug("Too many discovered devices, %s is not shown", device_id)
            return
        self._let_go(device_id)
        self._tv.requests.add(card_id(self._tv.tv_id, device_id))
        self._unsubscribe[device_id] = device.subscribe(
            partial(self._on_event, device_id)
        )
        discovery_flow.async_create_flow(
            self._hass,
            DOMAIN,
            {"source": SOURCE_INTEGRATION_DISCOVERY},
            {
                CONF_FAMILY: FAMILY_KEY,
                CONF_KIND: KIND_TV,
                CONF_TV_ID: self._tv.tv_id,
                CONF_DEVICE_ID: device_id,
                CONF_NAME: device.name,
            },
            discovery_key=DiscoveryKey(
                domain=DOMAIN, key=(FAMILY_KEY, self._tv.tv_id, device_id), version=1
            ),
        )

    @callback
    def _let_go(self, device_id: str) -> str:
        """Follow a phone no more; return the unique id of its card."""
        for calls in (self._unsubscribe, self._timers):
            if (cancel := calls.pop(device_id, None)) is not None:
                cancel()
        unique_id = card_id(self._tv.tv_id, device_id)
        self._tv.requests.discard(unique_id)
        return unique_id

    @callback
    def withdraw(self, device_id: str) -> None:
        """Withdraw the card of a phone, if there is one."""
        unique_id = self._let_go(device_id)
        flows = self._hass.config_entries.flow
        for flow in flows.async_progress_by_handler(
            DOMAIN, match_context={"unique_id": unique_id}
        ):
            flows.async_abort(flow["flow_id"])

    @callback
    def stop(self) -> None:
        """Withdraw all cards."""
        for device_id in list(self._unsubscribe):
            self.withdraw(device_id)

    @callback
    def _on_event(self, device_id: str, event: DeviceEvent) -> None:
        match event:
            case LinkDown():
                self.withdraw(device_id)
            case PairingChanged(PairingState.PAIRED):
                # The card itself is about to end by that.
                self._let_go(device_id)
            case PairingChanged(PairingState.REQUESTED_BY_PEER):
                self._keep(device_id)
            case PairingChanged(PairingState.UNPAIRED):
                self._keep(device_id)

                @callback
                def on_time(_: datetime) -> None:
                    del self._timers[device_id]
                    self.withdraw(device_id)

                self._timers[device_id] = async_call_later(
                    self._hass, CARD_GRACE, HassJob(on_time, cancel_on_shutdown=True)
                )

    def _keep(self, device_id: str) -> None:
        if (cancel := self._timers.pop(device_id, None)) is not None:
            cancel()
