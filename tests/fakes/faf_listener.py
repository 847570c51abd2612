"""A listening socket whose connections go to protocols of asyncio's."""

import asyncio
from collections.abc import Callable
import contextlib
import socket
from typing import Final

BACKLOG: Final = 100


class Listener:
    """Not asyncio's server: one that is closed while it accepts fails in the loop."""

    def __init__(self, make: Callable[[], asyncio.BaseProtocol]) -> None:
        """Call `make` for every connection."""
        self._make = make
        self._task: asyncio.Task[None] | None = None

    def start(self, address: str, port: int) -> int:
        """Listen, and return the port. Raises OSError."""
        # Without the protocol's name asyncio leaves Nagle's delays in connections.
        sock = socket.socket(proto=socket.IPPROTO_TCP)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((address, port))
            sock.listen(BACKLOG)
        except OSError:
            sock.close()
            raise
        self._task = asyncio.create_task(self._accept(sock))
        # Also when it never gets its turn.
        self._task.add_done_callback(lambda _: sock.close())
        return int(sock.getsockname()[1])

    async def _accept(self, sock: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            connection, _ = await loop.sock_accept(sock)
            with contextlib.suppress(OSError):  # it may have gone already
                await loop.connect_accepted_socket(self._make, connection)

    async def stop(self) -> None:
        """Listen no more."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
            await asyncio.sleep(0)  # the socket is closed now
