"""Payloads of a fake KDE Connect device (section 9), both directions."""

import asyncio
import contextlib
from dataclasses import dataclass, field
import hashlib
import ipaddress
from typing import TYPE_CHECKING

from tests.fakes.kdeconnect_misbehave import Misbehave
from tests.fakes.kdeconnect_tls import TlsChannel, close_stream, tls_context
from tests.fakes.kdeconnect_wire import Body, FakePacket, full_type

if TYPE_CHECKING:
    from tests.fakes.kdeconnect import FakeDevice
    from tests.fakes.kdeconnect_peer import FakePeer

_PIECE = 4096  # what KDE sends at a time
RECEIVER_TIMEOUT = 10.0
# Bytes of an endless payload; only a receiver without a limit gets that far.
_ENDLESS = 256 * 1024 * 1024


class PayloadError(Exception):
    """A payload did not arrive as announced."""


type _Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class PayloadSender:
    """Announces data in packets and hands it to whoever fetches it."""

    def __init__(self, device: FakeDevice, ports: tuple[int, ...]) -> None:
        """Send for a device, from the first free of these ports."""
        self._device = device
        self._ports = ports
        self._tasks: set[asyncio.Task[bool]] = set()
        self.timeout = 10.0 if device.kind == "phone" else 30.0
        self.receiver_timeout = RECEIVER_TIMEOUT  # for TLS, and for each piece

    async def stop(self) -> None:
        """Stop all transfers."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def send(
        self, peer: FakePeer, packet_type: str, body: Body, data: bytes
    ) -> int:
        """Announce data in a packet and return the port where it can be had.

        The transfer ends in an event, `payload_sent` or `payload_failed`.
        """
        return (await self._start(peer, packet_type, body, data))[0]

    async def deliver(
        self, peer: FakePeer, packet_type: str, body: Body, data: bytes
    ) -> None:
        """Send data with a packet and wait until it was fetched. Raises PayloadError."""
        task = (await self._start(peer, packet_type, body, data))[1]
        if task is None or not await asyncio.shield(task):
            raise PayloadError("not fetched")

    async def _start(
        self, peer: FakePeer, packet_type: str, body: Body, data: bytes
    ) -> tuple[int, asyncio.Task[bool] | None]:
        misbehave = self._device.misbehave
        first: asyncio.Future[_Streams] = asyncio.get_running_loop().create_future()
        server = await self._listen(first)
        port: int = server.sockets[0].getsockname()[1]
        task = None
        if Misbehave.PAYLOAD_REFUSED in misbehave:
            server.close()
            await server.wait_closed()
        else:
            task = asyncio.create_task(self._serve(peer, server, first, data, port))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        size = -1 if Misbehave.PAYLOAD_UNKNOWN_SIZE in misbehave else len(data)
        peer.send_packet(FakePacket(full_type(packet_type), body, size, port))
        await peer.drain()
        return port, task

    async def _listen(self, first: asyncio.Future[_Streams]) -> asyncio.Server:
        def accepted(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            # One connection, from whoever comes first.
            if first.done():
                writer.transport.abort()
            else:
                first.set_result((reader, writer))

        for port in self._ports:
            with contextlib.suppress(OSError):
                return await asyncio.start_server(accepted, self._device.bind, port)
        raise OSError("no free payload port")

    async def _serve(
        self,
        peer: FakePeer,
        server: asyncio.Server,
        first: asyncio.Future[_Streams],
        data: bytes,
        port: int,
    ) -> bool:
        """Hand the data over; returns whether that went well."""
        try:
            try:
                async with asyncio.timeout(self.timeout):
                    reader, writer = await first
            finally:
                server.close()
            try:
                await self._transfer(peer, reader, writer, data)
            finally:
                await close_stream(writer)
        except (OSError, PayloadError) as error:
            reason = str(error) or type(error).__name__
            peer.emit("payload_failed", port=port, reason=reason)
            return False
        peer.emit("payload_sent", port=port, size=len(data))
        return True

    async def _transfer(
        self,
        peer: FakePeer,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        data: bytes,
    ) -> None:
        device = self._device
        misbehave = device.misbehave
        if writer.get_extra_info("peername")[0] != peer.host:
            raise PayloadError("fetched from another address")
        if Misbehave.PAYLOAD_NEVER_ACCEPT in misbehave:
            await _until_closed(reader)
            raise PayloadError("the receiver gave up")
        credentials = device.presented_credentials()
        if Misbehave.PAYLOAD_WRONG_CERTIFICATE in misbehave:
            credentials = device.variant(Misbehave.PAYLOAD_WRONG_CERTIFICATE)
        context = tls_context(
            credentials, server=True, demand_certificate=True, tls13=device.tls13
        )
        channel = TlsChannel(reader, writer, context, server=True)
        async with asyncio.timeout(self.receiver_timeout):
            await channel.handshake()
        if channel.peer_certificate != device.paired.get(peer.device_id):
            raise PayloadError("fetched by another device")
        await self._write(channel, data, misbehave)
        if Misbehave.PAYLOAD_RESET in misbehave:
            channel.abort(reset=True)
        else:
            await channel.close(notify=Misbehave.PAYLOAD_ABRUPT_END not in misbehave)

    async def _write(
        self, channel: TlsChannel, data: bytes, misbehave: Misbehave
    ) -> None:
        if misbehave & (Misbehave.PAYLOAD_SHORT | Misbehave.PAYLOAD_STALL):
            data = data[: len(data) // 2]
        elif Misbehave.PAYLOAD_LONG in misbehave:
            data += data
        elif Misbehave.PAYLOAD_ENDLESS in misbehave:
            data = bytes(_ENDLESS)
        for start in range(0, len(data), _PIECE):
            if channel.is_closing:
                raise PayloadError("the receiver hung up")
            channel.write(data[start : start + _PIECE])
            async with asyncio.timeout(self.receiver_timeout):
                await channel.drain()
        if Misbehave.PAYLOAD_STALL in misbehave:
            while await channel.read():
                pass
            raise PayloadError("the receiver gave up")


async def _until_closed(reader: asyncio.StreamReader) -> None:
    while await reader.read(65536):
        pass


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came: its size, its SHA-256 in hex, and itself if it was kept."""

    size: int
    sha256: str
    md5: str
    data: bytes = field(repr=False)


