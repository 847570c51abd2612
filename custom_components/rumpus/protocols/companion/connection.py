"""One connection to a device: authentication, then requests, answers and events.

See the Apple TV reference, part A, sections 4.1 to 4.3.
"""

import asyncio
from collections.abc import Callable, Coroutine
import contextlib
from dataclasses import dataclass
import logging
import math
import secrets
import socket
from typing import Final, Protocol, cast

from ..budget import Budget
from ..errors import DisconnectedError, PeerTimeoutError, ProtocolError, RumpusError
from ..hap.credentials import HapCredentials
from ..hap.crypto import ChannelCipher, hkdf
from ..hap.procedures import verify
from ..opack import OpackDict, decode_dict, encode
from .enums import FrameType, MessageType
from .frames import Frame, FrameStream
from .messages import Message, decode_message, encode_message, encode_refusal, get_data
from .timing import Timing

_LOGGER = logging.getLogger(__name__)

MAX_STRAY: Final = 64
"""Frames that may come before the answer to a message of pairing or verification."""
MAX_PENDING: Final = 256
"""Requests that wait for their answers; signs of life are asked for beyond these."""
MAX_IGNORED: Final = 20
IGNORED_REFILL: Final = 0.2
"""Lines in the log about what is ignored: at once, and a second after that."""
MAX_FIRST_TRANSFER: Final = 65_536
MAX_TRANSFER: Final = 2**32
MAX_LATE: Final = 0.5
"""Seconds: a time-out that comes later proves that we were held up, not that nobody spoke."""
TRIES: Final = 2
"""How often a device is asked for a sign of life before it counts as gone."""

# The kernel asks, too: it notices a device without power even while we are held up.
_KEEP_ALIVE: Final = (
    ("TCP_KEEPIDLE", 5),  # seconds
    ("TCP_KEEPINTVL", 2),  # seconds
    ("TCP_KEEPCNT", 4),
    ("TCP_USER_TIMEOUT", 12_000),  # milliseconds
)

_WRITE_INFO: Final = "ClientEncrypt-main"
_READ_INFO: Final = "ServerEncrypt-main"

type Seen = Callable[[OpackDict], None]


class Listener(Protocol):
    """Who hears what a device tells by itself. None of this may raise."""

    def received(self, name: str, content: OpackDict) -> None:
        """Take an event."""

    def ended(self, error: RumpusError) -> None:
        """Take the end of the connection, unless it was us who closed it. Comes once."""


@dataclass(slots=True)
class _Pending:
    """A request that waits for its answer."""

    name: str
    answer: asyncio.Future[OpackDict] | None
    seen: Seen | None
    timer: asyncio.TimerHandle | None = None

    def fail(self, error: RumpusError) -> None:
        """Tell whoever waits that there is no answer."""
        if self.answer is not None and not self.answer.done():
            self.answer.set_exception(error)


async def open_stream(address: str, port: int, timing: Timing) -> FrameStream:
    """Return a new connection, in the clear.

    Raises DisconnectedError when there is none to be had, PeerTimeoutError.
    """
    stream = FrameStream()
    await stream.connect(address, port, timing.connect)
    # Some kernels refuse that when the device has left at once, which reading tells.
    with contextlib.suppress(OSError, DisconnectedError):
        _keep_alive(cast("socket.socket", stream.get_extra_info("socket")))
    return stream


