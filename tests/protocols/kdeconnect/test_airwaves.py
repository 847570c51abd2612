"""What several identities share, in virtual time and without sockets."""

import asyncio
from collections.abc import Callable
from typing import cast

import pytest
from zeroconf.asyncio import AsyncZeroconf

from .support import announcement, new_id
from custom_components.rumpus.protocols.kdeconnect import airwaves as airwaves_module
from custom_components.rumpus.protocols.kdeconnect.airwaves import Airwaves, Station
from custom_components.rumpus.protocols.kdeconnect.const import DeviceType
from custom_components.rumpus.protocols.kdeconnect.discovery import (
    Announcement,
    Network,
    read_announcement,
)
from custom_components.rumpus.protocols.kdeconnect.identity import Identity
from custom_components.rumpus.protocols.kdeconnect.mdns import (
    FoundService,
    MdnsDiscovery,
)
from custom_components.rumpus.protocols.kdeconnect.pacing import MAX_WAITING, STAGGER
from tests.protocols.virtual_time import run

PHONE = "192.168.1.7"


class ScriptedUdp:
    """Stands for the socket, and notes what is sent when."""

    def __init__(
        self, network: Network, received: Callable[[bytes, str], None]
    ) -> None:
        self.received = received
        self.is_open = False
        self.opened = 0
        self.sent: list[tuple[float, str, str | None]] = []
        self.error: OSError | None = None

    async def start(self) -> None:
        """Open."""
        assert not self.is_open
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        self.is_open = True
        self.opened += 1

    def stop(self) -> None:
        """Close."""
        self.is_open = False

    def send(self, identity: Identity, host: str) -> None:
        """Note it."""
        self._note(identity, host)

    def broadcast(self, identity: Identity) -> None:
        """Note it."""
        self._note(identity, None)

    def _note(self, identity: Identity, host: str | None) -> None:
        assert self.is_open
        time = asyncio.get_running_loop().time()
        self.sent.append((time, identity.name, host))


class ScriptedMdns:
    """Notes what is registered."""

    def __init__(self) -> None:
        self.services: list[str] = []

    async def start(self, identity: Identity, addresses: tuple[str, ...]) -> None:
        """Register."""
        await asyncio.sleep(0)
        assert addresses == ("192.168.1.2",)
        self.services.append(identity.device_id)

    async def stop(self, device_id: str) -> None:
        """Withdraw."""
        await asyncio.sleep(0)
        if device_id in self.services:
            self.services.remove(device_id)


class World:
    """Airwaves, and the identities that use them."""

    def __init__(self, *names: str) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(airwaves_module, "UdpDiscovery", ScriptedUdp)
            self.air = Airwaves(
                Network(source_addresses=("192.168.1.2",)),
                cast(AsyncZeroconf, object()),
            )
        self.udp = cast(ScriptedUdp, self.air._udp)
        self.mdns = ScriptedMdns()
        self.browser = self.air._mdns
        self.air._mdns = cast(MdnsDiscovery, self.mdns)
        self.names: dict[str, str] = {}
        self.heard: list[tuple[str, Announcement]] = []
        self.found: list[tuple[str, FoundService]] = []
        self.friends: dict[str, set[str]] = {}
        self.stations = [self.add(name) for name in names]

    def add(self, name: str) -> Station:
        """Make one more identity."""
        device_id = new_id()
        self.names[device_id] = name
        friends = self.friends[name] = set()
        return self.air.add(
            device_id,
            identity=lambda: Identity(
                device_id, self.names[device_id], DeviceType.TV, 8
            ),
            heard=lambda hint: self.heard.append((name, hint)),
            found=lambda hint: self.found.append((name, hint)),
            is_known=friends.__contains__,
        )

    async def join(self) -> None:
        """Let all of them join, the last one first."""
        for station in reversed(self.stations):
            await self.air.join(station)

    async def leave(self) -> None:
        """Let all of them leave."""
        for station in self.stations:
            await self.air.leave(station)
        assert not self.udp.is_open
        assert self.air._timer is None
        assert not self.mdns.services

    def hear(self, device_id: str, host: str = PHONE) -> None:
        """Hear an announcement."""
        self.udp.received(announcement(1716, device_id=device_id), host)


