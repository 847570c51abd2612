"""Our ears for Apple's devices: one for the whole of Home Assistant, while anybody needs it.

What is heard has no secrets: anybody in the network can announce anything in any device's
name. What that can cause is bounded: a card (at most MAX_CARDS of them), or an attempt to
connect to another address, where nobody but the device itself can prove who it is. Whoever is
connected to is never changed by it.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable
from typing import Final

from homeassistant.components import zeroconf
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from ...const import DOMAIN
from ...protocols.apple.records import Announcement, ServiceType
from ...protocols.apple.scan import scan_multicast, scan_unicast
from ...protocols.apple.services import FoundDevice
from ...protocols.apple.watch import Sighting, Watcher
from .const import FAMILY_KEY
from .data import MAX_IDENTIFIERS

MDNS_PORT: Final = 5353
"""UDP port at which devices answer questions."""
RESOLVE_SECONDS: Final = 3.0
"""How long a device may take to answer at the address where it was last."""

_HUB: HassKey[AppleTvHub] = HassKey(f"{DOMAIN}_{FAMILY_KEY}_hub")

type SightingListener = Callable[[Sighting], None]


@callback
def async_get_hub(hass: HomeAssistant) -> AppleTvHub:
    """Return the hub, running or not."""
    if (hub := hass.data.get(_HUB)) is None:
        hub = hass.data[_HUB] = AppleTvHub(hass)
    return hub


async def async_watcher(hass: HomeAssistant) -> Watcher:
    """Return what listens, with Home Assistant's own ears."""
    return Watcher(await zeroconf.async_get_async_instance(hass))


async def async_search(hass: HomeAssistant, seconds: float) -> tuple[FoundDevice, ...]:
    """Ask everybody in the network for so long."""
    instance = await zeroconf.async_get_async_instance(hass)
    return await scan_multicast(instance, timeout=seconds)


async def async_look(
    address: str,
    seconds: float,
    identifiers: Collection[str] | None = None,
    *,
    knock: bool = True,
) -> FoundDevice | None:
    """Ask what is at an address, or host name; None when nothing answers that could be it.

    A knock wakes a device for which a sleep proxy answers.
    """
    found = await scan_unicast(
        [address],
        port=MDNS_PORT,
        timeout=seconds,
        identifiers=identifiers,
        knock=knock,
    )
    return found[0] if found else None


class HubLease:
    """One user's share of the running hub."""

    def __init__(self, hub: AppleTvHub, watcher: Watcher) -> None:
        """Keep the hub running until released."""
        self._hub: AppleTvHub | None = hub
        self.watcher = watcher

    @callback
    def follow(
        self, identifiers: Collection[str], listener: SightingListener
    ) -> CALLBACK_TYPE:
        """Call back on every sighting of a device, until that is undone.

        What is known of it already is told at once.
        """
        wanted = frozenset(identifiers)

        @callback
        def on_sighting(sighting: Sighting) -> None:
            if sighting.device.is_same_as(wanted):
                listener(sighting)

        return self.watcher.subscribe(on_sighting)

    async def async_resolve(
        self, identifiers: Collection[str], addresses: Iterable[str]
    ) -> FoundDevice | None:
        """Return where a device is now; it is not woken for that.

        Of the addresses those come first where it has proved to be before.
        """
        for address in dict.fromkeys(addresses):
            found = await async_look(address, RESOLVE_SECONDS, identifiers, knock=False)
            if found is not None:
                return found
        return self.watcher.find(identifiers)

    async def async_release(self) -> None:
        """Need the hub no longer; a second call does nothing."""
        hub, self._hub = self._hub, None
        if hub is not None:
            await hub.async_release()


class Card:
    """A device that is shown as discovered, with all services that were heard of it."""

    def __init__(self, address: str) -> None:
        """Begin with none."""
        self.address = address
        self.identifiers: set[str] = set()
        self.announcements: dict[ServiceType, Announcement] = {}

    def add(self, announcement: Announcement, identifiers: Iterable[str]) -> None:
        """Take in a service; one of each type is enough."""
        self.announcements.setdefault(announcement.type, announcement)
        if len(self.identifiers) < MAX_IDENTIFIERS:
            self.identifiers.update(identifiers)


class AppleTvHub:
    """Listens while somebody leases it."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Make a hub that is not running."""
        self._hass = hass
        self._lock = asyncio.Lock()
        self._leases = 0
        self._watcher: Watcher | None = None
        self._unsub_stop: CALLBACK_TYPE | None = None
        # By the flows that they belong to.
        self._cards: dict[str, Card] = {}

    @property
    def watcher(self) -> Watcher | None:
        """What listens, None while nobody needs it."""
        return self._watcher

    async def async_lease(self) -> HubLease:
        """Start to listen unless that is going on."""
        async with self._lock:
            if self._watcher is None:
                self._watcher = await self._async_start()
            self._leases += 1
            return HubLease(self, self._watcher)

    async def async_release(self) -> None:
        """Stop when the last one has released it."""
        async with self._lock:
            self._leases -= 1
            if self._leases == 0:
                await self._async_stop()

    async def _async_start(self) -> Watcher:
        watcher = await async_watcher(self._hass)
        try:
            await watcher.start()
        except BaseException:
            await watcher.stop()
            raise
        self._unsub_stop = self._hass.bus.async_listen_once(
            EVENT_HOMEASSISTANT_STOP, self._async_on_shutdown
        )
        return watcher

    async def _async_stop(self) -> None:
        if self._unsub_stop is not None:
            self._unsub_stop()
            self._unsub_stop = None
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            await watcher.stop()

    async def _async_on_shutdown(self, event: Event) -> None:
        """Close everything with Home Assistant; leases may still be released afterwards."""
        self._unsub_stop = None  # it was listened to once
        async with self._lock:
            await self._async_stop()

    # Cards

    @callback
    def join_card(self, announcement: Announcement, found: FoundDevice) -> bool:
        """Add a service to a card of the same device; tell whether there is one."""
        for card in self._cards.values():
            if card.address == found.address or found.is_same_as(card.identifiers):
                card.add(announcement, found.identifiers)
                return True
        return False

    @callback
    def start_card(
        self, flow_id: str, announcement: Announcement, found: FoundDevice
    ) -> Card:
        """Begin a card, which is this flow's until it is removed."""
        card = self._cards[flow_id] = Card(found.address)
        card.add(announcement, found.identifiers)
        return card

    @callback
    def forget_card(self, flow_id: str) -> None:
        """Have no card any more, if there was one."""
        self._cards.pop(flow_id, None)

    @callback
    def feed(self, announcement: Announcement) -> None:
        """Take in what Home Assistant has heard."""
        if self._watcher is not None:
            self._watcher.feed(announcement)
