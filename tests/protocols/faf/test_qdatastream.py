"""Strings of Qt in blocks."""

import asyncio
import contextlib
import struct
from typing import Any, cast

from hypothesis import given, strategies as st
import pytest

from ..connections import connection, in_memory
from .test_simple_json import messages
from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    MessageTooLargeError,
    ProtocolError,
)
from custom_components.rumpus.protocols.faf import QDataStreamProtocol
from custom_components.rumpus.protocols.faf.connection import Connection
from custom_components.rumpus.protocols.faf.protocol import (
    IncompleteMessageError,
    OversizedMessageError,
)
from custom_components.rumpus.protocols.faf.qdatastream import (
    MAX_BLOCK,
    MAX_PARTS,
    MAX_PARTS_SIZE,
    UnpackableError,
)
from custom_components.rumpus.protocols.faf.text import MalformedMessageError

pack = QDataStreamProtocol.pack_qstring
decode = QDataStreamProtocol.decode_message


def fed(data: bytes, **limits: int) -> QDataStreamProtocol:
    """Return a protocol whose peer said that and ended."""
    reader, writer, _ = in_memory()
    reader.feed_data(data)
    reader.feed_eof()
    return QDataStreamProtocol(reader, writer, **limits)


@given(messages.filter(lambda m: m.get("command") not in ("ping", "pong")))
def test_reads_what_it_writes(message: dict[str, Any]) -> None:
    data = QDataStreamProtocol.encode_message(message)
    assert struct.unpack(">II", data[:8]) == (len(data) - 4, len(data) - 8)
    assert decode(data[4:]) == message


@given(st.text(), st.binary(max_size=8))
def test_strings_both_ways(text: str, around: bytes) -> None:
    packed = QDataStreamProtocol.pack_qstring(text)
    end = len(around) + len(packed)
    buffer = around + packed + around
    assert QDataStreamProtocol.read_qstring(buffer, len(around)) == (end, text)


@given(st.lists(st.text(min_size=1)))
def test_blocks_both_ways(texts: list[str]) -> None:
    packed = QDataStreamProtocol.pack_message(*texts)
    assert list(QDataStreamProtocol.read_block(packed[4:])) == texts


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(MalformedMessageError):
        value = decode(data)
        assert value is None or isinstance(value, (bool, int, float, str, list, dict))


async def test_messages_both_ways_over_tcp(socket_enabled: None) -> None:
    async with asyncio.timeout(10), connection(tls=False) as (one, other):
        ours, theirs = (QDataStreamProtocol(e.reader, e.writer) for e in (one, other))
        connected: Connection = ours
        await connected.send_message({"command": "ping", "lost": 1})
        await theirs.send_messages([{"n": 1}, {"command": "pong"}])
        assert await theirs.read_message() == {"command": "ping"}
        assert await connected.read_message() == {"n": 1}
        assert await connected.read_message() == {"command": "pong"}
        await ours.close()
        with pytest.raises(DisconnectedError):
            await theirs.read_message()


async def test_messages_in_pieces() -> None:
    reader, writer, _ = in_memory()
    protocol = QDataStreamProtocol(reader, writer)
    data = QDataStreamProtocol.encode_message({"n": 1})
    for position in range(len(data)):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await protocol.read_message()
        reader.feed_data(data[position : position + 1])
    assert await protocol.read_message() == {"n": 1}


def test_packs_nothing_but_text() -> None:
    with pytest.raises(UnpackableError) as raised:
        QDataStreamProtocol.pack_message("a", cast(Any, 1))
    assert isinstance(raised.value, NotImplementedError)
    assert isinstance(raised.value, ProtocolError)


def test_cannot_pack_half_characters() -> None:
    with pytest.raises(MalformedMessageError) as raised:
        QDataStreamProtocol.pack_qstring("secret \ud800")
    assert "secret" not in repr(raised.value)
    assert raised.value.__context__ is None


def test_half_characters_of_a_message_are_escaped() -> None:
    data = QDataStreamProtocol.encode_message({"n": "\ud800"})
    assert decode(data[4:]) == {"n": "\ud800"}


@pytest.mark.parametrize(
    ("buffer", "position"),
    [
        (b"", 0),
        (b"\0\0\0", 0),
        (b"\0\0\0\0", 1),
        (b"\0\0\0\0", -4),
        (b"\0\0\0\2\0", 0),
        (b"\xff\xff\xff\xff", 0),
        (b"\0\0\0\3abc", 0),
        (b"\0\0\0\2\xd8\0", 0),
    ],
)
def test_no_string(buffer: bytes, position: int) -> None:
    with pytest.raises(MalformedMessageError) as raised:
        QDataStreamProtocol.read_qstring(buffer, position)
    assert isinstance(raised.value, ValueError)
    assert raised.value.__context__ is None


