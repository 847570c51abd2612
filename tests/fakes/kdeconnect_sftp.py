"""The SSH server of a fake phone's storage: SFTP alone, and only to read."""

import asyncio
from collections.abc import AsyncIterator
import contextlib
from dataclasses import dataclass, field
import os
from pathlib import Path
import secrets
from typing import Never, override

import asyncssh
from cryptography import x509
from cryptography.hazmat.primitives import serialization

USER = "kdeconnect"
PORTS = range(1739, 1765)

_WRITING = (
    asyncssh.FXF_WRITE
    | asyncssh.FXF_APPEND
    | asyncssh.FXF_CREAT
    | asyncssh.FXF_TRUNC
    | asyncssh.FXF_EXCL
)


@dataclass(slots=True)
class SftpLog:
    """What clients did, and what they may do."""

    logins: list[str] = field(default_factory=list)  # "password" or "publickey"
    refused: list[str] = field(default_factory=list)  # the same, when it was wrong
    opened: list[str] = field(default_factory=list)  # paths of files
    takes_password: bool = True
    takes_key: bool = True
    # What it does wrong.
    read_delay: float = 0  # seconds before each piece
    is_endless: bool = False  # no file has an end
    extra_names: list[bytes] = field(default_factory=list)  # in every folder


class SftpServer:
    """A server with a key and a password of its own."""

    def __init__(self, root: Path, certificate_der: bytes, log: SftpLog) -> None:
        """Serve a folder to the owner of a certificate, or of the password."""
        self.password = secrets.token_urlsafe(21)
        self.connections: set[asyncssh.SSHServerConnection] = set()
        self.log = log
        self.owner_key = _ssh_key(certificate_der)
        self._host_key = asyncssh.generate_private_key("ecdsa-sha2-nistp256")
        self._root = root
        self._acceptor: asyncssh.SSHAcceptor | None = None
        self._starting = asyncio.Lock()
        self._closing = asyncio.Event()
        self._sessions = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def host_key(self) -> str:
        """The fingerprint of the server's key."""
        return self._host_key.get_fingerprint()

    async def start(self, host: str) -> int:
        """Listen, unless it does already, and return the port. Raises OSError."""
        async with self._starting:
            if self._acceptor is None:
                self._acceptor = await self._listen(host)
            if self._closing.is_set():
                self.close()
            return int(self._acceptor.get_port())

    async def _listen(self, host: str) -> asyncssh.SSHAcceptor:
        for port in PORTS:
            with contextlib.suppress(OSError):
                return await asyncssh.create_server(
                    lambda: _Login(self),
                    host,
                    port,
                    server_host_keys=[self._host_key],
                    sftp_factory=lambda channel: _Files(self, channel, self._root),
                    allow_scp=False,
                    agent_forwarding=False,
                )
        raise OSError("no free port for SFTP")

    def close(self) -> None:
        """Stop listening and end all connections."""
        self._closing.set()
        if self._acceptor is not None:
            self._acceptor.close()
        for connection in list(self.connections):
            connection.abort()

    async def wait_closed(self) -> None:
        """Wait until nothing of it runs any more."""
        for connection in list(self.connections):
            await connection.wait_closed()
        await self._idle.wait()
        # The last session still has to return.
        await asyncio.sleep(0)

    async def pause(self) -> None:
        """Be as slow as wanted, until the server is closed."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.log.read_delay):
                await self._closing.wait()

    def session(self, change: int) -> None:
        """Count a session that begins (1) or ends (-1)."""
        self._sessions += change
        if self._sessions:
            self._idle.clear()
        else:
            self._idle.set()


def _ssh_key(certificate_der: bytes) -> asyncssh.SSHKey:
    key = x509.load_der_x509_certificate(certificate_der).public_key()
    line = key.public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    )
    return asyncssh.import_public_key(line)


class _Login(asyncssh.SSHServer):
    """Who may come in."""

    def __init__(self, server: SftpServer) -> None:
        self._server = server
        self._connection: asyncssh.SSHServerConnection | None = None

    @override
    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._server.connections.add(conn)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self._connection is not None:
            self._server.connections.discard(self._connection)

    @override
    def password_auth_supported(self) -> bool:
        return self._server.log.takes_password

    @override
    def validate_password(self, username: str, password: str) -> bool:
        good = password == self._server.password
        return self._note("password", good=good and username == USER)

    @override
    def public_key_auth_supported(self) -> bool:
        return self._server.log.takes_key

    @override
    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        good = key == self._server.owner_key
        return self._note("publickey", good=good and username == USER)

    def _note(self, method: str, *, good: bool) -> bool:
        log = self._server.log
        (log.logins if good else log.refused).append(method)
        return good


class _Files(asyncssh.SFTPServer):
    """A folder to read; whatever would change it is refused."""

    def __init__(
        self,
        server: SftpServer,
        channel: asyncssh.SSHServerChannel[bytes],
        root: Path,
    ) -> None:
        self._server = server
        self._log = server.log
        server.session(1)
        super().__init__(channel, chroot=os.fsencode(root))

    @override
    def open(
        self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs
    ) -> asyncssh.misc.MaybeAwait[object]:
        if pflags & _WRITING:
            _refuse()
        self._log.opened.append(os.fsdecode(path))
        return super().open(path, pflags, attrs)

    @override
    async def read(self, file_obj: object, offset: int, size: int) -> bytes:
        if self._log.read_delay:
            await self._server.pause()
        if self._log.is_endless:
            return bytes(size)
        data = super().read(file_obj, offset, size)
        return data if isinstance(data, bytes) else await data

    @override
    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        async for name in super().scandir(path):
            yield name
        for extra in self._log.extra_names:
            attributes = asyncssh.SFTPAttrs(
                type=asyncssh.FILEXFER_TYPE_REGULAR, permissions=0o100644, size=1
            )
            yield asyncssh.SFTPName(extra, b"", attributes)

    @override
    def exit(self) -> None:
        self._server.session(-1)

    @override
    def setstat(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        _refuse()

    @override
    def lsetstat(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        _refuse()

    @override
    def fsetstat(self, file_obj: object, attrs: asyncssh.SFTPAttrs) -> None:
        _refuse()

    @override
    def remove(self, path: bytes) -> None:
        _refuse()

    @override
    def mkdir(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        _refuse()

    @override
    def rmdir(self, path: bytes) -> None:
        _refuse()

    @override
    def rename(self, oldpath: bytes, newpath: bytes) -> None:
        _refuse()

    @override
    def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        _refuse()

    @override
    def symlink(self, oldpath: bytes, newpath: bytes) -> None:
        _refuse()

    @override
    def link(self, oldpath: bytes, newpath: bytes) -> None:
        _refuse()


def _refuse() -> Never:
    raise asyncssh.SFTPPermissionDenied("read-only")
