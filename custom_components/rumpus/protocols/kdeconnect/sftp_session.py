"""A log-in to a phone's SFTP server (the KDE Connect reference, section 11.17).

Importing this imports asyncssh, which is large: let a thread do it when it is needed.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
import logging
import stat
from typing import Final, cast, override

import asyncssh
from asyncssh.sftp import MIN_SFTP_VERSION, start_sftp_client

from ..errors import (
    AuthenticationError,
    DisconnectedError,
    MessageTooLargeError,
    PeerTimeoutError,
    ProtocolError,
    RumpusError,
)
from .plugins.sftp import StorageOffer
from .storage import Entry, FileUnavailableError

LOGIN_TIMEOUT: Final = 15.0
"""Seconds to connect and log in."""
ANSWER_TIMEOUT: Final = 15.0
"""Seconds that the phone has for one answer."""
CLOSE_TIMEOUT: Final = 2.0
"""Seconds for a good-bye."""
MAX_PACKET: Final = 256 * 1024 + 1024
"""Bytes of an SFTP packet from the phone."""
READ_BLOCK: Final = 32 * 1024
"""Bytes asked for by one request; all servers can do that."""
MAX_REQUESTS: Final = 16
"""Read requests of one file under way."""

# Old phones sign with SHA-1; what is signed is not checked anyway.
_HOST_KEYS: Final = "+ssh-rsa"

_is_ours: ContextVar[bool] = ContextVar("is_ours", default=False)


def _is_loggable(record: logging.LogRecord) -> bool:
    """Keep the phone's paths out of debug logs; other users of the library keep theirs."""
    return record.levelno >= logging.WARNING or not _is_ours.get()


for _name in ("asyncssh", "asyncssh.sftp"):
    logging.getLogger(_name).addFilter(_is_loggable)


class _BoundedReader(asyncssh.SSHReader[bytes]):
    """What the SFTP client reads from: the library would buffer packets of any size."""

    def __init__(self, reader: asyncssh.SSHReader[bytes]) -> None:
        session, datatype = reader.get_redirect_info()
        super().__init__(session, reader.channel, datatype)

    @override
    async def readexactly(self, n: int) -> bytes:
        if n > MAX_PACKET:
            raise asyncssh.SFTPBadMessage("packet too large")
        return await super().readexactly(n)


class OpenFile:
    """A file that is open to be read."""

    def __init__(self, session: SftpSession, file: asyncssh.SFTPClientFile) -> None:
        """Belong to a session."""
        self._session = session
        self._file = file

    async def read(self, size: int, offset: int) -> bytes:
        """Return so many bytes from an offset; fewer only where the file ends.

        Raises what `SftpSession` does.
        """
        async with self._session.answer():
            data: bytes = await self._file.read(size, offset)
        if len(data) > size:
            raise MessageTooLargeError("the phone sends more than was asked for")
        return data

    async def close(self) -> None:
        """Close it; never raises."""
        with suppress(asyncssh.Error, OSError, ValueError):
            async with asyncio.timeout(CLOSE_TIMEOUT):
                with _ours():
                    await self._file.close()


class SftpSession:
    """An open session.

    Its methods raise DisconnectedError, PeerTimeoutError (and the session is over),
    ProtocolError, and FileUnavailableError for what is not there or must not be read.
    """

    def __init__(
        self, connection: asyncssh.SSHClientConnection, client: asyncssh.SFTPClient
    ) -> None:
        """Take over a connection and its client."""
        self._connection = connection
        self._client = client
        self._is_over = False

    @property
    def is_closed(self) -> bool:
        """Whether it has come to its end."""
        return self._is_over or self._connection.is_closed()

    @asynccontextmanager
    async def answer(self, seconds: float | None = None) -> AsyncGenerator[None]:
        """Bound the time of requests; who does not answer in time is not asked again."""
        is_late = False

        def give_up() -> None:
            nonlocal is_late
            is_late = self._is_over = True
            # A request that is cancelled may wait for the answer to another one, to close a
            # folder for example. This ends all of them.
            self._connection.abort()

        timer = asyncio.get_running_loop().call_later(
            ANSWER_TIMEOUT if seconds is None else seconds, give_up
        )
        try:
            with _errors(), _ours():
                yield
        except RumpusError as err:
            if is_late:
                raise PeerTimeoutError("the phone did not answer in time") from err
            raise
        finally:
            timer.cancel()

    async def real_path(self, path: bytes) -> bytes | None:
        """Return where a path leads to; None if the phone cannot tell."""
        async with self.answer():
            try:
                return await self._client.realpath(path)
            except asyncssh.SFTPOpUnsupported, asyncssh.SFTPFailure:
                return None

    async def stat(self, path: bytes) -> Entry:
        """Return what is at a path, links followed."""
        async with self.answer():
            attributes = await self._client.stat(path)
        return _entry(b"", attributes)

    async def scan(self, path: bytes, limit: int, seconds: float) -> list[Entry]:
        """Return what is in a folder in the phone's order: so many at most, in so many seconds."""
        entries: list[Entry] = []
        names = cast("AsyncGenerator[asyncssh.SFTPName]", self._client.scandir(path))
        async with self.answer(seconds):
            try:
                async for name in names:
                    if len(entries) >= limit:
                        break
                    entries.append(_entry(cast(bytes, name.filename), name.attrs))
            finally:
                with suppress(asyncssh.Error, OSError, ValueError):
                    await names.aclose()
        return entries

    async def open(self, path: bytes) -> OpenFile:
        """Open a file to be read."""
        async with self.answer():
            file = await self._client.open(
                path, "rb", block_size=READ_BLOCK, max_requests=MAX_REQUESTS
            )
        return OpenFile(self, file)

    async def close(self) -> None:
        """End it; never raises, and takes `CLOSE_TIMEOUT` at most."""
        self._is_over = True
        with _ours():
            self._connection.close()
            try:
                async with asyncio.timeout(CLOSE_TIMEOUT):
                    await self._connection.wait_closed()
            except TimeoutError, asyncssh.Error, OSError:
                self._connection.abort()


