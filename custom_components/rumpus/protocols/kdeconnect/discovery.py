"""Discovery by UDP (the KDE Connect reference, sections 4.1 and 12.1).

`read_announcement` and `DiscoveryGuard` decide what is worth acting on and know no sockets;
`UdpDiscovery` moves the datagrams.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Container
import contextlib
from dataclasses import dataclass
import errno
import ipaddress
import logging
import socket
from typing import Final, override

from ..budget import Budget
from ..errors import ProtocolError
from ..json_lines import decode_json
from .const import TCP_PORTS, UDP_PORT
from .handshake import plain_host
from .identity import Identity, parse_identity
from .packet import decode_packet, encode_packet

_LOGGER = logging.getLogger(__name__)

MAX_DATAGRAM: Final = 8192
# One reaction per device and per address in this time, in seconds.
ATTEMPT_INTERVAL: Final = 1.0
# How many devices and addresses are remembered for that.
MAX_REMEMBERED: Final = 255
# Unknown devices together get this many reactions at once and per second: a flood of
# made-up ones must not become a flood of ours.
UNKNOWN_BURST: Final = 20
UNKNOWN_PER_SECOND: Final = 10.0

# Carrier-grade NAT and overlay networks; Python counts them as neither.
_SHARED_ADDRESSES: Final = ipaddress.ip_network("100.64.0.0/10")

BROADCAST: Final = "255.255.255.255"


@dataclass(frozen=True, slots=True)
class Network:
    """Where our end listens and sends; the defaults are the protocol's.

    `peer_udp_port` is where other devices listen; it differs from `udp_port` only where
    both live on one address.  `source_addresses` are the local addresses that broadcasts
    leave from; with none, the system chooses.
    """

    bind: str = "0.0.0.0"  # noqa: S104 - a peer listens on every interface by design
    udp_port: int = UDP_PORT
    peer_udp_port: int = UDP_PORT
    tcp_ports: range = TCP_PORTS
    source_addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Announcement:
    """A device said that it is there: not authenticated, only a hint where to look."""

    identity: Identity
    host: str
    port: int


class RecentTimes:
    """The last time of each of a bounded number of keys, in monotonic seconds."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._times: OrderedDict[str, float] = OrderedDict()

    def is_recent(self, key: str, now: float, interval: float) -> bool:
        """Tell whether the key was seen within the interval."""
        last = self._times.get(key)
        return last is not None and now - last < interval

    def too_soon(self, key: str, now: float, interval: float) -> bool:
        """Tell whether the key was seen within the interval; if not, remember it."""
        if self.is_recent(key, now, interval):
            return True
        self.touch(key, now)
        return False

    def touch(self, key: str, now: float) -> None:
        """Remember that the key was seen."""
        self._times[key] = now
        self._times.move_to_end(key)
        if len(self._times) > MAX_REMEMBERED:
            self._times.popitem(last=False)

    def forget(self, key: str) -> None:
        """Treat the key as one that was never seen."""
        self._times.pop(key, None)

    def __len__(self) -> int:
        """Return how many keys are remembered."""
        return len(self._times)


class PlacedTimes:
    """The last times of devices where they were last, and everywhere else.

    What comes from a device's last address has a place of its own: datagrams that somebody
    else sends in its name do not keep it out.  All other addresses share one, which is taken
    too when the device has just been heard where it belongs (it may have several).
    """

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._times = RecentTimes()

    def too_soon(
        self, device_id: str, host: str, now: float, interval: float, last: str | None
    ) -> bool:
        """Tell whether there was one within the interval; if not, remember this one."""
        if host == last:
            return self._times.too_soon(device_id, now, interval)
        if self._times.is_recent(device_id, now, interval):
            return True
        return self._times.too_soon(f"{device_id} elsewhere", now, interval)

    def touch(self, device_id: str, now: float) -> None:
        """Remember a device everywhere."""
        for key in (device_id, f"{device_id} elsewhere"):
            self._times.touch(key, now)

    def __len__(self) -> int:
        """Return how many places are remembered."""
        return len(self._times)


def unknown_budget() -> Budget:
    """Return how many reactions to unknown devices there may be, from all of us together."""
    return Budget(UNKNOWN_BURST, UNKNOWN_PER_SECOND)


class DiscoveryGuard:
    """Decides which announcements are acted on.

    Known (paired) devices have a table of their own, so that a flood of unknown ones, even
    from the same address, never keeps them out.
    """

    def __init__(self, budget: Budget | None = None) -> None:
        """Remember nothing yet; the budget may be shared."""
        self._budget = budget or unknown_budget()
        self._known = PlacedTimes()
        self._devices = RecentTimes()
        self._hosts = RecentTimes()

    def admit(self, device_id: str, host: str, now: float) -> bool:
        """Tell whether to act on an unknown device's announcement at this time (monotonic, s)."""
        if self._budget.left(now) < 1:
            return False
        if self._hosts.too_soon(host, now, ATTEMPT_INTERVAL):
            return False
        if self._devices.too_soon(device_id, now, ATTEMPT_INTERVAL):
            return False
        self._budget.take(now)
        return True

    def admit_known(
        self, device_id: str, host: str, now: float, *, last: str | None
    ) -> bool:
        """Tell the same of a paired device, which was `last` at that address."""
        return not self._known.too_soon(device_id, host, now, ATTEMPT_INTERVAL, last)


