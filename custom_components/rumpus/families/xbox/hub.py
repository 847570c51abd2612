"""Our ears for consoles: one for the whole of Home Assistant, while anybody needs it.

Discovery has no secrets: anybody in the network can answer in any console's name. What such
an answer can cause is bounded: a card (at most MAX_CARDS of them), an attempt to connect to
another address, which the console takes back when it answers itself, or a packet that a
console ignores. Whoever is connected to is never changed by it.
"""

import asyncio
from collections.abc import Callable
import contextlib
from typing import Final
from uuid import UUID

from homeassistant.components import network
from homeassistant.config_entries import SOURCE_INTEGRATION_DISCOVERY
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.helpers import discovery_flow
from homeassistant.helpers.discovery_flow import DiscoveryKey
from homeassistant.util.hass_dict import HassKey

from ... import cards
from ...const import DOMAIN, LOGGER
from ...protocols.smartglass.discovery import DiscoveredConsole, Discoverer, Network
from .const import FAMILY_KEY
from .data import console_data, is_usable
from .store import XboxStore, async_get_store

SEARCH_INTERVAL: Final = 30.0
"""Seconds between two searches while the consoles of all entries are connected."""
MISSED_INTERVAL: Final = 5.0
"""Seconds between two searches while one is missed: it may be switched on at any time."""
SEARCH_BACKOFF: Final = (1.0, 2.0, 4.0)
"""Seconds between two searches after one was asked for."""
MAX_HEARD: Final = 64
"""Consoles without an entry that are remembered."""
CARD_SECONDS: Final = 90.0
"""Seconds after its last answer in which no other card takes the place of a console's."""

_HUB: HassKey[XboxHub] = HassKey(f"{DOMAIN}_{FAMILY_KEY}_hub")

type HeardListener = Callable[[DiscoveredConsole], None]


@callback
def async_get_hub(hass: HomeAssistant) -> XboxHub:
    """Return the hub, running or not."""
    if (hub := hass.data.get(_HUB)) is None:
        hub = hass.data[_HUB] = XboxHub(hass)
    return hub


async def async_network(hass: HomeAssistant) -> Network:
    """Return where to search, by the adapters that the user has enabled."""
    adapters = await network.async_get_adapters(hass)
    return Network(
        source_addresses=tuple(
            ipv4["address"]
            for adapter in adapters
            if adapter["enabled"]
            for ipv4 in adapter["ipv4"]
            if not ipv4["address"].startswith("127.")
        )
    )


class HubLease:
    """One user's share of the running hub."""

    def __init__(
        self,
        hub: XboxHub,
        discoverer: Discoverer,
        store: XboxStore,
        client_uuid: UUID,
        *,
        offers: bool,
    ) -> None:
        """Keep the hub running until released."""
        self._hub: XboxHub | None = hub
        self._offers = offers
        self.discoverer = discoverer
        self.store = store
        self.client_uuid = client_uuid

    @callback
    def follow(self, live_id: str, listener: HeardListener) -> CALLBACK_TYPE:
        """Call back on every answer in the name of a console, until that is undone.

        A console has one follower: its entry.
        """
        return self._running.follow(live_id, listener)

    @callback
    def miss(self, live_id: str) -> None:
        """Search at once, and go on to search often until the console is found."""
        self._running.miss(live_id)

    @callback
    def found(self, live_id: str) -> None:
        """Search for this console no more."""
        self._running.found(live_id)

    @property
    def _running(self) -> XboxHub:
        if self._hub is None:
            raise RuntimeError("The lease has been released")
        return self._hub

    async def async_release(self) -> None:
        """Need the hub no longer; a second call does nothing."""
        hub, self._hub = self._hub, None
        if hub is not None:
            await hub.async_release(offers=self._offers)