async def open_session(
    host: str, offer: StorageOffer, private_key_pem: str, *, give_password: bool
) -> SftpSession:
    """Log in to the server of an offer at the address of the link.

    With our key, or with the password of the offer: whoever sits in between can do nothing
    with the former. Raises AuthenticationError, DisconnectedError, PeerTimeoutError and
    ProtocolError.
    """
    with _errors(), _ours():
        async with asyncio.timeout(LOGIN_TIMEOUT):
            if give_password:
                connection = await _connect(host, offer, password=offer.password)
            else:
                key = await asyncio.to_thread(
                    asyncssh.import_private_key, private_key_pem
                )
                connection = await _connect(host, offer, client_keys=[key])
            try:
                client = await _start_client(connection)
            except BaseException:
                connection.abort()
                raise
    return SftpSession(connection, client)


async def _connect(
    host: str,
    offer: StorageOffer,
    *,
    password: str | None = None,
    client_keys: list[asyncssh.SSHKey] | None = None,
) -> asyncssh.SSHClientConnection:
    return await asyncssh.connect(
        host,
        offer.port,
        username=offer.user,
        password=password,
        client_keys=client_keys,
        preferred_auth="publickey" if password is None else "password",
        # It is new each time, so there is nothing to compare it with.
        known_hosts=None,
        server_host_key_algs=_HOST_KEYS,
        # A bomb could be in it, and media are compressed already.
        compression_algs=None,
        # Nothing of the user that Home Assistant runs as.
        config=None,
        agent_path=None,
        gss_kex=False,
        gss_auth=False,
    )


async def _start_client(
    connection: asyncssh.SSHClientConnection,
) -> asyncssh.SFTPClient:
    """Start SFTP; the library's own way has no bound for packets."""
    writer, reader, _ = await connection.open_session(subsystem="sftp", encoding=None)
    return await start_sftp_client(
        connection,
        asyncio.get_running_loop(),
        "strict",
        _BoundedReader(reader),
        writer,
        "utf-8",
        "strict",
        MIN_SFTP_VERSION,
    )


def _entry(name: bytes, attributes: asyncssh.SFTPAttrs) -> Entry:
    mode = attributes.permissions
    kind = None if mode is None else stat.S_IFMT(mode)
    return Entry(
        name=name,
        is_folder=kind == stat.S_IFDIR,
        # A phone that tells no kind means files.
        is_file=kind in (None, 0, stat.S_IFREG),
        size=attributes.size,
        modified=attributes.mtime,
    )


@contextmanager
def _ours() -> Iterator[None]:
    """Mark what the library does here, and in tasks that start here, as ours."""
    token = _is_ours.set(True)
    try:
        yield
    finally:
        _is_ours.reset(token)


@contextmanager
def _errors() -> Iterator[None]:
    """Turn the library's errors into ours; none of them tells a path."""
    try:
        yield
    except TimeoutError as err:
        raise PeerTimeoutError("the phone did not answer in time") from err
    except asyncssh.PermissionDenied as err:
        raise AuthenticationError("the phone did not let us in") from err
    except (
        asyncssh.SFTPConnectionLost,
        asyncssh.SFTPNoConnection,
        asyncssh.ConnectionLost,
        OSError,
    ) as err:
        raise DisconnectedError("the connection to the phone's files is lost") from err
    except asyncssh.SFTPBadMessage as err:
        raise ProtocolError("the phone's answer cannot be read") from err
    except asyncssh.SFTPError as err:
        raise FileUnavailableError("no such file, or it must not be read") from err
    except (asyncssh.Error, ValueError) as err:
        # A server that is no good at SSH, or none at all.
        raise ProtocolError(f"not understood: {type(err).__name__}") from err
