"""The files of a phone, looked into when somebody asks (the KDE Connect reference, section 11.17).

The phone starts an SFTP server on demand and tells its port and a password. We log in with the
key of our certificate, and give the password only to a phone that has never taken the key.

The server's own key is new each time, so nobody can tell whether it is the phone's: somebody in
the network who takes over the phone's address could pretend to be it and show files of his own.
With our key he gets no further, since what it signs is good for this one connection; but if he
refuses the key and we have not seen the phone take it before, he gets the password and can read
the phone's files with that. This is how the protocol is, for all of its programs. So the files are
looked into only where the user has asked for it, and only what is looked at is fetched.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
import logging
from typing import TYPE_CHECKING, Final, Protocol

from ..errors import (
    AuthenticationError,
    DisconnectedError,
    PeerTimeoutError,
    RumpusError,
)
from .plugins.message import Message
from .plugins.sftp import StorageOffer, StorageRefused, start_browsing
from .storage_paths import is_usable_name, is_within, normalise

if TYPE_CHECKING:
    from .device import RemoteDevice
    from .sftp_session import OpenFile, SftpSession

_LOGGER = logging.getLogger(__name__)

OFFER_TIMEOUT: Final = 15.0
"""Seconds that a phone has to start its server."""
IDLE_TIME: Final = 60.0
"""Seconds that a session is kept with nobody using it."""
LIST_TIMEOUT: Final = 30.0
"""Seconds for the whole of a folder."""
MAX_ENTRIES: Final = 5000
"""Entries read of a folder; what the phone tells after them is left out."""
MAX_OPEN: Final = 16
"""Files that are open at once."""


class StorageRefusedError(RumpusError):
    """The phone does not show its files; `reason` is its text for the user, not for a log."""

    def __init__(self, reason: str) -> None:
        """Keep the reason out of the message."""
        super().__init__("the phone does not show its files")
        self.reason = reason


class FileUnavailableError(RumpusError):
    """There is no such file or folder among what the phone shows."""


class StorageBusyError(RumpusError):
    """Too many files are open already."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or a folder; `size` is in bytes, `modified` in seconds since 1970."""

    name: bytes
    is_folder: bool
    is_file: bool
    size: int | None
    modified: int | None


@dataclass(frozen=True, slots=True)
class Root:
    """A folder where one may begin, and the phone's name for it."""

    name: str
    path: bytes


@dataclass(slots=True)
class StoredFile:
    """An open file; reading it raises what `PhoneStorage` does."""

    size: int
    modified: int | None
    _file: OpenFile

    async def read(self, size: int, offset: int) -> bytes:
        """Return so many bytes from an offset; fewer only where the file ends."""
        return await self._file.read(size, offset)


class SessionModule(Protocol):
    """The module that needs asyncssh."""

    async def open_session(
        self,
        host: str,
        offer: StorageOffer,
        private_key_pem: str,
        *,
        give_password: bool,
    ) -> SftpSession:
        """Log in."""
        raise NotImplementedError


type Load = Callable[[], Awaitable[SessionModule]]


def import_session() -> SessionModule:
    """Import what talks SFTP; takes a while the first time, so it is for a thread."""
    module: SessionModule = import_module(".sftp_session", __package__)
    return module


@dataclass(frozen=True, slots=True)
class _Visit:
    """A session and what there is to be seen in it."""

    session: SftpSession
    roots: tuple[Root, ...]
    real_roots: tuple[bytes, ...]


