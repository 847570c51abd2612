"""Frames: as recorded, in any pieces, within bounds, and encrypted in order."""

import asyncio
import time

from hypothesis import given, strategies as st
import pytest

from ..connections import in_memory
from custom_components.rumpus.protocols.companion.frames import (
    HEADER_SIZE,
    MAX_PAYLOAD,
    Frame,
    FrameStream,
    header,
)
from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    MessageTooLargeError,
    ProtocolError,
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


async def read_all(
    pieces: list[bytes], cipher: ChannelCipher | None = None
) -> list[Frame]:
    """Return the frames that come out of the pieces."""
    reader, writer, _ = in_memory()
    stream = FrameStream(reader, writer)
    if cipher is not None:
        stream.secure(cipher)

    async def feed() -> None:
        for piece in pieces:
            reader.feed_data(piece)
            await asyncio.sleep(0)
        reader.feed_eof()

    feeding = asyncio.create_task(feed())
    read: list[Frame] = []
    try:
        while True:
            read.append(await stream.read_frame())
    except DisconnectedError:
        return read
    finally:
        await feeding


async def test_the_vectors_are_read() -> None:
    cipher = ChannelCipher(OTHER_KEY, KEY, 12)
    data = bytes.fromhex("".join(ENCRYPTED))
    assert await read_all([data], cipher) == FRAMES


async def test_the_vectors_are_written() -> None:
    reader, writer, transport = in_memory()
    stream = FrameStream(reader, writer)
    stream.secure(ChannelCipher(KEY, OTHER_KEY, 12))
    for frame in FRAMES:
        stream.write_frame(frame.frame_type, frame.payload)
    assert transport.written.hex() == "".join(ENCRYPTED)


async def test_encryption_begins_in_between() -> None:
    """What comes behind the last frame in the clear, in one read, is encrypted."""
    reader, writer, _ = in_memory()
    stream = FrameStream(reader, writer)
    reader.feed_data(FrameStream.encode_message(Frame(6, b"M4")))
    reader.feed_data(bytes.fromhex("".join(ENCRYPTED)))
    assert await stream.read_frame() == Frame(6, b"M4")
    stream.secure(ChannelCipher(OTHER_KEY, KEY, 12))
    assert [await stream.read_frame() for _ in FRAMES] == FRAMES


@given(frames, st.lists(st.integers(0, 5000), max_size=20))
def test_any_frames_in_any_pieces(sent: list[Frame], places: list[int]) -> None:
    data = b"".join(FrameStream.encode_message(frame) for frame in sent)
    assert asyncio.run(read_all(cut(data, places))) == sent


@given(frames, st.lists(st.integers(0, 5000), max_size=20))
def test_any_encrypted_frames_in_any_pieces(
    sent: list[Frame], places: list[int]
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
    assert asyncio.run(read_all(cut(data, places), cipher)) == sent


@given(st.builds(Frame, st.integers(0, 255), st.binary(max_size=500)))
def test_any_frame_is_decoded_as_it_was_encoded(frame: Frame) -> None:
    assert FrameStream.decode_message(FrameStream.encode_message(frame)) == frame


@pytest.mark.parametrize("text", ["", "080000", "0800000100ff", "08000002ff"])
def test_what_is_no_frame(text: str) -> None:
    with pytest.raises(ProtocolError):
        FrameStream.decode_message(bytes.fromhex(text))


@pytest.mark.parametrize("place", [0, 1, 4, 20, -1])
async def test_any_wrong_bit_is_noticed(place: int) -> None:
    data = bytearray.fromhex(ENCRYPTED[0])
    if place == 1:  # its length: then it is short, so another one follows
        data[3] -= 1
    else:
        data[place] ^= 1
    with pytest.raises(DecryptionError):
        await read_all([bytes(data)], ChannelCipher(OTHER_KEY, KEY, 12))


def test_max_payload_written() -> None:
    whole = FrameStream.encode_message(Frame(8, bytes(MAX_PAYLOAD)))
    assert len(whole) == HEADER_SIZE + MAX_PAYLOAD
    with pytest.raises(MessageTooLargeError):
        FrameStream.encode_message(Frame(8, bytes(MAX_PAYLOAD + 1)))


async def test_max_payload_encrypted_counts_the_tag() -> None:
    reader, writer, transport = in_memory()
    stream = FrameStream(reader, writer)
    stream.secure(ChannelCipher(KEY, OTHER_KEY, 12))
    with pytest.raises(MessageTooLargeError):
        stream.write_frame(8, bytes(MAX_PAYLOAD - 15))
    assert not transport.written
    stream.write_frame(8, FIRST)  # still message 0
    assert transport.written.hex() == ENCRYPTED[0]


async def test_max_payload_read() -> None:
    whole = FrameStream.encode_message(Frame(8, bytes(MAX_PAYLOAD)))
    assert await read_all([whole]) == [Frame(8, bytes(MAX_PAYLOAD))]
    with pytest.raises(MessageTooLargeError):
        await read_all([b"\x08" + (MAX_PAYLOAD + 1).to_bytes(3)])


async def test_nothing_is_encrypted_for_a_connection_that_is_gone() -> None:
    reader, writer, _ = in_memory()
    stream = FrameStream(reader, writer)
    stream.secure(ChannelCipher(KEY, OTHER_KEY, 12))
    stream.abort()
    with pytest.raises(DisconnectedError):
        stream.write_frame(8, FIRST)


def test_payloads_are_not_shown() -> None:
    assert "secret" not in repr(Frame(8, b"secret"))


async def test_reading_twice_as_much_takes_twice_as_long() -> None:
    async def best(count: int) -> float:
        data = FrameStream.encode_message(Frame(8, bytes(100))) * count
        times: list[float] = []
        for _ in range(5):
            start = time.process_time()
            assert len(await read_all([data])) == count
            times.append(time.process_time() - start)
        return min(times)

    assert await best(4000) < 10 * await best(1000)
