"""Network namespaces: a made-up LAN in which broadcasts and mDNS work and which nothing leaves.

`enter_private_network` moves this process into a namespace of its own; `PrivateNetwork.add_host` makes a further one on the
same LAN, as a fake device needs for an address, ports and broadcasts of its own. Processes are started in there with
`Host.command_prefix`. Everything vanishes with the last process that uses it: nothing has a name outside of this process.
Linux and root only (iproute2 and util-linux).
"""

import asyncio
from collections.abc import Callable, Iterator
import contextlib
from dataclasses import dataclass, field
import ipaddress
import os
from pathlib import Path
import shutil
import socket
import subprocess
import sys
import threading
from types import TracebackType
from typing import Final, Self

LAN: Final = ipaddress.IPv4Network("10.99.0.0/24")
OUR_ADDRESS: Final = "10.99.0.1"
MULTICAST: Final = "224.0.0.0/4"
BROADCAST: Final = "255.255.255.255/32"
INTERFACE: Final = "lan0"
NAMESPACES: Final = Path("/run/netns")
COPY_SIZE: Final = 65536

type AddressInfo = tuple[
    int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[object, ...]
]


class NetworkError(Exception):
    """A network namespace could not be made."""


def can_use_namespaces() -> bool:
    """Return whether this machine and user can have network namespaces of their own; tries it."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return False
    if not all(shutil.which(command) for command in ("ip", "nsenter")):
        return False
    try:
        host = Host("", _new_namespace())
    except NetworkError:
        return False
    try:
        inside = host.command_prefix
        _ip("link", "add", INTERFACE, "type", "bridge", prefix=inside)
        _ip(
            "link",
            "add",
            "port0",
            "type",
            "veth",
            "peer",
            "name",
            "port1",
            prefix=inside,
        )
    except NetworkError:
        return False
    finally:
        host.close()
    return True


@dataclass(slots=True)
class Host:
    """A network namespace that is kept open by a file descriptor of this process."""

    address: str
    descriptor: int = field(repr=False)

    @property
    def path(self) -> str:
        """A path to the namespace, for as long as this process runs."""
        return f"/proc/{os.getpid()}/fd/{self.descriptor}"

    @property
    def command_prefix(self) -> tuple[str, ...]:
        """What to put in front of a command that is to run in here."""
        return ("nsenter", f"--net={self.path}", "--")

    def add_address(self, address: str) -> None:
        """Have one more address on the LAN; nothing happens if it is there already."""
        inside = self.command_prefix
        there = ("addr", "replace", f"{address}/{LAN.prefixlen}", "dev", INTERFACE)
        _ip(*there, prefix=inside)

    def close(self) -> None:
        """Forget the namespace; it vanishes when nothing runs in it any more."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


class PrivateNetwork:
    """The LAN of this process: made by `enter_private_network`."""

    def __init__(self) -> None:
        """Made by enter_private_network."""
        self.hosts: list[Host] = []

    def add_host(self, address: str) -> Host:
        """Make a namespace with one address (10.99.0.N) on the LAN."""
        if ipaddress.IPv4Address(address) not in LAN:
            raise NetworkError(f"{address} is not in {LAN}")
        host = Host(address, _new_namespace())
        number = int(ipaddress.IPv4Address(address)) & 0xFF
        port = f"port{number}"
        # The name of the namespace is the open file: ip takes a path as well.
        _ip(
            "link",
            "add",
            port,
            "type",
            "veth",
            "peer",
            "name",
            INTERFACE,
            "netns",
            host.path,
        )
        _ip("link", "set", port, "master", INTERFACE, "up")
        _configure(host.command_prefix, address)
        self.hosts.append(host)
        return host

    def close(self) -> None:
        """Forget the hosts."""
        for host in self.hosts:
            host.close()
        self.hosts.clear()

    def __enter__(self) -> Self:
        """Nothing to do."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Forget the hosts."""
        self.close()


def enter_private_network() -> PrivateNetwork:
    """Move this process into a namespace with loopback and a LAN of its own, 10.99.0.1/24 on the bridge `lan0`.

    Must be called from the main thread before any other thread was started: only the calling thread moves. Sockets that
    were opened before stay where they were made. There is no way back and no way out.
    """
    if not can_use_namespaces():
        raise NetworkError(
            "network namespaces need Linux, root, iproute2 and util-linux"
        )
    if threading.active_count() > 1:
        raise NetworkError(
            "other threads run already; they would stay in the old network"
        )
    os.unshare(os.CLONE_NEWNET)
    _ip(
        "link",
        "add",
        INTERFACE,
        "type",
        "bridge",
        "forward_delay",
        "0",
        "mcast_snooping",
        "0",
    )
    _configure((), OUR_ADDRESS)
    return PrivateNetwork()