class PhoneStorage:
    """The files of one phone. There is one session, and only while somebody looks.

    Methods raise StorageRefusedError, FileUnavailableError, StorageBusyError, and
    DisconnectedError, PeerTimeoutError, AuthenticationError, UnsupportedError, ProtocolError.
    """

    def __init__(
        self, device: RemoteDevice, private_key_pem: Callable[[], str], load: Load
    ) -> None:
        """Belong to a device; nothing is begun. `load` calls `import_session` in a thread."""
        self._device = device
        self._private_key_pem = private_key_pem
        self._load = load
        self._lock = asyncio.Lock()
        self._answer: asyncio.Future[StorageOffer] | None = None
        self._entering: asyncio.Task[_Visit] | None = None
        self._visit: _Visit | None = None
        self._users = 0
        self._open_files = 0
        self._idle: asyncio.TimerHandle | None = None
        self._has_taken_key = False
        self._is_over = False
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_open(self) -> bool:
        """Whether there is a session now."""
        return self._visit is not None and not self._visit.session.is_closed

    def received(self, message: Message) -> None:
        """Take the phone's answer; what nobody has asked for does not count."""
        answer = self._answer
        if answer is None or answer.done():
            return
        if isinstance(message, StorageOffer):
            answer.set_result(message)
        elif isinstance(message, StorageRefused):
            answer.set_exception(StorageRefusedError(message.reason))

    def disconnected(self) -> None:
        """End the session: the phone has ended its server with the link."""
        if self._entering is not None:
            self._entering.cancel()
        self._leave()

    async def close(self) -> None:
        """End everything, for good."""
        self._is_over = True
        self.disconnected()
        async with self._lock:
            await asyncio.gather(*self._tasks)

    # What there is

    async def roots(self) -> tuple[Root, ...]:
        """Return the folders where one may begin, of which there is one at least."""
        async with self._use() as visit:
            return visit.roots

    def root_name(self, path: bytes) -> str | None:
        """Return the phone's name for a root, None for any other path or without a session."""
        roots = self._visit.roots if self._visit is not None else ()
        return next((root.name for root in roots if root.path == path), None)

    async def scan(self, path: bytes) -> list[Entry]:
        """Return the files and folders in a folder, without links, in the phone's order."""
        async with self._use() as visit:
            await self._check(visit, path)
            entries = await visit.session.scan(path, MAX_ENTRIES, LIST_TIMEOUT)
        return [
            entry
            for entry in entries
            if (entry.is_file or entry.is_folder) and is_usable_name(entry.name)
        ]

    async def stat(self, path: bytes) -> Entry:
        """Return what is at a path; its name is empty."""
        async with self._use() as visit:
            await self._check(visit, path)
            return await visit.session.stat(path)

    @asynccontextmanager
    async def open(self, path: bytes) -> AsyncGenerator[StoredFile]:
        """Open a file for as long as the context lasts."""
        if self._open_files >= MAX_OPEN:
            raise StorageBusyError("too many files are open")
        self._open_files += 1
        try:
            async with self._use() as visit:
                await self._check(visit, path)
                entry = await visit.session.stat(path)
                if not entry.is_file or entry.size is None:
                    raise FileUnavailableError("not a file")
                file = await visit.session.open(path)
                try:
                    yield StoredFile(entry.size, entry.modified, file)
                finally:
                    await file.close()
        finally:
            self._open_files -= 1

    async def _check(self, visit: _Visit, path: bytes) -> None:
        """Raise FileUnavailableError for what is not below a root, be it by a link."""
        roots = [root.path for root in visit.roots]
        if normalise(path) != path or not is_within(path, roots):
            raise FileUnavailableError("not in what the phone shows")
        real = await _real_path(visit.session, path)
        if not is_within(real, visit.real_roots):
            raise FileUnavailableError("not in what the phone shows")

    # The session

    @asynccontextmanager
    async def _use(self) -> AsyncGenerator[_Visit]:
        async with self._lock:
            visit = self._visit
            if visit is None or visit.session.is_closed:
                self._leave()
                visit = self._visit = await self._begin()
            self._users += 1
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        try:
            yield visit
        finally:
            self._users -= 1
            if self._users == 0 and self._visit is not None:
                loop = asyncio.get_running_loop()
                self._idle = loop.call_later(IDLE_TIME, self._leave)

    def _leave(self) -> None:
        """Close the session, in the background."""
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        visit, self._visit = self._visit, None
        if visit is not None:
            self._spawn(visit.session.close(), "close")

    def _spawn(self, coro: Coroutine[None, None, None], name: str) -> None:
        loop = asyncio.get_running_loop()
        task = loop.create_task(coro, name=f"{self._device.device_id} storage {name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _begin(self) -> _Visit:
        """Enter, unless the device goes meanwhile."""
        if self._is_over:
            raise DisconnectedError("our end was stopped")
        loop = asyncio.get_running_loop()
        entering = self._entering = loop.create_task(
            self._enter(), name=f"{self._device.device_id} storage"
        )
        try:
            return await entering
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise DisconnectedError("the device has gone") from None
        finally:
            self._entering = None

    async def _enter(self) -> _Visit:
        module = await self._load()
        offer = await self._ask()
        session = await self._log_in(module, offer)
        try:
            return await _look_around(session, offer)
        except BaseException:
            self._spawn(session.close(), "close")
            raise

    async def _ask(self) -> StorageOffer:
        """Ask the phone to start its server."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[StorageOffer] = loop.create_future()
        self._answer = answer
        try:
            await self._device.send(start_browsing())
            async with asyncio.timeout(OFFER_TIMEOUT):
                return await answer
        except TimeoutError as err:
            raise PeerTimeoutError("the phone did not start its server") from err
        finally:
            self._answer = None
            # It may have failed while the question was on its way.
            if answer.done() and not answer.cancelled():
                answer.exception()

    async def _log_in(self, module: SessionModule, offer: StorageOffer) -> SftpSession:
        # Never the address in the packet: it may be any.
        host = self._device.address
        if host is None:
            raise DisconnectedError("the device has gone")
        key = self._private_key_pem()
        try:
            session = await module.open_session(host, offer, key, give_password=False)
        except AuthenticationError:
            if self._has_taken_key:
                raise
            _LOGGER.debug("%s: does not take our key", self._device.device_id)
        else:
            self._has_taken_key = True
            return session
        return await module.open_session(host, offer, key, give_password=True)


async def _look_around(session: SftpSession, offer: StorageOffer) -> _Visit:
    """Find out what there is. Raises FileUnavailableError when it is of no use."""
    roots: list[Root] = []
    real: list[bytes] = []
    for name, text in offer.roots:
        # A card may have been taken out.
        with suppress(FileUnavailableError):
            if (path := normalise(text.encode(errors="replace"))) is not None:
                real.append(await _real_path(session, path))
                roots.append(Root(name, path))
    if not roots:
        raise FileUnavailableError("the phone shows nothing")
    return _Visit(session, tuple(roots), tuple(real))


async def _real_path(session: SftpSession, path: bytes) -> bytes:
    """Return where a path leads to, as far as the phone tells."""
    real = await session.real_path(path)
    if real is None:
        return path
    if (normal := normalise(real)) is None:
        raise FileUnavailableError("not in what the phone shows")
    return normal
