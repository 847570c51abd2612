"""Bulk data over TLS, in a thread (the KDE Connect reference, sections 9 and 14.3).

A thread with a blocking socket moves several times as much as asyncio's TLS does, and
leaves the event loop alone meanwhile.
"""

import asyncio
from collections.abc import Callable
import contextlib
import fcntl
import logging
import select
import socket
import ssl
import struct
import termios
import threading
import time
from typing import Final

from ..errors import (
    DisconnectedError,
    MessageTooLargeError,
    PeerTimeoutError,
    ProtocolError,
)
from .handshake import CertificateChangedError
from .payload_files import Source
from .tls import SHUTDOWN_TIMEOUT

_LOGGER = logging.getLogger(__name__)

# A phone that has just woken up takes its time.
PAYLOAD_HANDSHAKE_TIMEOUT: Final = 10.0
# Between two pieces; a peer that stops sending or taking data ends the transfer.
PAYLOAD_IDLE_TIMEOUT: Final = 30.0
# What is received before it is written to disk, in bytes.
RECEIVE_BUFFER: Final = 1024 * 1024
# What has to get through within one idle time-out, in bytes: slow phones are not cut off.
SEND_PIECE: Final = 256 * 1024
# What a sender that was held up may make up for at once, in seconds.
THROTTLE_BURST: Final = 0.05
# How often the event loop hears of progress, in seconds.
PROGRESS_INTERVAL: Final = 0.1
# How often the kernel is asked whether everything has arrived, in seconds.
_DELIVERY_INTERVAL: Final = 0.002
# What may be unacknowledged of a finished transfer: close_notify and the end of TCP.
_GOODBYE: Final = 32

type Progress = Callable[[int], None]


