"""Notifications, the peer's and ours (the KDE Connect reference, section 11.7).

What they say is private, and their ids often hold numbers and addresses: `repr` has none of it.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
import re
from typing import Final, Self

from ...errors import ProtocolError
from ...json_fields import (
    MAX_TEXT,
    get_bool,
    get_int,
    get_objects,
    get_str,
    get_strings,
)
from ...json_lines import MAX_BRACKETS, JsonObject
from ..packet import Packet, Payload
from .message import Decoders, Message
from .values import get_id

TYPE: Final = "kdeconnect.notification"
TYPE_REQUEST: Final = "kdeconnect.notification.request"
TYPE_REPLY: Final = "kdeconnect.notification.reply"
TYPE_ACTION: Final = "kdeconnect.notification.action"

MAX_NOTIFICATION_ID: Final = 1024
"""Characters of an id; a notification with a longer one is refused."""
MAX_NOTIFICATION_TEXT: Final = 4096
"""Characters kept of a notification's text and of its summary."""
MAX_ACTIONS: Final = 16
"""Buttons kept of a notification."""
MAX_ACTION: Final = MAX_TEXT
"""Characters of a button's title; one with a longer one is left out: it names the button."""
MAX_CONVERSATION: Final = 50
"""Newest messages kept of the conversation in a notification."""
MAX_REPLY: Final = 16_384
"""Characters kept of a quick reply to us."""

ECHO_TIME: Final = 10.0
"""Seconds for which we remember what we have said."""
MAX_REMEMBERED: Final = 64
"""Things that we remember to have said; the oldest is forgotten first."""
MAX_COMPARED: Final = 256
"""Characters compared of a text, since a peer may cut longer ones."""

_HASH: Final = re.compile(r"[0-9a-f]{32}", re.ASCII)
_SEPARATOR: Final = ": "
_END: Final = "\n"


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of a conversation."""

    sender: str = field(repr=False)
    content: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Notification(Message):
    """A notification of the peer has come or changed; the same `id` replaces the one before.

    `title` and `text` are None when the peer hides or lacks them, `ticker` is its summary of
    both. `is_silent` ones were there before. `posted_ms` is in milliseconds since 1970.
    `reply_id` is for `reply`, None when there is nothing to reply to. `icon_hash` is the MD5 of
    the icon, which is worth keeping under it: `icon` comes only with the first notification.
    """

    id: str = field(repr=False)
    app: str | None = None
    title: str | None = field(default=None, repr=False)
    text: str | None = field(default=None, repr=False)
    ticker: str | None = field(default=None, repr=False)
    is_clearable: bool = False
    is_silent: bool = False
    posted_ms: int | None = None
    reply_id: str | None = field(default=None, repr=False)
    actions: tuple[str, ...] = field(default=(), repr=False)
    icon_hash: str | None = None
    icon: Payload | None = None
    conversation: tuple[ChatMessage, ...] = field(default=(), repr=False)
    group: str | None = field(default=None, repr=False)

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read a notification; only the id is required. Raises ProtocolError without it."""
        body = packet.body
        posted_ms = get_int(body, "time")
        return cls(
            _notification_id(body, "id"),
            app=get_str(body, "appName") or None,
            title=get_str(body, "title") or None,
            text=get_str(body, "text", limit=MAX_NOTIFICATION_TEXT) or None,
            ticker=get_str(body, "ticker", limit=MAX_NOTIFICATION_TEXT) or None,
            is_clearable=get_bool(body, "isClearable") or False,
            is_silent=get_bool(body, "silent") or False,
            posted_ms=None if posted_ms is None or posted_ms < 0 else posted_ms,
            reply_id=get_id(body, "requestReplyId", limit=MAX_NOTIFICATION_ID),
            actions=get_strings(
                body, "actions", max_items=MAX_ACTIONS, limit=MAX_ACTION
            )
            or (),
            icon_hash=_icon_hash(body),
            icon=packet.payload,
            conversation=_conversation(body),
            group=get_str(body, "groupName") or None,
        )


