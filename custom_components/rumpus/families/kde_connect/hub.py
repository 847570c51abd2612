"""Our end of KDE Connect: one for the whole of Home Assistant, while anybody needs it."""

import asyncio
from functools import partial
from typing import Final

from zeroconf.asyncio import AsyncZeroconf

from homeassistant.components import network, zeroconf
from homeassistant.config_entries import (
    SOURCE_IGNORE,
    SOURCE_INTEGRATION_DISCOVERY,
    ConfigEntry,
)
from homeassistant.const import CONF_HOST, CONF_NAME, EVENT_HOMEASSISTANT_STOP
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.helpers import discovery_flow, issue_registry as ir
from homeassistant.helpers.discovery_flow import DiscoveryKey
from homeassistant.util.hass_dict import HassKey

from ... import cards
from ...const import CONF_FAMILY, DOMAIN, LOGGER
from ...protocols.kdeconnect.airwaves import Airwaves
from ...protocols.kdeconnect.device import RemoteDevice
from ...protocols.kdeconnect.discovery import Network, is_loopback
from ...protocols.kdeconnect.events import (
    DeviceAppeared,
    DeviceDisappeared,
    DeviceEvent,
    LinkDown,
    MessageReceived,
    PeerEvent,
)
from ...protocols.kdeconnect.local import LocalPeer
from ...protocols.kdeconnect.plugins import Message
from ...protocols.kdeconnect.plugins.battery import BatteryStatus
from ...protocols.kdeconnect.plugins.connectivity import ConnectivityReport
from ...protocols.kdeconnect.plugins.mousepad import KeyboardState
from .const import CONF_DEVICE_ID, FAMILY_KEY
from .data import NotPairedError, paired_device
from .stored_key import async_load_credentials
from .tv_data import is_tv
from .tv_peers import TvPeers

REMEMBERED: Final = (BatteryStatus, ConnectivityReport, KeyboardState)
"""What a device tells only once after it has connected; nothing of it is private."""
ISSUE_UDP_PORT: Final = "udp_port_in_use"

_HUB: HassKey[KdeConnectHub] = HassKey(f"{DOMAIN}_{FAMILY_KEY}_hub")


@callback
def async_get_hub(hass: HomeAssistant) -> KdeConnectHub:
    """Return the hub, running or not."""
    if (hub := hass.data.get(_HUB)) is None:
        hub = hass.data[_HUB] = KdeConnectHub(hass)
    return hub


async def async_network(hass: HomeAssistant) -> Network:
    """Return where to listen and send, by the adapters that the user has enabled."""
    adapters = await network.async_get_adapters(hass)
    addresses = [
        ipv4["address"]
        for adapter in adapters
        if adapter["enabled"]
        for ipv4 in adapter["ipv4"]
    ]
    return Network(
        source_addresses=tuple(
            address for address in addresses if not is_loopback(address)
        )
    )


async def async_zeroconf(hass: HomeAssistant) -> AsyncZeroconf | None:
    """Return the shared mDNS instance."""
    return await zeroconf.async_get_async_instance(hass)


class HubLease:
    """One user's share of the running hub."""

    def __init__(self, hub: KdeConnectHub, peer: LocalPeer, tvs: TvPeers) -> None:
        """Keep the hub running until released."""
        self._hub: KdeConnectHub | None = hub
        self._remembered = hub.remembered
        # Devices that a flow is making an entry of, while that goes on.
        self.finishing = hub.finishing
        self.peer = peer
        self.tvs = tvs

    def remembered(self, device_id: str) -> tuple[Message, ...]:
        """Return what a connected device has told of itself; it does so only once."""
        return tuple(self._remembered.get(device_id, {}).values())

    async def async_release(self) -> None:
        """Need the hub no longer; a second call does nothing."""
        hub, self._hub = self._hub, None
        if hub is not None:
            await hub.async_release()