async def in_thread[T](
    work: Callable[[], T],
    *,
    stop: Callable[[], None] | None = None,
    undo: Callable[[T], object] | None = None,
) -> T:
    """Return what `work` returns in a thread of its own, which has ended by then.

    On cancellation `stop` is called, the thread's end is waited for, and `undo` (in a thread
    too) takes the result back if there is one nevertheless.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def run() -> None:
        try:
            result = work()
        except BaseException as err:  # noqa: BLE001 - it is raised where it is waited for
            loop.call_soon_threadsafe(done.set_exception, err)
        else:
            loop.call_soon_threadsafe(done.set_result, result)

    thread = threading.Thread(target=run, name="kdeconnect payload", daemon=True)
    thread.start()
    try:
        await asyncio.wait([done])
        return done.result()
    except asyncio.CancelledError:
        if stop is not None:
            stop()
        while not done.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([done])
        if done.exception() is None and undo is not None:
            result = done.result()
            await in_thread(lambda: undo(result))
        raise
    finally:
        thread.join()


class Throttle:
    """Says how long to wait so that data goes no faster than a rate."""

    def __init__(self, rate: int, now: float) -> None:
        """`rate` is in bytes per second; `now` and all times are monotonic, in seconds."""
        self._rate = rate
        self._due = now

    def delay(self, count: int, now: float) -> float:
        """Return how many seconds to wait now that `count` more bytes have gone."""
        self._due = max(self._due, now - THROTTLE_BURST) + count / self._rate
        return max(0.0, self._due - now)


class Transfer:
    """One payload connection; a thread does what blocks, the event loop can stop it."""

    def __init__(
        self,
        sock: socket.socket,
        context: ssl.SSLContext,
        pinned: bytes,
        *,
        server_side: bool,
        progress: Progress | None = None,
    ) -> None:
        """Take over a connected socket; `pinned` is the peer's certificate (DER).

        `progress` is called in the event loop with the number of bytes moved so far.  Raises
        DisconnectedError when the peer has hung up already.
        """
        try:
            self._tls = context.wrap_socket(
                sock, server_side=server_side, do_handshake_on_connect=False
            )
        except OSError as err:
            sock.close()
            raise DisconnectedError("the payload's connection was lost") from err
        self._pinned = pinned
        self._progress = progress
        self._loop = asyncio.get_running_loop()
        self._stopped = threading.Event()
        self._total = 0
        self._noted = time.monotonic()

    async def run[T](
        self, work: Callable[[], T], undo: Callable[[T], object] | None = None
    ) -> T:
        """Do the work, made of the blocking methods below, and close the connection.

        Cancellation cuts the connection, which ends the work at once.
        """
        try:
            result = await in_thread(work, stop=self._stop, undo=undo)
        except BaseException:
            # Reset it: a peer that waits for us to take more may not notice a mere end for
            # long, and one that receives must not take what is on its way for all.
            linger = struct.pack("ii", 1, 0)
            self._tls.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            raise
        finally:
            self._stopped.set()
            self._tls.close()
        self._tell(self._total)
        return result

    def _stop(self) -> None:
        self._stopped.set()
        # SSLSocket.shutdown() would turn the thread's next read into a clear-text one.
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self._tls, socket.SHUT_RDWR)

    def check(self) -> None:
        """Raise DisconnectedError when the transfer was stopped."""
        if self._stopped.is_set():
            raise DisconnectedError("the transfer was stopped")

    def receive(
        self, size: int | None, limit: int, write: Callable[[memoryview], None]
    ) -> int:
        """Hand everything that comes to `write` and return the number of bytes.

        `size` is what was announced, None for "until the end".  Blocks.  Raises
        MessageTooLargeError past the limit, ProtocolError when it is shorter than announced,
        CertificateChangedError, DisconnectedError, PeerTimeoutError and what `write` raises.
        """
        self._handshake()
        self._tls.settimeout(PAYLOAD_IDLE_TIMEOUT)
        buffer = memoryview(bytearray(RECEIVE_BUFFER))
        # A sender may go on past what it announced; it is cut off, what was announced counts.
        wanted = limit + 1 if size is None else size
        filled = 0
        count = 1
        while count and self._total < wanted:
            self.check()
            end = min(RECEIVE_BUFFER, filled + wanted - self._total)
            count = self._receive_piece(buffer[filled:end], lenient=size is not None)
            filled += count
            self._note(count)
            if filled == RECEIVE_BUFFER:
                write(buffer)
                filled = 0
        self.check()
        if size is not None and self._total < size:
            raise ProtocolError(
                f"the payload ended after {self._total} of {size} bytes"
            )
        if self._total > limit:
            raise MessageTooLargeError(f"the payload is larger than {limit} bytes")
        write(buffer[:filled])
        if size is not None:
            self._await_end()
        self.check()
        return self._total

    def send(self, source: Source, rate: int | None = None) -> None:
        """Send everything and return when it has arrived at the peer.

        `rate` is the most that it may be sent with, in bytes per second.  Blocks.  Raises CertificateChangedError, DisconnectedError, PeerTimeoutError and what
        reading the source raises.
        """
        self._handshake()
        self._tls.settimeout(PAYLOAD_IDLE_TIMEOUT)
        throttle = None if rate is None else Throttle(rate, time.monotonic())
        for piece in source.pieces(SEND_PIECE):
            self.check()
            self._send_piece(piece)
            self._note(len(piece))
            if throttle is not None:
                self._stopped.wait(throttle.delay(len(piece), time.monotonic()))
        self._say_goodbye()
        self._await_delivery()

    def _handshake(self) -> None:
        self._tls.settimeout(PAYLOAD_HANDSHAKE_TIMEOUT)
        try:
            self._tls.do_handshake()
        except TimeoutError as err:
            raise PeerTimeoutError("the payload's TLS handshake took too long") from err
        except ssl.SSLCertVerificationError as err:
            raise CertificateChangedError(
                "another device wants to have the payload"
            ) from err
        except OSError as err:
            raise DisconnectedError("the payload's TLS handshake failed") from err
        if self._tls.getpeercert(binary_form=True) != self._pinned:
            raise CertificateChangedError("the payload comes from another device")

    def _receive_piece(self, buffer: memoryview, *, lenient: bool) -> int:
        """Return the number of bytes received, 0 at the end."""
        try:
            return self._tls.recv_into(buffer)
        except TimeoutError as err:
            raise PeerTimeoutError("the payload stopped half-way") from err
        except OSError as err:  # also ssl.SSLError
            if lenient:  # the size tells whether that was all
                return 0
            raise DisconnectedError("the payload's connection broke") from err

    def _await_end(self) -> None:
        """Let the sender close first, so that nothing of it finds a closed connection."""
        self._tls.settimeout(SHUTDOWN_TIMEOUT)
        with contextlib.suppress(OSError):
            self._tls.recv(1)

    def _send_piece(self, piece: memoryview) -> None:
        try:
            self._tls.sendall(piece)
        except TimeoutError as err:
            raise PeerTimeoutError("the device takes no more data") from err
        except OSError as err:
            raise DisconnectedError(
                f"the device hung up after about {self._total} bytes"
            ) from err

    def _say_goodbye(self) -> None:
        """Send close_notify and end the TCP connection, without waiting for an answer.

        GSConnect misses close_notify after very small files, KDE waits for the end of TCP
        (section 13, numbers 13 and 21).
        """
        self._tls.settimeout(0)
        while True:
            try:
                self._tls.unwrap()
            except ssl.SSLWantWriteError:  # behind all the data that is on its way
                if not _is_writable(self._tls):
                    raise PeerTimeoutError("the device takes no more data") from None
                continue
            except OSError:  # written, but there is no answer yet
                pass
            break
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self._tls, socket.SHUT_WR)

    def _await_delivery(self) -> None:
        """Wait until the peer's system has acknowledged everything."""
        left = _unacknowledged(self._tls)
        deadline = time.monotonic() + PAYLOAD_IDLE_TIMEOUT
        while left > _GOODBYE:
            self._stopped.wait(_DELIVERY_INTERVAL)
            self.check()
            if self._tls.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                raise DisconnectedError("the device hung up before it had everything")
            before, left = left, _unacknowledged(self._tls)
            if left < before:
                deadline = time.monotonic() + PAYLOAD_IDLE_TIMEOUT
            elif time.monotonic() > deadline:
                raise PeerTimeoutError("the device takes no more data")

    def _note(self, count: int) -> None:
        self._total += count
        if self._progress is None:
            return
        now = time.monotonic()
        if now - self._noted >= PROGRESS_INTERVAL:
            self._noted = now
            self._loop.call_soon_threadsafe(self._tell_unless_stopped, self._total)

    def _tell_unless_stopped(self, total: int) -> None:
        if not self._stopped.is_set():
            self._tell(total)

    def _tell(self, total: int) -> None:
        if self._progress is not None:
            try:
                self._progress(total)
            except Exception:
                _LOGGER.exception("A progress callback failed")


def _is_writable(sock: socket.socket) -> bool:
    """Wait until there is room in a socket; return whether there is."""
    poll = select.poll()
    poll.register(sock, select.POLLOUT)
    return bool(poll.poll(1000 * PAYLOAD_IDLE_TIMEOUT))


def _unacknowledged(sock: socket.socket) -> int:
    """Return how many bytes the peer's system has not acknowledged; 0 if unknown."""
    try:
        answer = fcntl.ioctl(sock, termios.TIOCOUTQ, bytes(4))
    except OSError:  # not on every system for sockets
        return 0
    return int(struct.unpack("i", answer)[0])
