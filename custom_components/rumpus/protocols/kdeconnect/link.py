"""A link: one finished TLS connection with a device (the KDE Connect reference, section 8)."""

import asyncio
from dataclasses import dataclass, field, replace
import itertools
import socket
import ssl
from typing import Final

from ..errors import DisconnectedError, MessageTooLargeError, ProtocolError
from ..json_lines import JsonLinesStream
from .identity import Identity
from .packet import Packet, decode_packet, encode_packet
from .tls import HANDSHAKE_TIMEOUT, SHUTDOWN_TIMEOUT

# Section 12.1: the only packets that an unpaired device has to send are small.
MAX_UNPAIRED_LINE: Final = 8192
MAX_PAIRED_LINE: Final = 1024 * 1024
# Conversations and contacts come with pictures in the packet.  The limits of `json_lines` keep
# the time for reading one such line below 50 ms, whatever is in it.
MAX_LONG_LINE: Final = 8 * 1024 * 1024
# What we send: the largest is a text message with pictures.  It has to fit into the write buffer
# with some room for others, since a link whose buffer is full is cut.
MAX_SENT_LINE: Final = 3 * 1024 * 1024

# A device that does not take what is sent has gone: it has so many seconds, and those that the
# bytes take which wait for it at so many a second.  The largest packet has less than two minutes.
SEND_TIMEOUT: Final = 10.0
MIN_SEND_RATE: Final = 32 * 1024

# KDE's numbers: a vanished peer is noticed after about a minute.
KEEPALIVE_IDLE: Final = 30
KEEPALIVE_INTERVAL: Final = 10
KEEPALIVE_PROBES: Final = 3

_serials = itertools.count(1)


@dataclass(slots=True)
class _Haste:
    """How long a device may take for all that was written since nothing waited for it."""

    since: float | None = None
    size: int = 0

    def add(self, size: int, *, is_first: bool) -> None:
        """Take note of bytes; `is_first` when no others wait."""
        if is_first or self.since is None:
            self.since, self.size = asyncio.get_running_loop().time(), 0
        self.size += size

    @property
    def deadline(self) -> float:
        """When they have to be gone, in the time of the event loop."""
        return (self.since or 0.0) + SEND_TIMEOUT + self.size / MIN_SEND_RATE


@dataclass(frozen=True, slots=True)
class Link:
    """A connection whose other end has shown its certificate and its identity.

    `identity` is the one that counts: from inside TLS with protocol 8, the only one there
    is with protocol 7; without what it said of this one connection.  `certificate` is the
    peer's (DER), not yet compared with a pin.  `caller_id` is the id of the end that opened it.
    """

    stream: JsonLinesStream
    identity: Identity
    certificate: bytes
    host: str
    caller_id: str
    serial: int
    _haste: _Haste = field(default_factory=_Haste, repr=False, compare=False)

    @classmethod
    def create(
        cls,
        stream: JsonLinesStream,
        identity: Identity,
        certificate: bytes,
        host: str,
        caller_id: str,
    ) -> Link:
        """Return a link with a serial number of its own, for logs and comparisons."""
        lasting = replace(
            identity, tcp_port=None, target_device_id=None, target_protocol_version=None
        )
        return cls(stream, lasting, certificate, host, caller_id, next(_serials))

    def set_paired(self, paired: bool, max_line: int = MAX_PAIRED_LINE) -> None:
        """Let a paired device send packets of `max_line` bytes, an unpaired one short ones."""
        self.stream.max_message = max_line if paired else MAX_UNPAIRED_LINE

    async def read_packet(self) -> Packet:
        """Return the next packet.

        Raises ProtocolError (also MessageTooLargeError) for a line that is no packet; the
        next one can be read all the same.  Raises DisconnectedError at the end.
        """
        return decode_packet(await self.stream.read_message())

    async def send(self, packet: Packet) -> None:
        """Send one packet; raise DisconnectedError when the connection is lost.

        That is also when the device takes less than MIN_SEND_RATE for SEND_TIMEOUT and longer.
        Raises MessageTooLargeError for one that is longer than MAX_SENT_LINE.
        """
        data = encode_packet(packet)
        if len(data) > MAX_SENT_LINE:
            raise MessageTooLargeError(f"packet of more than {MAX_SENT_LINE} bytes")
        self._write(data)
        while True:
            deadline = self._haste.deadline
            try:
                async with asyncio.timeout_at(deadline):
                    return await self.stream.drain()
            except TimeoutError as err:
                # Others may have written more meanwhile, which is waited for as well.
                if self._haste.deadline <= deadline:
                    self.abort()
                    raise DisconnectedError("the device reads too slowly") from err

    def write(self, packet: Packet) -> None:
        """Write one packet without waiting; raise DisconnectedError when it cannot be."""
        self._write(encode_packet(packet))

    def _write(self, data: bytes) -> None:
        is_first = self.stream.unsent() == 0
        self.stream.write_raw(data)
        self._haste.add(len(data), is_first=is_first)

    def abort(self) -> None:
        """Cut the connection at once."""
        self.stream.abort()

    async def close(self) -> None:
        """Close the connection; never raises."""
        await self.stream.close()

    @property
    def is_connected(self) -> bool:
        """Whether packets can still be sent."""
        return self.stream.is_connected()


def set_keepalive(transport: asyncio.BaseTransport) -> None:
    """Let the operating system notice a peer that vanished without a word."""
    sock = transport.get_extra_info("socket")
    if sock is None:
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    # macOS calls the idle time differently.
    idle = getattr(socket, "TCP_KEEPIDLE", getattr(socket, "TCP_KEEPALIVE", None))
    for option, value in (
        (idle, KEEPALIVE_IDLE),
        (getattr(socket, "TCP_KEEPINTVL", None), KEEPALIVE_INTERVAL),
        (getattr(socket, "TCP_KEEPCNT", None), KEEPALIVE_PROBES),
    ):
        if option is not None:
            sock.setsockopt(socket.IPPROTO_TCP, option, value)


async def upgrade(
    transport: asyncio.Transport, context: ssl.SSLContext, *, server_side: bool
) -> tuple[JsonLinesStream, bytes]:
    """Start TLS on a connection and return its stream and the peer's certificate (DER).

    StreamWriter.start_tls() would take the role from who accepted the connection, which
    is the wrong one on links (section 5).  Raises ssl.SSLError or OSError when the handshake
    fails, ProtocolError when the peer presents no certificate.
    """
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    try:
        tls = await loop.start_tls(
            transport,
            protocol,
            context,
            server_side=server_side,
            ssl_handshake_timeout=HANDSHAKE_TIMEOUT,
            ssl_shutdown_timeout=SHUTDOWN_TIMEOUT,
        )
    except BaseException:
        transport.abort()
        raise
    if tls is None:  # the peer was gone before the handshake began
        raise ConnectionResetError("connection lost before TLS")
    protocol.connection_made(tls)
    writer = asyncio.StreamWriter(tls, protocol, reader, loop)
    stream = JsonLinesStream(reader, writer, max_line=MAX_UNPAIRED_LINE)
    certificate = tls.get_extra_info("ssl_object").getpeercert(binary_form=True)
    if certificate is None:
        stream.abort()
        raise ProtocolError("the peer presents no certificate")
    return stream, certificate