def test_reading_a_block_ends_at_what_is_no_string() -> None:
    parts = QDataStreamProtocol.read_block(pack("a") + b"\xff" * 8)
    assert next(parts) == "a"
    with pytest.raises(MalformedMessageError):
        next(parts)


def test_a_message_that_is_no_object_is_written_like_any() -> None:
    assert QDataStreamProtocol.encode_message(["ping"])[8:] == '["ping"]'.encode(
        "utf-16-be"
    )


# Further parts of a block.


@pytest.mark.parametrize(
    ("part", "legacy"),
    [
        ("5", True),
        ("null", True),
        ('"ab"', True),
        ('["ab"]', True),
        ('[["b"]]', True),
        ("[[1,2]]", True),
        ('[["b",2],3]', True),
        ("NaN", True),
        ("\ufeff{}", True),
        ("[]", False),
        ("{}", False),
        ('{"a":1} ', False),
    ],
)
def test_further_parts(part: str, legacy: bool) -> None:
    expected: dict[str, Any] = {"a": 1}
    if legacy:
        expected["legacy"] = [part]
    assert decode(pack('{"a":1}') + pack(part)) == expected


def test_further_parts_of_a_command_are_ignored() -> None:
    assert decode(pack("PONG") + pack('{"a":1}') + pack("b")) == {"command": "pong"}


def test_further_parts_join_the_texts_that_are_there() -> None:
    assert decode(pack('{"legacy":["a"]}') + pack("b")) == {"legacy": ["a", "b"]}


@pytest.mark.parametrize("action", ["[1]", '"x"', "5", '{"legacy":"a"}'])
def test_no_place_for_further_parts(action: str) -> None:
    with pytest.raises(MalformedMessageError):
        decode(pack(action) + pack("b"))


def test_limit_parts() -> None:
    message = pack('{"a":1}')
    assert decode(message + pack("b") * MAX_PARTS) == {
        "a": 1,
        "legacy": ["b"] * MAX_PARTS,
    }
    with pytest.raises(MalformedMessageError, match=str(MAX_PARTS)):
        decode(message + pack("b") * (MAX_PARTS + 1))


def test_limit_parts_size() -> None:
    message, part = pack('{"a":1}'), "b" * ((MAX_PARTS_SIZE - 4) // 2)
    assert decode(message + pack(part)) == {"a": 1, "legacy": [part]}
    with pytest.raises(MalformedMessageError, match=str(MAX_PARTS_SIZE)):
        decode(message + pack(part + "b"))


# Reading.


@pytest.mark.parametrize(
    "block",
    [b"", b"\0", b"\0\0\0", pack("nope"), pack("[1]"), pack("5"), b"\xff" * 9],
)
async def test_reads_on_behind_what_is_no_message(block: bytes) -> None:
    good = QDataStreamProtocol.encode_message({"n": 1})
    protocol = fed(QDataStreamProtocol.pack_block(block) + good)
    with pytest.raises(MalformedMessageError):
        await protocol.read_message()
    assert await protocol.read_message() == {"n": 1}


def test_limit_block() -> None:
    assert MAX_BLOCK == 16 * 1024 * 1024


async def test_limit_of_one_block() -> None:
    data = QDataStreamProtocol.encode_message({"n": 1})
    size = len(data) - 4
    assert await fed(data, max_block=size).read_message() == {"n": 1}
    protocol = fed(data, max_block=size - 1)
    with pytest.raises(OversizedMessageError) as raised:
        await protocol.read_message()
    assert isinstance(raised.value, MessageTooLargeError)
    assert isinstance(raised.value, ValueError)
    assert raised.value.__context__ is None
    # There is no telling where the next one begins.
    with pytest.raises(OversizedMessageError):
        await protocol.read_message()


async def test_a_length_alone_costs_nothing() -> None:
    protocol = fed(b"\xff\xff\xff\xff")
    with pytest.raises(OversizedMessageError):
        await protocol.read_message()


async def test_the_middle_of_a_message() -> None:
    protocol = fed(b"\0\0\0\x10secret")
    with pytest.raises(IncompleteMessageError) as raised:
        await protocol.read_message()
    error = raised.value
    assert isinstance(error, DisconnectedError)
    assert isinstance(error, ConnectionError)
    assert isinstance(error, asyncio.IncompleteReadError)
    assert (error.partial, error.expected) == (b"secret", 16)
    assert str(error) == "Connection ended after 6 of 16 bytes"
    assert "secret" not in repr(error)


async def test_our_own_end_is_no_half_message() -> None:
    reader, writer, _ = in_memory()
    protocol = QDataStreamProtocol(reader, writer)
    reader.feed_data(b"\0\0")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await protocol.read_message()
    protocol.abort()
    with pytest.raises(DisconnectedError) as raised:
        await protocol.read_message()
    assert not isinstance(raised.value, IncompleteMessageError)