@dataclass(frozen=True, slots=True)
class NotificationRemoved(Message):
    """A notification of the peer has gone, perhaps one that we have never seen.

    Android takes one back and posts it again when its app changes it: wait half a second.
    """

    id: str = field(repr=False)

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read a removal; raises ProtocolError when it names no notification."""
        return cls(_notification_id(packet.body, "id"))


@dataclass(frozen=True, slots=True)
class NotificationsWanted(Message):
    """The peer asks for all our present notifications; they are sent as silent ones."""


@dataclass(frozen=True, slots=True)
class NotificationDismissed(Message):
    """The peer's user has dismissed a notification of ours."""

    id: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NotificationReplied(Message):
    """The peer's user has replied to a notification of ours."""

    reply_id: str = field(repr=False)
    message: str = field(repr=False)

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read a reply, cut to MAX_REPLY; raises ProtocolError when a member is missing."""
        message = get_str(packet.body, "message", limit=MAX_REPLY)
        if message is None:
            raise ProtocolError("reply to a notification without a message")
        return cls(_notification_id(packet.body, "requestReplyId"), message)


@dataclass(frozen=True, slots=True)
class NotificationActivated(Message):
    """The peer's user has pressed a button of a notification of ours."""

    id: str = field(repr=False)
    action: str = field(repr=False)

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read the press of a button; raises ProtocolError when a member is missing."""
        action = get_id(packet.body, "action", limit=MAX_ACTION)
        if action is None:
            raise ProtocolError("packet that names no button of a notification")
        return cls(_notification_id(packet.body, "key"), action)


def decode(packet: Packet) -> Notification | NotificationRemoved:
    """Tell news from removals. Raises ProtocolError when no notification is named."""
    if get_bool(packet.body, "isCancel"):
        return NotificationRemoved.from_packet(packet)
    return Notification.from_packet(packet)


def decode_request(packet: Packet) -> NotificationsWanted | NotificationDismissed:
    """Tell the two requests apart. Raises ProtocolError when the packet is neither."""
    if packet.body.get("cancel") is not None:
        return NotificationDismissed(_notification_id(packet.body, "cancel"))
    if get_bool(packet.body, "request"):
        return NotificationsWanted()
    raise ProtocolError("notification request that asks for nothing")


def request_all() -> Packet:
    """Ask for all present notifications."""
    return Packet(TYPE_REQUEST, {"request": True})


def dismiss(notification_id: str) -> Packet:
    """Dismiss a notification of the peer, which tells when it has gone."""
    return Packet(TYPE_REQUEST, {"cancel": notification_id})


def reply(reply_id: str, message: str) -> Packet:
    """Reply to a notification of the peer by its `reply_id`."""
    return Packet(TYPE_REPLY, {"requestReplyId": reply_id, "message": message})


def invoke(notification_id: str, action: str) -> Packet:
    """Press the button of that title."""
    return Packet(TYPE_ACTION, {"key": notification_id, "action": action})


def notify(
    notification_id: str,
    app: str,
    title: str,
    text: str,
    *,
    actions: Sequence[str] = (),
    reply_id: str | None = None,
    is_clearable: bool = True,
    is_silent: bool = False,
    icon_hash: str | None = None,
    icon: Payload | None = None,
) -> Packet:
    """Show a notification of ours; the same id replaces the one before.

    Only computers with KDE show buttons and the field for a reply. Phones with Android show
    nothing of a silent one.
    """
    body: JsonObject = {
        "id": notification_id,
        "appName": app,
        "title": title,
        "text": text,
        # All that Android shows below the app's name.
        "ticker": f"{title}: {text}" if title and text else title or text,
        "isClearable": is_clearable,
        "silent": is_silent,
    }
    if actions:
        body["actions"] = list(actions)
    if reply_id is not None:
        body["requestReplyId"] = reply_id
    if icon_hash is not None:
        body["payloadHash"] = icon_hash
    return Packet(TYPE, body, icon)


def withdraw(notification_id: str) -> Packet:
    """Take a notification of ours back. Android leaves it where it is."""
    return Packet(TYPE, {"id": notification_id, "isCancel": True})


@dataclass(frozen=True, slots=True)
class _Said:
    texts: tuple[str, ...] = field(repr=False)
    time: float


class EchoGuard:
    """Recognises our own words in a peer's notifications.

    A computer that forwards what it shows also forwards what it shows because of us; whoever
    answers to that makes a loop. All times are in seconds of one clock that never goes back.
    """

    def __init__(
        self, *, echo_time: float = ECHO_TIME, max_remembered: int = MAX_REMEMBERED
    ) -> None:
        """Begin with nothing said."""
        self._echo_time = echo_time
        self._said: deque[_Said] = deque(maxlen=max_remembered)

    def sent(self, *texts: str, now: float) -> None:
        """Remember one thing that the peer is going to show, such as a title and a text.

        For a ping these are our name, which becomes the title, and the message if any.
        """
        kept = tuple(filter(None, map(_normalized, texts)))
        if kept:
            self._said.append(_Said(kept, now))

    def is_echo(self, notification: Notification, now: float) -> bool:
        """Tell whether a peer's notification is what we made it show a moment ago.

        All the texts of that have to be in it. A single text has to be one of the
        notification's, or what follows a colon in it, as short words are in many others.
        """
        while self._said and now - self._said[0].time > self._echo_time:
            self._said.popleft()
        if not self._said:
            return False
        heard = (notification.title, notification.text, notification.ticker)
        lines = "".join(
            f"{_SEPARATOR}{_folded(text)}{_END}" for text in heard if text is not None
        )
        return any(_is_in(said.texts, lines) for said in self._said)


def _notification_id(body: JsonObject, key: str) -> str:
    notification_id = get_id(body, key, limit=MAX_NOTIFICATION_ID)
    if notification_id is None:
        raise ProtocolError("packet that names no notification")
    return notification_id


def _icon_hash(body: JsonObject) -> str | None:
    icon_hash = (get_str(body, "payloadHash") or "").lower()
    return icon_hash if _HASH.fullmatch(icon_hash) else None


def _conversation(body: JsonObject) -> tuple[ChatMessage, ...]:
    # The newest are the last ones, so all are looked through.
    messages = get_objects(body, "conversation", max_items=MAX_BRACKETS) or ()
    return tuple(
        ChatMessage(
            get_str(message, "sender") or "",
            get_str(message, "content", limit=MAX_NOTIFICATION_TEXT) or "",
        )
        for message in messages[-MAX_CONVERSATION:]
    )


def _is_in(texts: tuple[str, ...], lines: str) -> bool:
    if len(texts) > 1:
        return all(text in lines for text in texts)
    [text] = texts
    # The rest of a cut one is not known.
    end = "" if len(text) == MAX_COMPARED else _END
    return f"{_SEPARATOR}{text}{end}" in lines


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _normalized(text: str) -> str:
    return _folded(text)[:MAX_COMPARED]


DECODERS: Final[Decoders] = {
    TYPE: decode,
    TYPE_REQUEST: decode_request,
    TYPE_REPLY: NotificationReplied.from_packet,
    TYPE_ACTION: NotificationActivated.from_packet,
}
