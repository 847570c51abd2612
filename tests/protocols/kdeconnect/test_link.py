"""Links: packets both ways, their bounds, keepalive, and starting TLS (section 8)."""

import asyncio
from collections.abc import AsyncIterator
import contextlib
import socket
import ssl
from typing import override

import pytest

from ..connections import End, connection
from .conftest import both_roles
from .support import (
    LOOPBACK,
    Role,
    connect,
    fake_credentials,
    our_credentials,
    pair,
    texts_in,
    turns,
)
from custom_components.rumpus.protocols import stream as stream_module
from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    MessageTooLargeError,
    ProtocolError,
)
from custom_components.rumpus.protocols.json_lines import JsonLinesStream
from custom_components.rumpus.protocols.kdeconnect.const import DeviceType
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from custom_components.rumpus.protocols.kdeconnect.identity import Identity
from custom_components.rumpus.protocols.kdeconnect.link import (
    KEEPALIVE_IDLE,
    KEEPALIVE_INTERVAL,
    KEEPALIVE_PROBES,
    MAX_UNPAIRED_LINE,
    Link,
    set_keepalive,
    upgrade,
)
from custom_components.rumpus.protocols.kdeconnect.local import LocalPeer
from custom_components.rumpus.protocols.kdeconnect.packet import Packet
from custom_components.rumpus.protocols.kdeconnect.tls import TlsContexts
from tests.fakes.kdeconnect import FakeDevice

pytestmark = pytest.mark.usefixtures("socket_enabled")

IDENTITY = Identity("0" * 32, "Phone", DeviceType.PHONE, 8)


