"""Finding consoles in the network (the SmartGlass reference, sections 1, 4.1, 4.2 and 4.5).

Anybody can answer, in the name of any console: what is found is a hint where to look, and
only a session proves anything.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
import contextlib
from dataclasses import dataclass, field
import ipaddress
import logging
import socket
from typing import Final
from uuid import UUID

from ..budget import Budget
from ..errors import PeerTimeoutError, ProtocolError
from .certificate import read_certificate
from .const import BROADCAST_ADDRESS, MULTICAST_GROUP, PORT
from .enums import DeviceType, PrimaryDeviceFlag
from .packets import (
    DiscoveryRequest,
    DiscoveryResponse,
    PowerOnRequest,
    decode_packet,
    encode_packet,
)

_LOGGER = logging.getLogger(__name__)

MAX_RESPONSE: Final = 4096
"""Bytes of a response; real ones have about 650."""
MAX_NAME: Final = 64
"""Characters of a console's name that are kept."""
MAX_FOUND: Final = 256
"""Consoles that one search finds."""
MAX_PER_HOST: Final = 32
"""Consoles that one search finds at one address."""
MAX_WANTED: Final = 64
"""Addresses that were asked lately: theirs are answered before those of strangers."""
MAX_KNOWN: Final = 64
"""Responses whose certificates need not be read again."""
BURST: Final = 256
PER_SECOND: Final = 100.0
"""Responses of all strangers that are looked at: so many at once and per second."""
WANTED_BURST: Final = 64
WANTED_PER_SECOND: Final = 64.0
"""The same for each address that was asked."""
DATAGRAMS_PER_TURN: Final = 16
"""Datagrams that are read before the event loop gets its turn."""
ROUND_INTERVAL: Final = 0.1
"""Seconds between two rounds of broadcasts; one serves all who ask for it meanwhile."""
SEARCH_INTERVAL: Final = 0.5
"""Seconds between two rounds of a search."""
FIND_TIMEOUT: Final = 3.0
"""Seconds for one address to answer."""

type Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Network:
    """Where our end sends from and to; the defaults are the protocol's.

    `port` is where consoles listen whose port nobody told. The system sends a broadcast
    through one adapter only: each of the `source_addresses`, which are local ones, gets a
    socket of its own, so that the networks of all adapters are searched.
    """

    bind: str = "0.0.0.0"  # noqa: S104 - answers come from every network
    port: int = PORT
    targets: tuple[Address, ...] = (
        (BROADCAST_ADDRESS, PORT),
        (MULTICAST_GROUP, PORT),
    )
    source_addresses: tuple[str, ...] = ()


DEFAULT_NETWORK: Final = Network()


@dataclass(frozen=True, slots=True)
class DiscoveredConsole:
    """What a console says of itself, and from where; none of it is authenticated.

    The Live ID is that of the certificate (DER); it is None when there is no certificate
    yet, or none that can be read.
    """

    address: str
    port: int
    name: str
    console_uuid: UUID | None
    flags: PrimaryDeviceFlag
    device_type: DeviceType | int
    live_id: str | None
    certificate: bytes = field(repr=False)

    @property
    def allows_anonymous(self) -> bool:
        """Whether a connect needs no tokens."""
        return PrimaryDeviceFlag.ALLOW_ANONYMOUS_USERS in self.flags

    @property
    def is_ready(self) -> bool:
        """Whether a connect can be tried: the certificate is there and can be used."""
        return (
            self.live_id is not None
            and PrimaryDeviceFlag.CERTIFICATE_PENDING not in self.flags
        )

    @property
    def identity(self) -> str:
        """What tells this console from others, wherever it is."""
        if self.live_id is not None:
            return self.live_id
        return str(self.console_uuid or f"{self.address}:{self.port}")


def read_response(data: bytes, address: str, port: int) -> DiscoveredConsole:
    """Decode a DiscoveryResponse from an address. Raises ProtocolError."""
    if len(data) > MAX_RESPONSE:
        raise ProtocolError(f"Response of more than {MAX_RESPONSE} bytes")
    response = decode_packet(data)
    if not isinstance(response, DiscoveryResponse):
        raise ProtocolError("Datagram that is no response")
    live_id: str | None = None
    with contextlib.suppress(ProtocolError):
        live_id = read_certificate(response.certificate).live_id
    return DiscoveredConsole(
        address=address,
        port=port,
        name=_printable(response.name),
        console_uuid=_read_uuid(response.console_uuid),
        flags=response.flags,
        device_type=response.device_type,
        live_id=live_id if live_id and live_id.isprintable() else None,
        certificate=response.certificate,
    )


def _printable(name: str) -> str:
    return "".join(char for char in name if char.isprintable())[:MAX_NAME].strip()


