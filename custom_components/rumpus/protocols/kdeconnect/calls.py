"""Calling devices (the KDE Connect reference, sections 5 and 14.1)."""

import asyncio
import socket
from typing import Final

from ..errors import DisconnectedError, RumpusError, UnsupportedError
from .handshake import CallTarget, call
from .identity import Identity
from .link import Link
from .tls import TlsContexts

# Calls to unknown devices at once.
MAX_CALLS: Final = 10


class Caller:
    """Opens links from our side; there the caller is the TLS server."""

    def __init__(self, contexts: TlsContexts) -> None:
        """Use these contexts."""
        self._contexts = contexts
        self._free = MAX_CALLS

    async def call_paired(
        self, target: CallTarget, own: Identity, pinned: bytes
    ) -> Link:
        """Call a device whose certificate is known; raises as `handshake.call` does."""
        return await call(target, own, await self._contexts.pinned_server(pinned))

    async def call_unknown(self, target: CallTarget, own: Identity) -> Link:
        """Call a device that we know nothing of.

        The first handshake only shows which certificate it has and fails by design; the
        second one trusts that certificate and proves that the device has its key.
        Raises UnsupportedError where Python cannot watch a handshake or too many calls are
        under way, DisconnectedError, PeerTimeoutError and ProtocolError.
        """
        if self._free <= 0:
            raise UnsupportedError("too many calls at once")
        self._free -= 1
        try:
            learned: list[bytes] = []
            context = await self._contexts.learning_server(learned.append)
            if context is None:
                raise UnsupportedError("this Python cannot watch a handshake")
            try:
                link = await call(target, own, context)
            except RumpusError:
                if not learned:
                    raise
            else:  # nothing is trusted in that context, so this cannot be
                link.abort()
                raise DisconnectedError("the handshake ended in an unexpected way")
            return await call(
                target, own, await self._contexts.once_server(learned[-1])
            )
        finally:
            self._free += 1


async def resolve(host: str) -> str:
    """Return the IPv4 address of a host; raise DisconnectedError when it has none."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, None, family=socket.AF_INET)
    except (OSError, UnicodeError) as err:
        raise DisconnectedError("the host name is not known in this network") from err
    return str(found[0][4][0])