def read_announcement(
    data: bytes, host: str, own_ids: Container[str] = ()
) -> Announcement | None:
    """Decode a datagram; None for what is malformed, ours, or not from a local network.

    Our own broadcasts come back to us.
    """
    if len(data) > MAX_DATAGRAM or not is_local_address(host):
        return None
    try:
        value = decode_json(data)
        if not isinstance(value, dict):
            return None
        identity = parse_identity(decode_packet(value))
    except ProtocolError:
        return None
    # The parser has dropped ports that no device listens on (CVE-2020-26164).
    if identity.tcp_port is None or identity.device_id in own_ids:
        return None
    return Announcement(identity, host, identity.tcp_port)


def is_local_address(host: str) -> bool:
    """Tell whether an address belongs to a local network (section 4.1, step 1)."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return address.is_private or address in _SHARED_ADDRESSES


def is_loopback(host: str) -> bool:
    """Tell whether an address is this machine's loopback."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class UdpDiscovery(asyncio.DatagramProtocol):
    """The UDP socket: hears announcements and sends ours."""

    def __init__(
        self, network: Network, received: Callable[[bytes, str], None]
    ) -> None:
        """Report each datagram with its sender's host to `received`."""
        self._network = network
        self._received = received
        self._listener: asyncio.DatagramTransport | None = None
        # A plain socket: what does not fit into its buffer at once is not worth waiting for.
        self._sender: socket.socket | None = None

    @property
    def is_open(self) -> bool:
        """Whether anything can be sent."""
        return self._sender is not None

    @property
    def is_bound(self) -> bool:
        """Whether others' broadcasts reach us."""
        return self._listener is not None

    async def start(self) -> None:
        """Open the sockets.

        The port may belong to another program: then everything works but hearing
        broadcasts, so that is not an error.  Raises OSError when not even sending works.
        """
        loop = asyncio.get_running_loop()
        try:
            listener, _ = await loop.create_datagram_endpoint(
                lambda: self,
                sock=_udp_socket(self._network.bind, self._network.udp_port),
            )
        except OSError as err:
            _LOGGER.info(
                "Cannot listen on UDP port %s: %s", self._network.udp_port, err.strerror
            )
        else:
            self._listener = listener
        try:
            self._sender = _udp_socket(self._network.bind, 0)
        except OSError:
            self.stop()
            raise

    def stop(self) -> None:
        """Close the sockets."""
        if self._listener is not None:
            self._listener.abort()
            self._listener = None
        if self._sender is not None:
            self._sender.close()
            self._sender = None

    @override
    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._received(data, plain_host(addr))

    @override
    def error_received(self, exc: Exception) -> None:
        _LOGGER.debug("UDP: %s", exc)

    def port(self) -> int | None:
        """Return the port that we listen on."""
        if self._listener is None:
            return None
        name: tuple[str, int] = self._listener.get_extra_info("sockname")
        return name[1]

    def send(self, identity: Identity, host: str) -> None:
        """Send our identity to one address; what cannot be sent is only logged."""
        if self._sender is not None:
            _send(self._sender, identity, host, self._network.peer_udp_port)

    def broadcast(self, identity: Identity) -> None:
        """Send our identity to everybody, from each source address."""
        for address in self._network.source_addresses or (self._network.bind,):
            # On loopback there is nobody else to hear it, and a broadcast would leave it.
            target = address if is_loopback(address) else BROADCAST
            try:
                sock = _udp_socket(address, 0)
            except OSError as err:  # an interface that has just gone
                _LOGGER.debug("Cannot announce from %s: %s", address, err.strerror)
                continue
            with contextlib.closing(sock):
                _send(sock, identity, target, self._network.peer_udp_port)


def _udp_socket(address: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        if port:
            # Shared with other programs.  Any other port has to be ours alone: the system
            # may give a port that is shared to a second socket, which then gets our datagrams.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sock.bind((address, port))
    except OSError:
        sock.close()
        raise
    return sock


def _send(sock: socket.socket, identity: Identity, host: str, port: int) -> None:
    """Send one datagram at once: the socket's buffer is all the queue there is."""
    try:
        try:
            sock.sendto(
                encode_packet(identity.to_packet(tcp_port=identity.tcp_port)),
                (host, port),
            )
        except OSError as err:
            if err.errno != errno.EMSGSIZE:
                raise
            # Some systems do not fragment broadcasts; empty lists mean "unknown" (section 3).
            short = identity.to_packet(
                tcp_port=identity.tcp_port, with_capabilities=False
            )
            sock.sendto(encode_packet(short), (host, port))
    except OSError as err:
        _LOGGER.debug("Cannot announce to %s: %s", host, err.strerror)