def _read_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


class ResponseReader:
    """Decides which responses are looked at, and does not read any of them twice.

    It knows no sockets. Whoever was asked has a budget of its own: a flood of invented
    consoles does not keep the answer of a true one out.
    """

    def __init__(self) -> None:
        """Expect nobody in particular."""
        self._strangers = Budget(BURST, PER_SECOND)
        self._wanted: OrderedDict[Address, Budget] = OrderedDict()
        self._known: OrderedDict[tuple[bytes, Address], DiscoveredConsole] = (
            OrderedDict()
        )

    def __len__(self) -> int:
        """Return how many addresses and responses are remembered."""
        return len(self._wanted) + len(self._known)

    def want(self, address: Address) -> None:
        """Expect an answer from an address that is asked now."""
        budget = self._wanted.pop(address, None)
        self._wanted[address] = budget or Budget(WANTED_BURST, WANTED_PER_SECOND)
        if len(self._wanted) > MAX_WANTED:
            self._wanted.popitem(last=False)

    def read(
        self, data: bytes, address: Address, now: float
    ) -> DiscoveredConsole | None:
        """Return what a datagram tells; None if nothing, or if there is no time for it."""
        if len(data) > MAX_RESPONSE:
            return None
        if not self._wanted.get(address, self._strangers).take(now):
            return None
        key = data, address
        console = self._known.get(key)
        if console is None:
            try:
                console = read_response(data, *address)
            except ProtocolError as err:
                _LOGGER.debug("No response, from %s: %s", address[0], err)
                return None
            self._known[key] = console
            if len(self._known) > MAX_KNOWN:
                self._known.popitem(last=False)
        return console


class _Found:
    """What one search has found: the latest word of each console."""

    def __init__(self) -> None:
        self.consoles: dict[str, DiscoveredConsole] = {}
        self._per_host: dict[str, int] = {}

    def add(self, console: DiscoveredConsole) -> None:
        known = self.consoles.get(console.identity)
        if known is None:
            count = self._per_host.get(console.address, 0)
            if len(self.consoles) >= MAX_FOUND or count >= MAX_PER_HOST:
                return
            self._per_host[console.address] = count + 1
        self.consoles[console.identity] = console


