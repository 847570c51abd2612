"""Frames: as recorded, in any pieces, within bounds, and encrypted in order."""

import asyncio
from collections.abc import Callable, Coroutine
import time
from typing import override

from hypothesis import given, strategies as st
import pytest

from ..connections import MemoryTransport
from custom_components.rumpus.protocols.companion.frames import (
    HEADER_SIZE,
    MAX_PAYLOAD,
    MAX_UNSENT,
    Frame,
    FrameStream,
    header,
)
from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    MessageTooLargeError,
    RumpusError,
)
from custom_components.rumpus.protocols.hap.crypto import ChannelCipher
from custom_components.rumpus.protocols.hap.errors import DecryptionError
from tests.fakes.apple_tv_crypto import ChannelCipher as TheirCipher

KEY = bytes(range(32))
OTHER_KEY = bytes(range(32, 64))

# The vectors of the reference: key 00..1f, messages 0, 1 and 2.
FIRST = bytes.fromhex(
    "e4425f69455f68696443425f740a425f63e2455f6842745309a10e425f7831d204"
)
SECOND = bytes.fromhex(
    "e4425f69455f68696443425f740a425f63e2455f684274530aa10e425f7831d304"
)
ENCRYPTED = [
    (
        "08000031fcfa1d58e8b9ceb877221e3edb490c789b53b6aa89ef2f0fe559f250754d44"
        "8e767cd854871818d4d3f4913f0c7b2dac16"
    ),
    (
        "08000031707d248781bcf443131891ac19359f04425ab58745bbad6e9fe1f91b48d920"
        "1e65decc46292f7128ead48f6c145a00df20"
    ),
    "01000000",
    (
        "080000316ba8bf4107b8405f481b30cd05df6a5cbc0d0c65572739f640a305477ced8e"
        "70fb94377543e1954087efb3ce315e3d7750"
    ),
]
FRAMES = [Frame(8, FIRST), Frame(8, SECOND), Frame(1), Frame(8, FIRST)]

frames = st.lists(
    st.builds(Frame, st.integers(0, 255), st.binary(max_size=200)), max_size=10
)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """Cut bytes into pieces."""
    ends = sorted({place % (len(data) + 1) for place in places} | {len(data)})
    return [data[start:end] for start, end in zip([0, *ends], ends, strict=False)]


