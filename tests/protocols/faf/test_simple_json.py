"""Lines of JSON over TCP, and what both framings have in common."""

import asyncio
from typing import Any, cast, override

from hypothesis import given, strategies as st
import pytest

from ..connections import End, connection, in_memory
from custom_components.rumpus.protocols import stream as stream_module
from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    MessageTooLargeError,
    ProtocolError,
)
from custom_components.rumpus.protocols.faf import (
    Protocol,
    QDataStreamProtocol,
    SimpleJsonProtocol,
)
from custom_components.rumpus.protocols.faf.connection import Connection
from custom_components.rumpus.protocols.faf.protocol import (
    MAX_MESSAGE,
    OversizedMessageError,
)
from custom_components.rumpus.protocols.faf.simple_json import MAX_LINE
from custom_components.rumpus.protocols.faf.text import MalformedMessageError
from custom_components.rumpus.protocols.json_lines import JsonObject, JsonValue

real_sockets = pytest.mark.usefixtures("socket_enabled")

messages = st.dictionaries(
    st.text(),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=12,
    ),
    max_size=6,
)


def fed(data: bytes, **limits: int) -> SimpleJsonProtocol:
    """Return a protocol whose peer said that and ended."""
    reader, writer, _ = in_memory()
    reader.feed_data(data)
    reader.feed_eof()
    return SimpleJsonProtocol(reader, writer, **limits)


async def turns(count: int = 20) -> None:
    """Let everything else run that can run."""
    for _ in range(count):
        await asyncio.sleep(0)


@given(messages)
def test_reads_what_it_writes(message: dict[str, Any]) -> None:
    line = SimpleJsonProtocol.encode_message(message)
    assert line.isascii()
    assert line.endswith(b"\n")
    assert b"\n" not in line[:-1]
    assert SimpleJsonProtocol.decode_message(line) == message


class Numbers(Protocol):
    """A framing of somebody's own, with no more than it has to have."""

    @staticmethod
    @override
    def encode_message(message: JsonValue) -> bytes:
        return bytes([cast(int, message)])

    @staticmethod
    @override
    def decode_message(data: bytes) -> JsonValue:
        return {"n": data[0]}

    @override
    async def read_message(self) -> JsonObject:
        return cast(JsonObject, self.decode_message(await self.reader.readexactly(1)))


async def test_a_framing_of_one_s_own() -> None:
    reader, writer, transport = in_memory()
    protocol = Numbers(reader, writer)
    reader.feed_data(b"\7")
    assert await protocol.read_message() == {"n": 7}
    await protocol.send_messages([1, 2])
    assert protocol.writer is writer
    assert transport.written == b"\1\2"
    assert protocol.max_message == MAX_MESSAGE == 16 * 1024 * 1024
    with pytest.raises(NotImplementedError):
        await super(Numbers, protocol).read_message()


async def test_messages_both_ways_over_tcp(socket_enabled: None) -> None:
    async with asyncio.timeout(10), connection(tls=False) as (one, other):
        ours, theirs = (
            SimpleJsonProtocol(end.reader, end.writer) for end in (one, other)
        )
        connected: Connection = ours
        await connected.send_message({"command": "ping"})
        await theirs.send_messages([{"n": 1}, {"n": 2}])
        theirs.write_messages([{"n": 3}, {"n": 4}])
        theirs.write_message({"n": 5})
        await theirs.send_raw(b'{"n":6}\r\n \t{"n":7} \n')
        assert await theirs.read_message() == {"command": "ping"}
        for number in range(1, 8):
            assert await connected.read_message() == {"n": number}
        await ours.close()
        with pytest.raises(DisconnectedError):
            await theirs.read_message()


async def test_the_last_line_counts_without_its_end() -> None:
    protocol = fed(b'{"n":1}\n{"n":2}')
    assert await protocol.read_message() == {"n": 1}
    assert await protocol.read_message() == {"n": 2}
    with pytest.raises(DisconnectedError):
        await protocol.read_message()
    assert not protocol.is_connected()


async def test_a_line_that_a_reset_ends_counts_as_nothing() -> None:
    reader, writer, _ = in_memory()
    protocol = SimpleJsonProtocol(reader, writer)
    reader.feed_data(b'{"n":1}')
    reading = asyncio.create_task(protocol.read_message())
    await turns()
    reader.set_exception(ConnectionResetError())
    with pytest.raises(DisconnectedError, match="lost"):
        await reading


