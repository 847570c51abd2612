"""Certificates and TLS of the fake KDE Connect device.

TLS runs in memory (pyOpenSSL) over a plain asyncio stream, in either role. That
keeps the fake apart from the `ssl` based code that it tests, and lets it do what
`ssl` cannot: ask for a certificate and take any, end without close_notify, or
speak first in the wrong role.
"""

import asyncio
import contextlib
from dataclasses import dataclass, field
import datetime as dt
import hashlib
import socket
import struct
from typing import Literal, Self
import uuid

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtensionOID, NameOID
from OpenSSL import SSL
from OpenSSL.crypto import X509

# "kde22" is what KDE 22.12 makes: RSA, serial number 10, and basic constraints with
# a path length although it is no authority.
type KeyType = Literal["ec", "rsa", "kde22"]

_READ_SIZE = 65536
_WRITE_CHUNK = 65536
_CLOSE_TIMEOUT = 1.0
# What OpenSSL calls a certificate that is not valid yet, and one no longer valid.
_DATE_ERRORS = frozenset({9, 10})

_ODD_CONSTRAINTS = x509.UnrecognizedExtension(
    ExtensionOID.BASIC_CONSTRAINTS, bytes.fromhex("3003020100")
)


class FakeTlsError(ConnectionError):
    """The TLS layer of a connection failed."""