class Transport(MemoryTransport):
    """One that can be told to read nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.reads = asyncio.Event()
        self.reads.set()

    @override
    def write(self, data: bytes | bytearray | memoryview) -> None:
        super().write(data)
        self.writes.append(bytes(data))

    @override
    def pause_reading(self) -> None:
        self.reads.clear()

    @override
    def resume_reading(self) -> None:
        self.reads.set()


def connected() -> tuple[FrameStream, Transport]:
    """Return a stream and the transport that it writes to."""
    stream, transport = FrameStream(), Transport()
    stream.connection_made(transport)
    return stream, transport


def plain(frame: Frame) -> bytes:
    """Return a frame in the clear."""
    return header(frame.frame_type, len(frame.payload)) + frame.payload


async def read_all(
    pieces: list[bytes], cipher: ChannelCipher | None = None
) -> list[Frame]:
    """Return the frames that come out of the pieces, one by one."""
    stream, _ = connected()
    if cipher is not None:
        stream.secure(cipher)

    async def feed() -> None:
        for piece in pieces:
            stream.data_received(piece)
            await asyncio.sleep(0)
        stream.connection_lost(None)

    feeding = asyncio.create_task(feed())
    read: list[Frame] = []
    try:
        while True:
            read.append(await stream.read_frame())
    except DisconnectedError:
        return read
    finally:
        await feeding


async def take_all(
    pieces: list[bytes], cipher: ChannelCipher | None = None
) -> list[Frame]:
    """Return the frames that are handed over, and raise what they end with."""
    stream, transport = connected()
    if cipher is not None:
        stream.secure(cipher)
    taken: list[Frame] = []
    errors: list[RumpusError] = []
    stream.start(taken.append, errors.append)
    for piece in pieces:
        await transport.reads.wait()
        stream.data_received(piece)
    await transport.reads.wait()
    stream.connection_lost(None)
    (error,) = errors
    if not isinstance(error, DisconnectedError):
        assert transport.aborted
        raise error
    return taken


type Reading = Callable[
    [list[bytes], ChannelCipher | None], Coroutine[None, None, list[Frame]]
]
BOTH = pytest.mark.parametrize("read", [read_all, take_all])


@BOTH
async def test_the_vectors_are_read(read: Reading) -> None:
    cipher = ChannelCipher(OTHER_KEY, KEY, 12)
    data = bytes.fromhex("".join(ENCRYPTED))
    assert await read([data], cipher) == FRAMES


async def test_the_vectors_are_written() -> None:
    stream, transport = connected()
    stream.secure(ChannelCipher(KEY, OTHER_KEY, 12))
    for frame in FRAMES:
        stream.write_frame(frame.frame_type, frame.payload)
    assert transport.written.hex() == "".join(ENCRYPTED)


async def test_encryption_begins_in_between() -> None:
    """What comes behind the last frame in the clear, in one read, is encrypted."""
    stream, _ = connected()
    stream.data_received(plain(Frame(6, b"M4")))
    stream.data_received(bytes.fromhex("".join(ENCRYPTED)))
    assert await stream.read_frame() == Frame(6, b"M4")
    stream.secure(ChannelCipher(OTHER_KEY, KEY, 12))
    assert [await stream.read_frame() for _ in FRAMES] == FRAMES


@BOTH
@given(frames, st.lists(st.integers(0, 5000), max_size=20))
def test_any_frames_in_any_pieces(
    read: Reading, sent: list[Frame], places: list[int]
) -> None:
    data = b"".join(plain(frame) for frame in sent)
    assert asyncio.run(read(cut(data, places), None)) == sent


@BOTH
@given(frames, st.lists(st.integers(0, 5000), max_size=20))
def test_any_encrypted_frames_in_any_pieces(
    read: Reading, sent: list[Frame], places: list[int]
) -> None:
    theirs = TheirCipher(KEY, OTHER_KEY, 12)
    data = b""
    for frame in sent:
        if frame.payload:
            start = header(frame.frame_type, len(frame.payload) + 16)
            data += start + theirs.encrypt(frame.payload, start)
        else:
            data += header(frame.frame_type, 0)
    cipher = ChannelCipher(OTHER_KEY, KEY, 12)
    assert asyncio.run(read(cut(data, places), cipher)) == sent


@BOTH
@pytest.mark.parametrize("place", [0, 1, 4, 20, -1])
async def test_any_wrong_bit_is_noticed(read: Reading, place: int) -> None:
    data = bytearray.fromhex(ENCRYPTED[0])
    if place == 1:  # its length: then it is short, so another one follows
        data[3] -= 1
    else:
        data[place] ^= 1
    with pytest.raises(DecryptionError):
        await read([bytes(data)], ChannelCipher(OTHER_KEY, KEY, 12))


def test_max_payload_written() -> None:
    whole = plain(Frame(8, bytes(MAX_PAYLOAD)))
    assert len(whole) == HEADER_SIZE + MAX_PAYLOAD
    with pytest.raises(MessageTooLargeError):
        plain(Frame(8, bytes(MAX_PAYLOAD + 1)))


async def test_max_payload_encrypted_counts_the_tag() -> None:
    stream, transport = connected()
    stream.secure(ChannelCipher(KEY, OTHER_KEY, 12))
    with pytest.raises(MessageTooLargeError):
        stream.write_frame(8, bytes(MAX_PAYLOAD - 15))
    assert not transport.written
    stream.write_frame(8, FIRST)  # still message 0
    assert transport.written.hex() == ENCRYPTED[0]


@BOTH
async def test_max_payload_read(read: Reading) -> None:
    whole = plain(Frame(8, bytes(MAX_PAYLOAD)))
    assert await read([whole], None) == [Frame(8, bytes(MAX_PAYLOAD))]
    with pytest.raises(MessageTooLargeError):
        await read([b"\x08" + (MAX_PAYLOAD + 1).to_bytes(3)], None)


async def test_nothing_is_encrypted_for_a_connection_that_is_gone() -> None:
    stream, _ = connected()
    stream.secure(ChannelCipher(KEY, OTHER_KEY, 12))
    stream.abort()
    with pytest.raises(DisconnectedError):
        stream.write_frame(8, FIRST)


async def test_max_unread() -> None:
    """Who floods us while nobody reads has to wait, and may go on when somebody does."""
    stream, transport = connected()
    data = plain(Frame(8, bytes(MAX_PAYLOAD)))
    stream.data_received(data)
    assert transport.reads.is_set()
    stream.data_received(b"\x01")
    assert not transport.reads.is_set()
    assert len((await stream.read_frame()).payload) == MAX_PAYLOAD
    reading = asyncio.create_task(stream.read_frame())
    await asyncio.sleep(0)
    assert transport.reads.is_set()
    stream.data_received(b"\0\0\0")
    assert await reading == Frame(1)


async def test_max_unsent() -> None:
    stream, transport = connected()
    errors: list[RumpusError] = []
    stream.start(lambda _: None, errors.append)
    transport.sizes = [MAX_UNSENT - 10]
    stream.write_frame(8, b"123456")
    with pytest.raises(DisconnectedError):
        stream.write_frame(8, b"1234567")
    assert transport.written == b"\x08\0\0\x06123456"
    assert transport.aborted
    assert [type(error) for error in errors] == [DisconnectedError]


async def test_several_frames_together() -> None:
    stream, transport = connected()
    with stream.together():
        stream.write_frame(1)
        stream.write_frame(8, b"two")
        assert not transport.writes
    assert len(transport.writes) == 1
    assert transport.written == b"\x01\0\0\0\x08\0\0\x03two"
    with stream.together():
        pass
    assert len(transport.writes) == 1
    with stream.together():
        stream.write_frame(8, b"lost")
        stream.abort()
    assert len(transport.writes) == 1


async def test_nothing_is_handed_over_after_the_end() -> None:
    stream, _ = connected()
    taken: list[Frame] = []
    errors: list[RumpusError] = []

    def take(frame: Frame) -> None:
        taken.append(frame)
        stream.abort()

    stream.start(take, errors.append)
    stream.data_received(b"\x01\0\0\0" * 2)
    stream.data_received(b"\x01\0\0\0")
    stream.connection_lost(None)
    assert taken == [Frame(1)]
    assert not errors


async def test_whoever_ends_it_is_not_told() -> None:
    stream, _ = connected()
    errors: list[RumpusError] = []

    def take(frame: Frame) -> None:
        stream.abort()
        raise DisconnectedError(str(frame))

    stream.start(take, errors.append)
    stream.data_received(b"\x01\0\0\0")
    assert not errors


async def test_a_connection_that_is_given_up_while_it_is_made() -> None:
    stream, transport = FrameStream(), Transport()
    await stream.close()
    stream.abort()
    stream.connection_made(transport)
    assert transport.aborted
    assert not stream.is_connected()


async def test_what_came_before_the_start_is_handed_over() -> None:
    stream, _ = connected()
    taken: list[Frame] = []
    errors: list[RumpusError] = []
    stream.data_received(b"\x01\0\0\0" * 2)
    stream.connection_lost(OSError("gone"))
    stream.start(taken.append, errors.append)
    assert taken == [Frame(1)] * 2
    (error,) = errors
    assert isinstance(error.__cause__, OSError)


async def test_a_taker_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    stream, transport = connected()
    errors: list[RumpusError] = []

    def fail(frame: Frame) -> None:
        raise ValueError(frame.frame_type)

    stream.start(fail, errors.append)
    stream.data_received(b"\x01\0\0\0" * 2)
    assert "has failed" in caplog.text
    assert transport.aborted
    assert len(errors) == 1


def test_payloads_are_not_shown() -> None:
    assert "secret" not in repr(Frame(8, b"secret"))


@BOTH
async def test_reading_twice_as_much_takes_twice_as_long(read: Reading) -> None:
    async def best(count: int) -> float:
        data = plain(Frame(8, bytes(100))) * count
        times: list[float] = []
        for _ in range(5):
            start = time.process_time()
            assert len(await read([data], None)) == count
            times.append(time.process_time() - start)
        return min(times)

    assert await best(4000) < 10 * await best(1000)
