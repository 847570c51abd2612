"""A listening socket whose connections go to protocols of asyncio's."""

import asyncio
from collections.abc import Callable
import contextlib
import socket
import ssl
from typing import Final

BACKLOG: Final = 100


class Listener:
    """Not asyncio's server: one that is closed while it accepts fails in the loop."""

    def __init__(
        self,
        make: Callable[[], asyncio.BaseProtocol],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Call `make` for every connection, with `tls` when both sides speak TLS."""
        self._make = make
        self._tls = tls
        self._greetings: set[asyncio.Task[None]] = set()
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
            if self._tls is None:
                await self._connect(connection)
                continue
            # Who does not speak TLS must not keep others waiting.
            task = asyncio.create_task(self._connect(connection))
            self._greetings.add(task)
            task.add_done_callback(self._greetings.discard)

    async def _connect(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):  # it may have gone already
            await asyncio.get_running_loop().connect_accepted_socket(
                self._make, connection, ssl=self._tls
            )

    async def stop(self) -> None:
        """Listen no more."""
        task, self._task = self._task, None
        if task is not None:
            tasks = {task, *self._greetings}
            for one in tasks:
                one.cancel()
            await asyncio.wait(tasks)
            await asyncio.sleep(0)  # the socket is closed now
