"""Several ends of ours on one machine: Home Assistant, and televisions beside it."""

import asyncio
from collections.abc import AsyncIterator
import contextlib
from dataclasses import replace

import pytest

from .support import (
    LOOPBACK,
    PATIENCE,
    Callee,
    EventLog,
    Sink,
    announcement,
    call_us,
    connect,
    know_each_other,
    new_id,
    open_sockets,
    pair,
    running,
    send_datagram,
    turns,
    udp_port,
)
from custom_components.rumpus.protocols.errors import RumpusError
from custom_components.rumpus.protocols.kdeconnect import (
    discovery as discovery_module,
    local as local_module,
    pacing as pacing_module,
    plugins,
    tv,
)
from custom_components.rumpus.protocols.kdeconnect.airwaves import Airwaves
from custom_components.rumpus.protocols.kdeconnect.calls import Caller
from custom_components.rumpus.protocols.kdeconnect.const import DeviceType
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from custom_components.rumpus.protocols.kdeconnect.discovery import Network
from custom_components.rumpus.protocols.kdeconnect.events import DeviceAppeared, LinkUp
from custom_components.rumpus.protocols.kdeconnect.handshake import CallTarget
from custom_components.rumpus.protocols.kdeconnect.local import LocalPeer
from custom_components.rumpus.protocols.kdeconnect.packet import Packet
from custom_components.rumpus.protocols.kdeconnect.paired import PairedDevice
from tests.fakes.kdeconnect import FakeDevice

#: Between two of our announcements in these tests; how long it really is, other tests say.
SHORT = 0.02


@pytest.fixture(autouse=True)
def _short_stagger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing_module, "STAGGER", SHORT)


@pytest.fixture(scope="module")
def keys() -> list[Credentials]:
    return [Credentials.generate() for _ in range(3)]


def make_ends(keys: list[Credentials], peer_udp_port: int) -> list[LocalPeer]:
    """Return Home Assistant and two televisions, not started."""
    network = Network(LOOPBACK, 0, peer_udp_port, source_addresses=(LOOPBACK,))
    air = Airwaves(network)
    home = LocalPeer(keys[0], "Home", airwaves=air)
    televisions = [
        LocalPeer(
            credentials,
            name,
            airwaves=air,
            device_type=tv.DEVICE_TYPE,
            incoming=tv.INCOMING,
            outgoing=tv.OUTGOING,
        )
        for credentials, name in zip(keys[1:], ("TV", "Bedroom"), strict=True)
    ]
    return [home, *televisions]


@contextlib.asynccontextmanager
async def running_all(ends: list[LocalPeer]) -> AsyncIterator[None]:
    """Start all, and stop them in the end."""
    async with contextlib.AsyncExitStack() as stack:
        for end in ends:
            await stack.enter_async_context(running(end))
        yield


@pytest.fixture
async def ends(
    sink: Sink, devices_first: None, keys: list[Credentials]
) -> AsyncIterator[list[LocalPeer]]:
    """Home Assistant and two televisions, running, which a sink listens to."""
    made = make_ends(keys, sink.port)
    async with running_all(made):
        yield made


# What they are


def test_television_says_what_it_is(keys: list[Credentials]) -> None:
    home, television, _ = (end.identity for end in make_ends(keys, 0))
    assert television.device_type is DeviceType.TV
    assert television.incoming == tv.INCOMING
    assert television.outgoing == tv.OUTGOING
    assert home.device_type is DeviceType.DESKTOP
    assert home.incoming == plugins.INCOMING_CAPABILITIES
    assert home.outgoing == plugins.OUTGOING_CAPABILITIES
    assert television.device_id != home.device_id


def test_television_shows_a_remote_control() -> None:
    """Sections 10 and 11.15: what the remote of a phone sends, and hears back."""
    assert {
        "kdeconnect.mousepad.request",
        "kdeconnect.mpris.request",
        "kdeconnect.systemvolume.request",
    } <= tv.INCOMING
    assert {
        "kdeconnect.mousepad.keyboardstate",
        "kdeconnect.mpris",
        "kdeconnect.systemvolume",
    } <= tv.OUTGOING


async def test_each_has_a_port_and_all_hear_on_one(ends: list[LocalPeer]) -> None:
    assert len({end.tcp_port for end in ends}) == 3
    assert all(end.tcp_port in range(1716, 1765) for end in ends)
    assert len({end.udp_port for end in ends}) == 1
    assert all(end.udp_bound for end in ends)


