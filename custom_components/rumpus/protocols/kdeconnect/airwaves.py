"""What our identities on one machine share of discovery: UDP port 1716 and mDNS.

A unicast to a shared UDP port reaches only one of its sockets (the KDE Connect reference,
section 13, number 22), so there is one socket, and everybody hears what it hears.  What
the identities say is kept apart in time, see `pacing`.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
import logging

from zeroconf.asyncio import AsyncZeroconf

from .discovery import (
    Announcement,
    Network,
    UdpDiscovery,
    read_announcement,
    unknown_budget,
)
from .identity import Identity
from .mdns import FoundService, MdnsDiscovery
from .pacing import Pacer, Turn

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Station:
    """One of our identities: what it says of itself, and who wants to hear for it.

    The first one of all (rank 0) leads: others hear after it, and wait for it.
    """

    device_id: str
    rank: int
    identity: Callable[[], Identity]
    heard: Callable[[Announcement], None]
    found: Callable[[FoundService], None]
    is_known: Callable[[str], bool]


class Airwaves:
    """Hears for all our identities, and lets them speak one after the other.

    The sockets are open from the first identity that joins to the last that leaves.
    """

    def __init__(
        self,
        network: Network = Network(),  # noqa: B008 - frozen
        zeroconf: AsyncZeroconf | None = None,
    ) -> None:
        """Prepare; without zeroconf, which stays the caller's, there is no mDNS."""
        self.network = network
        # Reactions to strangers: however many we are, a flood costs no more.
        self.budget = unknown_budget()
        self._udp = UdpDiscovery(network, self._heard_datagram)
        self._mdns: MdnsDiscovery | None = None
        if zeroconf is not None:
            self._mdns = MdnsDiscovery(
                zeroconf, self._heard_service, is_known=self._is_known
            )
        # Those of identities that have left too: an echo may be late.
        self._own_ids: set[str] = set()
        self._count = 0
        self._stations: list[Station] = []
        self._lock = asyncio.Lock()
        self._pacer = Pacer()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_bound(self) -> bool:
        """Whether others' broadcasts reach us; another program may own the port."""
        return self._udp.is_bound

    @property
    def udp_port(self) -> int | None:
        """The port that we hear announcements on."""
        return self._udp.port()

    def is_own(self, device_id: str) -> bool:
        """Tell whether an id is one of ours: those never connect to each other."""
        return device_id in self._own_ids

    def add(
        self,
        device_id: str,
        *,
        identity: Callable[[], Identity],
        heard: Callable[[Announcement], None],
        found: Callable[[FoundService], None],
        is_known: Callable[[str], bool],
    ) -> Station:
        """Know one more identity as ours; it hears and says nothing before it joins.

        `is_known` tells whether an id is that of a device which is paired with it.
        """
        self._own_ids.add(device_id)
        station = Station(device_id, self._count, identity, heard, found, is_known)
        self._count += 1
        return station

    async def join(self, station: Station) -> None:
        """Let an identity hear, speak and be found by mDNS.

        Raises OSError when there is no network to send to, and then the identity has to
        leave all the same.
        """
        async with self._lock:
            if not self._udp.is_open:
                await self._udp.start()
            self._stations.append(station)
            self._stations.sort(key=lambda one: one.rank)
            if self._mdns is not None:
                await self._mdns.start(
                    station.identity(), self.network.source_addresses
                )

    async def leave(self, station: Station) -> None:
        """End what began with `join`, and with the last one everything; safe to call twice."""
        if station in self._stations:
            self._stations.remove(station)
        self._pacer.drop(station.device_id)
        self._speak()
        async with self._lock:
            if not self._stations:
                self._udp.stop()
            if self._mdns is not None:
                await self._mdns.stop(station.device_id)

    def announce(self, station: Station, host: str | None = None) -> float:
        """Announce an identity to one address, or to everybody.

        Returns in how many seconds it will have its turn: 0 means that it is done.
        """
        if station not in self._stations:
            return 0.0
        turn = Turn(station.device_id, host)
        if not self._pacer.add(turn, leads=station.rank == 0):
            _LOGGER.debug("Too many announcements wait, %s gets none", host)
            return 0.0
        self._speak()
        time = self._pacer.time_of(turn)
        return 0.0 if time is None else time - asyncio.get_running_loop().time()

    def hush(self, station: Station, host: str) -> None:
        """Let an announcement to a host not wait any more: it is not needed."""
        self._pacer.drop(station.device_id, host)
        self._speak()

    def _speak(self) -> None:
        """Send what may go out now, and come back for the rest."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        loop = asyncio.get_running_loop()
        identities = {one.device_id: one.identity for one in self._stations}
        for turn in self._pacer.take(loop.time()):
            identity = identities[turn.sender]()
            if turn.host is None:
                self._udp.broadcast(identity)
            else:
                self._udp.send(identity, turn.host)
        if (time := self._pacer.next_time) is not None:
            self._timer = loop.call_at(time, self._speak)

    def _heard_datagram(self, data: bytes, host: str) -> None:
        """Decode a datagram once for all of us."""
        if (announcement := read_announcement(data, host, self._own_ids)) is not None:
            for station in tuple(self._stations):
                station.heard(announcement)

    def _heard_service(self, service: FoundService) -> None:
        if not self.is_own(service.device_id):
            for station in tuple(self._stations):
                station.found(service)

    def _is_known(self, device_id: str) -> bool:
        return any(station.is_known(device_id) for station in self._stations)
