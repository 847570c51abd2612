"""Each limit on what the network may do, and one more than that (section 12.1).

Limits of a part that is tried by itself are with the tests of that part: datagrams and
tables of discovery, connections of the listener, calls, look-ups, payloads.
"""

import contextlib
import time

import pytest

from .bench import bench
from .conftest import both_protocols
from .support import (
    LOOPBACK,
    Callee,
    EventLog,
    RawCaller,
    Sink,
    announcement,
    at_once,
    call_us,
    know_each_other,
    new_id,
    send_datagram,
    turns,
    udp_port,
)
from custom_components.rumpus.protocols.kdeconnect import (
    device as device_module,
    discovery as discovery_module,
    handshake as handshake_module,
    link as link_module,
    listener as listener_module,
    local as local_module,
    pairing as pairing_module,
)
from custom_components.rumpus.protocols.kdeconnect.device import (
    MAX_UNPAIRED_PACKETS,
    RemoteDevice,
)
from custom_components.rumpus.protocols.kdeconnect.events import (
    DeviceAppeared,
    DeviceDisappeared,
    LinkUp,
    PairingChanged,
    PairingRequested,
)
from custom_components.rumpus.protocols.kdeconnect.handshake import (
    MAX_IDENTITY_LINE,
    CallTarget,
)
from custom_components.rumpus.protocols.kdeconnect.link import MAX_UNPAIRED_LINE
from custom_components.rumpus.protocols.kdeconnect.local import (
    MAX_UNPAIRED_LINKS,
    LocalPeer,
)
from custom_components.rumpus.protocols.kdeconnect.mdns import FoundService
from tests.fakes.kdeconnect import FakeCredentials, FakeDevice, Misbehave


def padded(caller: RawCaller, size: int) -> bytes:
    """Return an identity of so many bytes, with its LF."""
    short = len(caller.identity(padding=""))
    line = caller.identity(padding="x" * (size - short))
    assert len(line) == size
    return line


# Connections that are no links yet


async def test_max_identity_line(local: LocalPeer) -> None:
    async with RawCaller.open(local.tcp_port) as caller:
        caller.writer.write(padded(caller, MAX_IDENTITY_LINE))
        await caller.start_tls()  # accepted
    async with RawCaller.open(local.tcp_port) as caller:
        caller.writer.write(padded(caller, MAX_IDENTITY_LINE + 1))
        assert await caller.closed() == b""
    async with RawCaller.open(local.tcp_port) as caller:
        # Nobody waits for an LF that is too far away.
        caller.writer.write(b"x" * MAX_IDENTITY_LINE)
        assert await caller.closed() == b""


async def test_max_identity_line_in_pieces(local: LocalPeer) -> None:
    async with RawCaller.open(local.tcp_port) as caller:
        line = padded(caller, MAX_IDENTITY_LINE)
        for start in range(0, len(line), 1000):
            caller.writer.write(line[start : start + 1000])
            await caller.writer.drain()
            await turns(3)
        await caller.start_tls()


async def test_max_second_identity_line(local: LocalPeer) -> None:
    """MAX_UNPAIRED_LINE, inside TLS: there the LF does not count."""
    log = EventLog(local.subscribe)
    async with RawCaller.open(local.tcp_port) as caller:
        caller.writer.write(caller.identity())
        await caller.start_tls()
        caller.write(padded(caller, MAX_UNPAIRED_LINE + 1))
        await log.wait_for(DeviceAppeared)
    other = FakeCredentials.generate()
    async with RawCaller.open(local.tcp_port, other) as caller:
        caller.writer.write(caller.identity())
        await caller.start_tls()
        caller.write(padded(caller, MAX_UNPAIRED_LINE + 2))
        await caller.closed()
    assert other.device_id not in local.devices


@pytest.mark.parametrize("begun", [False, True], ids=["silent", "half an identity"])
async def test_clear_identity_timeout(
    local: LocalPeer, monkeypatch: pytest.MonkeyPatch, *, begun: bool
) -> None:
    at_once(monkeypatch, handshake_module, "CLEAR_IDENTITY_TIMEOUT")
    async with RawCaller.open(local.tcp_port) as caller:
        if begun:
            caller.writer.write(caller.identity()[:100])
        assert await caller.closed() == b""
    assert not local.devices


