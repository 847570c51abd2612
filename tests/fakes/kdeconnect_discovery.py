"""How a fake KDE Connect device is found and finds others (section 4.1)."""

import asyncio
import ipaddress
import socket
from typing import TYPE_CHECKING, override

from tests.fakes.kdeconnect_events import FakeEvent
from tests.fakes.kdeconnect_setup import LinkFailedError
from tests.fakes.kdeconnect_wire import FakeIdentity, WireError, decode_packet

if TYPE_CHECKING:
    from tests.fakes.kdeconnect import FakeDevice

TCP_PORTS = range(1716, 1765)


class Discovery(asyncio.DatagramProtocol):
    """The UDP socket of a device."""

    def __init__(self, device: FakeDevice, port: int) -> None:
        """Listen for a device; port 0 is any free one."""
        self._device = device
        self._port = port
        self._transport: asyncio.DatagramTransport | None = None
        self._closed = asyncio.Event()
        self._heard: dict[str, float] = {}
        self.identities: dict[str, FakeIdentity] = {}

    async def start(self) -> None:
        """Open the socket, on the same port as before. Raises OSError."""
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.setblocking(False)
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        try:
            udp.bind((self._device.bind, self._port))
        except OSError:
            udp.close()
            raise
        self._port = udp.getsockname()[1]
        self._heard.clear()
        self._closed.clear()
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, sock=udp)

    async def stop(self) -> None:
        """Close the socket."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None
            await self._closed.wait()

    @property
    def address(self) -> tuple[str, int]:
        """Where we listen."""
        return self._device.bind, self._port

    def send(self, data: bytes, host: str, port: int) -> None:
        """Send a datagram."""
        if self._transport is None:
            raise RuntimeError("not started")
        self._transport.sendto(data, (host, port))

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._closed.set()

    @override
    def datagram_received(self, data: bytes, addr: tuple[str | int, int]) -> None:
        """Call whoever announces itself."""
        device, host = self._device, str(addr[0])
        try:
            strict = device.protocol >= 8
            identity = FakeIdentity.parse(decode_packet(data), strict=strict)
            device.check_version(identity)
        except WireError, LinkFailedError:
            return
        own = identity.device_id == device.device_id
        if own or not ipaddress.ip_address(host).is_private:
            return
        now = asyncio.get_running_loop().time()
        last = self._heard.get(identity.device_id)
        if last is not None and now - last < device.udp_rate_limit:
            return
        self._heard[identity.device_id] = now
        self.identities[identity.device_id] = identity
        event = FakeEvent("udp_identity", identity.device_id, identity=identity)
        device.events.emit(event)
        port = identity.tcp_port
        if device.answers_udp and port is not None and port in TCP_PORTS:
            device.run_task(self._call(identity, host, port))

    async def _call(self, identity: FakeIdentity, host: str, port: int) -> None:
        device = self._device
        try:
            await device.call(host, port, identity.device_id, identity.protocol)
        except LinkFailedError:
            return  # there is an event of it
        except OSError:
            # Perhaps only the other direction is open.
            device.announce(host, device.peer_udp_port)
