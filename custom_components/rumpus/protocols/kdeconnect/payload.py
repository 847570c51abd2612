"""Fetching bulk data (the KDE Connect reference, sections 9 and 14.3)."""

import asyncio
import contextlib
import ssl
from typing import Final

from ..errors import (
    DisconnectedError,
    MessageTooLargeError,
    PeerTimeoutError,
    ProtocolError,
)
from .handshake import CertificateChangedError
from .packet import Payload
from .tls import HANDSHAKE_TIMEOUT, SHUTDOWN_TIMEOUT

PAYLOAD_CONNECT_TIMEOUT: Final = 10.0
# Between two pieces; a peer that stops sending ends the transfer.
PAYLOAD_IDLE_TIMEOUT: Final = 10.0
PAYLOAD_CHUNK: Final = 64 * 1024


async def fetch_payload(
    host: str, payload: Payload, context: ssl.SSLContext, pinned: bytes, *, limit: int
) -> bytes:
    """Return the announced data of at most `limit` bytes.

    Here TLS roles are the ordinary ones.  Raises MessageTooLargeError past the limit,
    CertificateChangedError when somebody else answers, ProtocolError when it is shorter than
    announced, DisconnectedError and PeerTimeoutError.
    """
    if payload.size is not None and payload.size > limit:
        raise MessageTooLargeError(f"the payload is larger than {limit} bytes")
    try:
        async with asyncio.timeout(PAYLOAD_CONNECT_TIMEOUT):
            reader, writer = await asyncio.open_connection(
                host,
                payload.port,
                ssl=context,
                server_hostname="",  # no name, no SNI
                ssl_handshake_timeout=HANDSHAKE_TIMEOUT,
                ssl_shutdown_timeout=SHUTDOWN_TIMEOUT,
            )
    except TimeoutError as err:
        raise PeerTimeoutError("the payload's sender does not answer") from err
    except OSError as err:
        raise DisconnectedError("the payload's sender refuses the connection") from err
    try:
        if writer.get_extra_info("ssl_object").getpeercert(binary_form=True) != pinned:
            raise CertificateChangedError("the payload comes from another device")
        return await _read(reader, payload.size, limit)
    finally:
        # Abort at once: nothing is left to say, and KDE may never answer a close_notify.
        writer.transport.abort()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def _read(reader: asyncio.StreamReader, size: int | None, limit: int) -> bytes:
    data = bytearray()
    # A sender may go on past what it announced; it is cut off, what was announced counts.
    wanted = limit + 1 if size is None else size
    while len(data) < wanted:
        try:
            async with asyncio.timeout(PAYLOAD_IDLE_TIMEOUT):
                piece = await reader.read(min(PAYLOAD_CHUNK, wanted - len(data)))
        except TimeoutError as err:
            raise PeerTimeoutError("the payload stopped half-way") from err
        except OSError:  # also ssl.SSLError: KDE may end without close_notify
            piece = b""
        if not piece:
            break
        data += piece
    if size is not None and len(data) < size:
        raise ProtocolError(f"the payload ended after {len(data)} of {size} bytes")
    if len(data) > limit:
        raise MessageTooLargeError(f"the payload is larger than {limit} bytes")
    return bytes(data)
