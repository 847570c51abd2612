"""From a TCP connection to a link (the KDE Connect reference, section 5).

`call` is the side that opened the connection and is the TLS server, `answer` the side that
accepted it and is the TLS client.  `ClearIdentityProtocol` reads what a caller says before
TLS: one bounded line and not a byte more.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
import contextlib
from dataclasses import dataclass
import ssl
from typing import Final, override

from ..errors import (
    AuthenticationError,
    DisconnectedError,
    MessageTooLargeError,
    PeerTimeoutError,
    ProtocolError,
)
from ..json_lines import JsonLinesStream, JsonObject, decode_json
from .const import PROTOCOL_VERSION
from .credentials import common_name
from .identity import Identity, parse_identity
from .link import Link, set_keepalive, upgrade
from .packet import decode_packet, encode_packet

MAX_IDENTITY_LINE: Final = 8192
# From accepting a connection to the end of TLS; KDE gives its callers one second, a phone
# that has just woken up may need more.
CLEAR_IDENTITY_TIMEOUT: Final = 5.0
SECOND_IDENTITY_TIMEOUT: Final = 5.0
# How long the TLS client lets the other side speak first: KDE 25.04 never reads an identity
# that comes right behind the handshake, and then takes the link for unfinished.
FIRST_WORD_TIMEOUT: Final = 0.2
CONNECT_TIMEOUT: Final = 5.0


class CertificateChangedError(AuthenticationError):
    """A device that we know shows another certificate than the pinned one."""


@dataclass(frozen=True, slots=True)
class CallTarget:
    """Whom we call, and what its announcement (or our memory) says of it, if anything."""

    host: str
    port: int
    identity: Identity | None = None


class ClearIdentityProtocol(asyncio.Protocol):
    """Reads the one clear-text line of a caller and stops reading right there."""

    def __init__(self, accepted: Callable[[ClearIdentityProtocol], None]) -> None:
        """Call `accepted` when the connection is there; it may abort it."""
        self._accepted = accepted
        self._buffer = bytearray()
        self._line: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        # Nobody may be waiting any more when it fails.
        self._line.add_done_callback(
            lambda future: future.cancelled() or future.exception()
        )
        self.transport: asyncio.Transport | None = None
        self.host = ""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a TCP server's
        self.transport = transport
        self.host = plain_host(transport.get_extra_info("peername"))
        self._accepted(self)

    @override
    def data_received(self, data: bytes) -> None:
        if self._line.done() or self.transport is None:
            return
        self._buffer += data
        end = self._buffer.find(b"\n") + 1
        if end == 0 and len(self._buffer) < MAX_IDENTITY_LINE:
            return
        # TLS starts in the step that follows: no byte may be swallowed in between.
        self.transport.pause_reading()
        if end == 0 or end > MAX_IDENTITY_LINE:
            self._line.set_exception(
                MessageTooLargeError("the identity line is too long")
            )
        elif end < len(self._buffer):
            self._line.set_exception(
                ProtocolError("data after the clear-text identity")
            )
        else:
            self._line.set_result(bytes(self._buffer))

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if not self._line.done():
            self._line.set_exception(
                DisconnectedError("connection lost before the identity")
            )

    async def read_identity(self, own_id: str) -> Identity:
        """Return the caller's identity, unauthenticated; raises RumpusError."""
        return parse_identity(
            decode_packet(_object(await self._line)), own_device_id=own_id
        )


def plain_host(peername: tuple[str, int] | tuple[str, int, int, int] | None) -> str:
    """Return the host of a socket address, IPv4 also where the socket is dual-stack."""
    return peername[0].removeprefix("::ffff:") if peername else ""


async def answer(
    protocol: ClearIdentityProtocol,
    own: Identity,
    context: ssl.SSLContext,
    admit: Callable[[Identity], None],
) -> Link:
    """Make a link of an accepted connection.

    `admit` sees the caller's clear-text identity and raises to refuse it.  Raises
    ProtocolError, DisconnectedError, PeerTimeoutError.  The connection is closed on failure.
    """
    transport = protocol.transport
    if transport is None:
        raise DisconnectedError("not connected")
    async with _failing_cleanly(transport, CLEAR_IDENTITY_TIMEOUT):
        first = await protocol.read_identity(own.device_id)
        if first.target_device_id not in (None, own.device_id):
            raise ProtocolError("the caller wants another device")
        if first.target_protocol_version not in (None, own.protocol_version):
            raise ProtocolError("the caller wants another protocol version")
        admit(first)
        set_keepalive(transport)
        stream, certificate = await upgrade(transport, context, server_side=False)
    return await _finish(stream, certificate, own, first, protocol.host, is_called=True)


