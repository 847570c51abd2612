"""Payloads of a fake KDE Connect device (section 9), both directions."""

import asyncio
import contextlib
from typing import TYPE_CHECKING

from tests.fakes.kdeconnect_misbehave import Misbehave
from tests.fakes.kdeconnect_tls import TlsChannel, close_stream, tls_context
from tests.fakes.kdeconnect_wire import Body, FakePacket, full_type

if TYPE_CHECKING:
    from tests.fakes.kdeconnect import FakeDevice
    from tests.fakes.kdeconnect_peer import FakePeer

_PIECE = 4096  # what KDE sends at a time
_RECEIVER_TIMEOUT = 10
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
        self._tasks: set[asyncio.Task[None]] = set()
        self.timeout = 10.0 if device.kind == "phone" else 30.0

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
        misbehave = self._device.misbehave
        first: asyncio.Future[_Streams] = asyncio.get_running_loop().create_future()
        server = await self._listen(first)
        port: int = server.sockets[0].getsockname()[1]
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
        return port

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
    ) -> None:
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
        else:
            peer.emit("payload_sent", port=port, size=len(data))

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
        async with asyncio.timeout(_RECEIVER_TIMEOUT):
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
            await channel.drain()
        if Misbehave.PAYLOAD_STALL in misbehave:
            while await channel.read():
                pass
            raise PayloadError("the receiver gave up")


async def _until_closed(reader: asyncio.StreamReader) -> None:
    while await reader.read(65536):
        pass


async def fetch_payload(peer: FakePeer, packet: FakePacket) -> bytes:
    """Fetch what a packet announces. Raises PayloadError, OSError."""
    device = peer.device
    if packet.payload_port is None or packet.payload_size is None:
        raise PayloadError("no payload announced")
    async with asyncio.timeout(_RECEIVER_TIMEOUT):
        reader, writer = await asyncio.open_connection(peer.host, packet.payload_port)
    try:
        credentials = device.presented_credentials()
        context = tls_context(credentials, server=False, tls13=device.tls13)
        channel = TlsChannel(reader, writer, context, server=False)
        async with asyncio.timeout(_RECEIVER_TIMEOUT):
            await channel.handshake()
            if channel.peer_certificate != device.paired.get(peer.device_id):
                raise PayloadError("served by another device")
            data = bytearray()
            while piece := await channel.read():
                data += piece
    finally:
        await close_stream(writer)
    if packet.payload_size not in {-1, len(data)}:
        raise PayloadError(f"{len(data)} bytes instead of {packet.payload_size}")
    return bytes(data)
