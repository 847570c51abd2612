"""The socket and the clock of a session (the SmartGlass reference, sections 1 and 10)."""

import asyncio
from collections.abc import Callable, Iterator
import contextlib
import logging
import socket
from typing import TYPE_CHECKING, Final, Self, cast, override

from ..errors import DisconnectedError, PeerTimeoutError
from .const import PORT
from .crypto import Crypto
from .enums import DisconnectReason, ServiceChannel
from .errors import RejectedError
from .events import LossReason
from .messages import Message
from .session import (
    ChannelAnswered,
    SendFinished,
    SendOutcome,
    Session,
    SessionEnded,
    SessionEvent,
    ToldEvent,
)
from .timing import Timing

if TYPE_CHECKING:
    from ..json_lines import JsonObject

_LOGGER = logging.getLogger(__name__)

CLOSE_TIMEOUT: Final = 1.0
"""Seconds for the socket to close."""

RECEIVE_BUFFER: Final = 1024 * 1024
"""Bytes that the system may keep for us, if it allows that many: a console sends all pieces
of a long answer at once, and what does not fit comes a second later."""

DEFAULT_TIMING: Final = Timing()

type Listener = Callable[[ToldEvent], None]


class SessionShell(asyncio.DatagramProtocol):
    """One UDP socket for one console, and the session on it, once there is one.

    All that waits here ends with DisconnectedError when the session does. A message whose
    sender does not wait any more is not sent again.
    """

    def __init__(
        self, *, timing: Timing = DEFAULT_TIMING, listener: Listener | None = None
    ) -> None:
        """Prepare; the listener gets all that happens in the session."""
        self.timing = timing
        self.session: Session | None = None
        self._listener = listener
        self._transport: asyncio.DatagramTransport | None = None
        self._closed = asyncio.Event()
        self._send_error: Exception | None = None
        self._is_congested = False
        self._timer: asyncio.TimerHandle | None = None
        self._is_pumping = False
        self._sends: dict[int, asyncio.Future[SendOutcome]] = {}
        self._answers: dict[int, asyncio.Future[ChannelAnswered]] = {}
        self._ended: SessionEnded | None = None

    @classmethod
    async def open(
        cls,
        address: str,
        port: int = PORT,
        *,
        timing: Timing = DEFAULT_TIMING,
        listener: Listener | None = None,
    ) -> Self:
        """Open a socket to a console; nothing is sent yet. Raises DisconnectedError."""
        loop = asyncio.get_running_loop()
        try:
            transport, protocol = await loop.create_datagram_endpoint(
                lambda: cls(timing=timing, listener=listener),
                remote_addr=(address, port),
            )
        except OSError as err:
            raise DisconnectedError("The console's address cannot be used") from err
        sock = transport.get_extra_info("socket")
        with contextlib.suppress(OSError):  # some systems refuse what is too much
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        return protocol

    # What asyncio calls.

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._closed.set()
        if self._transport is not None:
            self._transport = None
            self._stop(SessionEnded(LossReason.FAILED))

    @override
    def pause_writing(self) -> None:
        self._is_congested = True

    @override
    def resume_writing(self) -> None:
        self._is_congested = False

    @override
    def error_received(self, exc: Exception) -> None:
        # A refusal means that the service on the console does not run, perhaps not yet;
        # and anybody can forge it. Silence is what ends a session.
        if isinstance(exc, ConnectionRefusedError):
            _LOGGER.debug("The console refuses datagrams")
        else:
            self._send_error = exc

    @override
    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self.session is not None:
            self.session.datagram_received(data, self._now())
            self._pump(self.session)

    # Closing.

    @property
    def is_open(self) -> bool:
        """Whether datagrams can be sent."""
        return self._transport is not None

    @property
    def is_joined(self) -> bool:
        """Whether there is a session that has not ended."""
        return (
            self._transport is not None
            and self.session is not None
            and not self.session.is_over
        )

    async def disconnect(
        self, reason: DisconnectReason = DisconnectReason.UNSPECIFIED, error: int = 0
    ) -> None:
        """End the session and close the socket. Never raises, and tells no listener."""
        self.hang_up(reason, error)
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT):
                await self._closed.wait()
        except TimeoutError:
            _LOGGER.debug("The socket does not close")

    async def stop(self) -> None:
        """End the session and close the socket, for no particular reason. Never raises."""
        await self.disconnect()

    def hang_up(
        self, reason: DisconnectReason = DisconnectReason.UNSPECIFIED, error: int = 0
    ) -> None:
        """Do the same without waiting until the socket is closed."""
        self._listener = None
        if self.session is not None:
            self.session.close(reason, error)
            self._flush(self.session)
        self._stop(None)
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()
        else:
            self._closed.set()

    def _stop(self, ended: SessionEnded | None) -> None:
        """Let all who wait fail, and tell the listener why."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._fail_waiters()
        if ended is not None and self._ended is None:
            self._ended = ended
            self._tell(ended)

    def _fail_waiters(self) -> None:
        for delivery in self._sends.values():
            fail(delivery)
        for answer in self._answers.values():
            fail(answer)

    # Sending.

    async def send_message(
        self,
        message: Message,
        channel: ServiceChannel = ServiceChannel.CORE,
        *,
        title_id: int = 0,
        blocking: bool = True,
    ) -> None:
        """Send a message; if blocking, with need_ack, and wait for the ack.

        Raises RejectedError, PeerTimeoutError when no ack comes, DisconnectedError,
        ChannelError when the channel is not open, ProtocolError for values that do not fit.
        """
        if not blocking:
            self.send_nowait(message, channel, title_id=title_id)
            return
        session = self._require_session()
        channel_id = session.channels.get_channel_id(channel, title_id)
        await self._wait_ack(session.send(message, self._now(), channel_id=channel_id))

    def send_nowait(
        self,
        message: Message,
        channel: ServiceChannel = ServiceChannel.CORE,
        *,
        title_id: int = 0,
    ) -> None:
        """Send a message that gets no ack and may get lost.

        Raises DisconnectedError, ChannelError, ProtocolError.
        """
        session = self._require_session()
        channel_id = session.channels.get_channel_id(channel, title_id)
        session.send(message, self._now(), channel_id=channel_id, need_ack=False)
        self._pump(session)
        self._raise_send_error()

    async def json(
        self, obj: JsonObject, channel: ServiceChannel, *, title_id: int = 0
    ) -> None:
        """Send an object, in pieces when it is long, and wait for the acks.

        Raises what `send_message` does.
        """
        session = self._require_session()
        channel_id = session.channels.get_channel_id(channel, title_id)
        await self._wait_ack(session.send_json(obj, self._now(), channel_id=channel_id))

    async def _wait_ack(self, send_id: int) -> None:
        with self._delivery(send_id) as delivery:
            outcome = await delivery
        if outcome is SendOutcome.REJECTED:
            raise RejectedError
        if outcome is SendOutcome.UNANSWERED:
            raise PeerTimeoutError("The console has not acknowledged a message")

    @contextlib.contextmanager
    def _delivery(self, send_id: int) -> Iterator[asyncio.Future[SendOutcome]]:
        """Send a message that the session has taken, and again while this is open.

        Raises DisconnectedError when it cannot be sent at all.
        """
        session = self._require_session()
        future: asyncio.Future[SendOutcome] = asyncio.get_running_loop().create_future()
        self._sends[send_id] = future
        try:
            self._pump(session)
            self._raise_send_error()
            yield future
        finally:
            del self._sends[send_id]
            session.forget(send_id)

    def _require_session(self) -> Session:
        if self.session is None or not self.is_joined:
            raise _disconnected()
        return self.session

    def _raise_send_error(self) -> None:
        if (error := self._send_error) is not None:
            self._send_error = None
            raise DisconnectedError("The console cannot be reached") from error

    # Moving.

    def _begin(self, crypto: Crypto, participant_id: int) -> None:
        """Begin the session that the console has agreed to, in place of any other."""
        for delivery in self._sends.values():
            resolve(delivery, SendOutcome.UNANSWERED)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.session = Session(crypto, participant_id, self.timing, self._now())
        self._arm(self.session)

    def _pump(self, session: Session) -> None:
        """Send what the session has to send, acks first, then tell what has happened."""
        self._flush(session)
        # A listener may call us again: events stay in their order.
        if not self._is_pumping:
            self._is_pumping = True
            try:
                while events := session.take_events():
                    for event in events:
                        self._handle(event)
            finally:
                self._is_pumping = False
        self._arm(session)

    def _flush(self, session: Session) -> None:
        self._send_error = None
        for datagram in session.take_datagrams():
            self._transmit(datagram)

    def _transmit(self, datagram: bytes) -> None:
        transport = self._transport
        # asyncio keeps 64 KiB that the network does not take at once, and has a word for
        # more than that: such datagrams are lost, and sent again.
        if transport is not None and not self._is_congested:
            transport.sendto(datagram)

    def _arm(self, session: Session) -> None:
        """Come back when the session has something to do."""
        due = session.next_due() if self._transport is not None else None
        if self._timer is not None:
            if due is not None and self._timer.when() <= due:
                return  # too early is no harm
            self._timer.cancel()
            self._timer = None
        if due is not None:
            self._timer = asyncio.get_running_loop().call_at(due, self._tick, session)

    def _tick(self, session: Session) -> None:
        self._timer = None
        session.tick(self._now())
        self._pump(session)

    def _handle(self, event: SessionEvent) -> None:
        match event:
            case SendFinished(send_id=send_id, outcome=outcome):
                resolve(self._sends.get(send_id), outcome)
            case SessionEnded():
                self._stop(event)
            case ChannelAnswered(request_id=request_id):
                resolve(self._answers.get(request_id), event)
                self._tell(event)
            case _:
                self._tell(event)

    def _tell(self, event: ToldEvent) -> None:
        if self._listener is not None:
            try:
                self._listener(event)
            except Exception:
                _LOGGER.exception("A listener failed")

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def resolve[T](future: asyncio.Future[T] | None, result: T) -> None:
    """Give a future its result, if anybody still waits."""
    if future is not None and not future.done():
        future.set_result(result)


def fail[T](future: asyncio.Future[T] | None) -> None:
    """Let who waits for a future get DisconnectedError."""
    if future is not None and not future.done():
        future.set_exception(_disconnected())
        # Who waits may be cancelled before it looks.
        future.exception()


def _disconnected() -> DisconnectedError:
    return DisconnectedError("There is no session with the console")