async def call(
    target: CallTarget,
    own: Identity,
    context: ssl.SSLContext,
) -> Link:
    """Open a connection to a device and make a link of it.

    The context is one that trusts exactly the certificate which the device is expected to
    show (see `TlsContexts`).
    Raises CertificateChangedError when the device shows another certificate, ProtocolError,
    DisconnectedError, PeerTimeoutError.
    """
    transport = await open_transport(target)
    async with _failing_cleanly(transport, CLEAR_IDENTITY_TIMEOUT):
        set_keepalive(transport)
        # A placeholder instead of an unknown target would be refused: leave it out then.
        introduction = own.to_packet(target=target.identity)
        # No await between these two: the peer's first TLS bytes follow at once.
        transport.write(encode_packet(introduction))
        stream, certificate = await upgrade(transport, context, server_side=True)
    return await _finish(
        stream, certificate, own, target.identity, target.host, is_called=False
    )


async def open_transport(target: CallTarget) -> asyncio.Transport:
    """Open the TCP connection; raise DisconnectedError or PeerTimeoutError."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT):
            transport, _ = await loop.create_connection(
                asyncio.Protocol, target.host, target.port
            )
    except TimeoutError as err:
        raise PeerTimeoutError("the device does not answer") from err
    except OSError as err:
        raise DisconnectedError("the device refuses the connection") from err
    return transport


@contextlib.asynccontextmanager
async def _failing_cleanly(
    transport: asyncio.Transport, seconds: float
) -> AsyncIterator[None]:
    """Bound a step in time, close the connection when it fails and give errors our types."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except BaseException as err:
        transport.abort()
        if isinstance(err, ssl.SSLCertVerificationError):
            raise CertificateChangedError(
                "the device shows an unexpected certificate"
            ) from err
        if isinstance(err, TimeoutError) and not isinstance(err, PeerTimeoutError):
            raise PeerTimeoutError("the handshake took too long") from err
        if isinstance(err, OSError) and not isinstance(err, DisconnectedError):
            raise DisconnectedError("the connection was lost in the handshake") from err
        raise


async def _finish(
    stream: JsonLinesStream,
    certificate: bytes,
    own: Identity,
    first: Identity | None,
    host: str,
    *,
    is_called: bool,
) -> Link:
    """Find out who is at the other end of a finished TLS handshake.

    `first` is the identity from before TLS, None when nothing is known of the peer.
    """
    try:
        if first is None or first.protocol_version >= PROTOCOL_VERSION:
            identity = await _exchange(stream, own, first, peer_begins=is_called)
        else:
            identity = first
        _check_owner(certificate, identity)
    except BaseException:
        stream.abort()
        raise
    caller = identity if is_called else own
    return Link.create(stream, identity, certificate, host, caller.device_id)


async def _exchange(
    stream: JsonLinesStream, own: Identity, first: Identity | None, *, peer_begins: bool
) -> Identity:
    """Exchange identities inside TLS, as protocol 8 does, and return the peer's."""
    message: JsonObject | None = None
    if peer_begins:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FIRST_WORD_TIMEOUT):
                message = await stream.read_message()
    await stream.send_raw(encode_packet(own.to_packet()))
    if message is None:
        try:
            async with asyncio.timeout(SECOND_IDENTITY_TIMEOUT):
                message = await stream.read_message()
        except TimeoutError as err:
            raise PeerTimeoutError("no identity came inside TLS") from err
    second = parse_identity(decode_packet(message), own_device_id=own.device_id)
    _compare(second, first)
    return second


def _check_owner(certificate: bytes, identity: Identity) -> None:
    if common_name(certificate) != identity.device_id:
        raise ProtocolError("the certificate belongs to another device id")


def _compare(second: Identity, first: Identity | None) -> None:
    """Refuse a second identity that differs from the first (CVE-2025-66270)."""
    if first is None:
        if second.protocol_version < PROTOCOL_VERSION:
            raise ProtocolError("the identity inside TLS has an older protocol version")
        return
    if second.device_id != first.device_id:
        raise ProtocolError("the identity inside TLS has another device id")
    if second.protocol_version != first.protocol_version:
        raise ProtocolError("the identity inside TLS has another protocol version")


def _object(line: bytes) -> JsonObject:
    value = decode_json(line)
    if not isinstance(value, dict):
        raise ProtocolError("a packet must be a JSON object")
    return value
