"""What the tests of KDE Connect's sockets share: both ends of a link, and their events."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
import contextlib
import functools
from pathlib import Path
import socket
from typing import Literal, Self, cast, override
import uuid

import pytest

from custom_components.rumpus.protocols.json_lines import JsonObject, decode_json
from custom_components.rumpus.protocols.kdeconnect.const import DeviceType
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from custom_components.rumpus.protocols.kdeconnect.device import RemoteDevice
from custom_components.rumpus.protocols.kdeconnect.discovery import Network
from custom_components.rumpus.protocols.kdeconnect.events import DeviceAppeared
from custom_components.rumpus.protocols.kdeconnect.identity import (
    Identity,
    parse_identity,
)
from custom_components.rumpus.protocols.kdeconnect.local import LocalPeer
from custom_components.rumpus.protocols.kdeconnect.packet import decode_packet
from custom_components.rumpus.protocols.kdeconnect.paired import PairedDevice
from tests.fakes.kdeconnect import FakeCredentials, FakeDevice
from tests.fakes.kdeconnect_peer import LineReader
from tests.fakes.kdeconnect_tls import KeyType, TlsChannel, tls_context
from tests.fakes.kdeconnect_wire import Body, FakePacket, encode_packet

LOOPBACK = "127.0.0.1"
#: The ports that devices listen on, those first that are likely to be free.
DEVICE_PORTS = range(1764, 1715, -1)
#: Seconds that nothing in these tests takes.
PATIENCE = 5.0

type Role = Literal["we_call", "it_calls"]
KEY_TYPES: list[KeyType] = ["ec", "rsa", "kde22"]


@functools.cache
def fake_credentials(key_type: KeyType = "ec") -> FakeCredentials:
    """Return a key and certificate for a device; making an RSA one takes long."""
    return FakeCredentials.generate(key_type=key_type)


@functools.cache
def our_credentials() -> Credentials:
    """Return ours."""
    return Credentials.generate()


def new_id() -> str:
    """Return a device id that nobody has."""
    return uuid.uuid4().hex


class EventLog[E]:
    """Everything that a LocalPeer or RemoteDevice told, from now on."""

    def __init__(
        self, subscribe: Callable[[Callable[[E], None]], Callable[[], None]]
    ) -> None:
        self.all: list[E] = []
        self._untaken: list[E] = []
        self._news = asyncio.Event()
        self.unsubscribe = subscribe(self._add)

    def _add(self, event: E) -> None:
        self.all.append(event)
        self._untaken.append(event)
        self._news.set()

    def seen(self, *kinds: type[object]) -> list[E]:
        """Return the events of some kinds so far."""
        return [event for event in self.all if isinstance(event, kinds)]

    async def wait_for[T](
        self, kind: type[T], fits: Callable[[T], bool] = lambda _: True
    ) -> T:
        """Return the oldest event of a kind that was not returned before."""
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    for position, event in enumerate(self._untaken):
                        if isinstance(event, kind) and fits(event):
                            del self._untaken[position]
                            return event
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"no {kind.__name__}; happened: {self.all}") from None


async def turns(count: int = 20) -> None:
    """Let everything else run that can run."""
    for _ in range(count):
        await asyncio.sleep(0)


def hold_port(ports: Iterable[int]) -> socket.socket:
    """Listen on the first free one of these ports, as another program does."""
    for port in ports:
        with contextlib.suppress(OSError):
            return socket.create_server((LOOPBACK, port))
    raise AssertionError("no free port")


# Our end.


def new_peer(
    peer_udp_port: int,
    *,
    udp_port: int = 0,
    tcp_ports: range = range(1716, 1765),
    credentials: Credentials | None = None,
) -> LocalPeer:
    """Return our end on loopback, not started."""
    network = Network(LOOPBACK, udp_port, peer_udp_port, tcp_ports, (LOOPBACK,))
    return LocalPeer(credentials or our_credentials(), "Our end", network=network)


def our_identity() -> Identity:
    """Return what we say that we are."""
    return new_peer(0).identity


def at_once(monkeypatch: pytest.MonkeyPatch, module: object, name: str) -> None:
    """Let a limit of time run out at once."""
    monkeypatch.setattr(module, name, 0.02)


@contextlib.asynccontextmanager
async def running(local: LocalPeer) -> AsyncIterator[LocalPeer]:
    """Start our end, and stop it in the end."""
    await local.start()
    try:
        yield local
    finally:
        await local.stop()


def udp_port(local: LocalPeer) -> int:
    """Return the port where our end hears announcements."""
    port = local.udp_port
    assert port is not None
    return port


def known(device: FakeDevice, *, address: str | None = LOOPBACK) -> PairedDevice:
    """Return what we would have stored of a device that is paired."""
    return PairedDevice(
        device.device_id,
        device.certificate_der,
        device.name,
        DeviceType.PHONE if device.kind == "phone" else DeviceType.DESKTOP,
        device.protocol,
        address,
        device.tcp_port,
        device.incoming,
        device.outgoing,
    )


def know_each_other(
    local: LocalPeer, device: FakeDevice, *, address: str | None = None
) -> RemoteDevice:
    """Make both believe that they were paired before; we do not look for it."""
    device.paired[local.identity.device_id] = local.credentials.certificate
    device.versions[local.identity.device_id] = 8
    return local.add_paired(known(device, address=address))


def announced(device: FakeDevice) -> Identity:
    """Return the identity that a device announces."""
    body = device.identity_body("udp")
    return parse_identity(decode_packet({"type": "kdeconnect.identity", "body": body}))


async def connect(local: LocalPeer, device: FakeDevice, role: Role) -> RemoteDevice:
    """Make a link in one of the two ways, and wait until both have it."""
    log = EventLog(local.subscribe)
    if role == "we_call":
        device.announce(LOOPBACK, udp_port(local))
    else:
        await call_us(local, device)
    await device.wait_for("link_up")
    await log.wait_for(DeviceAppeared)
    log.unsubscribe()
    return local.devices[device.device_id]


async def call_us(local: LocalPeer, device: FakeDevice) -> None:
    """Let a device call us, as after an announcement of ours."""
    introduce(local, device)  # with protocol 7 nothing else tells it who we are
    await device.call(LOOPBACK, local.tcp_port, local.identity.device_id)


def introduce(local: LocalPeer, device: FakeDevice) -> None:
    """Let a device know our identity as if it had heard our announcement."""
    device.answers_udp = False
    packet = FakePacket("kdeconnect.identity", local.identity.to_packet().body)
    device._discovery.datagram_received(encode_packet(packet), (LOOPBACK, 0))
    device.answers_udp = True


async def pair(device: RemoteDevice, fake: FakeDevice) -> PairedDevice:
    """Pair from our side with a device that accepts."""
    await device.request_pairing()
    await fake.wait_for("pairing_requested")
    await fake.accept_pairing(device_id=None)
    return await device.wait_pairing()


# Their end.


class Sink(asyncio.DatagramProtocol):
    """Where our end believes that all other devices listen."""

    def __init__(self) -> None:
        self.received: asyncio.Queue[JsonObject] = asyncio.Queue()
        self.transport: asyncio.DatagramTransport | None = None

    @override
    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        value = decode_json(data)
        assert isinstance(value, dict)
        self.received.put_nowait(value)

    @property
    def port(self) -> int:
        """The port."""
        assert self.transport is not None
        port: int = self.transport.get_extra_info("sockname")[1]
        return port

    async def next(self) -> JsonObject:
        """Return the next packet that we sent, as a body."""
        async with asyncio.timeout(PATIENCE):
            body = (await self.received.get())["body"]
        assert isinstance(body, dict)
        return body

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls) -> AsyncIterator[Self]:
        """Open one."""
        loop = asyncio.get_running_loop()
        transport, sink = await loop.create_datagram_endpoint(
            cls, local_addr=(LOOPBACK, 0)
        )
        sink.transport = transport
        try:
            yield sink
        finally:
            transport.abort()
            await turns(3)


class Callee:
    """Takes our calls, notes for whom they are, and hangs up."""

    def __init__(self) -> None:
        self.lines: asyncio.Queue[JsonObject] = asyncio.Queue()
        self._server: asyncio.Server | None = None
        self.port = 0

    async def next(self) -> JsonObject:
        """Return the identity that the next call of ours began with."""
        async with asyncio.timeout(PATIENCE):
            return await self.lines.get()

    async def _accept(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        value = decode_json(await reader.readline())
        assert isinstance(value, dict)
        body = value["body"]
        assert isinstance(body, dict)
        writer.transport.abort()
        self.lines.put_nowait(body)

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls) -> AsyncIterator[Self]:
        """Listen on one of the ports that devices listen on."""
        callee = cls()
        server = await callee._listen()
        try:
            yield callee
        finally:
            server.close()
            await turns(3)

    async def _listen(self) -> asyncio.Server:
        for self.port in DEVICE_PORTS:
            with contextlib.suppress(OSError):
                server = await asyncio.start_server(
                    self._accept, LOOPBACK, self.port, start_serving=False
                )
                try:
                    await server.start_serving()
                except OSError:  # another program was quicker
                    server.close()
                    raise
                return server
        raise AssertionError("no free port")


def announcement(
    port: int, *, device_id: str | None = None, **members: object
) -> bytes:
    """Return a datagram that says that a device listens on a port."""
    body = {
        "deviceId": device_id or new_id(),
        "deviceName": "Somebody",
        "deviceType": "phone",
        "protocolVersion": 8,
        "incomingCapabilities": [],
        "outgoingCapabilities": [],
        "tcpPort": port,
    } | members
    return encode_packet(FakePacket("kdeconnect.identity", cast(Body, body)))


def send_datagram(data: bytes, port: int) -> None:
    """Send a datagram to a port on this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(data, (LOOPBACK, port))


