"""One session with a console, without sockets and clocks (sections 6 and 10).

Whoever owns a session hands it datagrams and the time, in seconds of whatever clock, and
then takes what it has to send and to tell.
"""

from collections import deque
import contextlib
from dataclasses import dataclass, field
from enum import Enum
import heapq
import logging
import math
from typing import Final

from ..errors import PeerTimeoutError, ProtocolError
from ..json_lines import JsonObject, decode_json
from .channels import Channel, ChannelManager
from .const import CONSOLE_PARTICIPANT, CORE_CHANNEL_ID, MAX_DATAGRAM
from .crypto import Crypto
from .enums import DisconnectReason, MessageType, ResultCode
from .errors import ChannelError
from .events import LossReason
from .fragments import FragmentManager, is_json_fragment, split_json, split_message
from .messages import (
    Ack,
    ConsoleStatus,
    Disconnect,
    Json,
    Message,
    MessageFragment,
    StartChannelResponse,
    decode_message,
    encode_message,
)
from .ordering import StateOrder
from .packets import MessageHeader
from .sequence import SequenceManager
from .timing import Timing

_LOGGER = logging.getLogger(__name__)

MAX_PENDING_SENDS: Final = 512
"""Datagrams that wait for their acks; a console has one or two at a time, as a rule."""
MAX_LATE: Final = 0.1
"""Seconds: a tick that comes later proves that we were held up, not that nobody spoke."""
MAX_EARLY: Final = 32
"""Messages kept that have overtaken the answer that opens their channel."""
DISCONNECT_COPIES: Final = 2
"""How often the last message is sent, which gets no ack; the receiver takes one."""


class SendOutcome(Enum):
    """What became of a message that wants an ack."""

    ACKED = "acked"
    REJECTED = "rejected"
    UNANSWERED = "unanswered"


@dataclass(frozen=True, slots=True)
class SendFinished:
    """All datagrams of a message have their acks, or one of them gets none."""

    send_id: int
    outcome: SendOutcome


@dataclass(frozen=True, slots=True)
class MessageReceived:
    """A whole message, decoded, on an open channel; delivered once."""

    channel: Channel
    message: Message


@dataclass(frozen=True, slots=True)
class JsonReceived:
    """A whole JSON object on an open channel."""

    channel: Channel
    obj: JsonObject = field(repr=False)


@dataclass(frozen=True, slots=True)
class ChannelAnswered:
    """The console has opened a channel, or refused to: then the result is no success."""

    request_id: int
    channel: Channel
    result: ResultCode | int


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """There will be nothing more; not told when it was us who closed the session."""

    reason: LossReason
    disconnect_reason: DisconnectReason | int | None = None
    was_empty: bool = False


type ToldEvent = MessageReceived | JsonReceived | ChannelAnswered | SessionEnded
"""What is of interest to others than the sender of a message."""

type SessionEvent = SendFinished | ToldEvent


@dataclass(slots=True)
class _Send:
    """A message that waits for acks: the numbers that have none yet."""

    numbers: set[int]


@dataclass(slots=True)
class _Pending:
    """A datagram that waits for its ack."""

    datagram: bytes
    send_id: int
    due: float
    tries: int = 1


