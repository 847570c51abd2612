"""The TCP listener and its limits (the KDE Connect reference, section 12.1)."""

import asyncio
from collections import Counter
from collections.abc import Callable
import logging
import ssl
from typing import Final

from ..errors import RumpusError
from .discovery import Network, is_local_address
from .handshake import ClearIdentityProtocol, answer
from .identity import Identity
from .link import Link

_LOGGER = logging.getLogger(__name__)

# Accepted connections that are not links yet: in all, and from one address.
MAX_UNFINISHED: Final = 10
MAX_UNFINISHED_PER_HOST: Final = 3
# The queue of the operating system behind those.
BACKLOG: Final = 16


class Listener:
    """Accepts connections and makes links of them."""

    def __init__(
        self,
        network: Network,
        context: ssl.SSLContext,
        *,
        identity: Callable[[], Identity],
        is_known: Callable[[str], bool],
        admit: Callable[[Identity], None],
        linked: Callable[[Link], None],
    ) -> None:
        """Report each finished link to `linked`.

        `is_known` tells whether a host is a paired device's: others, however many they are,
        never take all places.  `admit` sees each clear-text identity and raises to refuse it.
        """
        self._network = network
        self._context = context
        self._identity = identity
        self._is_known = is_known
        self._admit = admit
        self._linked = linked
        self._server: asyncio.Server | None = None
        self._unfinished: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    async def start(self) -> None:
        """Listen on the first free port of the range; raise OSError when there is none."""
        error = OSError("no port to listen on")
        for port in self._network.tcp_ports:
            try:
                self._server = await self._listen(port)
            except OSError as err:
                error = err
            else:
                self.port = port
                return
        raise error

    async def _listen(self, port: int) -> asyncio.Server:
        server = await asyncio.get_running_loop().create_server(
            lambda: ClearIdentityProtocol(self._accepted),
            self._network.bind,
            port,
            backlog=BACKLOG,
            start_serving=False,
        )
        try:
            # Another program may have been quicker since the port was bound.
            await server.start_serving()
        except OSError:
            server.close()
            raise
        return server

    async def stop(self) -> None:
        """Stop listening and cut what is not a link yet."""
        server, self._server = self._server, None
        if server is not None:
            # asyncio stumbles over a connection that it has accepted just before close():
            # accept no more, and let those be reported first.
            loop = asyncio.get_running_loop()
            for sock in server.sockets:
                loop.remove_reader(sock)
            await asyncio.sleep(0)
            server.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _accepted(self, protocol: ClearIdentityProtocol) -> None:
        host = protocol.host
        # What was accepted just before the end is reported a little late.
        stopped = self._server is None
        if stopped or not is_local_address(host) or not self._has_room(host):
            if protocol.transport is not None:
                protocol.transport.abort()
            return
        self._unfinished[host] += 1
        task = asyncio.get_running_loop().create_task(
            self._answer(protocol, host), name=f"kdeconnect answer {host}"
        )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _has_room(self, host: str) -> bool:
        if self._unfinished[host] >= MAX_UNFINISHED_PER_HOST:
            return False
        return self._unfinished.total() < MAX_UNFINISHED or self._is_known(host)

    async def _answer(self, protocol: ClearIdentityProtocol, host: str) -> None:
        try:
            link = await answer(protocol, self._identity(), self._context, self._admit)
        except RumpusError as err:
            _LOGGER.debug("No link with %s: %s", host, err)
        else:
            self._linked(link)
        finally:
            self._unfinished[host] -= 1
            if not self._unfinished[host]:
                del self._unfinished[host]
