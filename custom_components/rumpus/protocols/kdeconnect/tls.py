"""TLS contexts for links and payloads (the KDE Connect reference, sections 6 and 14.1).

The *caller* of a link is the TLS server.  Python's server side cannot accept an unknown
self-signed certificate and show it, so a caller has two kinds of context: one that trusts
the pinned certificate alone, and one that only learns which certificate the peer presents
(that handshake fails on purpose and a second one follows with what was learned).
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
import ssl
import tempfile
from typing import Final, Literal, overload, override

from ..errors import ProtocolError
from .credentials import Credentials

HANDSHAKE_TIMEOUT: Final = 5.0
# KDE never answers a close_notify on links: waiting longer only delays the close.
SHUTDOWN_TIMEOUT: Final = 0.3

# OpenSSL's X509_V_FLAG_NO_CHECK_TIME, which the ssl module has no name for: a pinned
# certificate stays the pinned certificate after its ten years.
_NO_CHECK_TIME: Final = 0x200000

_CERTIFICATE_MESSAGE: Final = 11

type _MessageCallback = Callable[[object, str, int, int, int, bytes], None]


class _TlsObject(ssl.SSLObject):
    """TLS that shows the peer's certificate as bytes only.

    asyncio has every certificate read once its handshake is done.  Python fails to read
    some that OpenSSL takes, and each failure would be a traceback in the log.
    """

    @overload
    def getpeercert(self, binary_form: Literal[False] = False) -> None: ...
    @overload
    def getpeercert(self, binary_form: Literal[True]) -> bytes | None: ...
    @overload
    def getpeercert(self, binary_form: bool) -> bytes | None: ...
    @override
    def getpeercert(self, binary_form: bool = False) -> bytes | None:
        return super().getpeercert(binary_form=True) if binary_form else None


class TlsContexts:
    """Makes the contexts of one identity.

    Loading the key reads files, so every method that builds a context runs in a thread.
    """

    def __init__(self, credentials: Credentials) -> None:
        """Keep the credentials; nothing is built yet."""
        self._credentials = credentials
        self._client: ssl.SSLContext | None = None
        self._pinned: dict[bytes, ssl.SSLContext] = {}

    async def client(self) -> ssl.SSLContext:
        """Return the context of the TLS client side: any certificate, compared by us later."""
        if self._client is None:
            self._client = await asyncio.to_thread(self._build_client)
        return self._client

    async def pinned_server(self, certificate: bytes) -> ssl.SSLContext:
        """Return a server context that accepts one client certificate (DER) only.

        Raises ProtocolError when the certificate cannot be read.
        """
        if (context := self._pinned.get(certificate)) is None:
            context = await asyncio.to_thread(self._build_server, certificate)
            self._pinned[certificate] = context
        return context

    def forget(self, certificate: bytes) -> None:
        """Drop the cached context of a certificate that is no longer pinned."""
        self._pinned.pop(certificate, None)

    async def once_server(self, certificate: bytes) -> ssl.SSLContext:
        """Return the same for a learned certificate, not kept.

        Raises ProtocolError: TLS shows a certificate before anybody has looked into it.
        """
        return await asyncio.to_thread(self._build_server, certificate)

    async def learning_server(
        self, learned: Callable[[bytes], None]
    ) -> ssl.SSLContext | None:
        """Return a server context that reports the client's certificate and then refuses it.

        None where this Python has no handshake observer (it is a private attribute).
        """
        return await asyncio.to_thread(self._build_learning, learned)

    def _build_client(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return self._finish(context)

    def _build_server(self, certificate: bytes) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.verify_mode = ssl.CERT_REQUIRED
        try:
            context.load_verify_locations(cadata=certificate)
        except (ssl.SSLError, ValueError) as err:
            raise ProtocolError("the certificate cannot be read") from err
        # The leaf itself is the anchor, whatever its extensions say: KDE 22.12's are odd.
        flags = context.verify_flags | ssl.VERIFY_X509_PARTIAL_CHAIN
        flags &= ~ssl.VERIFY_X509_STRICT
        context.verify_flags = ssl.VerifyFlags(flags | _NO_CHECK_TIME)
        return self._finish(context)

    def _build_learning(
        self, learned: Callable[[bytes], None]
    ) -> ssl.SSLContext | None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.verify_mode = ssl.CERT_REQUIRED
        if not hasattr(context, "_msg_callback"):
            return None

        def observe(
            _connection: object,
            direction: str,
            _version: int,
            _content_type: int,
            message_type: int,
            data: bytes,
        ) -> None:
            if direction == "read" and message_type == _CERTIFICATE_MESSAGE:
                certificate = leaf_of_certificate_message(data)
                if certificate is not None:
                    learned(certificate)

        # With TLS 1.3 the certificate may come compressed, which newer OpenSSL does.
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        callback: _MessageCallback = observe
        setattr(context, "_msg_callback", callback)  # noqa: B010 - private to Python, guarded above
        return self._finish(context)

    def _finish(self, context: ssl.SSLContext) -> ssl.SSLContext:
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.sslobject_class = _TlsObject
        # The ssl module loads keys from files only.  The folder is readable by its owner
        # alone and gone before this returns.
        with tempfile.TemporaryDirectory(prefix="rumpus-") as folder:
            chain = Path(folder) / "chain.pem"
            chain.touch(mode=0o600)
            chain.write_text(
                self._credentials.private_key_pem + self._credentials.certificate_pem,
                encoding="ascii",
            )
            context.load_cert_chain(chain)
        return context


def leaf_of_certificate_message(data: bytes) -> bytes | None:
    """Return the first certificate (DER) of a TLS 1.2 Certificate handshake message.

    `data` begins with the 4-byte handshake header, then come the length of the list and
    the length of the first certificate, 3 bytes each.  None when the lengths do not fit.
    """
    size = int.from_bytes(data[7:10])
    leaf = data[10 : 10 + size]
    return leaf if size and len(leaf) == size else None
