"""KDE Connect's ports, divided among the test processes of one machine.

The protocol fixes its ports, and whoever listens there is called by whoever hears of it.
Two processes that test at once, such as the workers of one run, would take each other's
ports and call each other's devices.  So each takes a share of them, and finds the others'
used and silent.
"""

from collections.abc import Iterable, Iterator
import contextlib
import errno
import functools
import itertools
import os
import socket
import time

import pytest_socket

HOST = "127.0.0.1"
#: Where devices listen; where files are fetched is part of it.
PORTS = range(1716, 1765)
#: The most processes that can test at once.  One test needs eight ports for its files.
SHARES = 3
#: Who holds one of these has that share: the system gives it back however a process ends.
_KEYS = range(1700, 1700 + SHARES)
# Below those that systems hand out when asked for any port.
_UDP_PORTS = range(20000, 30000)
#: Seconds to wait for other runs.
PATIENCE = 240.0

type Address = tuple[object, ...] | str | bytes


class Share:
    """The ports of this process."""

    def __init__(self, number: int, key: socket.socket | None) -> None:
        """Take a share; without a key, another process has it too."""
        self.number = number
        self._key = key
        self._closed: set[int] = set()
        self._udp_ports = self._count_udp_ports()

    def _count_udp_ports(self) -> Iterator[int]:
        # Not always from the beginning: a shared share is rather one of its parts then.
        ports = [port for port in _UDP_PORTS if port % SHARES == self.number]
        start = os.getpid() * 37 % len(ports)
        return itertools.cycle(ports[start:] + ports[:start])

    def owns(self, port: object) -> bool:
        """Tell whether this process may use a port now."""
        if not isinstance(port, int) or port not in PORTS:
            return True
        return port % SHARES == self.number and port not in self._closed

    def free_udp_port(self) -> int:
        """Return a UDP port that is free, and that nobody is given by chance."""
        ports = itertools.islice(self._udp_ports, len(_UDP_PORTS))
        return _first_free(socket.SOCK_DGRAM, ports)

    def free_tcp_port(self) -> int:
        """Return a port where a program that a test starts can be a device."""
        return _first_free(socket.SOCK_STREAM, filter(self.owns, reversed(PORTS)))

    @contextlib.contextmanager
    def closed_port(self) -> Iterator[int]:
        """Return a port of a device where nobody listens, and see that it stays so.

        A socket that holds it would do, were it not for the connections of earlier tests:
        the system remembers them for a minute, and most ports have had some.
        """
        port = self.free_tcp_port()
        self._closed.add(port)
        try:
            yield port
        finally:
            self._closed.remove(port)


def _first_free(kind: socket.SocketKind, ports: Iterable[int]) -> int:
    for port in ports:
        with socket.socket(type=kind) as sock, contextlib.suppress(OSError):
            if kind == socket.SOCK_STREAM:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((HOST, port))
            return port
    raise OSError("no free port")


def _take_key(number: int) -> socket.socket | None:
    key = socket.socket()
    try:
        key.bind((HOST, _KEYS[number]))
    except OSError:
        key.close()
        return None
    return key


def _take(patience: float) -> Share:
    until = time.monotonic() + patience
    while True:
        for number in range(SHARES):
            key = _take_key(number)
            if key is not None:
                return Share(number, key)
        if time.monotonic() > until:
            # Two large runs may each wait for what the other has.
            return Share(os.getpid() % SHARES, None)
        time.sleep(0.2)


@functools.cache
def share() -> Share:
    """Return the share of this process; the first call waits for one to be free."""
    taken = _take(PATIENCE)
    _enforce(taken)
    return taken


def _enforce(own: Share) -> None:
    """Let every socket of this process find the ports of others used and silent."""
    true_bind, true_connect = socket.socket.bind, socket.socket.connect

    def is_foreign(sock: socket.socket, address: Address) -> bool:
        if sock.type != socket.SOCK_STREAM or not isinstance(address, tuple):
            return False
        return not own.owns(address[1])

    def bind(sock: socket.socket, address: Address, /) -> None:
        if is_foreign(sock, address):
            raise OSError(errno.EADDRINUSE, "Address already in use")
        true_bind(sock, address)

    def connect(sock: socket.socket, address: Address, /) -> None:
        if is_foreign(sock, address):
            raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
        true_connect(sock, address)

    socket.socket.bind = bind  # type: ignore[assignment,method-assign]
    socket.socket.connect = connect  # type: ignore[assignment,method-assign]
    # It puts what it found before over its own guard, after every test.
    pytest_socket._true_connect = connect  # type: ignore[assignment]
