"""What a device that says far too much may cause: it is heard bit by bit."""

import asyncio
from collections.abc import AsyncIterator
import contextlib
import logging

import pytest

from .scripted import PATIENCE, Ends, Peer, serve
from .test_connection import arrived
from custom_components.rumpus.protocols import plists, portions, varint
from custom_components.rumpus.protocols.airplay.connection import (
    MAX_STRAYS,
    AirPlayConnection,
)
from custom_components.rumpus.protocols.airplay.data_channel import DataChannel
from custom_components.rumpus.protocols.airplay.data_frames import (
    DataFrame,
    FrameKind,
    encode_frame,
)
from custom_components.rumpus.protocols.airplay.event_channel import EventChannel
from custom_components.rumpus.protocols.errors import ProtocolError, RumpusError
from custom_components.rumpus.protocols.hap.crypto import ChannelCipher
from custom_components.rumpus.protocols.hap.frames import HapFrames

pytestmark = pytest.mark.usefixtures("socket_enabled")

KEY = bytes(32)
COUNT = 200
EVENTS = [
    b"POST /command RTSP/1.0\r\nCSeq: %d\r\nContent-Length: %d\r\n\r\n%s"
    % (number, len(body), body)
    for number in range(COUNT)
    for body in [plists.dumps({"type": str(number), "value": {}})]
]


def frame_of(*messages: bytes) -> bytes:
    data = b"".join(varint.encode(len(message)) + message for message in messages)
    payload = plists.dumps({"params": {"data": data}})
    return encode_frame(DataFrame(FrameKind.SYNC, "cmnd", 1, payload))


MESSAGES = [b"\x10" + bytes([number]) for number in range(COUNT)]
"""Half of them in one frame, and a frame for each of the others."""
FRAMES = [frame_of(*MESSAGES[:100]), *(frame_of(message) for message in MESSAGES[100:])]