class RawCaller:
    """A caller that does what it is told, step by step."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        credentials: FakeCredentials,
    ) -> None:
        self.reader = reader
        self.writer = writer
        self.credentials = credentials
        self._lines: LineReader | None = None
        self._channel: TlsChannel | None = None

    @classmethod
    @contextlib.asynccontextmanager
    async def open(
        cls,
        port: int,
        credentials: FakeCredentials | None = None,
        *,
        source: str = LOOPBACK,
    ) -> AsyncIterator[Self]:
        """Connect to our listener, from any loopback address."""
        reader, writer = await asyncio.open_connection(
            LOOPBACK, port, local_addr=(source, 0)
        )
        try:
            yield cls(reader, writer, credentials or fake_credentials())
        finally:
            writer.transport.abort()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def identity(self, **members: object) -> bytes:
        """Return our identity as a line; members may be added, changed or removed by None."""
        body: dict[str, object] = {
            "deviceId": self.credentials.device_id,
            "deviceName": "Raw",
            "deviceType": "phone",
            "protocolVersion": 8,
            "incomingCapabilities": [],
            "outgoingCapabilities": [],
        } | members
        kept = {key: value for key, value in body.items() if value is not None}
        return encode_packet(FakePacket("kdeconnect.identity", cast(Body, kept)))

    async def start_tls(self, *, server: bool = True, tls13: bool = True) -> None:
        """Do the TLS handshake. Raises FakeTlsError."""
        context = tls_context(self.credentials, server=server, tls13=tls13)
        self._channel = TlsChannel(self.reader, self.writer, context, server=server)
        self._lines = LineReader(self._channel)
        async with asyncio.timeout(PATIENCE):
            await self._channel.handshake()

    def write(self, data: bytes) -> None:
        """Send inside TLS."""
        assert self._channel is not None
        self._channel.write(data)

    def send(self, packet_type: str, body: Body | None = None) -> None:
        """Send a packet inside TLS."""
        self.write(encode_packet(FakePacket(f"kdeconnect.{packet_type}", body or {})))

    async def read(self) -> JsonObject:
        """Return the next packet inside TLS."""
        assert self._lines is not None
        async with asyncio.timeout(PATIENCE):
            line = await self._lines.read_line(1 << 20)
        value = decode_json(line or b"")
        assert isinstance(value, dict)
        return value

    async def link(self, **members: object) -> None:
        """Do all of it: become a device that behaves."""
        self.writer.write(self.identity(**members))
        await self.start_tls()
        self.write(self.identity(**members))
        assert (await self.read())["type"] == "kdeconnect.identity"

    async def closed(self) -> bytes:
        """Wait until the other side has closed; return what it sent before, encrypted or not."""
        data = b""
        async with asyncio.timeout(PATIENCE):
            with contextlib.suppress(ConnectionError):
                while piece := await self.reader.read(65536):
                    data += piece
        return data


# What is left over.


def open_sockets() -> set[str]:
    """Return all sockets that this process has open."""
    found = set()
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            target = str(entry.readlink())
            if target.startswith("socket:"):
                found.add(target)
    return found


def texts_in(things: Iterable[object]) -> str:
    """Return the representations of all these, one after another."""
    return "\n".join(f"{thing!r} {thing!s}" for thing in things)