class Discoverer:
    """Asks who is there, hears all answers, and wakes consoles up.

    All calls come from the thread of the event loop. Without `start` nothing is sent.
    """

    def __init__(self, network: Network = DEFAULT_NETWORK) -> None:
        """Prepare; no socket is opened yet."""
        self.network = network
        self._sockets: dict[str, socket.socket] = {}
        self._is_running = False
        self._reader = ResponseReader()
        self._listeners: dict[object, Callable[[DiscoveredConsole], None]] = {}
        self._last_round = float("-inf")
        self._next_round: asyncio.TimerHandle | None = None

    @property
    def is_running(self) -> bool:
        """Whether anything can be sent and heard."""
        return self._is_running

    async def start(self) -> None:
        """Open the sockets. Raises OSError when there is no network at all.

        The adapter of a source address may be missing: it is tried again each round.
        """
        if self._is_running:
            return
        self._open(self.network.bind)
        self._is_running = True
        self._open_sources()

    async def stop(self) -> None:
        """Close the sockets. Those who wait for an answer get none."""
        self._is_running = False
        if self._next_round is not None:
            self._next_round.cancel()
            self._next_round = None
        loop = asyncio.get_running_loop()
        while self._sockets:
            _, sock = self._sockets.popitem()
            loop.remove_reader(sock)
            sock.close()

    def subscribe(
        self, callback: Callable[[DiscoveredConsole], None]
    ) -> Callable[[], None]:
        """Hear every response from now on, until the returned function is called.

        Consoles answer several times: once for each request and each way that it took.
        """
        key = object()
        self._listeners[key] = callback

        def unsubscribe() -> None:
            self._listeners.pop(key, None)

        return unsubscribe

    def announce(self) -> None:
        """Ask everybody, once and soon, without waiting for answers."""
        if self._next_round is None and self._is_running:
            loop = asyncio.get_running_loop()
            due = self._last_round + ROUND_INTERVAL
            if loop.time() < due:
                self._next_round = loop.call_at(due, self._ask_all)
            else:
                self._ask_all()

    def _ask_all(self) -> None:
        self._next_round = None
        self._last_round = asyncio.get_running_loop().time()
        self._broadcast(encode_packet(DiscoveryRequest()))

    def probe(self, addresses: Iterable[Address]) -> None:
        """Ask these addresses, which are no host names, without waiting for answers."""
        request = encode_packet(DiscoveryRequest())
        for address in addresses:
            self._reader.want(address)
            self._send(self.network.bind, request, address)

    def wake(self, live_id: str, addresses: Iterable[Address] = ()) -> None:
        """Send one packet that switches a console on to everybody and these addresses.

        Nobody answers it; see `power.wake` for what makes sure. Raises ProtocolError for
        what is no Live ID.
        """
        packet = encode_packet(PowerOnRequest(live_id))
        self._broadcast(packet)
        for address in addresses:
            self._send(self.network.bind, packet, address)

    async def search(
        self, seconds: float, *, addresses: Sequence[Address] = ()
    ) -> tuple[DiscoveredConsole, ...]:
        """Return the consoles that answer within so many seconds, each of them once."""
        found = _Found()
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        unsubscribe = self.subscribe(found.add)
        try:
            while (left := end - loop.time()) > 0:
                self.announce()
                self.probe(addresses)
                await asyncio.sleep(min(left, SEARCH_INTERVAL))
        finally:
            unsubscribe()
        return tuple(found.consoles.values())

    async def find(
        self,
        address: str,
        port: int | None = None,
        timeout: float = FIND_TIMEOUT,
        *,
        interval: float = SEARCH_INTERVAL,
    ) -> DiscoveredConsole:
        """Return the console at one address, which may be a host name.

        Raises PeerTimeoutError when there is no answer.
        """
        answer: asyncio.Future[DiscoveredConsole] = (
            asyncio.get_running_loop().create_future()
        )
        target: Address | None = None

        def heard(console: DiscoveredConsole) -> None:
            if (console.address, console.port) == target and not answer.done():
                answer.set_result(console)

        unsubscribe = self.subscribe(heard)
        try:
            async with asyncio.timeout(timeout):
                target = await resolve(address, port or self.network.port)
                while not answer.done():
                    self.probe([target])
                    await asyncio.wait({answer}, timeout=interval)
                return answer.result()
        except TimeoutError:
            pass
        except OSError as err:
            _LOGGER.debug("Cannot resolve %s: %s", address, err)
        finally:
            unsubscribe()
        raise PeerTimeoutError("No console answers at this address")

    # Sockets. Plain ones: what does not fit into their buffers is not worth waiting for.

    def _open(self, source: str) -> None:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            sock.setsockopt(
                socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(source)
            )
            sock.bind((source, 0))
            asyncio.get_running_loop().add_reader(sock, self._readable, sock)
        except OSError:
            sock.close()
            raise
        self._sockets[source] = sock

    def _open_sources(self) -> None:
        for source in self.network.source_addresses:
            if source not in self._sockets:
                try:
                    self._open(source)
                except OSError as err:  # an adapter that is not there now
                    _LOGGER.debug("Cannot search from %s: %s", source, err)

    def _broadcast(self, packet: bytes) -> None:
        if not self._is_running:
            return
        self._open_sources()
        sources = [
            source
            for source in self.network.source_addresses
            if source in self._sockets
        ]
        for source in sources or (self.network.bind,):
            for target in self.network.targets:
                self._send(source, packet, target)

    def _send(self, source: str, packet: bytes, address: Address) -> None:
        if not self._is_running:
            return
        try:
            # The socket would ask a name server, and hold everything up meanwhile.
            ipaddress.IPv4Address(address[0])
            self._sockets[source].sendto(packet, address)
        except (OSError, ValueError) as err:
            # One of several ways: the others may work.
            _LOGGER.debug("Cannot send to %s: %s", address[0], err)

    def _readable(self, sock: socket.socket) -> None:
        now = asyncio.get_running_loop().time()
        for _ in range(DATAGRAMS_PER_TURN):
            # A listener may have stopped us.
            if sock.fileno() < 0:
                return
            try:
                data, address = sock.recvfrom(MAX_RESPONSE + 1)
            except BlockingIOError:
                return
            except OSError as err:
                _LOGGER.debug("Cannot receive: %s", err)
                return
            console = self._reader.read(data, address, now)
            if console is not None:
                self._tell(console)

    def _tell(self, console: DiscoveredConsole) -> None:
        for callback in tuple(self._listeners.values()):
            try:
                callback(console)
            except Exception:
                _LOGGER.exception("A listener failed")


async def resolve(address: str, port: int) -> Address:
    """Return the numeric address of a host. Raises OSError when there is none."""
    with contextlib.suppress(ValueError):
        return str(ipaddress.IPv4Address(address)), port
    try:
        infos = await asyncio.get_running_loop().getaddrinfo(
            address, port, family=socket.AF_INET, type=socket.SOCK_DGRAM
        )
    except UnicodeError as err:  # a part of it is longer than a host name may have
        raise OSError("Not a host name") from err
    return str(infos[0][4][0]), port