class KdeConnectHub:
    """Runs our end while somebody leases it, and shows unknown devices as discovered."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Make a hub that is not running."""
        self._hass = hass
        self._lock = asyncio.Lock()
        self._leases = 0
        self._peer: LocalPeer | None = None
        self._tvs: TvPeers | None = None
        # Devices tell this when they connect or when it changes, and most cannot be asked:
        # what comes before an entry is set up, or set up anew, would be lost.
        self.remembered: dict[str, dict[type[Message], Message]] = {}
        self.finishing: set[str] = set()
        self._followed: dict[str, CALLBACK_TYPE] = {}
        self._unsub_peer: CALLBACK_TYPE | None = None
        self._unsub_stop: CALLBACK_TYPE | None = None

    @property
    def peer(self) -> LocalPeer | None:
        """Our end, None while nobody needs it."""
        return self._peer

    @property
    def tvs(self) -> TvPeers | None:
        """The TVs of this home, None while nobody needs our end."""
        return self._tvs

    def is_own(self, device_id: str) -> bool:
        """Tell whether an id is that of our end or of a TV of this home."""
        return (self._peer is not None and self._peer.is_own(device_id)) or any(
            entry.data[CONF_DEVICE_ID] == device_id
            for entry in self._hass.config_entries.async_entries(
                DOMAIN, include_ignore=False
            )
            if is_tv(entry.data)
        )

    async def async_lease(self) -> HubLease:
        """Start our end unless it runs; raise OSError when it cannot listen."""
        async with self._lock:
            if self._peer is None or self._tvs is None:
                self._peer, self._tvs = await self._async_start()
            self._leases += 1
            return HubLease(self, self._peer, self._tvs)

    async def async_release(self) -> None:
        """Stop our end when the last one has released it."""
        async with self._lock:
            self._leases -= 1
            if self._leases == 0:
                await self._async_stop()

    async def _async_start(self) -> tuple[LocalPeer, TvPeers]:
        hass = self._hass
        airwaves = Airwaves(await async_network(hass), await async_zeroconf(hass))
        peer = LocalPeer(
            await async_load_credentials(hass),
            hass.config.location_name,
            airwaves=airwaves,
        )
        # All ends have to know each other before they hear each other.
        tvs = TvPeers(hass, airwaves)
        await tvs.async_prepare()
        # Before anything listens: a paired device that is taken for a stranger, because its
        # entry is set up later or is disabled, would be told that it is not paired.
        for entry in hass.config_entries.async_entries(DOMAIN, include_ignore=False):
            self._know(peer, entry)
        self._unsub_peer = peer.subscribe(self._on_event)
        self._unsub_stop = hass.bus.async_listen_once(
            EVENT_HOMEASSISTANT_STOP, self._async_on_shutdown
        )
        try:
            await peer.start()
        except BaseException:
            self._unsubscribe()
            await peer.stop()
            raise
        if peer.udp_bound:
            ir.async_delete_issue(hass, DOMAIN, ISSUE_UDP_PORT)
        else:
            ir.async_create_issue(
                hass,
                DOMAIN,
                ISSUE_UDP_PORT,
                is_fixable=False,
                severity=ir.IssueSeverity.WARNING,
                translation_key=ISSUE_UDP_PORT,
            )
        return peer, tvs

    def _know(self, peer: LocalPeer, entry: ConfigEntry) -> None:
        if entry.data[CONF_FAMILY] != FAMILY_KEY or is_tv(entry.data):
            return
        try:
            peer.add_paired(paired_device(entry.data))
        except NotPairedError:
            LOGGER.debug("%s is not paired any more", entry.entry_id)

    async def _async_stop(self) -> None:
        self._unsubscribe()
        ir.async_delete_issue(self._hass, DOMAIN, ISSUE_UDP_PORT)
        peer, self._peer = self._peer, None
        tvs, self._tvs = self._tvs, None
        if tvs is not None:
            await tvs.async_stop()
        if peer is not None:
            await peer.stop()
        self._followed.clear()
        self.remembered.clear()

    def _unsubscribe(self) -> None:
        for unsubscribe in (self._unsub_peer, self._unsub_stop):
            if unsubscribe is not None:
                unsubscribe()
        self._unsub_peer = self._unsub_stop = None

    async def _async_on_shutdown(self, event: Event) -> None:
        """Close everything with Home Assistant; leases may still be released afterwards."""
        self._unsub_stop = None  # it was listened to once
        async with self._lock:
            await self._async_stop()

    @callback
    def _on_event(self, event: PeerEvent) -> None:
        match event:
            case DeviceAppeared(device):
                self._follow(device)
                if not device.is_paired:
                    self.async_offer(device)
            case DeviceDisappeared(device):
                self._unfollow(device.device_id)
            case _:  # PairingRequested
                self._discover(event.device, asks=True)

    @callback
    def _follow(self, device: RemoteDevice) -> None:
        device_id = device.device_id
        self._unfollow(device_id)
        self._followed[device_id] = device.subscribe(
            partial(self._on_device_event, device_id)
        )

    @callback
    def _unfollow(self, device_id: str) -> None:
        if (unsubscribe := self._followed.pop(device_id, None)) is not None:
            unsubscribe()
        self.remembered.pop(device_id, None)

    @callback
    def _on_device_event(self, device_id: str, event: DeviceEvent) -> None:
        if isinstance(event, MessageReceived) and isinstance(event.message, REMEMBERED):
            told = self.remembered.setdefault(device_id, {})
            told[type(event.message)] = event.message
        elif isinstance(event, LinkDown):
            # What it was then, it need not be when it is back.
            self.remembered.pop(device_id, None)

    @callback
    def async_offer(self, device: RemoteDevice) -> None:
        """Show a device that is not paired as discovered."""
        self._discover(device, asks=False)

    @callback
    def _discover(self, device: RemoteDevice, *, asks: bool) -> None:
        """Show a device that is not paired, or that asks for pairing, to the user."""
        entry = self._hass.config_entries.async_entry_for_domain_unique_id(
            DOMAIN, device.device_id
        )
        if entry is not None and entry.source != SOURCE_IGNORE:
            # Known, but its pairing has ended: what asks for pairing now gets a repair.
            if asks and entry.disabled_by is None:
                entry.async_start_reauth(self._hass)
            return
        if not self.async_make_room():
            LOGGER.debug(
                "Too many discovered devices, %s is not shown", device.device_id
            )
            return
        discovery_flow.async_create_flow(
            self._hass,
            DOMAIN,
            {"source": SOURCE_INTEGRATION_DISCOVERY},
            {
                CONF_FAMILY: FAMILY_KEY,
                CONF_DEVICE_ID: device.device_id,
                CONF_NAME: device.name,
                CONF_HOST: device.address,
            },
            discovery_key=DiscoveryKey(
                domain=DOMAIN, key=(FAMILY_KEY, device.device_id), version=1
            ),
        )

    @callback
    def async_make_room(self, own_flow_id: str | None = None) -> bool:
        """Withdraw a card whose device has gone if there are too many.

        Returns whether there is room for one more, besides that of the given flow.
        """
        devices = self._peer.devices if self._peer is not None else {}
        requests = self._tvs.requests if self._tvs is not None else set()
        return cards.async_make_room(
            self._hass,
            FAMILY_KEY,
            lambda unique_id: unique_id in devices or unique_id in requests,
            own_flow_id,
        )
