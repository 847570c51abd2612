"""Limits on what a paired device may do to us, and one more than that (section 12.1)."""

import asyncio
import time

import pytest

from .bench import Bench, bench
from .conftest import both_protocols
from .support import PATIENCE, EventLog, at_once, turns
from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    MessageTooLargeError,
)
from custom_components.rumpus.protocols.kdeconnect import device as device_module
from custom_components.rumpus.protocols.kdeconnect.device import MAX_TURN, RemoteDevice
from custom_components.rumpus.protocols.kdeconnect.events import MessageReceived
from custom_components.rumpus.protocols.kdeconnect.link import (
    MAX_PAIRED_LINE,
    MAX_SENT_LINE,
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
    at_once(monkeypatch, device_module, "SEND_TIMEOUT")
    async with bench(paired=True) as made:
        link, _, transport = made.link()
        made.device.attach(link)
        transport.sizes = [1]
        async with asyncio.timeout(PATIENCE):
            with pytest.raises(DisconnectedError, match="does not read"):
                await made.device.send(Packet("kdeconnect.ping"))
        assert transport.aborted
        assert not made.device.is_connected
        await turns()


async def test_send_timeout_of_a_sleeping_device(
    friend: RemoteDevice, phone: FakeDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With real buffers, which take some megabytes first."""
    monkeypatch.setattr(device_module, "SEND_TIMEOUT", 0.2)
    phone.silence()
    packet = Packet("kdeconnect.ping", {"message": "x" * 2_000_000})
    with pytest.raises(DisconnectedError):
        for _ in range(20):
            await friend.send(packet)
    assert not friend.is_connected


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