class XboxHub:
    """Searches while somebody leases it, and shows unknown consoles as discovered."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Make a hub that is not running."""
        self._hass = hass
        self._lock = asyncio.Lock()
        self._leases = 0
        # Of these, the ones for which consoles are shown as discovered.
        self._offers = 0
        self._discoverer: Discoverer | None = None
        self._listeners: dict[str, HeardListener] = {}
        self._missed: set[str] = set()
        # Consoles without an entry, those that answered last at the end.
        self._heard: dict[str, tuple[float, DiscoveredConsole]] = {}
        self._wanted = asyncio.Event()
        self._searches = 0
        self._task: asyncio.Task[None] | None = None
        self._unsub_discoverer: CALLBACK_TYPE | None = None
        self._unsub_stop: CALLBACK_TYPE | None = None

    @property
    def discoverer(self) -> Discoverer | None:
        """What searches, None while nobody needs it."""
        return self._discoverer

    async def async_lease(self, *, offers: bool = True) -> HubLease:
        """Start to search unless that is going on; raise OSError when it cannot be done.

        A flow that searches by itself wants no cards, which would get into its way.
        """
        async with self._lock:
            store = async_get_store(self._hass)
            client_uuid = await store.async_load()
            if self._discoverer is None:
                self._discoverer = await self._async_start()
            self._leases += 1
            self._offers += offers
            return HubLease(self, self._discoverer, store, client_uuid, offers=offers)

    async def async_release(self, *, offers: bool) -> None:
        """Stop when the last one has released it."""
        async with self._lock:
            self._leases -= 1
            self._offers -= offers
            if self._leases == 0:
                await self._async_stop()

    async def _async_start(self) -> Discoverer:
        discoverer = Discoverer(await async_network(self._hass))
        self._unsub_discoverer = discoverer.subscribe(self._on_heard)
        try:
            await discoverer.start()
        except BaseException:
            self._unsub_discoverer()
            self._unsub_discoverer = None
            await discoverer.stop()
            raise
        self._unsub_stop = self._hass.bus.async_listen_once(
            EVENT_HOMEASSISTANT_STOP, self._async_on_shutdown
        )
        self._searches = 0
        self._task = self._hass.async_create_background_task(
            self._async_search(discoverer), f"{DOMAIN} {FAMILY_KEY} search"
        )
        return discoverer

    async def _async_stop(self) -> None:
        for unsubscribe in (self._unsub_discoverer, self._unsub_stop):
            if unsubscribe is not None:
                unsubscribe()
        self._unsub_discoverer = self._unsub_stop = None
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})
        discoverer, self._discoverer = self._discoverer, None
        if discoverer is not None:
            await discoverer.stop()
        self._heard.clear()

    async def _async_on_shutdown(self, event: Event) -> None:
        """Close everything with Home Assistant; leases may still be released afterwards."""
        self._unsub_stop = None  # it was listened to once
        async with self._lock:
            await self._async_stop()

    # Searching

    async def _async_search(self, discoverer: Discoverer) -> None:
        while True:
            self._wanted.clear()
            discoverer.announce()
            pause = MISSED_INTERVAL if self._missed else SEARCH_INTERVAL
            if self._searches < len(SEARCH_BACKOFF):
                pause = SEARCH_BACKOFF[self._searches]
                self._searches += 1
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wanted.wait()

    @callback
    def miss(self, live_id: str) -> None:
        """Search now and often, until the console is found."""
        self._missed.add(live_id)
        # Whoever is missed all the time does not make it any more often.
        if self._searches > 1:
            self._searches = 0
            self._wanted.set()

    @callback
    def found(self, live_id: str) -> None:
        """Search for a console no more."""
        self._missed.discard(live_id)

    @callback
    def follow(self, live_id: str, listener: HeardListener) -> CALLBACK_TYPE:
        """Call back on every answer in the name of a console, until that is undone.

        A console has one follower: its entry.
        """
        self._listeners[live_id] = listener
        self._heard.pop(live_id, None)

        @callback
        def unfollow() -> None:
            del self._listeners[live_id]
            self._missed.discard(live_id)

        return unfollow

    @callback
    def _on_heard(self, console: DiscoveredConsole) -> None:
        if not is_usable(console):
            return
        live_id = str(console.live_id)
        if (listener := self._listeners.get(live_id)) is not None:
            listener(console)
            return
        self._heard.pop(live_id, None)
        self._heard[live_id] = (self._hass.loop.time(), console)
        while len(self._heard) > MAX_HEARD:
            del self._heard[next(iter(self._heard))]
        if self._offers:
            self._offer(live_id, console)

    # Cards

    @callback
    def heard(self, live_id: str) -> DiscoveredConsole | None:
        """Return the last answer of a console that has no entry."""
        _, console = self._heard.get(live_id, (0.0, None))
        return console

    @callback
    def _offer(self, live_id: str, console: DiscoveredConsole) -> None:
        """Show a console as discovered, unless it is shown, set up or ignored."""
        entry = self._hass.config_entries.async_entry_for_domain_unique_id(
            DOMAIN, live_id
        )
        if entry is not None or self._is_in_progress(live_id):
            return
        if not self.async_make_room():
            LOGGER.debug("Too many discovered consoles, one is not shown")
            return
        discovery_flow.async_create_flow(
            self._hass,
            DOMAIN,
            {"source": SOURCE_INTEGRATION_DISCOVERY},
            console_data(console),
            discovery_key=DiscoveryKey(
                domain=DOMAIN, key=(FAMILY_KEY, live_id), version=1
            ),
        )

    def _is_in_progress(self, live_id: str) -> bool:
        """Tell whether a flow is about a console, however it has begun."""
        return any(
            flow["context"].get("unique_id") == live_id
            for flow in self._hass.config_entries.flow.async_progress_by_handler(
                DOMAIN, include_uninitialized=True
            )
        )

    @callback
    def async_make_room(self, own_flow_id: str | None = None) -> bool:
        """Withdraw a card whose console has not answered of late if there are too many.

        Returns whether there is room for one more, besides that of the given flow.
        """
        now = self._hass.loop.time()
        there = {
            live_id
            for live_id, (heard_at, _) in self._heard.items()
            if now - heard_at < CARD_SECONDS
        }
        return cards.async_make_room(
            self._hass, FAMILY_KEY, lambda unique_id: unique_id in there, own_flow_id
        )
