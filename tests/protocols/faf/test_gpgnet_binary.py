"""What a game says on the player's own computer."""

import asyncio
import math
import struct
from typing import Any
from unittest.mock import AsyncMock

from hypothesis import example, given, strategies as st
import pytest

from ..connections import connection, in_memory
from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    MessageTooLargeError,
    ProtocolError,
)
from custom_components.rumpus.protocols.faf.gpgnet import MAX_ARGS, MAX_COMMAND
from custom_components.rumpus.protocols.faf.gpgnet_binary import (
    MAX_MESSAGE,
    GpgNetMessage,
    GpgNetStream,
    decode,
    encode,
)
from custom_components.rumpus.protocols.faf.text import MalformedMessageError

IDLE = encode(GpgNetMessage("GameState", ("Idle",)))

plain_texts = st.text(st.characters(codec="utf-8", exclude_characters="/"))
messages = st.builds(
    GpgNetMessage,
    plain_texts.filter(lambda text: 0 < len(text.encode()) <= MAX_COMMAND),
    st.lists(st.integers(-(2**31), 2**31 - 1) | plain_texts, max_size=MAX_ARGS).map(
        tuple
    ),
)


def text(data: bytes) -> bytes:
    return struct.pack("<i", len(data)) + data


@given(messages)
def test_reads_what_it_writes(message: GpgNetMessage) -> None:
    data = encode(message)
    assert decode(data) == message
    assert GpgNetStream.decode_message(GpgNetStream.encode_message(message)) == message


@given(st.binary(max_size=60))
@example(text(b"x") + struct.pack("<i", 1) + b"\1" + text(b"\xff"))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        message = decode(data)
    except MalformedMessageError:
        return
    assert isinstance(message, GpgNetMessage)


def test_lengths_are_in_bytes() -> None:
    data = encode(GpgNetMessage("Chat", ("\u00e9\U0001f600",)))
    assert data[12:] == b"\1\x06\0\0\0" + "\u00e9\U0001f600".encode()


def test_other_types_become_numbers() -> None:
    assert decode(encode(GpgNetMessage("X", (True, False, 2.9, -2.9)))).args == (
        *(1, 0),
        *(2, -2),
    )


def test_escapes_and_kinds_of_text() -> None:
    data = text(b"Chat") + struct.pack("<i", 2)
    data += b"\2" + text(b"a/tb/nc/d") + b"\xff" + text(b"x")
    assert decode(data) == GpgNetMessage("Chat", ("a\tb\nc/d", "x"))


@pytest.mark.parametrize(
    "args",
    [(None,), ([],), (2**31,), (-(2**31) - 1,), (math.nan,), (math.inf,), ("\ud800",)],
    ids=repr,
)
def test_cannot_be_sent(args: tuple[Any, ...]) -> None:
    with pytest.raises(ProtocolError) as raised:
        encode(GpgNetMessage("Chat", args))
    assert raised.value.__context__ is None


def test_needs_a_command() -> None:
    with pytest.raises(ProtocolError):
        encode(GpgNetMessage(""))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        IDLE[:-1],
        IDLE + b"\0",
        struct.pack("<i", -1),
        text(b"x") + struct.pack("<i", -1),
        text(b"x") + struct.pack("<i", 1),
        text(b"x") + struct.pack("<i", 1) + b"\1" + struct.pack("<i", -1),
        text(b"\xff") + struct.pack("<i", 0),
    ],
)
def test_malformed(data: bytes) -> None:
    with pytest.raises(MalformedMessageError) as raised:
        decode(data)
    assert raised.value.__context__ is None


# The bounds.


def test_limit_command() -> None:
    longest = GpgNetMessage("x" * MAX_COMMAND)
    assert decode(encode(longest)) == longest
    with pytest.raises(ProtocolError):
        encode(GpgNetMessage("x" * (MAX_COMMAND + 1)))
    with pytest.raises(MalformedMessageError):
        decode(text(b"x" * (MAX_COMMAND + 1)) + struct.pack("<i", 0))


