"""Tests of the data channel's frames."""

from collections.abc import Callable
import contextlib
import plistlib
import struct
import time

from hypothesis import example, given, strategies as st
import pytest

from . import vectors
from custom_components.rumpus.protocols import plists, varint
from custom_components.rumpus.protocols.airplay import data_frames
from custom_components.rumpus.protocols.airplay.data_frames import (
    DataFrame,
    FrameKind,
    FrameParser,
    decode_messages,
    encode_frame,
    encode_message,
    split_messages,
)
from custom_components.rumpus.protocols.errors import (
    MessageTooLargeError,
    ProtocolError,
)
from custom_components.rumpus.protocols.hap.crypto import ChannelCipher
from custom_components.rumpus.protocols.hap.frames import HapFrames

DATA = vectors.DATA


def test_golden() -> None:
    frame = DataFrame(FrameKind.SYNC, "comm", vectors.SEQUENCE, DATA["payload"])
    assert encode_message(DATA["message"]) == DATA["payload"]
    assert encode_frame(frame) == DATA["frame"]
    assert FrameParser().feed(DATA["frame"]) == [frame]
    assert decode_messages(DATA["payload"]) == (DATA["message"],)
    cipher = ChannelCipher(bytes(range(32)), bytes(32))
    assert HapFrames(cipher).encode(DATA["frame"]) == DATA["encrypted"]


def test_golden_replies() -> None:
    frames = FrameParser().feed(DATA["short_reply"] + DATA["long_reply"])
    short, long = frames
    assert short == DataFrame(FrameKind.REPLY, "", vectors.SEQUENCE)
    assert encode_frame(short) == DATA["short_reply"]
    assert (long.kind, long.command, long.sequence) == ("rply", "", vectors.SEQUENCE)
    assert plists.loads(bytes(long.payload)) == {}
    assert decode_messages(long.payload) == decode_messages(short.payload) == ()


def test_golden_recorded() -> None:
    (frame,) = FrameParser().feed(DATA["recorded"])
    assert (frame.kind, frame.command) == ("sync", "comm")
    (message,) = decode_messages(frame.payload)
    assert len(message) == 0x3A
    assert message.startswith(b"\x08\x10")


@given(
    st.lists(
        st.builds(
            DataFrame,
            st.sampled_from(["sync", "rply", "news"]),
            st.sampled_from(["comm", "cmnd", ""]),
            st.integers(0, 2**64 - 1),
            st.binary(max_size=200),
        ),
        max_size=5,
    ),
    st.integers(1, 60),
)
def test_any_split(frames: list[DataFrame], size: int) -> None:
    data = b"".join(map(encode_frame, frames))
    parser = FrameParser()
    found: list[DataFrame] = []
    for place in range(0, len(data), size):
        found += parser.feed(data[place : place + size])
    assert found == frames


def _header(size: int) -> bytes:
    return struct.pack(">I12s4sQ4x", size, b"sync", b"cmnd", 1)


@pytest.mark.parametrize("size", [0, 1, 31])
def test_a_frame_shorter_than_its_header(size: int) -> None:
    with pytest.raises(ProtocolError):
        FrameParser().feed(_header(size))


def test_max_frame() -> None:
    payload = bytes(data_frames.MAX_FRAME - 32)
    frame = DataFrame("sync", "cmnd", 1, payload)
    assert FrameParser().feed(encode_frame(frame)) == [frame]
    assert FrameParser().feed(_header(data_frames.MAX_FRAME)) == []
    with pytest.raises(MessageTooLargeError):
        FrameParser().feed(_header(data_frames.MAX_FRAME + 1))
    with pytest.raises(MessageTooLargeError):
        encode_frame(DataFrame("sync", "comm", 1, payload + b"x"))


@pytest.mark.parametrize("size", [1, 300, 100_000, 1_000_000])
def test_long_and_short_frames_by_turns(size: int) -> None:
    """A long one is given away as it came, and what follows it is still there."""
    frames = [
        DataFrame("sync", "cmnd", number, bytes([number]) * length)
        for number, length in enumerate((70_000, 3, 0, 65_504, 65_503, 200_000, 5))
    ]
    more = encode_frame(frames[0])
    data = b"".join(map(encode_frame, frames)) + more[:2]
    parser = FrameParser()
    found = []
    for place in range(0, len(data), size):
        found += parser.feed(data[place : place + size])
    assert found == frames
    # Nothing that comes later touches what was given away.
    assert parser.feed(more[2:]) == [frames[0]]
    assert found == frames


@pytest.mark.parametrize("size", [65_536, 100_000, 1_000_000])
def test_long_frames_keep_little_alive(size: int) -> None:
    """Many of them at once hold no more than twice of what they are."""
    payload = bytes(size - 32)
    frames = FrameParser().feed(encode_frame(DataFrame("sync", "", 1, payload)) * 20)
    assert [frame.payload for frame in frames] == [payload] * 20
    for frame in frames:
        kept = frame.payload
        alive = kept.obj if isinstance(kept, memoryview) else kept
        assert memoryview(alive).nbytes <= 2 * size


def test_time_is_linear() -> None:
    def seconds(size: int) -> float:
        parser = FrameParser()
        data = encode_frame(DataFrame("sync", "cmnd", 1, bytes(size)))
        start = time.thread_time()
        for place in range(0, len(data), 1024):
            parser.feed(data[place : place + 1024])
        return time.thread_time() - start

    small = min(seconds(1 << 20) for _ in range(3))
    assert min(seconds(8 << 20) for _ in range(2)) < 30 * small


