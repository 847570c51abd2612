"""The stream below all protocols: over real TCP and TLS, with peers that misbehave."""

import asyncio
import ssl
import struct
from typing import override

import pytest

from .connections import End, connection, in_memory
from .virtual_time import run
from custom_components.rumpus.protocols import stream as stream_module
from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    MessageTooLargeError,
    ProtocolError,
)
from custom_components.rumpus.protocols.stream import (
    MAX_WRITE_BUFFER,
    READ_CHUNK,
    READS_PER_TURN,
    STALL_TIMEOUT,
    MessageStream,
)

both_kinds = pytest.mark.parametrize("tls", [False, True], ids=["tcp", "tls"])
real_sockets = pytest.mark.usefixtures("socket_enabled")

# More than all kernel buffers and high-water marks together.
BIG = b"x" * 1_000_000


class Frames(MessageStream[bytes]):
    """Frames that begin with their length, as several of the protocols have them."""

    @staticmethod
    @override
    def encode_message(message: bytes) -> bytes:
        if message == b"forbidden":
            raise ProtocolError("forbidden")
        return struct.pack("!I", len(message)) + message

    @staticmethod
    @override
    def decode_message(data: bytes) -> bytes:
        return data[4:]

    @override
    async def read_message(self) -> bytes:
        (length,) = struct.unpack("!I", await self._peek(4))
        return self.decode_message(await self._read_exactly(4 + length))

    async def read_line(self) -> bytes:
        return await self._read_line()


def frames(end: End, **limits: int) -> Frames:
    return Frames(end.reader, end.writer, **limits)