async def test_all_announce_themselves_in_their_order(
    ends: list[LocalPeer], sink: Sink
) -> None:
    bodies = [await sink.next() for _ in ends]
    assert [body["deviceName"] for body in bodies] == ["Home", "TV", "Bedroom"]
    assert [body["deviceType"] for body in bodies] == ["desktop", "tv", "tv"]
    assert [body["tcpPort"] for body in bodies] == [end.tcp_port for end in ends]


# Found by a phone


@pytest.mark.parametrize("count", [2, 3])
async def test_phone_that_hears_us_finds_all(
    keys: list[Credentials], phone: FakeDevice, count: int
) -> None:
    made = make_ends(keys, phone.udp_port)[:count]
    async with running_all(made):
        async with asyncio.timeout(PATIENCE):
            for _ in made:
                await phone.wait_for("link_up")
            while not all(end.devices for end in made):
                await turns()
        assert set(phone.peers) == {end.identity.device_id for end in made}
        for end in made:
            assert end.devices[phone.device_id].is_connected


async def test_phone_that_announces_itself_is_met_by_all(
    ends: list[LocalPeer], phone: FakeDevice
) -> None:
    """One datagram, to the one socket that there is."""
    logs = [EventLog(end.subscribe) for end in ends]
    phone.announce(LOOPBACK, udp_port(ends[0]))
    for log in logs:
        appeared = await log.wait_for(DeviceAppeared)
        assert appeared.device.device_id == phone.device_id
    assert phone.events.seen("link_up") == len(ends)