# Messages inside of frames.

ONE, TWO = b"\x08\x01" + b"one" * 3, b"\x08\x02" + b"two" * 50


def test_several_messages() -> None:
    data = b"".join(varint.encode(len(message)) + message for message in (ONE, TWO))
    assert split_messages(data) == (ONE, TWO)


def test_a_message_without_length() -> None:
    assert split_messages(TWO) == (TWO,)
    assert split_messages(varint.encode(len(ONE)) + ONE + TWO) == (ONE, TWO)


@given(st.lists(st.binary(min_size=1, max_size=300).filter(lambda m: len(m) != 8)))
def test_messages_round_trip(messages: list[bytes]) -> None:
    data = b"".join(varint.encode(len(message)) + message for message in messages)
    assert split_messages(data) == tuple(messages)
    for message in messages:
        assert decode_messages(encode_message(message)) == (message,)


@pytest.mark.parametrize(
    "size",
    # One of eight bytes would be taken for the beginning of a message without length.
    [
        *range(1, 8),
        *range(9, 20),
        *range(195, 260),
        300,
        65_000,
        65_498,
        65_536,
        70_000,
    ],
)
def test_lists_are_what_everybody_writes(size: int) -> None:
    message = b"\x0a" * size
    data = varint.encode(size) + message
    payload = encode_message(message)
    assert payload == plistlib.dumps(
        {"params": {"data": data}}, fmt=plistlib.FMT_BINARY
    )
    assert decode_messages(payload) == (message,)


def outcome(read: Callable[[], object]) -> object:
    """Return what some reading gives, or how it fails."""
    try:
        return read()
    except ProtocolError as err:
        return type(err)


def read_slowly(payload: bytes) -> tuple[bytes, ...]:
    """Read the messages of any property list."""
    body = plists.loads_dict(payload)
    params = plists.get_dict(body, "params") or {}
    return split_messages(plists.get_bytes(params, "data") or b"")


@given(
    st.sampled_from([1, 13, 14, 40, 300, 66_000]),
    st.lists(st.tuples(st.integers(-60, 40), st.integers(0, 255)), max_size=3),
    st.integers(0, 3),
)
@example(40, [(27, 0x13)], 0)  # eight bytes for the length
@example(40, [(26, 0x3F)], 0)  # no data
@example(40, [(-1, 0x46)], 0)  # another place of the table
def test_lists_that_are_nearly_the_same(
    size: int, changes: list[tuple[int, int]], cut: int
) -> None:
    payload = bytearray(encode_message(b"\x0a" * size))
    for place, value in changes:
        payload[place] = value
    del payload[len(payload) - cut :]
    data = bytes(payload)
    assert outcome(lambda: decode_messages(data)) == outcome(lambda: read_slowly(data))


@given(st.binary(max_size=100))
def test_any_bytes(data: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        split_messages(data)
    with contextlib.suppress(ProtocolError):
        decode_messages(data)
    with contextlib.suppress(ProtocolError):
        FrameParser().feed(data)


@pytest.mark.parametrize(
    "data", [b"\x05abc", b"\x80", b"\x80" * 11, b"\xff" * 9 + b"\x01"]
)
def test_a_message_that_is_cut_off(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        split_messages(data)


def test_empty_messages_are_none() -> None:
    assert split_messages(b"\0\0" + varint.encode(len(ONE)) + ONE + b"\0") == (ONE,)


def test_max_messages() -> None:
    assert len(split_messages(b"\x01x" * data_frames.MAX_MESSAGES)) == 4096
    with pytest.raises(MessageTooLargeError):
        split_messages(b"\x01x" * (data_frames.MAX_MESSAGES + 1))
    with pytest.raises(MessageTooLargeError):
        split_messages(bytes(data_frames.MAX_MESSAGES + 1))


@pytest.mark.parametrize(
    "payload",
    [
        plistlib.dumps({"params": {"data": ONE}}),
        plistlib.dumps({"params": {"data": ONE}}, fmt=plistlib.FMT_BINARY),
    ],
)
def test_both_forms_of_property_lists(payload: bytes) -> None:
    assert decode_messages(payload) == (ONE,)


@pytest.mark.parametrize(
    "value",
    [{}, {"params": 1}, {"params": {}}, {"params": {"data": "text"}}, {"other": 1}],
)
def test_payloads_of_something_else(value: dict[str, object]) -> None:
    payload = plistlib.dumps(value, fmt=plistlib.FMT_BINARY)
    assert decode_messages(payload) == ()


@pytest.mark.parametrize("size", [16, plists.MAX_XML, data_frames.MAX_FRAME - 32])
def test_a_payload_that_is_none(size: int) -> None:
    frame = encode_frame(DataFrame("sync", "cmnd", 1, b"no list".ljust(size)))
    (found,) = FrameParser().feed(frame)
    with pytest.raises(ProtocolError):
        decode_messages(found.payload)


def test_a_long_message() -> None:
    """In the form that everybody writes, and in another one."""
    message = b"\x08" + bytes(1_000_000)
    forms = encode_message(message), plists.dumps({"params": {"data": message}, "x": 1})
    for payload in forms:
        (frame,) = FrameParser().feed(encode_frame(DataFrame("sync", "", 1, payload)))
        (found,) = decode_messages(frame.payload)
        assert found == message
        assert type(found) is bytes


def test_payloads_are_not_shown() -> None:
    assert "secret" not in repr(DataFrame("sync", "comm", 1, b"secret"))
