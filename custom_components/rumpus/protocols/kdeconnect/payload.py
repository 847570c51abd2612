"""The bulk data of one device, both ways (the KDE Connect reference, sections 9, 12.3)."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
import contextlib
from pathlib import Path
import socket
from typing import Final, NamedTuple

from ..errors import DisconnectedError, MessageTooLargeError, PeerTimeoutError
from .const import PAYLOAD_PORTS
from .handshake import plain_host
from .packet import Payload
from .payload_files import PartFile, ReceivedFile, Source
from .tls import TlsContexts
from .transfer import Progress, Transfer, in_thread

PAYLOAD_CONNECT_TIMEOUT: Final = 10.0
# How long the device may take to fetch what we announced; phones give us 10 s, KDE 30 s.
PAYLOAD_RECEIVER_TIMEOUT: Final = 30.0
# Payloads at once with one device, in each direction; more of them wait.  What we offer
# does not stand in the way of what we fetch: nobody has to fetch a notification's icon.
MAX_PAYLOADS: Final = 4
# The most that an old peer is sent with, in bytes per second.  KDE before protocol 8 writes
# files with some 80 MiB/s and reads into memory what comes faster, which slows it down to a
# crawl.  (Measured with 22.12; it is the same with newer KDE as the sender.)
OLD_PEER_RATE: Final = 64 * 1024 * 1024
# Between two payloads to an old peer, in seconds: a file that has arrived whole before KDE is
# done with the one before stays cut off at 64 KiB, and holds up all that come after it.
OLD_PEER_REST: Final = 0.05
# The queue of the operating system for those who call; there should be one.
_BACKLOG: Final = 4


class PayloadPeer(NamedTuple):
    """Whom payloads go to and come from: the address of its link, and its pin (DER).

    An old peer speaks a protocol before 8, and is given time.
    """

    host: str
    certificate: bytes
    is_old: bool = False


class Payloads:
    """Fetches what a device announces and serves what we announce to it."""

    def __init__(self, contexts: TlsContexts, bind: str) -> None:
        """Listen, when there is something to serve, on the address `bind`."""
        self._contexts = contexts
        self._bind = bind
        self._fetching = asyncio.Semaphore(MAX_PAYLOADS)
        self._offering = asyncio.Semaphore(MAX_PAYLOADS)
        self._tasks: set[asyncio.Task[object]] = set()
        self._unclaimed: set[asyncio.Task[object]] = set()
        self._closed = False

    async def fetch(self, peer: PayloadPeer, payload: Payload, limit: int) -> bytes:
        """Return the announced data of at most `limit` bytes.

        Here TLS roles are the ordinary ones.  Raises MessageTooLargeError past the limit,
        CertificateChangedError when somebody else answers, ProtocolError when it is shorter
        than announced, DisconnectedError and PeerTimeoutError.
        """
        data = bytearray()

        def work(transfer: Transfer) -> None:
            transfer.receive(payload.size, limit, data.extend)

        _check_size(payload, limit)
        await self._run(self._fetch(peer, payload, work))
        return bytes(data)

    async def fetch_file(
        self,
        peer: PayloadPeer,
        payload: Payload,
        target: Path,
        limit: int,
        modified_ms: int | None = None,
        progress: Progress | None = None,
    ) -> ReceivedFile:
        """Store the announced data of at most `limit` bytes as a new file.

        The same errors, and FileAccessError with its OutOfSpaceError.  Only a complete file
        gets a name; where the target's is taken, it gets another.
        """

        def work(transfer: Transfer) -> ReceivedFile:
            with PartFile(target, payload.size) as part:
                size = transfer.receive(payload.size, limit, part.write)
                return ReceivedFile(part.finish(modified_ms), size)

        def undo(received: ReceivedFile) -> None:
            # Whoever gave it up is not interested in what the disk says to that.
            with contextlib.suppress(OSError):
                received.path.unlink(missing_ok=True)

        _check_size(payload, limit)
        return await self._run(self._fetch(peer, payload, work, undo, progress))

    async def offer(
        self,
        peer: PayloadPeer,
        source: bytes | Path,
        announce: Callable[[Payload | None], Awaitable[None]],
        progress: Progress | None = None,
    ) -> None:
        """Serve data once to a device and return when it has arrived there.

        `announce` has to send the packet; there is no payload in it when there is no data.
        Raises PeerTimeoutError when nobody fetches it, CertificateChangedError when somebody
        else does, ProtocolError when a file changes its size meanwhile, FileAccessError,
        DisconnectedError and what `announce` raises.
        """
        await self._run(self._offer(peer, source, announce, progress))

    def withdraw(self) -> None:
        """Give up what the device has not begun to fetch, since its link was lost."""
        for task in self._unclaimed:
            task.cancel()

    def stop(self) -> None:
        """End everything under way, since the pairing was ended."""
        for task in self._tasks:
            task.cancel()

    async def close(self) -> None:
        """End everything for good, and wait for that."""
        self._closed = True
        tasks = list(self._tasks)
        self.stop()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run[T](self, work: Coroutine[None, None, T]) -> T:
        """Return the result of something that we can end as well as our caller can."""
        if self._closed:
            work.close()
            raise DisconnectedError("our end was stopped")
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        try:
            return await task
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if current is not None and current.cancelling():
                raise
            raise DisconnectedError("the device was lost") from None
        finally:
            self._tasks.discard(task)

    async def _fetch[T](
        self,
        peer: PayloadPeer,
        payload: Payload,
        work: Callable[[Transfer], T],
        undo: Callable[[T], object] | None = None,
        progress: Progress | None = None,
    ) -> T:
        async with self._fetching:
            context = await self._contexts.client()
            sock = await _connect(peer.host, payload.port)
            transfer = Transfer(
                sock, context, peer.certificate, server_side=False, progress=progress
            )
            return await transfer.run(lambda: work(transfer), undo)

    async def _offer(
        self,
        peer: PayloadPeer,
        origin: bytes | Path,
        announce: Callable[[Payload | None], Awaitable[None]],
        progress: Progress | None,
    ) -> None:
        async with self._offering:
            source = await in_thread(lambda: Source(origin), undo=Source.close)
            with contextlib.closing(source):
                if not source.size:
                    await announce(None)
                    return
                context = await self._contexts.pinned_server(peer.certificate)
                sock = await self._serve(peer.host, source.size, announce)
                transfer = Transfer(
                    sock, context, peer.certificate, server_side=True, progress=progress
                )
                rate = OLD_PEER_RATE if peer.is_old else None
                await transfer.run(lambda: transfer.send(source, rate))
            if peer.is_old:
                await asyncio.sleep(OLD_PEER_REST)

    async def _serve(
        self, host: str, size: int, announce: Callable[[Payload], Awaitable[None]]
    ) -> socket.socket:
        """Announce data and return the connection of the device that fetches it."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - this is a coroutine
        with _listen(self._bind) as listener:
            self._unclaimed.add(task)
            try:
                await announce(Payload(size, listener.getsockname()[1]))
                async with asyncio.timeout(PAYLOAD_RECEIVER_TIMEOUT):
                    return await _accept(listener, host)
            except TimeoutError as err:
                raise PeerTimeoutError("the device does not fetch the data") from err
            finally:
                self._unclaimed.discard(task)