@pytest.fixture(autouse=True)
def time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Close quickly: the other ends of these tests never agree to it."""
    monkeypatch.setattr(stream_module, "CLOSE_TIMEOUT", 0.05)


@contextlib.asynccontextmanager
async def linked() -> AsyncIterator[tuple[Link, End]]:
    """Make a link, and give the other end of its connection too."""
    async with connection(tls=True) as (ours, theirs):
        stream = JsonLinesStream(ours.reader, ours.writer, max_line=MAX_UNPAIRED_LINE)
        link = Link.create(
            stream, IDENTITY, b"certificate", LOOPBACK, IDENTITY.device_id
        )
        yield link, theirs


# Packets


async def test_packets_go_both_ways() -> None:
    async with linked() as (link, end):
        await link.send(Packet("kdeconnect.ping", {"message": "one"}))
        link.write(Packet("kdeconnect.ping"))
        assert b'"message":"one"' in await end.reader.readline()
        assert b'"body":{}' in await end.reader.readline()
        end.writer.write(b'{"id":1,"type":"kdeconnect.pair","body":{"pair":true}}\r\n')
        packet = await link.read_packet()
        assert (packet.type, packet.body) == ("kdeconnect.pair", {"pair": True})


@pytest.mark.parametrize(
    "line",
    [
        b"hello",
        b"[1]",
        b'"text"',
        b"{}",
        b'{"type":5,"body":{}}',
        b'{"type":"kdeconnect.ping","body":[]}',
        b'{"type":"kdeconnect.ping","body":{"message":"\xff\xfe"}}',
        b'{"type":"kdeconnect.ping","body":{"a":' + b"[" * 2000 + b"]" * 2000 + b"}}",
        b'{"type":"kdeconnect.ping","body":{"a":"' + b"x" * MAX_UNPAIRED_LINE + b'"}}',
    ],
    ids=[
        "text",
        "list",
        "string",
        "empty",
        "type",
        "body",
        "not utf-8",
        "deep",
        "long",
    ],
)
async def test_line_that_is_no_packet_does_not_end_the_link(line: bytes) -> None:
    async with linked() as (link, end):
        end.writer.write(line + b'\n\n{"id":1,"type":"kdeconnect.ping","body":{}}\n')
        with pytest.raises(ProtocolError) as caught:
            await link.read_packet()
        assert "ff" not in str(caught.value)
        assert (await link.read_packet()).type == "kdeconnect.ping"
        assert link.is_connected


async def test_paired_device_may_send_longer_lines_than_an_unpaired_one() -> None:
    line = b'{"type":"kdeconnect.ping","body":{"a":"' + b"x" * 9000 + b'"}}\n'
    async with linked() as (link, end):
        link.set_paired(True)
        end.writer.write(line)
        assert len(str((await link.read_packet()).body["a"])) == 9000
        link.set_paired(False)
        end.writer.write(line)
        with pytest.raises(MessageTooLargeError):
            await link.read_packet()


async def test_end_of_the_connection() -> None:
    async with linked() as (link, end):
        end.reset()
        with pytest.raises(DisconnectedError):
            await link.read_packet()
        assert not link.is_connected
        with pytest.raises(DisconnectedError):
            await link.send(Packet("kdeconnect.ping"))
        with pytest.raises(DisconnectedError):
            link.write(Packet("kdeconnect.ping"))


async def test_abort_and_close_end_it_from_our_side() -> None:
    async with linked() as (link, end), asyncio.timeout(5):
        link.abort()
        assert not link.is_connected
        with contextlib.suppress(OSError):
            assert await end.reader.read() == b""
    async with linked() as (link, end), asyncio.timeout(5):
        await link.close()
        await link.close()
        assert not link.is_connected
        assert await end.reader.read() == b""


async def test_links_are_told_apart_by_serial_and_show_no_contents() -> None:
    async with linked() as (one, _), linked() as (other, end):
        assert other.serial > one.serial
        end.writer.write(b'{"type":"kdeconnect.ping","body":{"message":"secret"}}\n')
        packet = await other.read_packet()
        assert packet.body == {"message": "secret"}
        assert "secret" not in texts_in([one, other, other.stream, packet])


# Keepalive


@both_roles
async def test_every_link_has_kdes_keepalive(
    local: LocalPeer, phone: FakeDevice, role: Role
) -> None:
    device = await connect(local, phone, role)
    assert device._link is not None
    sock = device._link.stream._writer.get_extra_info("socket")
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    options = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
    values = [sock.getsockopt(socket.IPPROTO_TCP, option) for option in options]
    assert (
        values == [KEEPALIVE_IDLE, KEEPALIVE_INTERVAL, KEEPALIVE_PROBES] == [30, 10, 3]
    )


class RecordingSocket:
    """Notes the options that are set."""

    def __init__(self) -> None:
        self.options: list[tuple[int, int, int]] = []

    def setsockopt(self, level: int, option: int, value: int) -> None:
        """Note one."""
        self.options.append((level, option, value))


class SocketTransport(asyncio.BaseTransport):
    """Has that socket, or none."""

    def __init__(self, sock: RecordingSocket | None) -> None:
        super().__init__({"socket": sock})


def test_keepalive_where_the_idle_time_has_another_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(socket, "TCP_KEEPIDLE")
    monkeypatch.setattr(socket, "TCP_KEEPALIVE", 16, raising=False)
    sock = RecordingSocket()
    set_keepalive(SocketTransport(sock))
    assert (socket.IPPROTO_TCP, 16, KEEPALIVE_IDLE) in sock.options
    assert len(sock.options) == 4


def test_keepalive_where_the_system_has_no_numbers_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("TCP_KEEPIDLE", "TCP_KEEPALIVE", "TCP_KEEPINTVL", "TCP_KEEPCNT"):
        monkeypatch.delattr(socket, name, raising=False)
    sock = RecordingSocket()
    set_keepalive(SocketTransport(sock))
    assert sock.options == [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]


def test_keepalive_needs_a_socket() -> None:
    transport = SocketTransport(None)
    set_keepalive(transport)
    assert transport.get_extra_info("socket") is None


# Starting TLS


class Pair:
    """A TCP connection, one end of it plain."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport
        self.their_transport: asyncio.Transport
        self.reader: asyncio.StreamReader
        self.writer: asyncio.StreamWriter

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls) -> AsyncIterator[Pair]:
        """Connect."""
        pair = cls()
        accepted: asyncio.Future[asyncio.Transport] = (
            asyncio.get_running_loop().create_future()
        )

        class Accepting(asyncio.Protocol):
            @override
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                assert isinstance(transport, asyncio.Transport)
                accepted.set_result(transport)

        loop = asyncio.get_running_loop()
        server = await loop.create_server(Accepting, LOOPBACK, 0)
        port = server.sockets[0].getsockname()[1]
        pair.reader, pair.writer = await asyncio.open_connection(LOOPBACK, port)
        pair.transport = await accepted
        assert isinstance(pair.writer.transport, asyncio.Transport)
        pair.their_transport = pair.writer.transport
        server.close()
        try:
            yield pair
        finally:
            pair.transport.abort()
            pair.writer.transport.abort()
            await turns(5)