async def fetch(peer: FakePeer, packet: FakePacket) -> bytes:
    """Fetch what a packet announces. Raises PayloadError, OSError."""
    return (await receive(peer, packet)).data


fetch_payload = fetch


async def receive(
    peer: FakePeer,
    packet: FakePacket,
    *,
    keep: bool = True,
    exact: bool = True,
    timeout: float = RECEIVER_TIMEOUT,
) -> Fetched:
    """Fetch what a packet announces; with `keep` off, big things only as a hash.

    An `exact` receiver wants neither less nor more than announced; others, like KDE,
    take more. Within `timeout` seconds the connection has to be there, and any next
    piece of data. Raises PayloadError, OSError.
    """
    device = peer.device
    misbehave = device.misbehave
    if packet.payload_port is None or packet.payload_size is None:
        raise PayloadError("no payload announced")
    if Misbehave.FETCH_NEVER in misbehave:
        raise PayloadError("did not even try")
    wildcard = ipaddress.ip_address(device.bind).is_unspecified
    async with asyncio.timeout(timeout):
        # From the address of the link: the sender serves no other.
        reader, writer = await asyncio.open_connection(
            peer.host,
            packet.payload_port,
            local_addr=None if wildcard else (device.bind, 0),
        )
    try:
        if Misbehave.FETCH_NO_TLS in misbehave:
            await _until_closed(reader)
            raise PayloadError("the sender gave up")
        credentials = device.presented_credentials()
        if Misbehave.FETCH_WRONG_CERTIFICATE in misbehave:
            credentials = device.variant(Misbehave.FETCH_WRONG_CERTIFICATE)
        context = tls_context(credentials, server=False, tls13=device.tls13)
        channel = TlsChannel(reader, writer, context, server=False)
        async with asyncio.timeout(timeout):
            await channel.handshake()
        if channel.peer_certificate != device.paired.get(peer.device_id):
            raise PayloadError("served by another device")
        fetched = await _read(channel, misbehave, keep=keep, timeout=timeout)
    finally:
        await close_stream(writer)
    wanted = packet.payload_size
    if wanted != -1 and (fetched.size < wanted or (exact and fetched.size != wanted)):
        raise PayloadError(f"{fetched.size} bytes instead of {wanted}")
    return fetched


async def _read(
    channel: TlsChannel, misbehave: Misbehave, *, keep: bool, timeout: float
) -> Fetched:
    size, data = 0, bytearray()
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    while True:
        async with asyncio.timeout(timeout):
            piece = await channel.read()
        if not piece:
            return Fetched(size, sha256.hexdigest(), md5.hexdigest(), bytes(data))
        size += len(piece)
        sha256.update(piece)
        md5.update(piece)
        if keep:
            data += piece
        if Misbehave.FETCH_HANG_UP in misbehave:
            channel.abort()
            raise PayloadError("hung up")
        if Misbehave.FETCH_STALL in misbehave:
            await channel.closed()
            raise PayloadError("the sender gave up")