class Android:
    """Takes announcements as Android does (section 4.1)."""

    LIMIT = 1.0

    def __init__(self) -> None:
        self.accepted: list[str] = []
        self._last: dict[str, float] = {}

    def hears(self, sent: list[tuple[float, str, str | None]]) -> None:
        """Take what was sent; all of it comes from one address."""
        for time, name, _ in sent:
            keys = ("the address", name)
            if all(time - self._last.get(key, 0) >= self.LIMIT for key in keys):
                self.accepted.append(name)
            # The strictest reading: what is ignored counts as well.
            self._last.update(dict.fromkeys(keys, time))


async def pause(seconds: float) -> None:
    """Let virtual time pass."""
    await asyncio.sleep(seconds)


# Turns


@pytest.mark.parametrize("host", [None, PHONE])
def test_android_finds_all_of_us(host: str | None) -> None:
    async def scenario() -> None:
        world = World("Home", "TV", "Bedroom")
        await world.join()
        delays = [world.air.announce(station, host) for station in world.stations]
        assert delays == pytest.approx([0, STAGGER, 2 * STAGGER])
        await pause(3 * STAGGER)
        android = Android()
        android.hears(world.udp.sent)
        assert android.accepted == ["Home", "TV", "Bedroom"]
        await world.leave()

    run(scenario())


def test_answers_to_an_announcement_are_kept_apart() -> None:
    """Everybody hears it at once, the leading identity first, and answers at once."""

    async def scenario() -> None:
        world = World("Home", "TV")
        await world.join()
        world.hear(phone := new_id())
        assert [name for name, _ in world.heard] == ["Home", "TV"]
        assert {hint.identity.device_id for _, hint in world.heard} == {phone}
        for station in world.stations:
            world.air.announce(station, PHONE)
        await pause(2 * STAGGER)
        begun = world.udp.sent[0][0]
        assert world.udp.sent == [
            (begun, "Home", PHONE),
            (pytest.approx(begun + STAGGER), "TV", PHONE),
        ]
        await world.leave()

    run(scenario())


def test_one_alone_never_waits() -> None:
    async def scenario() -> None:
        world = World("Home")
        await world.join()
        for host in (None, PHONE, PHONE, None):
            assert world.air.announce(world.stations[0], host) == 0
        assert [host for _, _, host in world.udp.sent] == [None, PHONE, PHONE, None]
        assert world.air._timer is None
        await world.leave()

    run(scenario())


def test_repeated_announcements_become_one() -> None:
    async def scenario() -> None:
        world = World("Home", "TV")
        await world.join()
        home, tv = world.stations
        world.air.announce(home)
        for _ in range(5):
            world.air.announce(tv)
        # What is sent is what counts then.
        world.names[tv.device_id] = "Renamed"
        await pause(5 * STAGGER)
        assert [name for _, name, _ in world.udp.sent] == ["Home", "Renamed"]
        await world.leave()

    run(scenario())


def test_leading_identity_waits_for_no_crowd() -> None:
    async def scenario() -> None:
        world = World("Home", "TV", "Bedroom")
        await world.join()
        home, tv, bedroom = world.stations
        for station in (bedroom, tv, home):
            world.air.announce(station)
        await pause(4 * STAGGER)
        assert [name for _, name, _ in world.udp.sent] == ["Bedroom", "Home", "TV"]
        await world.leave()

    run(scenario())


def test_announcement_that_is_not_needed_any_more_is_not_made() -> None:
    async def scenario() -> None:
        world = World("Home", "TV", "Bedroom")
        await world.join()
        for station in world.stations:
            world.air.announce(station, PHONE)
        world.air.hush(world.stations[1], PHONE)
        await pause(STAGGER)  # and those behind go earlier
        await pause(0.01)
        assert [name for _, name, _ in world.udp.sent] == ["Home", "Bedroom"]
        await world.leave()

    run(scenario())


