"""Limits on what a paired device may do to us, and one more than that (section 12.1)."""

import asyncio
import contextlib
import time
from typing import override

import pytest

from ..connections import MemoryTransport
from ..virtual_time import run
from .bench import Bench, bench
from .conftest import both_protocols
from .support import PATIENCE, EventLog, at_once, turns
from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    MessageTooLargeError,
)
from custom_components.rumpus.protocols.json_lines import JsonLinesStream
from custom_components.rumpus.protocols.kdeconnect import link as link_module
from custom_components.rumpus.protocols.kdeconnect.const import DeviceType
from custom_components.rumpus.protocols.kdeconnect.device import MAX_TURN, RemoteDevice
from custom_components.rumpus.protocols.kdeconnect.events import MessageReceived
from custom_components.rumpus.protocols.kdeconnect.identity import Identity
from custom_components.rumpus.protocols.kdeconnect.link import (
    MAX_PAIRED_LINE,
    MAX_SENT_LINE,
    MIN_SEND_RATE,
    SEND_TIMEOUT,
    Link,
)
from custom_components.rumpus.protocols.kdeconnect.packet import Packet, encode_packet
from custom_components.rumpus.protocols.kdeconnect.plugins.ping import Ping
from custom_components.rumpus.protocols.stream import MAX_WRITE_BUFFER
from tests.fakes.kdeconnect import FakeDevice


def _line(size: int) -> bytes:
    """Return a packet whose line has so many bytes, its LF not counted."""
    start, end = b'{"type":"kdeconnect.ping","body":{"message":"', b'"}}'
    return start + b"x" * (size - len(start) - len(end)) + end + b"\n"


@both_protocols
async def test_max_paired_line(friend: RemoteDevice, phone: FakeDevice) -> None:
    """A longer line is dropped without being kept, and the link lives."""
    log = EventLog(friend.subscribe)
    await phone.mischief.send_raw(_line(MAX_PAIRED_LINE))
    await log.wait_for(
        MessageReceived,
        lambda event: (
            isinstance(event.message, Ping)
            and event.message.message is not None
            and event.message.message.startswith("xxx")
        ),
    )
    await phone.mischief.send_raw(_line(MAX_PAIRED_LINE + 1))
    await phone.mischief.long_line(3, end=True)
    await phone.ping.send("behind it")
    await log.wait_for(
        MessageReceived, lambda event: event.message == Ping("behind it")
    )
    pings = [event for event in log.seen(MessageReceived) if _is_ping(event)]
    assert len(pings) == 2
    assert friend.is_connected


def _is_ping(event: object) -> bool:
    return isinstance(event, MessageReceived) and isinstance(event.message, Ping)


async def test_line_without_an_end_is_not_kept(
    friend: RemoteDevice, phone: FakeDevice
) -> None:
    await phone.mischief.long_line(4)
    assert friend._link is not None
    await turns(200)
    assert len(friend._link.stream._buffer) <= 2 * MAX_PAIRED_LINE


async def test_half_a_packet_is_none(friend: RemoteDevice, phone: FakeDevice) -> None:
    log = EventLog(friend.subscribe)
    await phone.mischief.half_packet("close")
    await phone.wait_for("link_down")
    assert not [event for event in log.all if _is_ping(event)]


async def test_send_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """A device that takes nothing has gone, whatever its connection says."""
    at_once(monkeypatch, link_module, "SEND_TIMEOUT")
    async with bench(paired=True) as made:
        link, _, transport = made.link()
        made.device.attach(link)
        transport.sizes = [1]
        async with asyncio.timeout(PATIENCE):
            with pytest.raises(DisconnectedError, match="reads too slowly"):
                await made.device.send(Packet("kdeconnect.ping"))
        assert transport.aborted
        assert not made.device.is_connected
        await turns()