def _check_size(payload: Payload, limit: int) -> None:
    if payload.size is not None and payload.size > limit:
        raise MessageTooLargeError(f"the payload is larger than {limit} bytes")


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


async def _connect(host: str, port: int) -> socket.socket:
    """Return a connection to an address."""
    sock = socket.socket(_family(host), socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        async with asyncio.timeout(PAYLOAD_CONNECT_TIMEOUT):
            await asyncio.get_running_loop().sock_connect(sock, (host, port))
    except BaseException as err:
        sock.close()
        if isinstance(err, TimeoutError):
            raise PeerTimeoutError("the payload's sender does not answer") from err
        if isinstance(err, OSError):
            raise DisconnectedError(
                "the payload's sender refuses the connection"
            ) from err
        raise
    return sock


def _listen(bind: str) -> socket.socket:
    for port in PAYLOAD_PORTS:
        with contextlib.suppress(OSError):
            listener = socket.create_server(
                (bind, port), family=_family(bind), backlog=_BACKLOG
            )
            listener.setblocking(False)
            return listener
    raise DisconnectedError("no port is free to serve data on")


async def _accept(listener: socket.socket, host: str) -> socket.socket:
    """Return the first connection from a host; all others are closed at once."""
    loop = asyncio.get_running_loop()
    while True:
        # sock_accept() loses a connection when it is cancelled in the wrong moment.
        readable: asyncio.Future[None] = loop.create_future()
        loop.add_reader(listener, _resolve, readable)
        try:
            await readable
        finally:
            loop.remove_reader(listener)
        try:
            sock, address = listener.accept()
        except BlockingIOError:  # whoever called has gone
            continue
        except OSError as err:
            raise DisconnectedError("the connection cannot be accepted") from err
        if plain_host(address) == host:
            return sock
        sock.close()


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
