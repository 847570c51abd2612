"""The fake console's sockets, and the bad network in front of them on demand."""

import asyncio
from collections.abc import Callable
import contextlib
from dataclasses import dataclass
import ipaddress
import itertools
from pathlib import Path
import random
import socket
import struct
from typing import override

from tests.fakes.xbox_wire import GROUP

type Address = tuple[str, int]
type Receiver = Callable[[bytes, Address], None]

_BROADCAST = str(ipaddress.IPv4Address(0xFFFFFFFF))
_HELD_BACK = 0.02  # seconds at most that a reordered datagram waits for another


@dataclass(frozen=True, slots=True)
class Faults:
    """What happens to datagrams in both directions, the same for the same seed.

    `loss`, `duplicate` and `reorder` are probabilities, `delay` is in seconds.
    """

    loss: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    delay: float = 0.0
    seed: int = 1


class Direction:
    """The way of datagrams in one direction."""

    def __init__(self, deliver: Receiver, name: str) -> None:
        self._deliver = deliver
        self._name = name
        self._timers: set[asyncio.TimerHandle] = set()
        self._held: list[tuple[bytes, Address]] = []
        self.set_faults(Faults())

    def set_faults(self, faults: Faults) -> None:
        """Begin with other faults."""
        self._faults = faults
        self._random = random.Random(f"{faults.seed} {self._name}")

    def pass_on(self, data: bytes, address: Address) -> None:
        """Deliver a datagram, or do to it what the faults say."""
        faults, chance = self._faults, self._random.random
        if faults.loss and chance() < faults.loss:
            return
        copies = 2 if faults.duplicate and chance() < faults.duplicate else 1
        if faults.reorder and chance() < faults.reorder:
            self._held.extend([(data, address)] * copies)
            self._later(_HELD_BACK + faults.delay, self._let_go)
            return
        for _ in range(copies):
            self._send(data, address)
        self._let_go()

    def _let_go(self) -> None:
        held, self._held = self._held, []
        for data, address in held:
            self._send(data, address)

    def _send(self, data: bytes, address: Address) -> None:
        if self._faults.delay:
            self._later(self._faults.delay, lambda: self._deliver(data, address))
        else:
            self._deliver(data, address)

    def _later(self, delay: float, action: Callable[[], None]) -> None:
        def run() -> None:
            self._timers.discard(handle)
            action()

        handle = asyncio.get_running_loop().call_later(delay, run)
        self._timers.add(handle)

    def stop(self) -> None:
        """Lose what is on its way."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self._held.clear()


class _Ear(asyncio.DatagramProtocol):
    def __init__(self, receive: Receiver) -> None:
        self._receive = receive
        self.lost = asyncio.get_running_loop().create_future()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set_result(None)

    @override
    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._receive(data, addr)


class Network:
    """One socket that everything is sent from, and those that hear broadcasts.

    Broadcasts and multicasts come to sockets bound to those very addresses: so the
    answers always come from the right address, and several consoles can live on one
    machine, each with an address of its own.
    """

    def __init__(self, receive: Receiver) -> None:
        self._in = Direction(receive, "in")
        self._out = Direction(self._send_now, "out")
        self._transports: list[asyncio.DatagramTransport] = []
        self._ears: list[_Ear] = []
        self.is_plugged = True
        self.address: Address = ("", 0)

    async def open(self, address: str, port: int, *, broadcasts: bool) -> None:
        """Open the sockets. Raises OSError."""
        await self._open(address, port)
        name = self._transports[0].get_extra_info("sockname")
        self.address = (address, name[1])
        if broadcasts:
            for other in (_BROADCAST, GROUP, *_broadcast_addresses(address)):
                with contextlib.suppress(OSError):
                    await self._open(other, self.address[1], joins=address)

    async def _open(self, address: str, port: int, joins: str | None = None) -> None:
        loop = asyncio.get_running_loop()
        wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            wire.setblocking(False)
            if joins is not None:  # a broadcast goes to all of them, never a unicast
                wire.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if joins is not None and address == GROUP:
                request = socket.inet_aton(GROUP) + socket.inet_aton(joins)
                wire.setsockopt(
                    socket.IPPROTO_IP,
                    socket.IP_ADD_MEMBERSHIP,
                    request + struct.pack("@i", 0),
                )
            wire.bind((address, port))
            transport, ear = await loop.create_datagram_endpoint(
                lambda: _Ear(self._received), sock=wire
            )
        except BaseException:
            wire.close()
            raise
        self._transports.append(transport)
        self._ears.append(ear)

    async def close(self) -> None:
        """Close the sockets; what was on its way is lost."""
        self._in.stop()
        self._out.stop()
        for transport in self._transports:
            transport.abort()
        self._transports.clear()
        ears, self._ears = self._ears, []
        for ear in ears:
            await ear.lost

    def set_faults(self, faults: Faults) -> None:
        """Begin with other faults."""
        self._in.set_faults(faults)
        self._out.set_faults(faults)

    def _received(self, data: bytes, address: Address) -> None:
        if self.is_plugged:
            self._in.pass_on(data, address)

    def send(self, data: bytes, address: Address) -> None:
        """Send a datagram, faults permitting."""
        if self.is_plugged and self._transports:
            self._out.pass_on(data, address)

    def _send_now(self, data: bytes, address: Address) -> None:
        if self.is_plugged and self._transports:
            self._transports[0].sendto(data, address)


def _broadcast_addresses(address: str) -> list[str]:
    """Return the broadcast addresses of networks that an address is in (Linux)."""
    try:
        lines = Path("/proc/net/fib_trie").read_text(encoding="ascii").splitlines()
    except OSError:
        return []
    found = {
        before.split()[-1]
        for before, line in itertools.pairwise(lines)
        if line.strip() == "/32 link BROADCAST"
    }
    networks = (
        ipaddress.ip_network(f"{address}/{size}", strict=False) for size in range(8, 31)
    )
    return [
        str(network.broadcast_address)
        for network in networks
        if str(network.broadcast_address) in found
    ]