@dataclass(frozen=True, slots=True)
class FakeCredentials:
    """A device id with its key and its self-signed certificate."""

    device_id: str
    private_key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey = field(repr=False)
    certificate: x509.Certificate

    @classmethod
    def generate(
        cls,
        device_id: str | None = None,
        *,
        key_type: KeyType = "ec",
        common_name: str | None = None,
        expired: bool = False,
        private_key: ec.EllipticCurvePrivateKey | None = None,
    ) -> Self:
        """Make a new identity; `common_name` is the device id unless told otherwise."""
        device_id = device_id or uuid.uuid4().hex
        key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
        if private_key is not None:
            key = private_key
        elif key_type != "ec":
            key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        else:
            key = ec.generate_private_key(ec.SECP256R1())
        now = dt.datetime.now(dt.UTC)
        day = dt.timedelta(days=1)
        name = x509.Name(
            [
                x509.NameAttribute(NameOID.COMMON_NAME, common_name or device_id),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "KDE"),
                x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "KDE Connect"),
            ]
        )
        builder = x509.CertificateBuilder(
            issuer_name=name,
            subject_name=name,
            public_key=key.public_key(),
            serial_number=10 if key_type == "kde22" else x509.random_serial_number(),
            not_valid_before=now - 365 * day,
            not_valid_after=now - day if expired else now + 3650 * day,
        )
        if key_type == "kde22":
            builder = builder.add_extension(_ODD_CONSTRAINTS, critical=True)
        certificate = builder.sign(key, hashes.SHA512())
        return cls(device_id, key, certificate)

    @classmethod
    def from_pem(cls, device_id: str, private_key: str, certificate: str) -> Self:
        """Restore what `private_key_pem` and `certificate_pem` gave."""
        key = serialization.load_pem_private_key(private_key.encode(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
            raise TypeError("neither an EC nor an RSA key")
        return cls(device_id, key, x509.load_pem_x509_certificate(certificate.encode()))

    @property
    def private_key_pem(self) -> str:
        """The private key as PKCS #8 in PEM."""
        return self.private_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()

    @property
    def certificate_pem(self) -> str:
        """The certificate in PEM."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def certificate_der(self) -> bytes:
        """The certificate in DER, what the other side pins."""
        return self.certificate.public_bytes(serialization.Encoding.DER)


def common_name(certificate_der: bytes) -> str:
    """Return the CN of a certificate, empty when there is none."""
    subject = x509.load_der_x509_certificate(certificate_der).subject
    names = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""


def verification_key(one_der: bytes, other_der: bytes, timestamp: int | None) -> str:
    """Return the code that both users compare, of two certificates in any order.

    `timestamp` is the requester's for protocol 8, None for protocol 7.
    """
    keys = sorted(
        x509.load_der_x509_certificate(der)
        .public_key()
        .public_bytes(
            serialization.Encoding.DER,
            serialization.PublicFormat.SubjectPublicKeyInfo,
        )
        for der in (one_der, other_der)
    )
    suffix = b"" if timestamp is None else str(timestamp).encode("ascii")
    return hashlib.sha256(keys[1] + keys[0] + suffix).hexdigest()[:8].upper()


def tls_context(
    credentials: FakeCredentials | None,
    *,
    server: bool,
    demand_certificate: bool = False,
    tls13: bool = True,
) -> SSL.Context:
    """Make a context that takes any certificate that is valid today.

    Without credentials a client presents no certificate.
    """
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_max_proto_version(SSL.TLS1_3_VERSION if tls13 else SSL.TLS1_2_VERSION)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_options(SSL.OP_NO_TICKET)
    if credentials is not None:
        context.use_privatekey(credentials.private_key)
        context.use_certificate(credentials.certificate)
    mode = SSL.VERIFY_NONE
    if server:
        mode = SSL.VERIFY_PEER
        if demand_certificate:
            mode |= SSL.VERIFY_FAIL_IF_NO_PEER_CERT
    context.set_verify(mode, _accept_certificate)
    return context


def _accept_certificate(
    connection: SSL.Connection, certificate: X509, error: int, depth: int, okay: int
) -> bool:
    """Take self-signed certificates; the pin is compared after the handshake."""
    return error not in _DATE_ERRORS


def set_keepalive(writer: asyncio.StreamWriter) -> None:
    """Set the keepalive of the reference, section 8.1, on a connection."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)


async def close_stream(writer: asyncio.StreamWriter) -> None:
    """Close a plain stream, by force when the peer does not take the rest."""
    writer.close()
    try:
        async with asyncio.timeout(_CLOSE_TIMEOUT):
            await writer.wait_closed()
    except TimeoutError:
        writer.transport.abort()
    except OSError:
        pass


class TlsChannel:
    """TLS in either role over an asyncio stream."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        context: SSL.Context,
        *,
        server: bool,
    ) -> None:
        """Take over the stream; nothing of TLS may have been read from it."""
        self._reader = reader
        self._writer = writer
        self._connection = SSL.Connection(context, None)
        if server:
            self._connection.set_accept_state()
        else:
            self._connection.set_connect_state()

    async def handshake(self) -> None:
        """Do the handshake. Raises FakeTlsError."""
        while True:
            try:
                self._connection.do_handshake()
            except SSL.WantReadError:
                await self._feed()
            except SSL.Error as error:
                self._flush()
                raise FakeTlsError(f"handshake failed: {error}") from error
            else:
                self._flush()
                return

    @property
    def peer_certificate(self) -> bytes | None:
        """The peer's certificate in DER, None when it presented none."""
        certificate = self._connection.get_peer_certificate(as_cryptography=True)
        if certificate is None:
            return None
        return certificate.public_bytes(serialization.Encoding.DER)

    @property
    def tls_version(self) -> str:
        """The name of the negotiated version, such as "TLSv1.3"."""
        return self._connection.get_protocol_version_name()

    @property
    def peer_host(self) -> str:
        """The address of the other end."""
        return str(self._writer.get_extra_info("peername")[0])

    @property
    def is_closing(self) -> bool:
        """Whether nothing can be written any more."""
        return self._writer.is_closing()

    async def read(self) -> bytes:
        """Return the next bytes, none at the end. Raises FakeTlsError, OSError."""
        while True:
            try:
                return self._connection.recv(_READ_SIZE)
            except SSL.WantReadError:
                try:
                    await self._feed()
                except FakeTlsError:
                    return b""
            except SSL.ZeroReturnError:
                return b""
            except SSL.Error as error:
                raise FakeTlsError(f"reading failed: {error}") from error

    def write(self, data: bytes) -> None:
        """Encrypt and buffer; lost without a word when the link is closing."""
        if self._writer.is_closing():
            return
        for start in range(0, len(data), _WRITE_CHUNK):
            self._connection.sendall(data[start : start + _WRITE_CHUNK])
            self._flush()

    async def drain(self) -> None:
        """Wait until the buffer has room again; a lost link is no error here."""
        with contextlib.suppress(OSError):
            await self._writer.drain()

    async def closed(self) -> None:
        """Wait, without reading, until this connection is closed by somebody."""
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def close(self, *, notify: bool = True) -> None:
        """Close after sending what is buffered, with or without close_notify."""
        if notify and not self._writer.is_closing():
            with contextlib.suppress(SSL.Error):
                self._connection.shutdown()
                self._flush()
        await close_stream(self._writer)

    def abort(self, *, reset: bool = False) -> None:
        """End the TCP connection at once, with a RST if `reset`."""
        if reset:
            sock = self._writer.get_extra_info("socket")
            linger = struct.pack("ii", 1, 0)
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._writer.transport.abort()

    async def _feed(self) -> None:
        self._flush()
        data = await self._reader.read(_READ_SIZE)
        if not data:
            raise FakeTlsError("closed by the other side")
        self._connection.bio_write(data)

    def _flush(self) -> None:
        while True:
            try:
                data = self._connection.bio_read(_READ_SIZE)
            except SSL.WantReadError:
                return
            if not self._writer.is_closing():
                self._writer.write(data)
