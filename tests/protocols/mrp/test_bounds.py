"""How much of a message is decoded (the Apple TV reference, part B, section 3.1)."""

from hypothesis import given, strategies as st
import pytest

from custom_components.rumpus.protocols import varint
from custom_components.rumpus.protocols.errors import (
    MessageTooLargeError,
    ProtocolError,
)
from custom_components.rumpus.protocols.mrp import messages
from custom_components.rumpus.protocols.mrp.bounds import (
    MAX_DEPTH,
    MAX_FIELDS,
    MAX_PLAIN,
    PIECE,
    check_plain,
)
from custom_components.rumpus.protocols.mrp.proto import mrp_pb2 as pb
from tests.protocols.mrp.common import scripted
from tests.protocols.mrp.media_device import item
from tests.protocols.mrp.test_artwork import play

STATE, INFO, QUEUE, ITEMS, GROUPED = 9, 20, 3, 2, 28


def field(number: int, data: bytes) -> bytes:
    """Return one field of a message, in a piece."""
    return varint.encode(number << 3 | 2) + varint.encode(len(data)) + data


def queue(items: bytes) -> bytes:
    """Return a SET_STATE with these items of its queue."""
    return b"\x08\x04" + field(STATE, field(QUEUE, items))


def test_a_large_picture() -> None:
    message = messages.make(pb.MESSAGE_TYPE_SET_STATE)
    picture = item(title="one")
    picture.artwork_data = bytes(8 * MAX_PLAIN)
    message.set_state.playback_queue.content_items.extend([item(), picture])
    assert messages.decode(message.SerializeToString()) == message
    # Of what nobody knows either.
    unknown = message.SerializeToString() + field(9999, bytes(2 * MAX_PLAIN))
    assert messages.decode(unknown).set_state == message.set_state


def test_limit_of_small_parts() -> None:
    one = field(ITEMS, field(1, b"x" * (PIECE // 2)))
    fits = queue(one * (MAX_PLAIN // len(one) - 1))
    check_plain(fits)
    assert messages.decode(fits).type == pb.MESSAGE_TYPE_SET_STATE
    with pytest.raises(MessageTooLargeError):
        messages.decode(queue(one * (MAX_PLAIN // len(one) + 1)))


def test_limit_of_numbers() -> None:
    # A list of numbers is one piece that becomes many.
    commands = field(2, field(1, field(4, bytes(2 * MAX_PLAIN))))
    with pytest.raises(MessageTooLargeError):
        messages.decode(b"\x08\x04" + field(STATE, commands))


def test_limit_of_fields() -> None:
    large = field(9999, bytes(MAX_PLAIN))
    messages.decode(large + b"\x08\x04" * (MAX_FIELDS - 1))
    with pytest.raises(MessageTooLargeError):
        messages.decode(large + b"\x08\x04" * MAX_FIELDS)


def test_limit_of_depth() -> None:
    def nested(depth: int) -> bytes:
        data = field(2, b"x" * 2 * MAX_PLAIN)
        for _ in range(depth - 1):
            data = field(GROUPED, data)
        return field(INFO, data)

    assert messages.decode(nested(MAX_DEPTH)).HasField("device_info")
    with pytest.raises(MessageTooLargeError):
        messages.decode(nested(MAX_DEPTH + 1))


@pytest.mark.parametrize(
    "data",
    [
        bytes(MAX_PLAIN + 1),
        b"\x0b" * (MAX_PLAIN + 1),
        b"\xff" * (MAX_PLAIN + 1),
        field(9999, bytes(MAX_PLAIN)) + b"\x80",
        field(9999, bytes(MAX_PLAIN)) + b"\x09\x01",
        varint.encode(9999 << 3 | 2) + varint.encode(1 << 30) + bytes(MAX_PLAIN),
    ],
)
def test_what_is_no_message(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        messages.decode(data)


@given(st.binary(max_size=200))
def test_noise_is_refused_or_counted(noise: bytes) -> None:
    try:
        check_plain(noise)
    except ProtocolError:
        return
    assert len(noise) <= MAX_PLAIN


async def test_the_session_survives() -> None:
    async with scripted() as (client, transport, _):
        transport.push_bytes(queue(field(ITEMS, b"") * MAX_PLAIN))
        play(transport, title="one")
        assert client.playing.title == "one"