@pytest.mark.usefixtures("lan")
async def test_phone_is_invited_by_one_after_the_other(
    ends: list[LocalPeer], sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each waits for a call from when its own invitation has gone out."""
    monkeypatch.setattr(local_module, "REPLY_WAIT", 0)
    waits: list[float] = []
    for end in ends:

        async def note(matches: object, seconds: float) -> None:
            waits.append(seconds)

        monkeypatch.setattr(end._link_waiters, "wait", note)
        await sink.next()
    monkeypatch.setattr(pacing_module, "STAGGER", 10 * SHORT)
    async with Callee.open() as callee:
        send_datagram(announcement(callee.port), udp_port(ends[0]))
        names = [(await sink.next())["deviceName"] for _ in ends]
        assert names == ["Home", "TV", "Bedroom"]
        for _ in ends:
            await callee.next()
    assert waits == sorted(waits)
    assert waits[1] - waits[0] > SHORT
    assert waits[2] - waits[1] > SHORT


async def test_link_makes_an_invitation_needless(
    ends: list[LocalPeer], phone: FakeDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The phone would make a second link for it (section 13, number 33)."""
    monkeypatch.setattr(pacing_module, "STAGGER", 1000)
    home, television, _ = ends
    home.invite(new_id(), LOOPBACK)
    television.invite(phone.device_id, LOOPBACK)
    before = len(home._air._pacer)
    await connect(television, phone, "it_calls")
    assert len(home._air._pacer) == before - 1


async def test_paired_with_one_is_not_paired_with_another(
    ends: list[LocalPeer], phone: FakeDevice
) -> None:
    home, television, _ = ends
    device = await connect(television, phone, "it_calls")
    stored = await pair(device, phone)
    assert stored.device_id == phone.device_id
    assert set(phone.paired) == {television.identity.device_id}
    assert not home.devices
    log = EventLog(home.subscribe)
    await call_us(home, phone)
    assert not (await log.wait_for(DeviceAppeared)).device.is_paired


async def test_television_asks_for_nothing_that_it_does_not_list(
    ends: list[LocalPeer], computer: FakeDevice
) -> None:
    """Home Assistant greets a computer with questions."""
    received: list[set[str]] = []
    for end in (ends[1], ends[0]):
        computer.received.clear()
        device = know_each_other(end, computer)
        log = EventLog(device.subscribe)
        await call_us(end, computer)
        await log.wait_for(LinkUp)
        await device.send(Packet("kdeconnect.ping"))
        await computer.wait_for("ping")
        received.append({packet.type for packet in computer.received})
    assert received[0] == {"kdeconnect.ping"}
    assert received[1] > received[0]


# Ourselves


@pytest.mark.usefixtures("lan", "eager")
async def test_our_own_announcements_are_dropped(
    ends: list[LocalPeer], sink: Sink
) -> None:
    """Broadcasts come back to us."""
    for _ in ends:
        await sink.next()
    for end in ends:
        data = announcement(end.tcp_port, device_id=end.identity.device_id)
        send_datagram(data, udp_port(end))
    async with Callee.open() as callee:
        send_datagram(announcement(callee.port), udp_port(ends[0]))
        names = [(await sink.next())["deviceName"] for _ in ends]  # to the stranger
        assert names == ["Home", "TV", "Bedroom"]
    assert sink.received.empty()
    assert not any(end.devices for end in ends)


async def test_we_never_connect_to_each_other(ends: list[LocalPeer]) -> None:
    """Not even where the user types our own address in."""
    home, television, bedroom = ends
    for port in (television.tcp_port, bedroom.tcp_port, home.tcp_port):
        with pytest.raises(RumpusError):
            await home.connect_to(LOOPBACK, port)
    target = CallTarget(LOOPBACK, home.tcp_port, home.identity)
    with pytest.raises(RumpusError):
        await Caller(television._contexts).call_unknown(target, television.identity)
    await turns()
    assert not any(end.devices for end in ends)
    assert home.is_own(television.identity.device_id)
    assert not home.is_own(new_id())


# Floods


async def test_flood_costs_three_no_more_than_one(
    ends: list[LocalPeer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """UNKNOWN_BURST, of all of us together; who is paired is met all the same."""
    monkeypatch.setattr(discovery_module, "UNKNOWN_PER_SECOND", 0)
    met: list[str] = []

    async def note(self: LocalPeer, announced: object) -> None:
        met.append(self.identity.name)

    async def note_friend(self: LocalPeer, *announced: object) -> None:
        met.append(f"friend of {self.identity.name}")

    monkeypatch.setattr(LocalPeer, "_invite", note)
    monkeypatch.setattr(LocalPeer, "_call_or_announce", note_friend)
    air = ends[0]._air
    for number in range(100):
        air._heard_datagram(announcement(1716), f"10.0.0.{number}")
    await turns()
    assert len(met) == discovery_module.UNKNOWN_BURST
    assert met.count("Home") >= met.count("TV") >= met.count("Bedroom") > 0
    met.clear()
    friend = PairedDevice(new_id(), b"certificate", "Friend", DeviceType.PHONE, 8)
    ends[2].add_paired(friend)
    air._heard_datagram(announcement(1716, device_id=friend.device_id), "10.0.1.1")
    await turns()
    assert met == ["friend of Bedroom"]


# Life


async def test_one_stops_and_the_others_go_on(
    ends: list[LocalPeer], phone: FakeDevice, sink: Sink
) -> None:
    home, television, bedroom = ends
    for _ in ends:
        await sink.next()
    for end in (home, television):
        await connect(end, phone, "it_calls")
    await television.stop()
    await phone.wait_for("link_down")
    assert television.udp_port == home.udp_port  # the airwaves' own
    assert home.devices[phone.device_id].is_connected
    await television.announce()
    await bedroom.announce()
    assert (await sink.next())["deviceName"] == "Bedroom"
    log = EventLog(bedroom.subscribe)
    phone.announce(LOOPBACK, udp_port(home))
    await log.wait_for(DeviceAppeared)
    await home.stop()
    assert bedroom.udp_bound
    await bedroom.stop()
    assert not bedroom.udp_bound


async def test_television_may_come_back(ends: list[LocalPeer], sink: Sink) -> None:
    for _ in ends:
        await sink.next()
    await ends[1].stop()
    await ends[1].start()
    body = await sink.next()
    assert (body["deviceName"], body["tcpPort"]) == ("TV", ends[1].tcp_port)


async def test_last_one_leaves_nothing(sink: Sink, keys: list[Credentials]) -> None:
    before, tasks = open_sockets(), asyncio.all_tasks()
    made = make_ends(keys, sink.port)
    async with running_all(made):
        assert open_sockets() != before
    await turns()
    assert open_sockets() == before
    assert asyncio.all_tasks() == tasks
    assert made[0]._air._timer is None


@pytest.mark.usefixtures("sink")
async def test_start_that_fails_leaves_the_others_alone(
    ends: list[LocalPeer], keys: list[Credentials]
) -> None:
    network = replace(ends[0]._network, tcp_ports=range(0))
    more = LocalPeer(
        Credentials.generate(), "No port", network=network, airwaves=ends[0]._air
    )
    with pytest.raises(OSError, match="no port"):
        await more.start()
    assert all(end.udp_bound for end in ends)
    assert len(ends[0]._air._stations) == 3
