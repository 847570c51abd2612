"""Requests, answers and pushes of one connection (part B, sections 3.4 to 3.6)."""

import asyncio
from collections.abc import Callable, Mapping
import logging
from typing import Final

from ..apple.identity import ClientIdentity
from ..errors import DisconnectedError, PeerTimeoutError, ProtocolError, RumpusError
from . import messages
from .proto import mrp_pb2 as pb
from .timing import Timing
from .transport import MessageTransport

MAX_WAITING: Final = 256
"""Requests that may wait for their answers at once."""
MAX_OVERDUE: Final = 256
"""Requests that nobody waits for any more whose answers are still known."""

type Push = Callable[[pb.ProtocolMessage], None]

_CRYPTO: Final = ""
"""Stands for the identifier of messages of pairing, which have none."""

_LOGGER: Final = logging.getLogger(__name__)


class MrpSession:
    """Speaks MRP over a transport that is connected."""

    def __init__(
        self,
        transport: MessageTransport,
        timing: Timing,
        push: Push,
        lost: Callable[[RumpusError | None], None],
    ) -> None:
        """Prepare; `push` gets what nobody waits for, `lost` how it ended but by us."""
        self._transport = transport
        self._timing = timing
        self._push = push
        self._lost = lost
        self._waiting: dict[str, asyncio.Future[pb.ProtocolMessage]] = {}
        # Given up: an answer that comes all the same is no news. The latest are last.
        self._overdue: dict[str, None] = {}
        self._hold: Callable[[], None] | None = None
        self._is_closed = False
        self._heartbeat: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._heard_at = self._loop.time()
        self.error: RumpusError | None = None
        """Why the connection ended, if not by `close` and not in order."""
        self.undecodable = 0
        """How many messages were of no use."""
        self._has_failed = False

    @property
    def is_connected(self) -> bool:
        """Whether messages can be sent."""
        return not self._is_closed and self._transport.is_connected

    def start(self) -> None:
        """Begin to take messages."""
        self._transport.start(self._received, self._ended)

    async def close(self) -> None:
        """End the connection; what waits for an answer fails at once. Never raises."""
        self._is_closed = True
        self._fail_waiting("The connection was closed")
        if (heartbeat := self._heartbeat) is not None:
            self._heartbeat = None
            heartbeat.cancel()
            await asyncio.wait((heartbeat,))
        await self._transport.close()

    def send(self, message: pb.ProtocolMessage) -> None:
        """Send a message that has no answer. Raises DisconnectedError."""
        if self._is_closed:
            raise DisconnectedError("The connection is closed")
        self._transport.send(message.SerializeToString())

    async def request(
        self, message: pb.ProtocolMessage, *, timeout: float | None = None
    ) -> pb.ProtocolMessage:
        """Send a message and return what answers it, of whatever type.

        Raises DisconnectedError, also when the connection ends meanwhile, and
        PeerTimeoutError.
        """
        (answer,) = await self.request_all(message, timeout=timeout)
        return answer

    async def request_all(
        self, *requests: pb.ProtocolMessage, timeout: float | None = None
    ) -> list[pb.ProtocolMessage]:
        """Send messages at once, and return what answers each of them.

        Raises like `request`, whichever of them it is that fails.
        """
        for message in requests:
            message.identifier = messages.new_identifier()
        limit = self._timing.request if timeout is None else timeout
        return await self._ask(
            {message.identifier: message for message in requests}, limit
        )

    async def introduce(
        self, identity: ClientIdentity, client_id: str
    ) -> pb.ProtocolMessage:
        """Tell who we are, before anything else, and return who the device is.

        Raises like `request`, and ProtocolError when the device does not say it.
        """
        answer = await self.request(messages.device_info(identity, client_id))
        if not answer.HasField("device_info"):
            raise ProtocolError("The device did not introduce itself")
        return answer

    async def exchange(
        self, data: bytes, state: int, *, hold: Callable[[], None] | None = None
    ) -> bytes:
        """Send a message of pairing and return the data that answers it.

        `hold` is called as soon as the answer is there, before anything that follows is
        taken. Raises like `request`, and ProtocolError for an answer without data.
        """
        message = messages.crypto_pairing(data, state)
        (answer,) = await self._ask({_CRYPTO: message}, self._timing.pairing, hold)
        if not answer.crypto_pairing.pairing_data:
            raise ProtocolError("A message of pairing without data")
        return answer.crypto_pairing.pairing_data

    def start_heartbeat(self) -> None:
        """Watch that the device is there, where the transport does not (section 3.5)."""
        self._heartbeat = asyncio.create_task(
            self._beat(), name="heartbeat of an Apple device"
        )

    async def _ask(
        self,
        questions: Mapping[str, pb.ProtocolMessage],
        timeout: float,
        hold: Callable[[], None] | None = None,
    ) -> list[pb.ProtocolMessage]:
        waiting = self._waiting
        if len(waiting) + len(questions) > MAX_WAITING or not waiting.keys().isdisjoint(
            questions
        ):
            raise ProtocolError("Too many requests at once")
        if _CRYPTO in questions:
            self._hold = hold
        answers = {key: self._loop.create_future() for key in questions}
        waiting.update(answers)
        try:
            for message in questions.values():
                self.send(message)
            async with asyncio.timeout(timeout):
                return [await answer for answer in answers.values()]
        except TimeoutError:
            raise PeerTimeoutError("The device did not answer") from None
        finally:
            for key, answer in answers.items():
                del waiting[key]
                if answer.cancel() or answer.cancelled():
                    self._give_up(key)
                else:
                    answer.exception()  # nobody else may ask for it

    def _give_up(self, key: str) -> None:
        """Take an answer that still comes for what it is: a picture is no queue."""
        if key != _CRYPTO:
            self._overdue[key] = None
            if len(self._overdue) > MAX_OVERDUE:
                del self._overdue[next(iter(self._overdue))]

    def _received(self, data: bytes) -> None:
        self._heard_at = self._loop.time()
        try:
            message = messages.decode(data)
        except ProtocolError:
            # Skipped: the next one may be fine (section 9.1).
            self.undecodable += 1
            if self.undecodable == 1:
                _LOGGER.debug("A message of %d bytes cannot be decoded", len(data))
            return
        kind = message.type
        if self._waiting:
            key = message.identifier
            if key or kind == pb.MESSAGE_TYPE_CRYPTO_PAIRING:
                answer = self._waiting.get(key)
                if answer is not None and not answer.done():
                    answer.set_result(message)
                    if not key and self._hold is not None:
                        self._hold()
                    return
        if self._overdue and message.identifier in self._overdue:
            del self._overdue[message.identifier]
            return
        try:
            self._push(message)
        except Exception:
            # Ours is the mistake: the next one may be fine all the same.
            if not self._has_failed:
                self._has_failed = True
                _LOGGER.exception("A message could not be taken in")

    def _ended(self, error: RumpusError | None) -> None:
        self._is_closed = True
        self.error = error
        if self._heartbeat is not None:
            self._heartbeat.cancel()
        self._fail_waiting("The device has disconnected")
        self._lost(error)

    def _fail_waiting(self, reason: str) -> None:
        for answer in self._waiting.values():
            if not answer.done():
                error = DisconnectedError(reason)
                error.__cause__ = self.error
                answer.set_exception(error)

    async def _beat(self) -> None:
        """Ask the device whether it is there, until it does not say anything any more."""
        while True:
            silent_for = self._loop.time() - self._heard_at
            if (pause := self._timing.heartbeat - silent_for) > 0:
                await asyncio.sleep(pause)
            elif not await self._is_there():
                break
        # Whoever closes the session stops this task: it is not closed yet.
        self._is_closed = True
        self.error = PeerTimeoutError("The device does not answer any more")
        self._fail_waiting("The device does not answer any more")
        await self._transport.close()
        self._lost(self.error)

    async def _is_there(self) -> bool:
        """Ask twice; any message counts, an answer to something else as well."""
        before = self._heard_at
        for _ in range(2):
            try:
                await self.request(
                    messages.make(pb.MESSAGE_TYPE_GENERIC),
                    timeout=self._timing.heartbeat_answer,
                )
            except PeerTimeoutError:
                pass
            except RumpusError:
                return False
            if self._heard_at != before:
                return True
        return False
