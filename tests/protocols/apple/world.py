"""A device over real sockets, a fake one, and the facade that is connected to it."""

import asyncio
from collections.abc import Callable
import logging
from typing import Self

from custom_components.rumpus.protocols.airplay.timing import Timing as AirPlayTiming
from custom_components.rumpus.protocols.apple.const import AppleProtocol
from custom_components.rumpus.protocols.apple.device import AppleDevice
from custom_components.rumpus.protocols.apple.events import AppleEvent
from custom_components.rumpus.protocols.apple.identity import ClientIdentity
from custom_components.rumpus.protocols.apple.link import LinkState
from custom_components.rumpus.protocols.apple.pairing import (
    pairing_needed,
    start_pairing,
)
from custom_components.rumpus.protocols.apple.scan import scan_unicast
from custom_components.rumpus.protocols.apple.services import FoundDevice
from custom_components.rumpus.protocols.apple.timing import Timing
from custom_components.rumpus.protocols.companion.timing import (
    Timing as CompanionTiming,
)
from custom_components.rumpus.protocols.mrp.timing import Timing as MrpTiming
from custom_components.rumpus.protocols.reconnect import Backoff
from tests.fakes.apple_tv import FakeAppleTv

LOGGER = logging.getLogger("tests.apple")
PATIENCE = 10.0
QUICK = Timing(
    connect=5.0,
    backoff=Backoff((0.05, 0.1, 0.2), 0.1),
    resolve=3.0,
    resolve_interval=0.1,
    asleep_interval=0.1,
    wakes=1000,
    wakes_refill=1000.0,
    power=5.0,
    airplay=AirPlayTiming(
        connect=2.0, event_pause=0.05, feedback=0.2, feedback_timeout=1.5, close=0.3
    ),
    companion=CompanionTiming(
        connect=2.0, attention=0.3, farewell=0.3, quiet=0.4, probe=0.8, hold=0.05
    ),
    mrp=MrpTiming(connect=2.0, heartbeat=0.4, heartbeat_answer=0.6, hold=0.05),
)
"""As everything, in a smaller world."""


async def find(fake: FakeAppleTv) -> FoundDevice | None:
    """Ask the device, or whoever answers for it, where it is."""
    found = await scan_unicast(
        [fake.address], port=fake.mdns_port, timeout=1.0, knock=False
    )
    return found[0] if found else None


async def pair(fake: FakeAppleTv, identity: ClientIdentity) -> dict[AppleProtocol, str]:
    """Pair whatever needs it, as a user would."""
    found = await find(fake)
    assert found is not None
    credentials: dict[AppleProtocol, str] = {}
    for protocol in pairing_needed(found, {}):
        pairing = start_pairing(found, protocol, identity)
        try:
            await pairing.begin()
            credentials[protocol] = await pairing.finish(fake.desk.pin)
        finally:
            await pairing.close()
    assert not pairing_needed(found, credentials)
    return credentials


class World:
    """The fake and the facade, which ends with it."""

    def __init__(self, fake: FakeAppleTv, timing: Timing = QUICK) -> None:
        self.fake = fake
        self.timing = timing
        self.identity = ClientIdentity.create("Rumpus")
        self.credentials: dict[AppleProtocol, str] = {}
        self.events: list[AppleEvent] = []
        self.resolves = 0
        self._news = asyncio.Event()

    async def __aenter__(self) -> Self:
        await self.fake.start()
        try:
            self.credentials = await pair(self.fake, self.identity)
            found = await find(self.fake)
            assert found is not None
            self.device = AppleDevice(
                found,
                self.credentials,
                self.identity,
                resolve=self._resolve,
                logger=LOGGER,
                timing=self.timing,
            )
            self.device.subscribe(self._told)
            self.device.start()
            await self.device.connected(PATIENCE)
        except BaseException:
            await self.fake.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.device.stop()
        await self.fake.stop()

    async def _resolve(self) -> FoundDevice | None:
        self.resolves += 1
        return await find(self.fake)

    def _told(self, event: AppleEvent) -> None:
        self.events.append(event)
        self._news.set()

    async def until(
        self, condition: Callable[[], bool], timeout: float = PATIENCE
    ) -> None:
        """Wait for an event after which it is so, unless it is already."""
        async with asyncio.timeout(timeout):
            while not condition():
                self._news.clear()
                await self._news.wait()

    def told[E](self, kind: type[E]) -> list[E]:
        """Return all events of a kind so far."""
        return [event for event in self.events if isinstance(event, kind)]

    async def move(self, address: str) -> None:
        """Get another address, where the same ports may be somebody else's."""
        self.fake.ports = dict.fromkeys(self.fake.ports, 0)
        await self.fake.move(address)

    async def restart(self) -> None:
        """Restart at the same place, unless somebody has taken it meanwhile."""
        try:
            await self.fake.restart()
        except OSError:
            self.fake.ports = dict.fromkeys(self.fake.ports, 0)
            await self.fake.restart()

    @property
    def up(self) -> set[AppleProtocol]:
        """Return the links that are up."""
        return {
            protocol
            for protocol, status in self.device.links.items()
            if status.state is LinkState.UP
        }
