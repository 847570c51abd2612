"""The encrypted stream of a title."""

import asyncio
from collections.abc import AsyncIterator
import contextlib
import struct

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    MessageTooLargeError,
    ProtocolError,
)
from custom_components.rumpus.protocols.smartglass.messages import (
    ConnectionInfo,
    Endpoint,
)
from custom_components.rumpus.protocols.smartglass.services.auxiliary import (
    MAX_ENDPOINTS,
    MAX_FRAME,
    MAX_HOST,
    AuxiliaryStream,
    FrameCipher,
    frame_size,
    open_stream,
)

KEY = bytes(range(0x10, 0x20))
SERVER_IV = bytes(range(0x20, 0x30))
CLIENT_IV = bytes(range(0x30, 0x40))
MAC_KEY = bytes(range(0x40, 0x60))
INFO = ConnectionInfo(KEY, SERVER_IV, CLIENT_IV, MAC_KEY)

# Two frames in a row of each direction (the SmartGlass reference, section 17.7).
TO_CONSOLE = (
    (
        bytes(5),
        (
            "dead000540e52e5b0e7a3cb809db4ec4659ae3ff9a2d93bb12d405374f2cea28b240e1fa"
            "5a8c1f81061b30c3d824c951c5b25177"
        ),
    ),
    (
        b"hello title stream",
        (
            "dead0012b8c6f369876072fa76e04672cd91d8fa3728f7a536fdea193c8e3e12b4eed511"
            "8042d8208e936b613bf070b0f42310b7fc84d38648f45fa8652cd30efd35c34d"
        ),
    ),
)
TO_CLIENT = (
    (
        bytes(range(16)),
        (
            "dead001010a9eca095d483c8df71ea2e41a1cd28546cdf0d28418dc5a0e9bac72eceebb2"
            "1142e3175666b80abba3be5b34c547ca"
        ),
    ),
    (
        b"second frame",
        (
            "dead000cfbe18848966777c4f2b597dae7bf18bcc286840c78c1dfed60a82aadc7f59da5"
            "bf9e5a3ff5c4ddd907bbe547c1f43424"
        ),
    ),
)


def ciphers() -> tuple[FrameCipher, FrameCipher]:
    return FrameCipher.for_client(INFO), FrameCipher.for_console(INFO)


# Frames.


def test_golden_vectors_both_ways() -> None:
    client, console = ciphers()
    for plaintext, frame in TO_CONSOLE:
        assert client.seal(plaintext).hex() == frame
        assert console.open(bytes.fromhex(frame)) == plaintext
    for plaintext, frame in TO_CLIENT:
        assert console.seal(plaintext).hex() == frame
        assert client.open(bytes.fromhex(frame)) == plaintext


@settings(max_examples=40)
@given(st.lists(st.binary(max_size=70), max_size=5))
def test_what_is_sealed_can_be_opened(plaintexts: list[bytes]) -> None:
    client, console = ciphers()
    for plaintext in plaintexts:
        frame = client.seal(plaintext)
        assert frame_size(frame[:4]) == len(frame)
        assert console.open(frame) == plaintext


@settings(max_examples=60)
@given(st.integers(0, 51), st.integers(0, 7))
def test_any_bit_that_is_changed_is_found(byte: int, bit: int) -> None:
    _, console = ciphers()
    frame = bytearray.fromhex(TO_CONSOLE[0][1])
    frame[byte] ^= 1 << bit
    with pytest.raises(ProtocolError):
        console.open(bytes(frame))