def _keep_alive(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEP_ALIVE:
        if (option := getattr(socket, name, None)) is not None:
            sock.setsockopt(socket.IPPROTO_TCP, option, value)


class AuthenticationExchange:
    """Carries pairing or verification over a connection (section 4.2)."""

    def __init__(
        self,
        stream: FrameStream,
        timeout: float,
        *,
        first: FrameType,
        others: FrameType,
        first_keys: OpackDict,
        other_keys: OpackDict,
    ) -> None:
        """Use these types of frames, and add these keys to what is sent."""
        self._stream = stream
        self._timeout = timeout
        self._first = first
        self._others = others
        self._first_keys = first_keys
        self._other_keys = other_keys

    @classmethod
    def verification(
        cls, stream: FrameStream, timeout: float
    ) -> AuthenticationExchange:
        """Return the one for pair-verify."""
        return cls(
            stream,
            timeout,
            first=FrameType.PAIR_VERIFY_START,
            others=FrameType.PAIR_VERIFY_NEXT,
            first_keys={"_auTy": 4},
            other_keys={},
        )

    @classmethod
    def pairing(cls, stream: FrameStream, timeout: float) -> AuthenticationExchange:
        """Return the one for pair-setup with a PIN."""
        return cls(
            stream,
            timeout,
            first=FrameType.PAIR_SETUP_START,
            others=FrameType.PAIR_SETUP_NEXT,
            first_keys={"_pwTy": 1},
            other_keys={"_pwTy": 1},
        )

    async def __call__(self, data: bytes, step: int) -> bytes:
        """Send a TLV and return the one answered.

        Raises DisconnectedError, PeerTimeoutError, ProtocolError.
        """
        is_first = step == 1
        keys = self._first_keys if is_first else self._other_keys
        frame_type = self._first if is_first else self._others
        self._stream.write_frame(frame_type, encode({"_pd": data, **keys}))
        try:
            async with asyncio.timeout(self._timeout):
                answer = await self._read_answer()
        except TimeoutError:
            raise PeerTimeoutError(f"The device did not answer M{step}") from None
        body = get_data(decode_dict(answer.payload), "_pd")
        if body is None:
            raise ProtocolError(f"The answer to M{step} holds nothing")
        return body

    async def _read_answer(self) -> Frame:
        for _ in range(MAX_STRAY):
            frame = await self._stream.read_frame()
            if frame.frame_type == self._others:
                return frame
        raise ProtocolError("The device talks of other things than authentication")


class CompanionConnection:
    """Requests and events over one encrypted connection.

    A connection is opened once. What is asked of it while it is not open raises
    DisconnectedError.
    """

    def __init__(
        self, address: str, port: int, timing: Timing, listener: Listener
    ) -> None:
        """Prepare for the device at that address."""
        self._address = address
        self._port = port
        self._timing = timing
        self._listener = listener
        self._stream: FrameStream | None = None
        self._pending: dict[int, _Pending] = {}
        self._transfer_id = secrets.randbelow(MAX_FIRST_TRANSFER + 1)
        self._tasks: set[asyncio.Task[None]] = set()
        self._log_budget = Budget(MAX_IGNORED, IGNORED_REFILL)
        self._heard = asyncio.Event()
        self._heard_at = 0.0
        self._is_secure = False
        self._is_over = False
        self.error: RumpusError | None = None
        """Why there is no connection any more, when it was not us who closed it."""

    @property
    def is_open(self) -> bool:
        """Whether, for all that is known, the device can be asked."""
        return self._is_secure and not self._is_over

    async def open(self, credentials: HapCredentials) -> None:
        """Connect, let both ends prove who they are, and listen from then on.

        Raises DisconnectedError, PeerTimeoutError, ProtocolError, AuthenticationError.
        """
        stream = await open_stream(self._address, self._port, self._timing)
        self._stream = stream  # from here on close() and abort() reach it
        try:
            self._require_not_over()
            exchange = AuthenticationExchange.verification(
                stream, self._timing.authenticate
            )
            secret = await verify(credentials, exchange)
        except BaseException:
            stream.abort()
            await stream.close()
            raise
        write_key = hkdf(secret, "", _WRITE_INFO)
        read_key = hkdf(secret, "", _READ_INFO)
        stream.secure(ChannelCipher(write_key, read_key, 12))
        self._is_secure = True
        self._heard_at = asyncio.get_running_loop().time()
        stream.start(self._take, self._end)

    def _require_not_over(self) -> None:
        if self._is_over:
            raise DisconnectedError("The Companion link was closed")

    def spawn(self, job: Coroutine[object, object, None]) -> None:
        """Run something as long as the connection is there, beginning at once."""
        loop = asyncio.get_running_loop()
        task = asyncio.Task(job, loop=loop, eager_start=True)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # Asking.

    async def request(
        self,
        name: str,
        content: OpackDict | None = None,
        *,
        timeout: float | None = None,
        seen: Seen | None = None,
    ) -> OpackDict:
        """Send a request and return the content of its answer.

        It is written before this waits for the first time. `seen` is called with the
        content as soon as it comes: before whatever the device says next.
        Raises DisconnectedError, PeerTimeoutError, CommandFailedError, ProtocolError.
        """
        if len(self._pending) >= MAX_PENDING:
            raise PeerTimeoutError("The device does not keep up with what it is asked")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[OpackDict] = loop.create_future()
        pending = _Pending(name, answer, seen)
        transfer_id = self._write_request(name, content, pending)
        due = loop.time() + (timeout or self._timing.request)
        pending.timer = loop.call_at(due, self._overdue, pending, due)
        try:
            return await answer
        finally:
            pending.timer.cancel()
            self._pending.pop(transfer_id, None)
            if answer.done() and not answer.cancelled():
                answer.exception()  # nobody else may fetch it when we were cancelled

    def _overdue(self, pending: _Pending, due: float) -> None:
        """Give up a request; a little later when we were held up: it may be there."""
        loop = asyncio.get_running_loop()
        if loop.time() - due >= MAX_LATE:
            pending.timer = loop.call_later(MAX_LATE, self._overdue, pending, math.inf)
        else:
            pending.fail(PeerTimeoutError(f"The device did not answer {pending.name}"))

    def ask(
        self, name: str, content: OpackDict | None = None, seen: Seen | None = None
    ) -> None:
        """Send a request that nobody waits for; the next one of that name replaces it.

        Raises DisconnectedError, ProtocolError.
        """
        for transfer_id, pending in self._pending.items():
            if pending.answer is None and pending.name == name:
                del self._pending[transfer_id]
                break
        self._write_request(name, content, _Pending(name, None, seen))

    def send_event(self, name: str, content: OpackDict) -> None:
        """Send an event. Raises DisconnectedError, ProtocolError."""
        self._write(MessageType.EVENT, name, content)

    def _write_request(
        self, name: str, content: OpackDict | None, pending: _Pending
    ) -> int:
        transfer_id = self._write(MessageType.REQUEST, name, content or {})
        self._pending[transfer_id] = pending
        return transfer_id

    def _write(self, kind: MessageType, name: str, content: OpackDict) -> int:
        stream = self._connected()
        self._transfer_id = (self._transfer_id + 1) % MAX_TRANSFER
        data = encode_message(kind, name, content, self._transfer_id)
        stream.write_frame(FrameType.OPACK, data)
        return self._transfer_id

    def together(self) -> contextlib.AbstractContextManager[None]:
        """Send what is asked meanwhile at once. Raises DisconnectedError."""
        return self._connected().together()

    def _connected(self) -> FrameStream:
        if self._stream is None or not self.is_open:
            raise DisconnectedError("There is no Companion link")
        return self._stream

    # Listening.

    def _take(self, frame: Frame) -> None:
        """Take a frame; what cannot be used is dropped."""
        self._heard_at = asyncio.get_running_loop().time()
        self._heard.set()
        if frame.frame_type != FrameType.OPACK:
            if frame.frame_type != FrameType.NO_OP:
                self.ignored(f"a frame of type {frame.frame_type}")
            return
        try:
            message = decode_message(frame.payload)
        except ProtocolError as err:
            self.ignored(f"a message: {err}")
            return
        match message.kind:
            case MessageType.EVENT:
                self._listener.received(message.name, message.content)
            case MessageType.RESPONSE:
                self._answered(message)
            case MessageType.REQUEST:
                self._connected().write_frame(FrameType.OPACK, encode_refusal(message))
            case kind:
                self.ignored(f"a message of type {kind}")

    def ignored(self, what: str) -> None:
        """Log that something came which is of no use to us; but not all too often."""
        if self._log_budget.take(asyncio.get_running_loop().time()):
            _LOGGER.debug("Ignoring %s", what)

    def _answered(self, message: Message) -> None:
        if message.transfer_id is None:
            return
        pending = self._pending.pop(message.transfer_id, None)
        if pending is None:  # a late answer, as a rule
            return
        if message.is_error:
            pending.fail(message.error(pending.name))
            return
        if pending.seen is not None:
            pending.seen(message.content)
        if pending.answer is not None and not pending.answer.done():
            pending.answer.set_result(message.content)

    # Finding out that nobody is there any more.

    def watch(self, probe: Callable[[int], None]) -> None:
        """End the connection when the device falls silent.

        `probe` asks it something, and is told how often that was done in vain.
        """
        self.spawn(self._watch(probe))

    async def _watch(self, probe: Callable[[int], None]) -> None:
        loop = asyncio.get_running_loop()
        while True:
            left = self._heard_at + self._timing.quiet - loop.time()
            if left > 0:
                await asyncio.sleep(left)
            elif not await self._is_alive(probe):
                self._end(PeerTimeoutError("The device has fallen silent"))
                return

    async def _is_alive(self, probe: Callable[[int], None]) -> bool:
        loop = asyncio.get_running_loop()
        tries = 0
        while tries < TRIES:
            self._heard.clear()
            due = loop.time() + self._timing.probe
            try:
                probe(tries)
                async with asyncio.timeout_at(due):
                    await self._heard.wait()
            except TimeoutError:
                # It needs time to answer: when we were held up that does not count.
                if loop.time() - due < MAX_LATE:
                    tries += 1
            except RumpusError:
                return False
            else:
                return True
        return False

    # Ending.

    def fail_pending(self, reason: str) -> None:
        """Let all who wait for an answer know that none comes."""
        pending, self._pending = self._pending, {}
        for entry in pending.values():
            entry.fail(DisconnectedError(reason))

    def _end(self, error: RumpusError) -> None:
        if self._is_over:
            return
        self.error = error
        self.abort()
        self._listener.ended(error)

    def abort(self) -> None:
        """End the connection at once; nobody is told but those who wait."""
        self._is_over = True
        if self._stream is not None:
            self._stream.abort()
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()
        self.fail_pending("The Companion link is gone")

    async def close(self) -> None:
        """End the connection, and wait until nothing of it is left. Never raises."""
        self._is_over = True
        self.fail_pending("The Companion link was closed")
        current = asyncio.current_task()
        tasks = [task for task in self._tasks if task is not current]
        for task in tasks:
            task.cancel()
        try:
            if self._stream is not None:
                await self._stream.close()
        finally:
            if tasks:
                await asyncio.wait(tasks)
