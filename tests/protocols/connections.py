"""Connections for the tests of streams: real ones over loopback, and one out of thin air."""

import asyncio
from collections.abc import AsyncIterator
import contextlib
from dataclasses import dataclass
import datetime as dt
import functools
from pathlib import Path
import socket
import ssl
import tempfile
from typing import override

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

# So small that a peer which does not read is felt at once; the kernel doubles it.
KERNEL_BUFFER = 4096


@dataclass(frozen=True, slots=True)
class End:
    """One end of a connection. `tcp` is what carries it: below TLS, or the same."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    tcp: asyncio.Transport

    @property
    def transport(self) -> asyncio.Transport:
        """The transport that messages are written to."""
        transport = self.writer.transport
        assert isinstance(transport, asyncio.Transport)
        return transport

    def unsent(self) -> int:
        """Return how many bytes this process still holds back."""
        sizes = {self.tcp: self.tcp.get_write_buffer_size()}
        sizes[self.transport] = self.transport.get_write_buffer_size()
        return sum(sizes.values())

    def reset(self) -> None:
        """End the connection the rude way, by a TCP reset."""
        linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
        sock = self.tcp.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.tcp.abort()


@functools.cache
def tls_contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return contexts for the client and for the server."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), 1, now, now + dt.timedelta(1)
    )
    certificate = builder.sign(key, hashes.SHA256())
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ) + certificate.public_bytes(serialization.Encoding.PEM)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "both.pem")
        path.write_bytes(pem)
        server.load_cert_chain(path)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    return client, server


async def _end(
    sock: socket.socket, context: ssl.SSLContext | None, *, server_side: bool
) -> End:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    tcp, _ = await loop.create_connection(
        lambda: asyncio.Protocol() if context else protocol, sock=sock
    )
    transport = tcp
    if context is not None:
        upgraded = await loop.start_tls(
            tcp, protocol, context, server_side=server_side, ssl_handshake_timeout=5
        )
        assert upgraded is not None
        transport = upgraded
        protocol.connection_made(transport)
    return End(reader, asyncio.StreamWriter(transport, protocol, reader, loop), tcp)


def _socket_pair() -> tuple[socket.socket, socket.socket]:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, KERNEL_BUFFER)
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        ours = socket.socket()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BUFFER)
        ours.connect(listener.getsockname())
        theirs, _ = listener.accept()
    for sock in (ours, theirs):
        sock.setblocking(False)
    return ours, theirs


@contextlib.asynccontextmanager
async def connection(*, tls: bool) -> AsyncIterator[tuple[End, End]]:
    """Connect two ends over loopback, and leave nothing behind."""
    client, server = tls_contexts() if tls else (None, None)
    ours, theirs = _socket_pair()
    ends = await asyncio.gather(
        _end(ours, client, server_side=False), _end(theirs, server, server_side=True)
    )
    try:
        yield ends
    finally:
        for end in ends:
            end.transport.abort()
            with contextlib.suppress(OSError):
                await end.writer.wait_closed()


class MemoryTransport(asyncio.Transport):
    """Takes all bytes; `sizes` is what it says, one by one, about those it holds back."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.sizes: list[int] = []
        self.aborted = False

    @override
    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    @override
    def get_write_buffer_size(self) -> int:
        return self.sizes.pop(0) if len(self.sizes) > 1 else sum(self.sizes)

    @override
    def is_closing(self) -> bool:
        return self.aborted

    @override
    def close(self) -> None:
        self.aborted = True

    @override
    def abort(self) -> None:
        self.aborted = True


class _MemoryWriter(asyncio.StreamWriter):
    @override
    def __del__(self, _warnings: object = None, /) -> None:
        """Do not ask to be closed: there is nothing to close."""


def in_memory() -> tuple[asyncio.StreamReader, asyncio.StreamWriter, MemoryTransport]:
    """Return a reader to be fed by hand, and a writer that goes nowhere."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    transport = MemoryTransport()
    return reader, _MemoryWriter(transport, protocol, reader, loop), transport