def test_waiting_announcements_have_a_bound(caplog: pytest.LogCaptureFixture) -> None:
    """MAX_WAITING: what is too much is not announced."""
    caplog.set_level("DEBUG")

    async def scenario() -> None:
        world = World("Home", "TV")
        await world.join()
        home, tv = world.stations
        world.air.announce(home)
        for number in range(MAX_WAITING):
            assert world.air.announce(tv, f"10.0.0.{number}") > 0
        assert world.air.announce(tv, PHONE) == 0
        assert len(world.air._pacer) == MAX_WAITING
        assert f"Too many announcements wait, {PHONE} gets none" in caplog.text
        assert world.air.announce(tv) > 0
        await pause(2 * STAGGER)
        assert len(world.udp.sent) == MAX_WAITING + 2
        await world.leave()

    run(scenario())


# Life


def test_one_leaves_and_the_others_go_on() -> None:
    async def scenario() -> None:
        world = World("Home", "TV", "Bedroom")
        await world.join()
        home, tv, _ = world.stations
        for station in world.stations:
            world.air.announce(station)
        await world.air.leave(tv)
        await pause(4 * STAGGER)
        assert [name for _, name, _ in world.udp.sent] == ["Home", "Bedroom"]
        assert world.air.announce(tv) == 0
        world.hear(new_id())
        assert [name for name, _ in world.heard] == ["Home", "Bedroom"]
        await world.air.leave(home)
        assert world.udp.is_open
        world.hear(new_id())
        assert world.heard[-1][0] == "Bedroom"
        assert world.mdns.services == [world.stations[2].device_id]
        await world.leave()

    run(scenario())


def test_sockets_are_opened_once_and_again_after_the_end() -> None:
    async def scenario() -> None:
        world = World("Home", "TV")
        for _ in range(2):
            await asyncio.gather(*map(world.air.join, world.stations))
            assert len(world.mdns.services) == 2
            await asyncio.gather(*map(world.air.leave, world.stations))
            assert not world.udp.is_open
        assert world.udp.opened == 2

    run(scenario())


def test_end_leaves_no_timer() -> None:
    async def scenario() -> None:
        world = World("Home", "TV")
        await world.join()
        for station in world.stations:
            world.air.announce(station)
        assert world.air._timer is not None
        await world.leave()
        await pause(2 * STAGGER)
        assert len(world.udp.sent) == 1

    run(scenario())


def test_network_that_fails_takes_nobody_in() -> None:
    async def scenario() -> None:
        world = World("Home", "TV")
        world.udp.error = OSError("no network")
        with pytest.raises(OSError, match="no network"):
            await world.air.join(world.stations[0])
        await world.air.leave(world.stations[0])
        world.udp.error = None
        await world.join()
        await world.leave()

    run(scenario())


# Ears


def test_our_own_identities_are_heard_by_none_of_us() -> None:
    """Our broadcasts come back to us, also late and when one has left."""

    async def scenario() -> None:
        world = World("Home", "TV")
        late = world.add("Not there yet")
        await world.join()
        await world.air.leave(world.stations[1])
        for station in (*world.stations, late):
            assert world.air.is_own(station.device_id)
            world.hear(station.device_id)
            world.air._heard_service(FoundService(station.device_id, PHONE, 1716))
        assert world.heard == []
        assert world.found == []
        assert not world.air.is_own(new_id())
        await world.leave()

    run(scenario())


def test_services_are_found_by_all_of_us() -> None:
    async def scenario() -> None:
        world = World("Home", "TV")
        await world.join()
        service = FoundService(new_id(), PHONE, 1716)
        world.air._heard_service(service)
        assert world.found == [("Home", service), ("TV", service)]
        assert world.browser is not None
        friend = new_id()
        assert not world.browser._is_known(friend)
        world.friends["TV"].add(friend)
        assert world.browser._is_known(friend)
        await world.leave()
        assert not world.browser._is_known(friend)

    run(scenario())


def test_datagram_is_decoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood costs no more for being heard by three."""
    decoded: list[str] = []

    def count(data: bytes, host: str, own_ids: set[str]) -> Announcement | None:
        decoded.append(host)
        return read_announcement(data, host, own_ids)

    monkeypatch.setattr(airwaves_module, "read_announcement", count)

    async def scenario() -> None:
        world = World("Home", "TV", "Bedroom")
        await world.join()
        for number in range(50):
            world.hear(new_id(), f"10.0.0.{number}")
        world.udp.received(b"nonsense", PHONE)
        assert len(decoded) == 51
        assert len(world.heard) == 150
        await world.leave()

    run(scenario())