async def turns(count: int = 50) -> None:
    """Let everything else run that can run."""
    for _ in range(count):
        await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Close quickly: most peers of these tests never agree to it."""
    monkeypatch.setattr(stream_module, "CLOSE_TIMEOUT", 0.05)


# Messages, both ways.


@both_kinds
@real_sockets
async def test_messages_arrive_in_order(tls: bool) -> None:
    async with asyncio.timeout(10), connection(tls=tls) as (one, other):
        ours, theirs = frames(one), frames(other)
        await ours.send_message(b"first")
        await ours.send_messages([b"second", b"", b"third"])
        await ours.send_raw(Frames.encode_message(b"raw"))
        ours.write_message(b"not waited for")
        ours.write_messages(iter([b"nor", b"these"]))
        assert ours.is_connected()
        received = [await theirs.read_message() for _ in range(8)]
        assert received == [
            *(b"first", b"second", b"", b"third", b"raw"),
            *(b"not waited for", b"nor", b"these"),
        ]
        await theirs.send_message(b"answer")
        assert await ours.read_message() == b"answer"


@both_kinds
@real_sockets
async def test_messages_of_many_tasks_never_mix(tls: bool) -> None:
    messages = [bytes([65 + number]) * (20_000 + number) for number in range(20)]
    async with asyncio.timeout(20), connection(tls=tls) as (one, other):
        ours, theirs = frames(one), frames(other)
        senders = [
            asyncio.create_task(ours.send_message(message)) for message in messages
        ]
        received = [await theirs.read_message() for _ in messages]
        await asyncio.gather(*senders)
        assert sorted(received) == messages


async def test_a_message_that_cannot_be_encoded_keeps_the_others_unsent() -> None:
    reader, writer, transport = in_memory()
    stream = Frames(reader, writer)
    with pytest.raises(ProtocolError):
        await stream.send_messages([b"fine", b"forbidden"])
    assert not transport.written
    assert stream.is_connected()


# Waiting for the peer.


@both_kinds
@real_sockets
async def test_drain_waits_until_everything_has_left(tls: bool) -> None:
    async with asyncio.timeout(20), connection(tls=tls) as (one, other):
        other.tcp.pause_reading()
        ours, theirs = frames(one), frames(other)
        sender = asyncio.create_task(ours.send_message(BIG))
        await turns()
        assert not sender.done()
        assert one.unsent() > 0
        other.tcp.resume_reading()
        assert await theirs.read_message() == BIG
        await sender
        assert one.unsent() == 0


@both_kinds
@real_sockets
async def test_a_canceled_sender_leaves_a_whole_message_and_a_usable_stream(
    tls: bool,
) -> None:
    async with asyncio.timeout(20), connection(tls=tls) as (one, other):
        other.tcp.pause_reading()
        ours, theirs = frames(one), frames(other)
        first = asyncio.create_task(ours.send_message(BIG))
        second = asyncio.create_task(ours.send_message(b"second"))
        await turns()
        first.cancel()
        await turns()
        assert first.cancelled()
        assert not second.done()
        other.tcp.resume_reading()
        assert await theirs.read_message() == BIG
        assert await theirs.read_message() == b"second"
        await second
        await ours.send_message(b"third")
        assert await theirs.read_message() == b"third"


@both_kinds
@real_sockets
async def test_max_write_buffer_drops_a_peer_that_does_not_read(tls: bool) -> None:
    most = 0
    limit = 200_000
    async with asyncio.timeout(20), connection(tls=tls) as (one, other):
        other.tcp.pause_reading()
        ours = frames(one, max_write_buffer=limit)
        with pytest.raises(DisconnectedError, match="takes less"):
            while True:
                ours.write_message(b"x" * 1000)
                most = max(most, one.unsent())
                await asyncio.sleep(0)
        # What TLS adds to the last message comes on top.
        assert limit - 2000 < most < limit + 1000
        assert not ours.is_connected()
        for write in (ours.send_message, ours.send_raw):
            with pytest.raises(DisconnectedError):
                await write(b"late")
        with pytest.raises(DisconnectedError):
            await ours.drain()
        other.tcp.resume_reading()
        # The peer gets a part of it and then the end, in one of two ways.
        theirs = frames(other, max_message=2 * limit)
        with pytest.raises(DisconnectedError):
            while True:
                await theirs.read_message()


async def test_max_write_buffer_is_what_may_wait_and_not_a_byte_more() -> None:
    reader, writer, transport = in_memory()
    stream = Frames(reader, writer)
    transport.sizes = [5]
    stream.write_raw(b"x" * (MAX_WRITE_BUFFER - 5))
    assert len(transport.written) == MAX_WRITE_BUFFER - 5
    with pytest.raises(DisconnectedError):
        stream.write_raw(b"x" * (MAX_WRITE_BUFFER - 4))
    assert len(transport.written) == MAX_WRITE_BUFFER - 5
    assert transport.aborted


def test_stall_timeout_drops_a_peer_that_stops_reading_but_no_slow_one() -> None:
    async def scenario() -> tuple[float, bool]:
        loop = asyncio.get_running_loop()
        reader, writer, transport = in_memory()
        stream = Frames(reader, writer)
        # One byte less about every 25 seconds, for five minutes; then no more.
        transport.sizes = [size for size in range(20, 8, -1) for _ in range(500)]
        slow_until = loop.time() + len(transport.sizes) * 0.05
        with pytest.raises(DisconnectedError, match="stopped reading"):
            await stream.drain()
        return loop.time() - slow_until, transport.aborted

    late, aborted = run(scenario())
    assert aborted
    # The last byte left 25 seconds before the end of the slow part.
    assert STALL_TIMEOUT - 26 < late < STALL_TIMEOUT - 24


def test_only_one_of_many_senders_watches_the_buffer() -> None:
    async def scenario() -> None:
        reader, writer, transport = in_memory()
        stream = Frames(reader, writer)
        transport.sizes = [4, 3, 2, 1, 0]
        senders = [asyncio.create_task(stream.drain()) for _ in range(10)]
        await turns()
        assert transport.sizes == [3, 2, 1, 0]
        await asyncio.gather(*senders)

    run(scenario())


@both_kinds
@real_sockets
async def test_a_sender_learns_that_the_connection_breaks(tls: bool) -> None:
    async with asyncio.timeout(20), connection(tls=tls) as (one, other):
        other.tcp.pause_reading()
        ours = frames(one)
        senders = [asyncio.create_task(ours.send_message(BIG)) for _ in range(2)]
        await turns()
        other.reset()
        results = await asyncio.gather(*senders, return_exceptions=True)
        assert [type(result) for result in results] == [DisconnectedError] * 2
        assert not ours.is_connected()


async def test_a_busy_sender_lets_others_run() -> None:
    reader, writer, _ = in_memory()
    stream = Frames(reader, writer)
    other = asyncio.create_task(turns(10))
    for _ in range(20):
        await stream.send_message(b"x")
    assert other.done()


# The end.


@both_kinds
@real_sockets
async def test_close_sends_what_was_written(tls: bool) -> None:
    async with asyncio.timeout(20), connection(tls=tls) as (one, other):
        ours, theirs = frames(one), frames(other)
        ours.write_message(b"goodbye")
        closing = asyncio.create_task(ours.close())
        assert await theirs.read_message() == b"goodbye"
        with pytest.raises(DisconnectedError):
            await theirs.read_message()
        await theirs.close()
        await closing
        with pytest.raises(DisconnectedError):
            ours.write_message(b"late")
        assert not ours.is_connected()
        assert not theirs.is_connected()


@both_kinds
@real_sockets
async def test_close_timeout_bounds_the_wait_for_a_silent_peer(tls: bool) -> None:
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(20), connection(tls=tls) as (one, other):
        # Neither takes the data nor answers the end of the TLS session.
        other.tcp.pause_reading()
        ours = frames(one)
        ours.write_raw(BIG)
        started = loop.time()
        await ours.close()
        assert 0.04 < loop.time() - started < 5
        assert one.tcp.is_closing()
        assert one.unsent() == 0


@both_kinds
@real_sockets
async def test_close_never_raises(tls: bool) -> None:
    async with asyncio.timeout(20), connection(tls=tls) as (one, other):
        ours = frames(one)
        other.reset()
        with pytest.raises(DisconnectedError):
            await ours.read_message()
        await asyncio.gather(ours.close(), ours.close())
        await ours.close()
        ours.abort()
        await ours.close()


@both_kinds
@real_sockets
async def test_a_canceled_close_still_ends_the_connection(
    tls: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_module, "CLOSE_TIMEOUT", 60)
    async with asyncio.timeout(20), connection(tls=tls) as (one, other):
        other.tcp.pause_reading()
        ours = frames(one)
        ours.write_raw(BIG)
        first = asyncio.create_task(ours.close())
        second = asyncio.create_task(ours.close())
        await turns()
        first.cancel()
        await second
        assert first.cancelled()
        assert one.tcp.is_closing()


@both_kinds
@real_sockets
async def test_abort_ends_a_read_that_waits(tls: bool) -> None:
    async with asyncio.timeout(20), connection(tls=tls) as (one, _):
        ours = frames(one)
        reading = asyncio.create_task(ours.read_message())
        await turns()
        ours.abort()
        with pytest.raises(DisconnectedError):
            await reading
        assert not ours.is_connected()


async def test_what_came_before_our_end_is_not_read_after_it() -> None:
    reader, writer, _ = in_memory()
    stream = Frames(reader, writer)
    reader.feed_data(Frames.encode_message(b"one") + Frames.encode_message(b"two\n"))
    assert await stream.read_message() == b"one"
    stream.abort()
    with pytest.raises(DisconnectedError):
        await stream.read_message()
    with pytest.raises(DisconnectedError):
        await stream.read_line()


@both_kinds
@real_sockets
async def test_what_came_before_the_peers_end_is_read(tls: bool) -> None:
    async with asyncio.timeout(20), connection(tls=tls) as (one, other):
        ours, theirs = frames(one), frames(other)
        theirs.write_messages([b"one", b"two"])
        theirs.write_raw(b"\0\0\0\7half a")
        closing = asyncio.create_task(theirs.close())
        assert await ours.read_message() == b"one"
        assert await ours.read_message() == b"two"
        for _ in range(2):  # in the middle of a message, and from then on
            with pytest.raises(DisconnectedError):
                await ours.read_message()
        assert not ours.is_connected()
        await closing


@both_kinds
@real_sockets
async def test_a_reset_while_reading(tls: bool) -> None:
    async with asyncio.timeout(20), connection(tls=tls) as (one, other):
        ours = frames(one)
        reading = asyncio.create_task(ours.read_message())
        await turns()
        other.reset()
        with pytest.raises(DisconnectedError):
            await reading


@real_sockets
async def test_bytes_that_are_no_tls() -> None:
    async with asyncio.timeout(20), connection(tls=True) as (one, other):
        ours = frames(one)
        other.tcp.write(b"this is no TLS record at all")
        with pytest.raises(DisconnectedError) as caught:
            await ours.read_message()
        assert isinstance(caught.value.__cause__, ssl.SSLError)


async def test_a_timeout_of_the_system_is_a_lost_connection() -> None:
    reader, writer, _ = in_memory()
    reader.set_exception(TimeoutError(110, "Connection timed out"))
    stream = Frames(reader, writer)
    with pytest.raises(DisconnectedError, match="Connection lost"):
        await stream.read_message()
    assert not stream.is_connected()


# Reading.


async def test_max_message_bounds_what_is_read_at_once() -> None:
    reader, writer, _ = in_memory()
    stream = Frames(reader, writer, max_message=1000)
    reader.feed_data(
        Frames.encode_message(b"x" * 996) + Frames.encode_message(b"y" * 997)
    )
    assert await stream.read_message() == b"x" * 996
    with pytest.raises(MessageTooLargeError, match="1000"):
        await stream.read_message()
    stream.max_message = 1001
    assert await stream.read_message() == b"y" * 997


async def test_a_huge_length_reserves_nothing() -> None:
    reader, writer, _ = in_memory()
    reader.feed_data(b"\xff\xff\xff\xff")
    with pytest.raises(MessageTooLargeError):
        await Frames(reader, writer).read_message()


async def test_a_canceled_read_loses_nothing() -> None:
    reader, writer, _ = in_memory()
    stream = Frames(reader, writer)
    data = Frames.encode_message(b"message")
    for byte in data[:-1]:
        reader.feed_data(bytes([byte]))
        reading = asyncio.create_task(stream.read_message())
        await turns(10)
        reading.cancel()
        await turns(2)
        assert reading.cancelled()
    reader.feed_data(data[-1:])
    assert await stream.read_message() == b"message"


@real_sockets
async def test_long_messages_are_read_whatever_the_limit_of_the_reader() -> None:
    async with asyncio.timeout(20), connection(tls=False) as (one, other):
        ours, theirs = frames(one), frames(other)
        sender = asyncio.create_task(ours.send_messages([BIG, b"more"]))
        assert await theirs.read_message() == BIG
        assert await theirs.read_message() == b"more"
        await sender


async def test_reads_per_turn_bounds_what_a_flood_of_messages_holds_up() -> None:
    reader, writer, _ = in_memory()
    stream = Frames(reader, writer)
    reader.feed_data(bytes(4 * 1000))
    other = asyncio.create_task(turns(1000 // READS_PER_TURN))
    for _ in range(1000):
        assert await stream.read_message() == b""
    assert other.done()


async def test_read_chunk_bounds_what_a_long_message_holds_up() -> None:
    reader, writer, _ = in_memory()
    stream = Frames(reader, writer)
    reader.feed_data(Frames.encode_message(BIG))
    other = asyncio.create_task(turns(len(BIG) // READ_CHUNK))
    assert await stream.read_message() == BIG
    assert other.done()
