"""Calls of the peer (the KDE Connect reference, section 11.8).

Numbers, names, pictures and messages are private: `repr` has none of them.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Self

from ...errors import ProtocolError
from ...json_fields import get_bool, get_str
from ...json_lines import JsonObject
from ..packet import Packet
from .message import Decoders, Message
from .values import decode_base64, get_base64, get_id

TYPE: Final = "kdeconnect.telephony"
TYPE_REQUEST_MUTE: Final = "kdeconnect.telephony.request_mute"

MAX_NUMBER: Final = 128
"""Characters of a phone number; a longer one is dropped, since cut it would be another's."""
MAX_THUMBNAIL: Final = 256 * 1024
"""Bytes of a caller's picture; a bigger one is dropped."""
MAX_MESSAGE: Final = 65_536
"""Characters kept of a text message."""

_OLD_SMS: Final = "sms"


class CallKind(StrEnum):
    """What a packet says of a call; UNKNOWN also for what nobody has told us of."""

    RINGING = "ringing"
    TALKING = "talking"
    MISSED = "missedCall"
    DISCONNECTED = "disconnected"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class CallMessage(Message):
    """What happens with a call; with `is_over` what `kind` names has ended.

    Android names the number as `contact` when it does not know the caller. The picture is kept
    as it was sent until somebody reads `thumbnail`.
    """

    kind: CallKind
    number: str | None = field(default=None, repr=False)
    contact: str | None = field(default=None, repr=False)
    is_over: bool = False
    encoded_thumbnail: str | None = field(default=None, repr=False)

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read a packet about a call; raises ProtocolError when it names no event."""
        body = packet.body
        return cls(
            _kind(_event(body)),
            get_id(body, "phoneNumber", limit=MAX_NUMBER),
            get_str(body, "contactName") or None,
            get_bool(body, "isCancel") or False,
            get_base64(body, "phoneThumbnail", limit=MAX_THUMBNAIL),
        )

    @property
    def thumbnail(self) -> bytes | None:
        """The caller's picture, usually a JPEG; None when there is none or it is unreadable."""
        if self.encoded_thumbnail is None:
            return None
        return decode_base64(self.encoded_thumbnail, limit=MAX_THUMBNAIL)


@dataclass(frozen=True, slots=True)
class OldSms(Message):
    """A text message has come, told in the way from before the SMS plugin."""

    number: str | None = field(repr=False)
    contact: str | None = field(repr=False)
    body: str = field(repr=False)

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read a packet about a text message.

        Raises ProtocolError when there is no text, or when the packet takes the news back.
        """
        text = get_str(packet.body, "messageBody", limit=MAX_MESSAGE)
        if text is None or get_bool(packet.body, "isCancel"):
            raise ProtocolError("telephony packet about a message without one")
        return cls(
            get_id(packet.body, "phoneNumber", limit=MAX_NUMBER),
            get_str(packet.body, "contactName") or None,
            text,
        )


def decode(packet: Packet) -> CallMessage | OldSms:
    """Tell calls from text messages. Raises ProtocolError when it is neither."""
    if _event(packet.body) == _OLD_SMS:
        return OldSms.from_packet(packet)
    return CallMessage.from_packet(packet)


def request_mute() -> Packet:
    """Silence the ringer for the present call."""
    # The two members are for computers with a modem; phones need none.
    return Packet(TYPE_REQUEST_MUTE, {"event": "mute", "action": "mute"})


class CallState(StrEnum):
    """What the phone is doing."""

    IDLE = "idle"
    RINGING = "ringing"
    TALKING = "talking"


class CallEventKind(StrEnum):
    """What can happen with a call."""

    RINGING = "ringing"
    TALKING = "talking"
    MISSED = "missed"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class CallEvent:
    """Something has happened with a call."""

    kind: CallEventKind
    number: str | None = field(default=None, repr=False)
    contact: str | None = field(default=None, repr=False)


_BEGUN: Final = {
    CallKind.RINGING: (CallState.RINGING, CallEventKind.RINGING),
    CallKind.TALKING: (CallState.TALKING, CallEventKind.TALKING),
}


class CallTracker:
    """Makes a state and events of what a peer tells of its calls.

    A phone knows one state for all its calls: it is idle only when the last one has ended, and
    a call that waits during another makes it ring.
    """

    def __init__(self) -> None:
        """Begin with no call."""
        self._state = CallState.IDLE
        self._number: str | None = None
        self._contact: str | None = None
        self._is_known = False

    @property
    def state(self) -> CallState:
        """What the phone is doing."""
        return self._state

    @property
    def number(self) -> str | None:
        """The other's number, None when there is no call or no number."""
        return self._number

    @property
    def contact(self) -> str | None:
        """The other's name, None when there is no call or no name."""
        return self._contact

    def reset(self) -> None:
        """Forget the call, as when the device has gone."""
        self._set(CallState.IDLE, None, None)
        self._is_known = False

    def received(self, message: CallMessage) -> CallEvent | None:
        """Take a message; return what has happened, None when the message tells nothing new.

        The first message may be the end of a call whose beginning nobody heard; that is an
        event too.
        """
        was_known, self._is_known = self._is_known, True
        if message.kind is CallKind.MISSED:
            return None if message.is_over else self._missed(message)
        begun = _BEGUN.get(message.kind)
        if begun is not None and not message.is_over:
            return self._begun(message, *begun)
        if begun is None and message.kind is not CallKind.DISCONNECTED:
            return None
        if was_known and self._state is CallState.IDLE:
            return None
        return self._ended(message)

    def _begun(
        self, message: CallMessage, state: CallState, kind: CallEventKind
    ) -> CallEvent | None:
        if state is CallState.RINGING and self._state is CallState.TALKING:
            number, contact = message.number, message.contact
        else:
            number, contact = self._other(message)
        # Phones repeat themselves, at times with a number that they did not have before.
        if (self._state, self._number, self._contact) == (state, number, contact):
            return None
        self._set(state, number, contact)
        return CallEvent(kind, number, contact)

    def _ended(self, message: CallMessage) -> CallEvent:
        number, contact = self._other(message)
        self._set(CallState.IDLE, None, None)
        return CallEvent(CallEventKind.ENDED, number, contact)

    def _missed(self, message: CallMessage) -> CallEvent:
        number, contact = message.number, message.contact
        if self._state is CallState.RINGING:
            number, contact = self._other(message)
            self._set(CallState.IDLE, None, None)
        return CallEvent(CallEventKind.MISSED, number, contact)

    def _other(self, message: CallMessage) -> tuple[str | None, str | None]:
        """Return number and name; of the known call what the message lacks, if it is the same."""
        if message.number in (None, self._number):
            return message.number or self._number, message.contact or self._contact
        return message.number, message.contact

    def _set(self, state: CallState, number: str | None, contact: str | None) -> None:
        self._state, self._number, self._contact = state, number, contact


def _event(body: JsonObject) -> str:
    event = get_str(body, "event")
    if not event:
        raise ProtocolError("telephony packet without an event")
    return event


def _kind(event: str) -> CallKind:
    try:
        return CallKind(event)
    except ValueError:
        return CallKind.UNKNOWN


DECODERS: Final[Decoders] = {TYPE: decode}