class Turns:
    """Counts the turns of the event loop, and notes in which one something came."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, object]] = []
        self.now = 0
        self.enough = asyncio.Event()
        self.wanted = COUNT

    def note(self, what: object) -> None:
        self.seen.append((self.now, what))
        if len(self.seen) == self.wanted:
            self.enough.set()

    async def run(self) -> None:
        while True:
            await self.later(1)

    async def later(self, count: int) -> None:
        for _ in range(count):
            self.now += 1
            await asyncio.sleep(0)

    async def wait(self) -> None:
        async with asyncio.timeout(PATIENCE):
            await self.enough.wait()

    @property
    def numbers(self) -> list[int]:
        return [number for number, _ in self.seen]

    @property
    def things(self) -> list[object]:
        return [thing for _, thing in self.seen]


@pytest.fixture
async def turns(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Turns]:
    """With turns in which there is time for one message only."""
    monkeypatch.setattr(portions, "MAX_TURN", 0.0)
    counter = Turns()
    task = asyncio.create_task(counter.run())
    yield counter
    task.cancel()
    await asyncio.wait({task})


def sealed(*parts: bytes) -> bytes:
    return HapFrames(ChannelCipher(KEY, KEY)).encode(b"".join(parts))


async def test_turn_of_events(turns: Turns) -> None:
    answers: list[bytes] = []

    async def script(peer: Peer) -> None:
        peer.send(sealed(*EVENTS))
        answers.append(await peer.wait_end())

    async with serve(script) as port:
        channel = EventChannel(
            ChannelCipher(KEY, KEY), lambda kind, _: turns.note(kind), Ends()
        )
        await channel.connect("127.0.0.1", port, PATIENCE)
        await turns.wait()
        await channel.close(PATIENCE)
    assert turns.things == [str(number) for number in range(COUNT)]
    assert len(set(turns.numbers)) == COUNT
    plain = HapFrames(ChannelCipher(KEY, KEY)).feed(answers[0])
    assert plain.count(b"RTSP/1.0 200 OK") == COUNT
    assert plain.index(b"CSeq: 7\r") < plain.index(b"CSeq: 8\r")


@contextlib.asynccontextmanager
async def data_channel(
    port: int, turns: Turns
) -> AsyncIterator[tuple[DataChannel, Ends]]:
    ends = Ends()
    channel = DataChannel(ChannelCipher(KEY, KEY), ends)
    await channel.connect("127.0.0.1", port, PATIENCE)
    channel.start(turns.note)
    try:
        yield channel, ends
    finally:
        await channel.close(PATIENCE)


async def test_turn_of_messages(turns: Turns) -> None:
    """All of them are handed over, in their order, before the end of the connection."""

    async def script(peer: Peer) -> None:
        peer.send(sealed(*FRAMES))

    async with serve(script) as port, data_channel(port, turns) as (_, ends):
        await turns.wait()
        assert not ends.reasons
        assert await ends.wait() is None
    assert turns.things == MESSAGES
    assert len(set(turns.numbers)) == COUNT


async def test_nothing_more_is_handed_over_to_who_closes(turns: Turns) -> None:
    async def script(peer: Peer) -> None:
        peer.send(sealed(*FRAMES))
        await peer.wait_end()

    turns.wanted = 5
    async with serve(script) as port, data_channel(port, turns) as (channel, ends):
        await turns.wait()
        channel.abort()
        await channel.close(PATIENCE)
        await turns.later(20)
        assert not ends.reasons
    assert len(turns.seen) <= 6


async def test_nonsense_behind_much(turns: Turns) -> None:
    async def script(peer: Peer) -> None:
        peer.send(sealed(*FRAMES) + b"\x01\x00" + bytes(17))
        await peer.wait_end()

    async with serve(script) as port, data_channel(port, turns) as (_, ends):
        assert isinstance(await ends.wait(), ProtocolError)
    assert turns.things == MESSAGES[: len(turns.seen)]


async def test_a_listener_may_end_the_connection(turns: Turns) -> None:
    async def script(peer: Peer) -> None:
        peer.send(sealed(*FRAMES))
        await peer.wait_end()

    reason = ProtocolError("Test")

    def refuse(message: bytes) -> None:
        turns.note(message)
        raise reason

    async with serve(script) as port, data_channel(port, turns) as (channel, ends):
        channel.start(refuse)
        assert await ends.wait() is reason
    assert turns.things == MESSAGES[:1]


@pytest.mark.parametrize("is_late", [False, True])
async def test_a_listener_that_fails_ends_the_connection(
    is_late: bool, turns: Turns, caplog: pytest.LogCaptureFixture
) -> None:
    async def script(peer: Peer) -> None:
        peer.send(sealed(*FRAMES))
        await peer.wait_end()

    def fail(message: bytes) -> None:
        turns.note(message)
        if not is_late or len(turns.seen) == 5:
            raise ValueError("not my day")

    async with serve(script) as port, data_channel(port, turns) as (channel, ends):
        channel.start(fail)
        error = await ends.wait()
        assert type(error) is RumpusError
    levels = [record.levelno for record in caplog.records]
    assert [level for level in levels if level >= logging.WARNING] == [logging.ERROR]
    assert len(turns.seen) == (5 if is_late else 1)


async def test_a_listener_of_events_that_fails(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def script(peer: Peer) -> None:
        peer.send(sealed(*EVENTS))
        await peer.wait_end()

    def fail(kind: str, value: plists.PlistDict) -> None:
        raise ValueError("not my day")

    async with serve(script) as port:
        channel = EventChannel(ChannelCipher(KEY, KEY), fail, ends := Ends())
        await channel.connect("127.0.0.1", port, PATIENCE)
        assert type(await ends.wait()) is RumpusError
        await channel.close(PATIENCE)
    assert caplog.text.count("ValueError: not my day") == 1


@pytest.mark.parametrize("is_waiting", [True, False])
async def test_max_strays(is_waiting: bool) -> None:
    """What answers nothing is borne with for a while: it is bounded, not forbidden."""
    stray = b"RTSP/1.0 200 OK\r\nCSeq: 77\r\n\r\n"
    told, sent = asyncio.Event(), asyncio.Event()

    async def script(peer: Peer) -> None:
        request = await peer.request()
        peer.send(stray * MAX_STRAYS)
        peer.answer(request)
        request = await peer.request()
        if is_waiting:
            peer.send(stray * (MAX_STRAYS + 1))
        else:
            peer.answer(request)
            await told.wait()
            peer.send(stray * (MAX_STRAYS + 1))
            sent.set()
        await peer.wait_end()

    async with serve(script) as port:
        connection = await AirPlayConnection.connect("127.0.0.1", port)
        await connection.request("GET", "/one")
        if not is_waiting:
            await connection.request("GET", "/two")
            told.set()
            await sent.wait()
            await arrived(connection, len(stray) * (MAX_STRAYS + 1))
        with pytest.raises(ProtocolError, match="nobody"):
            await connection.request("GET", "/three")
        assert not connection.is_connected
        await connection.close()