async def test_second_identity_timeout(
    local: LocalPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """KDE waits for ever there; a connection like that holds one of few places."""
    at_once(monkeypatch, handshake_module, "FIRST_WORD_TIMEOUT")
    at_once(monkeypatch, handshake_module, "SECOND_IDENTITY_TIMEOUT")
    async with RawCaller.open(local.tcp_port) as caller:
        caller.writer.write(caller.identity())
        await caller.start_tls()
        caller.write(caller.identity()[:-1])
        await caller.closed()
    assert not local.devices


async def test_handshake_timeout(
    local: LocalPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once(monkeypatch, link_module, "HANDSHAKE_TIMEOUT")
    async with RawCaller.open(local.tcp_port) as caller:
        caller.writer.write(caller.identity())
        await caller.closed()
    assert not local.devices


async def test_max_unfinished_leaves_room_for_paired_devices(
    local: LocalPeer, phone: FakeDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Strangers, however many they are, never keep out those that we know."""
    monkeypatch.setattr(listener_module, "MAX_UNFINISHED", 0)
    async with RawCaller.open(local.tcp_port) as stranger:
        assert await stranger.closed() == b""
    device = know_each_other(local, phone)
    await turns()  # it has been looked for once
    device._address = "127.0.0.2"
    async with RawCaller.open(local.tcp_port) as stranger:
        assert await stranger.closed() == b""
    async with RawCaller.open(local.tcp_port, source="127.0.0.2") as friend:
        await friend.link()
        await friend.read()
        assert device.is_connected


# Links of devices that are not paired


async def test_max_unpaired_line(
    device: RemoteDevice, phone: FakeDevice, caplog: pytest.LogCaptureFixture
) -> None:
    """A longer line is dropped as it comes; the pairing behind it counts."""
    log = EventLog(device.subscribe)
    await phone.mischief.send_raw(_line(MAX_UNPAIRED_LINE + 1))
    await phone.request_pairing()
    await log.wait_for(PairingChanged)
    assert "Line of more than 8192 bytes" in caplog.text
    assert phone.events.seen("unpaired") == 0


def _line(size: int) -> bytes:
    """Return a packet whose line has so many bytes, its LF not counted."""
    start, end = b'{"type":"kdeconnect.ping","body":{"message":"', b'"}}'
    return start + b"x" * (size - len(start) - len(end)) + end + b"\n"


@pytest.mark.usefixtures("quick")
async def test_max_unpaired_packets(
    local: LocalPeer, device: RemoteDevice, phone: FakeDevice
) -> None:
    for _ in range(MAX_UNPAIRED_PACKETS - 1):
        await phone.send_pair(pair=False)
    log = EventLog(device.subscribe)
    await phone.request_pairing()  # the last one
    await log.wait_for(PairingChanged)
    assert device.is_connected
    peers = EventLog(local.subscribe)
    await phone.send_pair(pair=False)
    await phone.wait_for("link_down")
    await peers.wait_for(DeviceDisappeared)
    assert phone.device_id not in local.devices


async def test_max_unpaired_packets_counts_what_is_none(
    device: RemoteDevice, phone: FakeDevice
) -> None:
    await phone.mischief.send_raw(b"x\n" * (MAX_UNPAIRED_PACKETS + 1))
    await phone.wait_for("link_down")


async def test_max_unpaired_packets_is_for_one_link(
    local: LocalPeer, device: RemoteDevice, phone: FakeDevice
) -> None:
    log = EventLog(device.subscribe)
    for _ in range(2):
        for _ in range(MAX_UNPAIRED_PACKETS - 1):
            await phone.send_pair(pair=False)
        await phone.request_pairing()
        await log.wait_for(PairingChanged)
        await phone.cancel_pairing()  # that was one too many
        await phone.wait_for("link_down")
        await call_us(local, phone)
        await phone.wait_for("link_up")


async def test_pairing_in_a_packet_too_many_is_not_asked_for() -> None:
    async with bench() as made:
        link, reader, _ = made.link()
        made.device.attach(link)
        request = b'{"type":"kdeconnect.pair","body":{"pair":true,"timestamp":%d}}\n'
        reader.feed_data(
            b"x\n" * MAX_UNPAIRED_PACKETS + request % int(time.time()),
        )
        await turns()
        assert made.told == [LinkUp()]
        assert not made.device.is_connected


async def test_max_unpaired_links(
    local: LocalPeer, phone: FakeDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One more is refused at its first line, unless it is paired or comes again."""
    monkeypatch.setattr(device_module, "SPARE_TIME", 0)
    peers = EventLog(local.subscribe)
    everybody = [FakeCredentials.generate() for _ in range(MAX_UNPAIRED_LINKS)]
    async with contextlib.AsyncExitStack() as stack:

        async def enter(credentials: FakeCredentials | None = None) -> RawCaller:
            return await stack.enter_async_context(
                RawCaller.open(local.tcp_port, credentials)
            )

        callers = []
        for credentials in everybody:
            callers.append(await enter(credentials))
            await callers[-1].link()
            await peers.wait_for(DeviceAppeared)
        assert len(local.devices) == MAX_UNPAIRED_LINKS
        one_more = await enter()
        one_more.writer.write(one_more.identity())
        assert await one_more.closed() == b""
        assert len(local.devices) == MAX_UNPAIRED_LINKS
        # The one that has a link may have another instead.
        await (await enter(everybody[0])).link()
        await callers[0].closed()
        # A paired device needs no place.
        friend = know_each_other(local, phone)
        await call_us(local, phone)
        assert friend.is_connected
        # Whoever leaves makes room.
        await peers.wait_for(DeviceAppeared)
        callers[1].writer.transport.abort()
        await peers.wait_for(DeviceDisappeared)
        await (await enter(FakeCredentials.generate())).link()
        await peers.wait_for(DeviceAppeared)


async def test_max_unpaired_links_when_two_come_for_one_place(
    local: LocalPeer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Both were let in by their first line."""
    monkeypatch.setattr(local_module, "MAX_UNPAIRED_LINKS", 1)
    peers = EventLog(local.subscribe)
    other = FakeCredentials.generate()
    async with (
        RawCaller.open(local.tcp_port) as one,
        RawCaller.open(local.tcp_port, other) as two,
    ):
        for caller in (one, two):
            caller.writer.write(caller.identity())
            await caller.start_tls()
        one.write(one.identity())
        await peers.wait_for(DeviceAppeared)
        two.write(two.identity())
        await two.closed()
    assert other.device_id not in local.devices
    assert "too many devices that are not paired" in caplog.text


@pytest.mark.usefixtures("eager")
async def test_max_unpaired_links_ends_our_calls_too(
    local: LocalPeer, phone: FakeDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_module, "MAX_UNPAIRED_LINKS", 0)
    device = know_each_other(local, phone)
    log = EventLog(device.subscribe)
    async with Callee.open() as callee:
        send_datagram(announcement(callee.port), udp_port(local))
        phone.announce(LOOPBACK, udp_port(local))
        await log.wait_for(LinkUp)
        assert callee.lines.empty()


# What announcements make us do


async def test_attempt_interval(local: LocalPeer, phone: FakeDevice) -> None:
    """One call per device and per address, and a paired device has its own."""
    async with Callee.open() as callee:
        first = new_id()
        for device_id in (first, first, new_id()):
            send_datagram(
                announcement(callee.port, device_id=device_id), udp_port(local)
            )
        device = know_each_other(local, phone)
        log = EventLog(device.subscribe)
        phone.announce(LOOPBACK, udp_port(local))
        phone.announce(LOOPBACK, udp_port(local))
        await log.wait_for(LinkUp)
        assert (await callee.next())["targetDeviceId"] == first
        assert callee.lines.empty()
    assert phone.events.seen("link_replaced") == 0


@pytest.mark.usefixtures("eager")
async def test_answer_interval(
    local: LocalPeer, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two programs that answer datagrams with datagrams must not go on for ever."""
    await sink.next()
    stranger, marker = new_id(), new_id()
    async with Callee.open() as callee:

        async def called() -> object:
            return (await callee.next())["targetDeviceId"]

        def show(device_id: str) -> None:
            data = announcement(callee.port, device_id=device_id)
            send_datagram(data, udp_port(local))

        show(stranger)
        assert await called() == stranger
        show(stranger)
        show(marker)
        assert await called() == marker
        local._heard_service(FoundService(stranger, LOOPBACK, 1716))
        local._heard_service(FoundService(new_id(), LOOPBACK, 1716))
        await sink.next()
        assert sink.received.empty()
        monkeypatch.setattr(local_module, "ANSWER_INTERVAL", 0)
        show(stranger)
        assert await called() == stranger


async def test_services_are_answered_as_seldom_as_datagrams(
    local: LocalPeer, sink: Sink
) -> None:
    """ATTEMPT_INTERVAL, of mDNS."""
    await sink.next()
    for _ in range(5):
        local._heard_service(FoundService(new_id(), LOOPBACK, 1716))
    await local.announce()
    await sink.next()
    await sink.next()
    await turns()
    assert sink.received.empty()


@pytest.mark.usefixtures("eager")
async def test_renew_interval(
    local: LocalPeer,
    friend: RemoteDevice,
    phone: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A linked device that announces itself may have lost its end of the link."""
    async with Callee.open() as callee:
        phone.announce(LOOPBACK, udp_port(local))
        send_datagram(announcement(callee.port), udp_port(local))
        await callee.next()  # the announcement before was not acted on
        assert not local._calling
        assert not phone.events.seen("link_replaced")
    monkeypatch.setattr(local_module, "RENEW_INTERVAL", 0)
    phone.announce(LOOPBACK, udp_port(local))
    await phone.wait_for("link_replaced")
    assert friend.is_connected


@pytest.mark.usefixtures("eager")
async def test_renew_interval_of_other_addresses(
    local: LocalPeer,
    friend: RemoteDevice,
    phone: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever speaks in its name from elsewhere does not keep the device itself out."""
    monkeypatch.setattr(local, "_renewed", type(local._renewed)())
    hosts: list[str] = []

    async def note(device: RemoteDevice, target: CallTarget) -> None:
        hosts.append(target.host)

    monkeypatch.setattr(local, "_call_or_announce", note)
    data = announcement(1716, device_id=phone.device_id)
    for host in ("10.0.0.1", "10.0.0.2", LOOPBACK, LOOPBACK, "10.0.0.3"):
        local._air._heard_datagram(data, host)
    await turns()
    assert hosts == ["10.0.0.1", LOOPBACK]
    assert friend.is_connected


async def test_unknown_burst(local: LocalPeer, monkeypatch: pytest.MonkeyPatch) -> None:
    """UNKNOWN_BURST: made-up devices, each new, cause so many calls and no more."""
    monkeypatch.setattr(discovery_module, "ATTEMPT_INTERVAL", 0)
    monkeypatch.setattr(discovery_module, "UNKNOWN_PER_SECOND", 0)
    invited: list[object] = []

    async def note(self: LocalPeer, announced: object) -> None:
        invited.append(announced)

    monkeypatch.setattr(LocalPeer, "_invite", note)
    for _ in range(discovery_module.UNKNOWN_BURST + 1):
        local._air._heard_datagram(announcement(1716), LOOPBACK)
    await turns()
    assert len(invited) == discovery_module.UNKNOWN_BURST


# Pairing


@both_protocols
async def test_prompt_interval(
    local: LocalPeer,
    device: RemoteDevice,
    phone: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A device that asks again and again is shown to the user once in a while."""
    peers = EventLog(local.subscribe)
    log = EventLog(device.subscribe)
    for _ in range(3):
        await phone.request_pairing()
        await log.wait_for(PairingChanged)
        await phone.cancel_pairing()
        await log.wait_for(PairingChanged)
    assert peers.all == [PairingRequested(device)]
    monkeypatch.setattr(local_module, "PROMPT_INTERVAL", 0)
    await phone.request_pairing()
    await log.wait_for(PairingChanged)
    assert peers.all == [PairingRequested(device)] * 2


async def test_pairing_timeout(
    device: RemoteDevice, phone: FakeDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pairing_module, "PAIRING_TIMEOUT", 0.02)
    log = EventLog(device.subscribe)
    await phone.request_pairing()
    await log.wait_for(PairingChanged)
    await log.wait_for(PairingChanged)
    assert await phone.wait_packet("pair") == {"pair": False}


@pytest.mark.usefixtures("quick")
async def test_silent_strangers_hold_places_no_longer_than_their_links(
    local: LocalPeer, phone: FakeDevice
) -> None:
    """Nothing is kept of devices that were there and are not paired."""
    peers = EventLog(local.subscribe)
    for misbehave in (Misbehave.NOTHING, Misbehave.WRONG_COMMON_NAME):
        phone.misbehave = misbehave
        await call_us(local, phone)
        await phone.close_link()
        await phone.wait_for("link_down")
    await peers.wait_for(DeviceDisappeared)
    assert not local.devices
    assert not local._reconnectors