@pytest.mark.parametrize("data", [b"", b"\xde\xad\x00", b"\xde\xad\x00\x05"])
def test_frames_that_are_cut(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        FrameCipher.for_client(INFO).open(data)


def test_frames_out_of_order_are_garbled_and_yet_authentic() -> None:
    _, console = ciphers()
    assert console.open(bytes.fromhex(TO_CONSOLE[1][1])) != TO_CONSOLE[1][0]


def test_limit_of_frames() -> None:
    client, console = ciphers()
    longest = b"x" * MAX_FRAME
    assert console.open(client.seal(longest)) == longest
    with pytest.raises(MessageTooLargeError):
        client.seal(longest + b"x")
    with pytest.raises(MessageTooLargeError):
        frame_size(struct.pack(">HH", 0xDEAD, MAX_FRAME + 1))


@pytest.mark.parametrize(
    "info",
    [
        ConnectionInfo(KEY[:-1], SERVER_IV, CLIENT_IV, MAC_KEY),
        ConnectionInfo(KEY, SERVER_IV[:-1], CLIENT_IV, MAC_KEY),
        ConnectionInfo(KEY, SERVER_IV, CLIENT_IV + b"x", MAC_KEY),
        ConnectionInfo(KEY, SERVER_IV, CLIENT_IV, MAC_KEY + b"x"),
        ConnectionInfo(b"", b"", b"", b""),
    ],
)
async def test_keys_of_a_wrong_size(info: ConnectionInfo) -> None:
    with pytest.raises(ProtocolError):
        await open_stream(info, 1)


# Connections.


class Title:
    """A title that listens, and the connections that it got."""

    def __init__(self) -> None:
        self.connections: asyncio.Queue[
            tuple[asyncio.StreamReader, asyncio.StreamWriter]
        ] = asyncio.Queue()
        self.endpoint = Endpoint("", "")
        self._writers: list[asyncio.StreamWriter] = []

    @contextlib.asynccontextmanager
    async def listen(self) -> AsyncIterator[Title]:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()
        self.endpoint = Endpoint(host, str(port))
        try:
            yield self
        finally:
            server.close()
            for writer in self._writers:
                writer.transport.abort()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
            await server.wait_closed()

    def _accept(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._writers.append(writer)
        self.connections.put_nowait((reader, writer))


@pytest.fixture
async def title(socket_enabled: None) -> AsyncIterator[Title]:
    async with asyncio.timeout(10), Title().listen() as listening:
        yield listening


def info_with(*endpoints: Endpoint) -> ConnectionInfo:
    return ConnectionInfo(KEY, SERVER_IV, CLIENT_IV, MAC_KEY, endpoints)


@contextlib.asynccontextmanager
async def connected(
    title: Title,
) -> AsyncIterator[tuple[AuxiliaryStream, asyncio.StreamReader, asyncio.StreamWriter]]:
    stream = await open_stream(info_with(title.endpoint), 5)
    reader, writer = await title.connections.get()
    try:
        yield stream, reader, writer
    finally:
        await stream.close()


async def test_frames_both_ways(title: Title) -> None:
    console = FrameCipher.for_console(INFO)
    async with connected(title) as (stream, reader, writer):
        assert stream.is_connected()
        for plaintext, frame in TO_CONSOLE:
            await stream.send(plaintext)
            assert (await reader.readexactly(len(frame) // 2)).hex() == frame
        # One read brings two frames and a half.
        long = b"x" * 8144
        sealed = [console.seal(p) for p in (TO_CLIENT[0][0], b"", long)]
        data = b"".join(sealed)
        writer.write(data[:-4000])
        assert await stream.read() == TO_CLIENT[0][0]
        assert await stream.read() == b""
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await stream.read()
        writer.write(data[-4000:])
        assert await stream.read() == long
    assert not stream.is_connected()
    assert await reader.read() == b""
    with pytest.raises(DisconnectedError):
        await stream.send(b"late")
    with pytest.raises(DisconnectedError):
        await stream.read()


async def test_sending_too_much_keeps_the_stream(title: Title) -> None:
    console = FrameCipher.for_console(INFO)
    async with connected(title) as (stream, reader, _):
        with pytest.raises(MessageTooLargeError):
            await stream.send(b"x" * (MAX_FRAME + 1))
        await asyncio.gather(stream.send(b"one"), stream.send(b"two"))
        frames = [await reader.readexactly(4 + 16 + 32) for _ in range(2)]
        assert [console.open(frame) for frame in frames] == [b"one", b"two"]


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        struct.pack(">HH", 0xDEAD, MAX_FRAME + 1),
        bytes.fromhex(TO_CLIENT[0][1])[:-1] + b"\0",
    ],
    ids=["no frame", "too long", "wrong MAC"],
)
async def test_bad_frames_close_the_connection(title: Title, data: bytes) -> None:
    async with connected(title) as (stream, reader, writer):
        writer.write(data)
        with pytest.raises(ProtocolError):
            await stream.read()
        assert not stream.is_connected()
        with pytest.raises(DisconnectedError):
            await stream.read()
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""


async def test_title_vanishes_in_the_middle_of_a_frame(title: Title) -> None:
    async with connected(title) as (stream, _, writer):
        writer.write(bytes.fromhex(TO_CLIENT[0][1])[:20])
        writer.close()
        with pytest.raises(DisconnectedError):
            await stream.read()
        assert not stream.is_connected()


async def test_reading_ends_when_we_close(title: Title) -> None:
    async with connected(title) as (stream, _, _):
        reading = asyncio.create_task(stream.read())
        await asyncio.sleep(0)
        stream.abort()
        with pytest.raises(DisconnectedError):
            await reading


async def test_endpoints_are_tried_one_after_the_other(title: Title) -> None:
    unused = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    closed = Endpoint("127.0.0.1", str(unused.sockets[0].getsockname()[1]))
    unused.close()
    await unused.wait_closed()
    stream = await open_stream(info_with(closed, title.endpoint), 5)
    await stream.close()
    with pytest.raises(DisconnectedError):
        await open_stream(info_with(closed, closed), 5)


async def test_limit_of_endpoints(title: Title) -> None:
    unused = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    closed = Endpoint("127.0.0.1", str(unused.sockets[0].getsockname()[1]))
    unused.close()
    await unused.wait_closed()
    last = (*(closed,) * (MAX_ENDPOINTS - 1), title.endpoint)
    stream = await open_stream(info_with(*last), 5)
    await stream.close()
    with pytest.raises(DisconnectedError):
        await open_stream(info_with(closed, *last), 5)


@pytest.mark.parametrize(
    "endpoint",
    [
        Endpoint("", "80"),
        Endpoint("127.0.0.1", ""),
        Endpoint("127.0.0.1", "0"),
        Endpoint("127.0.0.1", "65536"),
        Endpoint("127.0.0.1", "-1"),
        Endpoint("127.0.0.1", "8o"),
        Endpoint("127.0.0.1", "१२"),
    ],
)
async def test_endpoints_of_no_use(endpoint: Endpoint) -> None:
    with pytest.raises(ProtocolError):
        await open_stream(info_with(endpoint), 1)
    with pytest.raises(ProtocolError):
        await open_stream(info_with(), 1)


async def test_limit_of_host_names(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []

    async def refuse(host: str, _: int) -> None:
        tried.append(host)
        raise OSError

    monkeypatch.setattr(asyncio, "open_connection", refuse)
    longest = "x" * MAX_HOST
    with pytest.raises(DisconnectedError):
        await open_stream(info_with(Endpoint(longest, "80")), 1)
    with pytest.raises(ProtocolError):
        await open_stream(info_with(Endpoint(longest + "x", "80")), 1)
    assert tried == [longest]


async def test_endpoint_that_is_no_host_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def encode(host: str, _: int) -> None:
        host.encode("idna")

    monkeypatch.setattr(asyncio, "open_connection", encode)
    with pytest.raises(DisconnectedError):
        await open_stream(info_with(Endpoint("a" * 64 + ".invalid", "80")), 1)


async def test_endpoint_that_does_not_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def never(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio, "open_connection", never)
    with pytest.raises(DisconnectedError):
        await open_stream(info_with(Endpoint("127.0.0.1", "9")), 0.01)


def test_keys_are_in_no_repr() -> None:
    assert repr(INFO) == repr(ConnectionInfo(b"", b"", b"", b""))