def socket_factory(
    namespace: str | Path | int,
) -> Callable[[AddressInfo], socket.socket]:
    """Return a factory of sockets that belong to a namespace: a name below /run/netns, a path, or a file descriptor.

    For aiohttp's TCPConnector. The thread is in the other namespace only while the socket is made.
    """

    def make(info: AddressInfo) -> socket.socket:
        family, kind, protocol, *_ = info
        with _inside(namespace):
            made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        return made

    return make


class Forwarder:
    """Copies TCP connections from a listening socket of another namespace to a port in this one.

    Open the listener before `enter_private_network`, start afterwards: the user's browser then reaches what runs inside.
    """

    def __init__(
        self, listener: socket.socket, port: int, host: str = "127.0.0.1"
    ) -> None:
        """Forward what connects to `listener` to host:port."""
        self._listener = listener
        self._target = (host, port)
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Start accepting."""
        self._server = await asyncio.start_server(self._accept, sock=self._listener)

    async def stop(self) -> None:
        """Stop accepting and cut what is open."""
        if self._server is None:
            return
        self._server.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _accept(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Serve one connection."""
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(_copy(reader, far_writer))
                    group.create_task(_copy(far_reader, writer))
            finally:
                far_writer.close()
        except* OSError:
            pass  # one of the two ends is gone, and so is the connection
        finally:
            writer.close()
            self._connections.discard(task)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy one direction to its end."""
    while data := await reader.read(COPY_SIZE):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


def listen(port: int, host: str = "127.0.0.1") -> socket.socket:
    """Open a listening TCP socket here and now."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(64)
        listener.setblocking(False)
    except OSError as err:
        listener.close()
        raise NetworkError(f"port {port} of {host} is taken: {err.strerror}") from err
    return listener


def _new_namespace() -> int:
    """Return a file descriptor of a new, empty namespace."""
    result: list[int | OSError] = []

    def make() -> None:
        # Only this thread moves, and it ends at once.
        try:
            os.unshare(os.CLONE_NEWNET)
            result.append(
                os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            )
        except OSError as err:
            result.append(err)

    thread = threading.Thread(target=make, name="new-namespace")
    thread.start()
    thread.join()
    if isinstance(made := result[0], OSError):
        raise NetworkError(f"no network namespace: {made}") from made
    return made


def _configure(prefix: tuple[str, ...], address: str) -> None:
    """Bring loopback and the LAN interface of a namespace up."""
    _ip("link", "set", "lo", "up", prefix=prefix)
    # Without IPv6 there is no waiting for the duplicate detection of its addresses.
    _run(
        *prefix,
        "sh",
        "-c",
        f"echo 1 >/proc/sys/net/ipv6/conf/{INTERFACE}/disable_ipv6 2>/dev/null || true",
    )
    _ip(
        "addr",
        "add",
        f"{address}/{LAN.prefixlen}",
        "brd",
        "+",
        "dev",
        INTERFACE,
        prefix=prefix,
    )
    _ip("link", "set", INTERFACE, "up", "multicast", "on", prefix=prefix)
    for route in (MULTICAST, BROADCAST):
        _ip("route", "add", route, "dev", INTERFACE, prefix=prefix)


def _ip(*arguments: str, prefix: tuple[str, ...] = ()) -> None:
    """Run iproute2."""
    _run(*prefix, "ip", *arguments)


def _run(*command: str) -> None:
    """Run a command; NetworkError with what it said when it fails."""
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=30
    )
    if done.returncode:
        raise NetworkError(f"{' '.join(command)}: {done.stderr.strip()}")


@contextlib.contextmanager
def _inside(namespace: str | Path | int) -> Iterator[None]:
    """Be in another namespace for a moment; only the calling thread is."""
    opened = -1
    if isinstance(namespace, int):
        target = namespace
    else:
        target = opened = os.open(NAMESPACES / namespace, os.O_RDONLY | os.O_CLOEXEC)
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.setns(target, os.CLONE_NEWNET)
        try:
            yield
        finally:
            os.setns(home, os.CLONE_NEWNET)
    finally:
        os.close(home)
        if opened >= 0:
            os.close(opened)
