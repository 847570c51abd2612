import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
import socket
import sys

import pytest

from custom_components.rumpus.protocols import portions, varint
from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    MessageTooLargeError,
    PeerTimeoutError,
    RumpusError,
)
from custom_components.rumpus.protocols.hap.crypto import ChannelCipher
from custom_components.rumpus.protocols.mrp import tcp
from custom_components.rumpus.protocols.mrp.framing import MAX_FRAME, Frames
from custom_components.rumpus.protocols.mrp.tcp import (
    MAX_HELD,
    MAX_UNSENT,
    TcpTransport,
)
from tests.protocols.mrp.common import HASTY, PATIENT

pytestmark = pytest.mark.usefixtures("socket_enabled")


class Peer:
    """One connection to a server of the test, and what the transport tells."""

    def __init__(self) -> None:
        self.transport = TcpTransport(PATIENT)
        self.received: list[bytes] = []
        self.ended: asyncio.Future[RumpusError | None] = asyncio.Future()
        self.changed = asyncio.Event()
        self.reader: asyncio.StreamReader
        self.writer: asyncio.StreamWriter

    def take(self, message: bytes) -> None:
        self.received.append(message)
        self.changed.set()

    def start(self) -> None:
        self.transport.start(self.take, self.ended.set_result)

    async def wait(self, count: int) -> list[bytes]:
        async with asyncio.timeout(5):
            while len(self.received) < count:
                self.changed.clear()
                await self.changed.wait()
        return self.received

    async def end(self) -> RumpusError | None:
        async with asyncio.timeout(5):
            return await self.ended

    def say(self, *messages: bytes) -> None:
        self.writer.write(b"".join(map(Frames().encode, messages)))


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    peer = Peer()
    connected = asyncio.Event()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer.reader, peer.writer = reader, writer
        connected.set()

    server = await asyncio.start_server(accept, "127.0.0.1")
    port = server.sockets[0].getsockname()[1]
    await peer.transport.connect("127.0.0.1", port)
    await connected.wait()
    yield peer
    await peer.transport.close()
    peer.writer.transport.abort()
    server.close()
    await server.wait_closed()


async def test_messages_both_ways(peer: Peer) -> None:
    peer.say(b"before the start")
    peer.start()
    peer.say(b"after it")
    assert await peer.wait(2) == [b"before the start", b"after it"]
    peer.transport.send(b"answer")
    assert await peer.reader.readexactly(7) == b"\x06answer"


async def test_what_comes_after_the_last_clear_message_is_encrypted(
    peer: Peer,
) -> None:
    """A device may send at once, in one piece with the end of pair-verify."""
    ours, theirs = bytes(32), bytes(range(32))
    device = Frames()
    first = device.encode(b"last in the clear")
    device.encrypt(ChannelCipher(theirs, ours))

    def take(message: bytes) -> None:
        peer.take(message)
        peer.transport.hold()

    peer.transport.start(take, peer.ended.set_result)
    peer.writer.write(first + device.encode(b"secret"))
    assert await peer.wait(1) == [b"last in the clear"]
    peer.transport.encrypt(ChannelCipher(ours, theirs))
    assert await peer.wait(2) == [b"last in the clear", b"secret"]
    peer.transport.send(b"ours")
    frame = await peer.reader.readexactly(1 + 4 + 16)
    device.feed(frame)
    assert device.next() == b"ours"


async def test_what_is_held_is_bounded(peer: Peer) -> None:
    peer.say(bytes(MAX_HELD + 100))
    error = None
    async with asyncio.timeout(5):
        await peer.transport._gone.wait()
        peer.start()
        error = await peer.end()
    assert isinstance(error, DisconnectedError)


async def test_what_is_unsent_is_bounded(peer: Peer) -> None:
    peer.start()
    with pytest.raises(DisconnectedError, match="no more"):
        for _ in range(10_000):
            peer.transport.send(bytes(MAX_UNSENT // 8))
    assert isinstance(await peer.end(), DisconnectedError)
    with pytest.raises(DisconnectedError, match="closed"):
        peer.transport.send(b"more")


async def test_a_message_that_is_too_large_ends_the_connection(peer: Peer) -> None:
    peer.start()
    peer.writer.write(varint.encode(MAX_FRAME + 1))
    assert isinstance(await peer.end(), MessageTooLargeError)
    assert not peer.transport.is_connected


async def test_the_peer_closes(peer: Peer) -> None:
    peer.start()
    peer.writer.close()
    assert await peer.end() is None


async def test_the_peer_closes_before_the_start(peer: Peer) -> None:
    peer.writer.close()
    async with asyncio.timeout(5):
        await peer.transport._gone.wait()
    peer.start()
    assert await peer.end() is None


async def test_the_peer_breaks_off(peer: Peer) -> None:
    peer.start()
    sock = peer.writer.get_extra_info("socket")
    linger = b"\1\0\0\0\0\0\0\0"
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    peer.writer.transport.abort()
    error = await peer.end()
    assert isinstance(error, DisconnectedError)
    assert isinstance(error.__cause__, ConnectionError)


async def test_close_tells_nothing(peer: Peer) -> None:
    peer.start()
    peer.transport.send(b"the end")
    await peer.transport.close()
    await peer.transport.close()
    assert await peer.reader.read() == b"\x07the end"
    assert not peer.ended.done()


async def test_close_does_not_wait_for_ever(peer: Peer) -> None:
    peer.transport._timing = replace(PATIENT, close=0)
    peer.start()
    transport = peer.transport._transport
    assert transport is not None
    while transport.get_write_buffer_size() < MAX_UNSENT // 2:
        peer.transport.send(bytes(MAX_UNSENT // 8))
    async with asyncio.timeout(5):
        await peer.transport.close()
    assert not peer.transport.is_connected


async def test_connections_are_watched(peer: Peer) -> None:
    transport = peer.transport._transport
    assert transport is not None
    sock = transport.get_extra_info("socket")
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 12_000


async def test_other_systems_watch_as_far_as_they_can(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.delattr(socket, "TCP_KEEPIDLE")
    with socket.socket() as sock:
        tcp._watch(sock)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert not sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)


async def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    transport = TcpTransport()
    with pytest.raises(DisconnectedError):
        await transport.connect("127.0.0.1", port)
    with pytest.raises(DisconnectedError):
        transport.send(b"")
    await transport.close()


async def test_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(*args: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", hang)
    with pytest.raises(PeerTimeoutError):
        await TcpTransport(replace(HASTY, connect=0.01)).connect("127.0.0.1", 1)


async def test_flood_comes_in_portions(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The event loop gets round between messages, which all come and in order."""
    monkeypatch.setattr(portions, "MAX_TURN", 0.0)
    peer.start()
    messages = [b"%d" % number for number in range(200)]
    peer.say(*messages)
    async with asyncio.timeout(5):
        while not peer.received:
            await peer.changed.wait()
    assert len(peer.received) < len(messages)
    assert await peer.wait(len(messages)) == messages
    # It reads on after that.
    peer.say(b"later")
    assert (await peer.wait(len(messages) + 1))[-1] == b"later"


async def test_flood_before_the_end(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is handed over any more once the connection was closed here."""
    monkeypatch.setattr(portions, "MAX_TURN", 0.0)
    peer.start()
    peer.say(*(b"%d" % number for number in range(200)))
    async with asyncio.timeout(5):
        while not peer.received:
            await peer.changed.wait()
    await peer.transport.close()
    count = len(peer.received)
    assert count < 200
    await asyncio.sleep(0)
    assert len(peer.received) == count