def test_limit_args() -> None:
    most = GpgNetMessage("x", (0,) * MAX_ARGS)
    assert decode(encode(most)) == most
    with pytest.raises(ProtocolError):
        encode(GpgNetMessage("x", (0,) * (MAX_ARGS + 1)))
    with pytest.raises(MalformedMessageError):
        decode(text(b"x") + struct.pack("<i", MAX_ARGS + 1))


def test_limit_message() -> None:
    longest = GpgNetMessage("x", ("a" * (MAX_MESSAGE - 14),))
    assert len(encode(longest)) == MAX_MESSAGE
    with pytest.raises(ProtocolError):
        encode(GpgNetMessage("x", ("a" * (MAX_MESSAGE - 13),)))
    with pytest.raises(MalformedMessageError):
        decode(text(b"x") + struct.pack("<ibi", 1, 1, MAX_MESSAGE + 1))


async def test_limit_message_that_is_read() -> None:
    reader, writer, _ = in_memory()
    stream = GpgNetStream(reader, writer)
    reader.feed_data(text(b"x") + struct.pack("<ibi", 2, 1, MAX_MESSAGE - 20))
    reader.feed_data(b"a" * (MAX_MESSAGE - 20) + b"\1\xff\0\0\0")
    with pytest.raises(MessageTooLargeError):
        await stream.read_message()


# The stream.


async def test_both_sides_over_tcp(socket_enabled: None) -> None:
    async with asyncio.timeout(10), connection(tls=False) as (one, other):
        game, helper = (GpgNetStream(end.reader, end.writer) for end in (one, other))
        said = [
            GpgNetMessage("GameState", ("Idle",)),
            GpgNetMessage("GameOption", ("Slots", 8)),
            GpgNetMessage("GameEnded"),
        ]
        await game.send_messages(said)
        for message in said:
            assert await helper.read_message() == message
        lobby = GpgNetMessage("CreateLobby", (0, 6112, "Rhiza", 3, 1))
        await helper.send_message(lobby)
        assert await game.read_message() == lobby
        await helper.close()
        with pytest.raises(DisconnectedError):
            await game.read_message()
        await game.close()


async def test_messages_in_pieces() -> None:
    reader, writer, _ = in_memory()
    stream = GpgNetStream(reader, writer)
    data = encode(GpgNetMessage("GameOption", ("Slots", 8)))
    for position in range(len(data)):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await stream.read_message()
        reader.feed_data(data[position : position + 1])
    assert await stream.read_message() == GpgNetMessage("GameOption", ("Slots", 8))


async def test_a_long_message_is_not_copied_for_each_argument(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reader, writer, _ = in_memory()
    stream = GpgNetStream(reader, writer)
    peek = AsyncMock(wraps=stream._peek)
    monkeypatch.setattr(stream, "_peek", peek)
    message = GpgNetMessage("x", ("a" * 10_000, *range(MAX_ARGS - 1)))
    reader.feed_data(encode(message))
    assert await stream.read_message() == message
    # The first bytes, and all of them in the end.
    assert peek.await_count == 2


@pytest.mark.parametrize(
    "data",
    [
        struct.pack("<i", -1),
        struct.pack("<i", MAX_COMMAND + 1),
        text(b"x") + struct.pack("<i", -1),
        text(b"x") + struct.pack("<i", MAX_ARGS + 1),
        text(b"x") + struct.pack("<ibi", 1, 1, -1),
        text(b"x") + struct.pack("<ibi", 1, 1, MAX_MESSAGE + 1),
        text(b"x") + struct.pack("<ibi", 1, 1, 1) + b"\xff",
    ],
)
async def test_malformed_messages_are_not_waited_for(data: bytes) -> None:
    reader, writer, _ = in_memory()
    stream = GpgNetStream(reader, writer)
    reader.feed_data(data)
    async with asyncio.timeout(5):
        with pytest.raises(MalformedMessageError):
            await stream.read_message()


async def test_the_end_in_a_message() -> None:
    reader, writer, _ = in_memory()
    stream = GpgNetStream(reader, writer)
    reader.feed_data(IDLE[:-1])
    reader.feed_eof()
    with pytest.raises(DisconnectedError):
        await stream.read_message()