class Session:
    """What is sent, acked, sent again, delivered and dropped, for one participant."""

    def __init__(
        self, crypto: Crypto, participant_id: int, timing: Timing, now: float
    ) -> None:
        """Begin a session that the console has just agreed to."""
        self.participant_id = participant_id
        self.channels = ChannelManager()
        self.sequence = SequenceManager()
        self._crypto = crypto
        self._timing = timing
        self._fragments = FragmentManager()
        self._order = StateOrder()
        self._early: deque[tuple[MessageHeader, bytes]] = deque(maxlen=MAX_EARLY)
        self._last_send = 0
        self._last_json = 0
        self._sends: dict[int, _Send] = {}
        self._pending: dict[int, _Pending] = {}
        # Those of messages that are not pending any more stay until their time comes.
        self._due: list[tuple[float, int]] = []
        self._datagrams: list[bytes] = []
        self._events: list[SessionEvent] = []
        self._is_over = False
        self._was_empty = False
        self._heard_at = now
        # When it was first asked for a sign of life, since the last one that it gave.
        self._asked_at: float | None = None
        # Whether it was asked once more because we had been held up.
        self._is_last_chance = False
        self._heartbeat: int | None = None
        self._heartbeat_interval = timing.heartbeat
        self._heartbeat_due = now + timing.heartbeat

    @property
    def is_over(self) -> bool:
        """Whether the session has ended, for whatever reason."""
        return self._is_over

    @property
    def was_empty(self) -> bool:
        """Whether the last list of titles had none in it."""
        return self._was_empty

    @property
    def pending_sends(self) -> int:
        """How many datagrams wait for their acks."""
        return len(self._pending)

    def quiet_for(self, now: float) -> float:
        """Return for how many seconds nothing new has come from the console."""
        return now - self._heard_at

    def take_datagrams(self) -> list[bytes]:
        """Return what is to be sent now: acks first."""
        acks: list[bytes] = []
        while not self._is_over and (lists := self.sequence.take_acks()) is not None:
            message = Ack(self.sequence.low_watermark, *lists)
            acks.append(self._seal(message, self.sequence.next_sequence_num()))
        taken, self._datagrams = acks + self._datagrams, []
        return taken

    def take_events(self) -> list[SessionEvent]:
        """Return what has happened since the last time."""
        taken, self._events = self._events, []
        return taken

    # Sending.

    def send(
        self,
        message: Message,
        now: float,
        *,
        channel_id: int = CORE_CHANNEL_ID,
        need_ack: bool = True,
    ) -> int:
        """Send a message, in fragments when it is long; return the id of SendFinished.

        Without need_ack nothing is finished: the message may get lost. Raises ProtocolError
        for values that do not fit, PeerTimeoutError when too many messages wait for acks.
        """
        plaintext = encode_message(message)
        parts = split_message(plaintext)
        if need_ack:
            self._require_room(len(parts))
        numbers = [self.sequence.next_sequence_num() for _ in parts]
        if len(parts) > 1:
            begin, end = numbers[0], numbers[-1] + 1
            parts = [MessageFragment(begin, end, part).encode() for part in parts]
        datagrams = {
            number: self._seal_plaintext(
                message.message_type,
                part,
                number,
                channel_id,
                need_ack=need_ack,
                is_fragment=len(parts) > 1,
            )
            for number, part in zip(numbers, parts, strict=True)
        }
        return self._transmit(datagrams, now, need_ack=need_ack)

    def send_json(self, obj: JsonObject, now: float, *, channel_id: int) -> int:
        """Send an object, in pieces when it is long; return the id of SendFinished.

        Raises ProtocolError for what cannot be sent, PeerTimeoutError like `send`.
        """
        self._last_json += 1
        texts = split_json(obj, self._last_json)
        self._require_room(len(texts))
        datagrams: dict[int, bytes] = {}
        for text in texts:
            number = self.sequence.next_sequence_num()
            datagrams[number] = self._seal(
                Json(text), number, channel_id, need_ack=True
            )
        return self._transmit(datagrams, now, need_ack=True)

    def forget(self, send_id: int) -> None:
        """Do not send a message again, since nobody waits for it any more."""
        if (send := self._sends.pop(send_id, None)) is not None:
            for number in send.numbers:
                del self._pending[number]

    def close(self, reason: DisconnectReason, error: int = 0) -> None:
        """End the session and tell the console why; what waits for acks is forgotten."""
        if self._is_over:
            return
        number = self.sequence.next_sequence_num()
        datagram = self._seal(Disconnect(reason, error), number)
        self._end()
        self._datagrams += [datagram] * DISCONNECT_COPIES

    def watch_closely(self, interval: float, now: float) -> None:
        """Ask for a sign of life at once, and in such short intervals from now on."""
        self._heartbeat_interval = interval
        self._heartbeat_due = now

    def _require_room(self, count: int) -> None:
        if len(self._pending) + count > MAX_PENDING_SENDS:
            raise PeerTimeoutError("The console does not keep up with what it is sent")

    def _seal(
        self,
        message: Message,
        number: int,
        channel_id: int = CORE_CHANNEL_ID,
        *,
        need_ack: bool = False,
    ) -> bytes:
        return self._seal_plaintext(
            message.message_type,
            encode_message(message),
            number,
            channel_id,
            need_ack=need_ack,
        )

    def _seal_plaintext(
        self,
        message_type: MessageType | int,
        plaintext: bytes,
        number: int,
        channel_id: int,
        *,
        need_ack: bool,
        is_fragment: bool = False,
    ) -> bytes:
        header = MessageHeader(
            sequence=number,
            target=CONSOLE_PARTICIPANT,
            source=self.participant_id,
            message_type=message_type,
            channel_id=channel_id,
            need_ack=need_ack,
            is_fragment=is_fragment,
        )
        return self._crypto.seal_message(header, plaintext)

    def _transmit(
        self, datagrams: dict[int, bytes], now: float, *, need_ack: bool
    ) -> int:
        self._last_send += 1
        send_id = self._last_send
        self._datagrams.extend(datagrams.values())
        if need_ack:
            self._sends[send_id] = _Send(set(datagrams))
            due = now + self._timing.acks[0]
            for number, datagram in datagrams.items():
                self._pending[number] = _Pending(datagram, send_id, due)
                heapq.heappush(self._due, (due, number))
        return send_id

    def _finish(self, send_id: int, outcome: SendOutcome) -> None:
        self.forget(send_id)
        if send_id == self._heartbeat:
            self._heartbeat = None
        else:
            self._events.append(SendFinished(send_id, outcome))

    # Time.

    def next_due(self) -> float | None:
        """Return when `tick` has something to do; None when the session is over."""
        if self._is_over:
            return None
        while self._due and not self._is_current(*self._due[0]):
            heapq.heappop(self._due)
        due = min(self._heartbeat_due, self._gone_at())
        return min(due, self._due[0][0]) if self._due else due

    def tick(self, now: float) -> None:
        """Do what is due: send again, show and ask for a sign of life, give up."""
        if self._is_over:
            return
        if (late := now - self._gone_at()) >= 0:
            if late < MAX_LATE or self._is_last_chance:
                self._end(LossReason.SILENCE)
                return
            self._is_last_chance = True
            self._asked_at, self._heartbeat_due = None, now
        while self._due and self._due[0][0] <= now:
            due, number = heapq.heappop(self._due)
            if self._is_current(due, number):
                self._send_again(number, now)
        if now >= self._heartbeat_due:
            self._beat(now)

    def _is_current(self, due: float, number: int) -> bool:
        pending = self._pending.get(number)
        return pending is not None and pending.due == due

    def _send_again(self, number: int, now: float) -> None:
        pending = self._pending[number]
        if pending.tries >= len(self._timing.acks):
            self._finish(pending.send_id, SendOutcome.UNANSWERED)
            return
        pending.due = now + self._timing.acks[pending.tries]
        pending.tries += 1
        heapq.heappush(self._due, (pending.due, number))
        self._datagrams.append(pending.datagram)

    def _beat(self, now: float) -> None:
        """Send a heartbeat (section 10.3), unless one is still being sent again."""
        self._heartbeat_due = now + self._heartbeat_interval
        if self._asked_at is None:
            self._asked_at = now
        if self._heartbeat is None:
            number = self.sequence.next_sequence_num()
            message = Ack(self.sequence.low_watermark)
            datagram = self._seal(message, number, need_ack=True)
            self._heartbeat = self._transmit({number: datagram}, now, need_ack=True)

    def _gone_at(self) -> float:
        """Return when the console counts as gone if nothing comes from it.

        It needs time to answer: an event loop that was held up asks before it gives up.
        """
        if self._asked_at is None:
            return math.inf
        silence = self._timing.farewell if self._was_empty else self._timing.silence
        patience = max(silence - self._timing.heartbeat, 0.0)
        return max(self._heard_at + silence, self._asked_at + patience)

    # Receiving.

    def datagram_received(self, datagram: bytes, now: float) -> None:
        """Take a datagram; what is not the console's, or not for us, is dropped."""
        if self._is_over or len(datagram) > MAX_DATAGRAM:
            return
        try:
            header, plaintext = self._crypto.open_message(datagram)
        except ProtocolError:
            return
        # Both directions have the same keys: our own datagrams may be sent back to us.
        if header.source != CONSOLE_PARTICIPANT or header.target not in (
            CONSOLE_PARTICIPANT,
            self.participant_id,
        ):
            return
        if self.sequence.add_received(header.sequence):
            # Only what is new proves that it is there: anybody can repeat the rest.
            self._heard_at, self._asked_at = now, None
            self._is_last_chance = False
            self._take_new(header, plaintext, now)
        elif header.need_ack:
            self.sequence.add_duplicate(header.sequence)

    def _take_new(self, header: MessageHeader, plaintext: bytes, now: float) -> None:
        channel = self.channels.lookup(header.channel_id)
        try:
            if channel is not None:
                self._take(header, plaintext, channel, now)
            elif self.channels.is_waiting:
                self._early.append((header, plaintext))
            else:
                kind, channel_id = header.message_type, header.channel_id
                _LOGGER.debug("Message %#x on unknown channel %#x", kind, channel_id)
        except ProtocolError as err:
            _LOGGER.debug("Message %#x refused: %s", header.message_type, err)
            if header.need_ack:
                self.sequence.add_rejected(header.sequence)
        else:
            if header.need_ack:
                self.sequence.add_processed(header.sequence)

    def _take(
        self, header: MessageHeader, plaintext: bytes, channel: Channel, now: float
    ) -> None:
        number = header.sequence
        if header.is_fragment:
            fragment = MessageFragment.decode(plaintext)
            kind = header.message_type, header.channel_id
            whole = self._fragments.reassemble_message(fragment, number, kind, now)
            if whole is None:
                return
            plaintext, number = whole, fragment.sequence_begin
        message = decode_message(header.message_type, plaintext)
        match message:
            case Ack():
                self._take_ack(message)
            case Disconnect(reason=reason):
                self._end(LossReason.DISCONNECTED, reason)
            case StartChannelResponse():
                self._take_channel(message, now)
            case Json(text=text):
                self._take_json(text, channel, now)
            case _:
                for admitted in self._order.admit(message, channel, number):
                    if isinstance(admitted, ConsoleStatus):
                        self._was_empty = not admitted.active_titles
                    self._events.append(MessageReceived(channel, admitted))

    def _take_ack(self, ack: Ack) -> None:
        for number in ack.processed_list:
            if (pending := self._pending.pop(number, None)) is not None:
                send = self._sends[pending.send_id]
                send.numbers.remove(number)
                if not send.numbers:
                    self._finish(pending.send_id, SendOutcome.ACKED)
        for number in ack.rejected_list:
            if (pending := self._pending.get(number)) is not None:
                self._finish(pending.send_id, SendOutcome.REJECTED)

    def _take_channel(self, response: StartChannelResponse, now: float) -> None:
        request_id = response.channel_request_id
        channel = self.channels.requested(request_id)
        if channel is None:
            raise ProtocolError("Answer to a channel request that nobody waits for")
        result = response.result
        try:
            self.channels.handle_channel_start_response(response)
        except ChannelError as err:
            result = err.result if err.result is not None else result
        self._events.append(ChannelAnswered(request_id, channel, result))
        self._take_early(now)

    def _take_early(self, now: float) -> None:
        """Take what came before the answer that has opened its channel.

        Such an answer may come a second late, when it got lost the first time, and the
        console tells the state of what plays only once.
        """
        early = tuple(self._early)
        self._early.clear()
        for header, plaintext in early:
            channel = self.channels.lookup(header.channel_id)
            if channel is not None:
                # It is acked already.
                with contextlib.suppress(ProtocolError):
                    self._take(header, plaintext, channel, now)
            elif self.channels.is_waiting:
                self._early.append((header, plaintext))

    def _take_json(self, text: str, channel: Channel, now: float) -> None:
        obj = decode_json(text)
        if not isinstance(obj, dict):
            raise ProtocolError("JSON, but no object")
        if is_json_fragment(obj):
            whole = self._fragments.reassemble_json(obj, channel, now)
            if whole is None:
                return
            obj = whole
        self._events.append(JsonReceived(channel, obj))

    def _end(
        self,
        reason: LossReason | None = None,
        disconnect_reason: DisconnectReason | int | None = None,
    ) -> None:
        self._is_over = True
        self._datagrams.clear()
        self._pending.clear()
        self._sends.clear()
        self._due.clear()
        self._early.clear()
        self._fragments.reset()
        self.channels.reset()
        if reason is not None:
            self._events.append(
                SessionEnded(reason, disconnect_reason, self._was_empty)
            )