def their_contexts() -> TlsContexts:
    """Return the contexts of a device that behaves like us."""
    fake = fake_credentials()
    return TlsContexts(
        Credentials(fake.device_id, fake.private_key_pem, fake.certificate_pem)
    )


async def test_upgrade_gives_each_side_the_others_certificate() -> None:
    ours = our_credentials().certificate
    client = await TlsContexts(our_credentials()).client()
    server = await their_contexts().pinned_server(ours)
    async with Pair.open() as tcp, asyncio.timeout(5):
        # The side that accepted the connection is the TLS client.
        (stream, certificate), (other, seen) = await asyncio.gather(
            upgrade(tcp.transport, client, server_side=False),
            upgrade(tcp.their_transport, server, server_side=True),
        )
        assert (certificate, seen) == (fake_credentials().certificate_der, ours)
        assert stream.max_message == MAX_UNPAIRED_LINE
        await stream.send_message({"hello": 1})
        assert await other.read_message() == {"hello": 1}
        stream.abort()
        other.abort()


async def test_upgrade_insists_on_a_certificate() -> None:
    asks_for_none = await their_contexts().pinned_server(our_credentials().certificate)
    asks_for_none.verify_mode = ssl.CERT_NONE
    client = await TlsContexts(our_credentials()).client()
    async with Pair.open() as tcp, asyncio.timeout(5):
        ours, theirs = await asyncio.gather(
            upgrade(tcp.transport, asks_for_none, server_side=True),
            upgrade(tcp.their_transport, client, server_side=False),
            return_exceptions=True,
        )
        assert isinstance(ours, ProtocolError)
        assert not isinstance(theirs, BaseException)
        with pytest.raises(DisconnectedError):
            await theirs[0].read_message()


async def test_upgrade_of_what_is_no_tls_fails_and_closes() -> None:
    context = await TlsContexts(our_credentials()).client()
    async with Pair.open() as tcp, asyncio.timeout(5):
        tcp.writer.write(b"hello, is this TLS?\n")
        with pytest.raises(ssl.SSLError):
            await upgrade(tcp.transport, context, server_side=False)
        with contextlib.suppress(ConnectionError):
            await tcp.reader.read()


async def test_peer_that_hangs_up_in_the_handshake() -> None:
    context = await TlsContexts(our_credentials()).client()
    async with Pair.open() as tcp, asyncio.timeout(5):
        upgrading = asyncio.create_task(
            upgrade(tcp.transport, context, server_side=False)
        )
        await turns(3)
        tcp.writer.transport.abort()
        with pytest.raises(ConnectionError):
            await upgrading


async def test_connection_that_ends_before_the_handshake_begins() -> None:
    context = await TlsContexts(our_credentials()).client()
    async with Pair.open() as tcp, asyncio.timeout(5):
        upgrading = asyncio.create_task(
            upgrade(tcp.transport, context, server_side=False)
        )
        await turns(1)
        tcp.transport.abort()
        with pytest.raises(ConnectionResetError, match="before TLS"):
            await upgrading


async def test_cancelled_upgrade_closes_the_connection() -> None:
    context = await TlsContexts(our_credentials()).client()
    async with Pair.open() as tcp, asyncio.timeout(5):
        upgrading = asyncio.create_task(
            upgrade(tcp.transport, context, server_side=False)
        )
        await turns(3)
        upgrading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await upgrading
        with contextlib.suppress(ConnectionError):
            await tcp.reader.read()
        assert tcp.transport.is_closing()


@both_roles
async def test_packets_of_a_link_are_one_line_each(
    local: LocalPeer, phone: FakeDevice, role: Role
) -> None:
    """Whoever called: what one side writes the other reads, unmixed."""
    device = await connect(local, phone, role)
    await pair(device, phone)
    texts = [f"line {number}" for number in range(20)]
    await asyncio.gather(
        *(device.send(Packet("kdeconnect.ping", {"message": text})) for text in texts)
    )
    got = [(await phone.wait_for("ping")).data["message"] for _ in texts]
    assert sorted(map(str, got)) == sorted(texts)
    assert not phone.events.seen("malformed")