@pytest.mark.parametrize("kind", [SimpleJsonProtocol, QDataStreamProtocol])
async def test_what_came_before_a_reset_is_read(
    kind: type[SimpleJsonProtocol | QDataStreamProtocol],
) -> None:
    """It may be a kick, after which nobody may come back."""
    reader, writer, _ = in_memory()
    protocol = kind(reader, writer)
    messages: list[JsonObject] = [{"n": number, "x": "x" * 999} for number in range(50)]
    for message in messages:
        reader.feed_data(kind.encode_message(message))
    assert await protocol.read_message() == messages[0]
    reader.set_exception(ConnectionResetError())
    assert [await protocol.read_message() for _ in messages[1:]] == messages[1:]
    for _ in range(2):
        with pytest.raises(DisconnectedError, match="lost"):
            await protocol.read_message()
    assert not protocol.is_connected()


@pytest.mark.parametrize(
    "line", [b"", b" \r", b"nope", b'{"a":', b"[1]", b'"x"', b"5", b"null", b"\xff"]
)
async def test_reads_on_behind_what_is_no_message(line: bytes) -> None:
    protocol = fed(line + b'\n{"n":1}\n')
    with pytest.raises(MalformedMessageError) as raised:
        await protocol.read_message()
    assert isinstance(raised.value, ProtocolError)
    assert isinstance(raised.value, ValueError)
    assert await protocol.read_message() == {"n": 1}


async def test_cancelling_a_read_loses_nothing() -> None:
    reader, writer, _ = in_memory()
    protocol = SimpleJsonProtocol(reader, writer)
    reader.feed_data(b'{"n":')
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await protocol.read_message()
    reader.feed_data(b"1}\n")
    assert await protocol.read_message() == {"n": 1}


def test_limit_line() -> None:
    assert MAX_LINE == 10 * 1024 * 1024


async def test_limit_of_one_line() -> None:
    longest = b'{"n":"' + b"x" * 92 + b'"}'
    protocol = fed(longest + b"\n" + longest + b" \n" + b'{"n":1}\n', max_line=100)
    assert await protocol.read_message() == {"n": "x" * 92}
    with pytest.raises(OversizedMessageError) as raised:
        await protocol.read_message()
    assert isinstance(raised.value, MessageTooLargeError)
    assert isinstance(raised.value, ValueError)
    assert await protocol.read_message() == {"n": 1}


async def test_limit_of_a_line_without_end() -> None:
    protocol = fed(b"x" * 101, max_line=100)
    with pytest.raises(OversizedMessageError):
        await protocol.read_message()
    with pytest.raises(DisconnectedError):
        await protocol.read_message()


async def test_hears_signs_of_life() -> None:
    reader, writer, _ = in_memory()
    protocol = SimpleJsonProtocol(reader, writer)
    reading = asyncio.create_task(protocol.read_message())
    await turns()
    protocol.last_heard = 0.0
    # Half a message is a sign, too.
    reader.feed_data(b'{"n":')
    await turns()
    assert protocol.last_heard > 0
    reader.feed_data(b"1}\n")
    assert await reading == {"n": 1}


async def test_encodes_nothing_without_a_connection() -> None:
    _, writer, transport = in_memory()
    protocol = SimpleJsonProtocol(asyncio.StreamReader(), writer)
    assert protocol.is_connected()
    protocol.abort()
    assert not protocol.is_connected()
    unsendable = cast(Any, {"n": object()})
    with pytest.raises(DisconnectedError):
        protocol.write_message(unsendable)
    with pytest.raises(DisconnectedError):
        protocol.write_messages([unsendable])
    with pytest.raises(DisconnectedError):
        protocol.write_raw(b"{}\n")
    with pytest.raises(DisconnectedError):
        await protocol.send_message({"n": 1})
    with pytest.raises(DisconnectedError):
        await protocol.drain()
    with pytest.raises(DisconnectedError):
        await protocol.read_message()
    assert not transport.written


async def test_writes_all_messages_or_none() -> None:
    _, writer, transport = in_memory()
    protocol = SimpleJsonProtocol(asyncio.StreamReader(), writer)
    with pytest.raises(ProtocolError):
        protocol.write_messages([{"n": 1}, cast(Any, {"n": object()})])
    assert not transport.written
    protocol.write_messages([{"n": 1}, {"n": 2}])
    assert transport.written == b'{"n":1}\n{"n":2}\n'


@real_sockets
async def test_writing_to_a_peer_that_reads_nothing_has_an_end() -> None:
    async with asyncio.timeout(10), connection(tls=False) as (one, _):
        protocol = SimpleJsonProtocol(one.reader, one.writer, max_write_buffer=100_000)
        with pytest.raises(DisconnectedError):
            while True:
                protocol.write_message({"n": "x" * 10_000})
        assert not protocol.is_connected()


@real_sockets
async def test_closing_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "CLOSE_TIMEOUT", 0.05)
    async with asyncio.timeout(10), connection(tls=False) as (one, _):
        protocol: Protocol = SimpleJsonProtocol(one.reader, one.writer)
        protocol.write_message({"n": "x" * 1_000_000})
        await protocol.close()
        assert unsent(one) == 0


def unsent(end: End) -> int:
    return end.transport.get_write_buffer_size()