async def test_send_timeout_of_a_sleeping_device(
    friend: RemoteDevice, phone: FakeDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With real buffers, which take some megabytes first."""
    monkeypatch.setattr(link_module, "SEND_TIMEOUT", 0.2)
    monkeypatch.setattr(link_module, "MIN_SEND_RATE", 1_000_000_000)
    phone.silence()
    packet = Packet("kdeconnect.ping", {"message": "x" * 2_000_000})
    with pytest.raises(DisconnectedError):
        for _ in range(20):
            await friend.send(packet)
    assert not friend.is_connected


class _SlowTransport(MemoryTransport):
    """Takes so many bytes a second, whether there are any or not."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate
        self._waiting = 0.0
        self._seen = asyncio.get_running_loop().time()

    @override
    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._waiting = self.get_write_buffer_size() + len(data)

    @override
    def get_write_buffer_size(self) -> int:
        now = asyncio.get_running_loop().time()
        self._waiting = max(0.0, self._waiting - self.rate * (now - self._seen))
        self._seen = now
        return round(self._waiting)


def _slow_link(rate: float) -> Link:
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    loop = asyncio.get_running_loop()
    writer = asyncio.StreamWriter(_SlowTransport(rate), protocol, reader, loop)
    identity = Identity("0" * 32, "Phone", DeviceType.PHONE, 8)
    return Link.create(JsonLinesStream(reader, writer), identity, b"", "10.0.0.9", "")


def _ping(size: int) -> Packet:
    return Packet("kdeconnect.ping", {"message": "x" * size})


def test_min_send_rate() -> None:
    """A large packet may take its time, as long as its bytes get through."""

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        link = _slow_link(MIN_SEND_RATE)
        await link.send(_ping(2_800_000))
        assert loop.time() - began == pytest.approx(2_800_000 / MIN_SEND_RATE, rel=0.01)

        began = loop.time()
        slow = _slow_link(MIN_SEND_RATE / 2)
        with pytest.raises(DisconnectedError, match="reads too slowly"):
            await slow.send(_ping(2_800_000))
        assert not slow.is_connected
        allowed = SEND_TIMEOUT + 2_800_000 / MIN_SEND_RATE
        assert loop.time() - began == pytest.approx(allowed, rel=0.01)

    run(scenario())


def test_min_send_rate_of_packets_behind_each_other() -> None:
    """Who sends little waits for the much that is sent with it, before and after."""

    async def scenario() -> None:
        link = _slow_link(MIN_SEND_RATE)
        async with asyncio.TaskGroup() as group:
            group.create_task(link.send(_ping(1_500_000)))
            group.create_task(link.send(_ping(1)))
            await asyncio.sleep(5)
            link.write(_ping(1_500_000))
        assert link.is_connected

    run(scenario())


def test_send_timeout_is_not_put_off_by_more_packets() -> None:
    """Those who send to a device that takes nothing do not keep each other waiting."""

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        link = _slow_link(0)
        first = asyncio.create_task(link.send(_ping(1)))
        began = loop.time()
        while not first.done():
            await asyncio.sleep(1)
            with contextlib.suppress(DisconnectedError):
                link.write(_ping(1))
        assert isinstance(first.exception(), DisconnectedError)
        assert loop.time() - began < SEND_TIMEOUT + 2

    run(scenario())


async def test_max_sent_line(friend: RemoteDevice, phone: FakeDevice) -> None:
    """What is too long for a device is the caller's fault: it does not cost the link."""
    packet = Packet("kdeconnect.ping", {"message": "x" * MAX_SENT_LINE})
    with pytest.raises(MessageTooLargeError):
        await friend.send(packet)
    room = MAX_SENT_LINE - len(encode_packet(Packet(packet.type, {"message": ""})))
    await friend.send(Packet(packet.type, {"message": "x" * room}))
    assert friend.is_connected


async def test_unanswered_outgoing_data_is_bounded() -> None:
    """MAX_WRITE_BUFFER: what nobody waits for does not pile up either."""
    async with bench(paired=True) as made:
        link, _, transport = made.link()
        transport.sizes = [MAX_WRITE_BUFFER]
        made.device.attach(link)  # which asks it how it is
        assert transport.aborted
        assert not made.device.is_connected
        await turns()


async def _ticks(ended: asyncio.Event) -> list[float]:
    """Note when the event loop has its turns."""
    loop, times = asyncio.get_running_loop(), list[float]()
    while not ended.is_set():
        times.append(loop.time())
        await asyncio.sleep(0)
    return times


async def test_max_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood that came in one piece does not starve the loop."""
    count = 300
    async with bench(paired=True) as made:
        link, reader, _ = made.link()
        made.device.attach(link)
        await turns()
        done = asyncio.Event()
        made.device.subscribe(lambda _: _slow(made, count, done))
        ticking = asyncio.create_task(_ticks(done))
        reader.feed_data(b'{"type":"kdeconnect.ping","body":{}}\n' * count)
        async with asyncio.timeout(PATIENCE):
            times = await ticking
        # Each packet takes a quarter of what one turn may: four or five fit in.
        assert len(times) >= count / 6


def _slow(made: Bench, count: int, done: asyncio.Event) -> None:
    """Take some time for a packet."""
    end = time.monotonic() + MAX_TURN / 4
    while time.monotonic() < end:
        pass
    if len(made.told) >= count:
        done.set()


async def test_flood_of_a_paired_device_leaves_the_loop_its_turns(
    friend: RemoteDevice, phone: FakeDevice
) -> None:
    count = 2000
    log = EventLog(friend.subscribe)
    done = asyncio.Event()
    ticking = asyncio.create_task(_ticks(done))
    line = b'{"type":"kdeconnect.ping","body":{"message":"flood"}}\n'
    await phone.mischief.send_raw(line * count)
    await phone.ping.send("last")
    await log.wait_for(MessageReceived, lambda event: event.message == Ping("last"))
    done.set()
    assert len(await ticking) > 20
    assert len([event for event in log.all if _is_ping(event)]) == count + 1
