"""Text messages of the peer (the KDE Connect reference, section 11.9).

Times are in milliseconds since 1970. Everything that was written, by whom and to whom is
private: `repr` has none of it.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from typing import Final, Self

from ...errors import MessageTooLargeError, ProtocolError
from ...json_fields import MAX_ITEMS, get_bool, get_int, get_objects, get_str
from ...json_lines import JsonObject, JsonValue
from ..packet import Packet, Payload
from .message import Decoders, Message
from .values import decode_base64, get_base64, get_id

TYPE_MESSAGES: Final = "kdeconnect.sms.messages"
TYPE_ATTACHMENT_FILE: Final = "kdeconnect.sms.attachment_file"
TYPE_REQUEST: Final = "kdeconnect.sms.request"
TYPE_REQUEST_CONVERSATIONS: Final = "kdeconnect.sms.request_conversations"
TYPE_REQUEST_CONVERSATION: Final = "kdeconnect.sms.request_conversation"
TYPE_REQUEST_ATTACHMENT: Final = "kdeconnect.sms.request_attachment"

MAX_MESSAGES: Final = MAX_ITEMS
"""Messages kept of one packet."""
MAX_ADDRESSES: Final = 100
"""Participants kept of a conversation."""
MAX_ADDRESS: Final = 256
"""Characters of an address; a longer one is left out, since cut it would be another's."""
MAX_BODY: Final = 65_536
"""Characters kept of a message's text."""
MAX_ATTACHMENTS: Final = 20
"""Attachments kept of a message, and sent with one."""
MAX_ALL_ATTACHMENTS: Final = 2000
"""Attachments kept of one packet, those of all its messages together."""
MAX_UNIQUE_IDENTIFIER: Final = 1024
"""Characters of an attachment's name; an attachment with a longer one is left out."""
MAX_THUMBNAIL: Final = 256 * 1024
"""Bytes of an attachment's preview; a bigger one is dropped."""

MAX_RECIPIENTS: Final = 50
"""People that one message can be sent to."""
MAX_SENT_TEXT: Final = 16_384
"""Characters of a text that is sent."""
MAX_SENT_ATTACHMENTS: Final = 2 * 1024 * 1024
"""Bytes of all attachments of a message that is sent; base64 makes them a third longer."""

_VERSION: Final = 2


class MessageKind(IntEnum):
    """What has become of a message; UNKNOWN also for what nobody has told us of."""

    UNKNOWN = -1
    ALL = 0
    RECEIVED = 1
    SENT = 2
    DRAFT = 3
    OUTBOX = 4
    FAILED = 5
    QUEUED = 6


class _Event(IntFlag):
    """Bits of the field `event`."""

    TEXT = 1
    GROUP = 2


@dataclass(frozen=True, slots=True)
class Attachment:
    """Something attached to a message; `request_attachment` fetches it whole.

    The preview is kept as it was sent until somebody reads `thumbnail`.
    """

    part_id: int
    mime_type: str
    unique_identifier: str = field(repr=False)
    encoded_thumbnail: str | None = field(default=None, repr=False)

    @property
    def thumbnail(self) -> bytes | None:
        """The preview, a picture; None when there is none or it is unreadable."""
        if self.encoded_thumbnail is None:
            return None
        return decode_base64(self.encoded_thumbnail, limit=MAX_THUMBNAIL)


@dataclass(frozen=True, slots=True)
class TextMessage:
    """One message of a conversation.

    `addresses` are the other participants, the sender first in what a group has received.
    `sub_id` is the SIM card, None when the peer does not tell.
    """

    id: int
    thread_id: int
    date_ms: int
    kind: MessageKind
    addresses: tuple[str, ...] = field(default=(), repr=False)
    body: str = field(default="", repr=False)
    is_read: bool = False
    is_group: bool = False
    sub_id: int | None = None
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class TextMessages(Message):
    """Some messages: the newest of a conversation, what was asked for, or what has just come."""

    messages: tuple[TextMessage, ...]

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read messages. Raises ProtocolError when there is no list of them.

        Messages without an id, a conversation or a date are left out.
        """
        entries = get_objects(packet.body, "messages", max_items=MAX_MESSAGES)
        if entries is None:
            raise ProtocolError("sms packet without messages")
        messages: list[TextMessage] = []
        room = MAX_ALL_ATTACHMENTS
        for entry in entries:
            message = _message(entry, min(room, MAX_ATTACHMENTS))
            if message is not None:
                messages.append(message)
                room -= len(message.attachments)
        return cls(tuple(messages))

    @property
    def threads(self) -> frozenset[int]:
        """The conversations that the messages belong to."""
        return frozenset(message.thread_id for message in self.messages)


@dataclass(frozen=True, slots=True)
class AttachmentFile(Message):
    """An attachment waits to be fetched.

    `filename` is the attachment's `unique_identifier`: a label, not to be trusted as a path.
    """

    filename: str = field(repr=False)
    payload: Payload

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read an announcement; raises ProtocolError when name or payload is missing."""
        filename = get_id(packet.body, "filename", limit=MAX_UNIQUE_IDENTIFIER)
        if filename is None or packet.payload is None:
            raise ProtocolError("sms packet that announces no usable attachment")
        return cls(filename, packet.payload)


@dataclass(frozen=True, slots=True)
class OutgoingAttachment:
    """A file to send with a message."""

    filename: str = field(repr=False)
    mime_type: str
    data: bytes = field(repr=False)


def request_conversations() -> Packet:
    """Ask for the newest message of each conversation.

    Only after this a phone tells of new messages by itself.
    """
    return Packet(TYPE_REQUEST_CONVERSATIONS)


def request_conversation(
    thread_id: int, before_ms: int | None = None, count: int | None = None
) -> Packet:
    """Ask for messages of a conversation.

    Those at or before `before_ms` (None: the newest), at most `count` of them (None: all).
    """
    body: JsonObject = {"threadID": thread_id}
    if before_ms is not None:
        body["rangeStartTimestamp"] = before_ms
    if count is not None:
        body["numberToRequest"] = count
    return Packet(TYPE_REQUEST_CONVERSATION, body)


def request_attachment(part_id: int, unique_identifier: str) -> Packet:
    """Ask for an attachment, which comes as an AttachmentFile."""
    return Packet(
        TYPE_REQUEST_ATTACHMENT,
        {"part_id": part_id, "unique_identifier": unique_identifier},
    )


def send(
    addresses: Sequence[str],
    text: str,
    attachments: Sequence[OutgoingAttachment] = (),
    sub_id: int | None = None,
) -> Packet:
    """Send a message to everybody named, with the SIM card `sub_id` or the usual one.

    No answer tells whether that went well; the sent message comes among the new ones.
    Raises ProtocolError when there is nobody or nothing to send, MessageTooLargeError when
    there is too much: MAX_RECIPIENTS, MAX_SENT_TEXT, MAX_ATTACHMENTS, MAX_SENT_ATTACHMENTS.
    """
    if not addresses or not all(addresses):
        raise ProtocolError("message without a recipient")
    if not text and not attachments:
        raise ProtocolError("message without text and attachments")
    if (
        len(addresses) > MAX_RECIPIENTS
        or len(text) > MAX_SENT_TEXT
        or len(attachments) > MAX_ATTACHMENTS
        or sum(len(file.data) for file in attachments) > MAX_SENT_ATTACHMENTS
    ):
        raise MessageTooLargeError("message too large to be sent by a phone")
    recipients: list[JsonValue] = [{"address": address} for address in addresses]
    body: JsonObject = {
        "version": _VERSION,
        "addresses": recipients,
        "messageBody": text,
    }
    if sub_id is not None:
        body["subID"] = sub_id
    if attachments:
        body["attachments"] = [
            {
                "fileName": file.filename,
                "base64EncodedFile": base64.b64encode(file.data).decode("ascii"),
                "mimeType": file.mime_type,
            }
            for file in attachments
        ]
    return Packet(TYPE_REQUEST, body)


def _message(entry: JsonObject, max_attachments: int) -> TextMessage | None:
    message_id = get_int(entry, "_id")
    thread_id = get_int(entry, "thread_id")
    date_ms = get_int(entry, "date")
    if message_id is None or thread_id is None or date_ms is None:
        return None
    return TextMessage(
        message_id,
        thread_id,
        date_ms,
        _kind(entry),
        addresses=_addresses(entry),
        body=get_str(entry, "body", limit=MAX_BODY) or "",
        is_read=get_bool(entry, "read") or False,
        is_group=bool((get_int(entry, "event") or 0) & _Event.GROUP),
        sub_id=get_int(entry, "sub_id"),
        attachments=_attachments(entry, max_attachments),
    )


def _kind(entry: JsonObject) -> MessageKind:
    kind = get_int(entry, "type")
    try:
        return MessageKind.UNKNOWN if kind is None else MessageKind(kind)
    except ValueError:
        return MessageKind.UNKNOWN


def _addresses(entry: JsonObject) -> tuple[str, ...]:
    objects = get_objects(entry, "addresses", max_items=MAX_ADDRESSES) or ()
    addresses = [get_id(item, "address", limit=MAX_ADDRESS) for item in objects]
    return tuple([address for address in addresses if address is not None])


def _attachments(entry: JsonObject, most: int) -> tuple[Attachment, ...]:
    if most == 0:
        return ()
    attachments: list[Attachment] = []
    for item in get_objects(entry, "attachments", max_items=most) or ():
        part_id = get_int(item, "part_id")
        name = get_id(item, "unique_identifier", limit=MAX_UNIQUE_IDENTIFIER)
        if part_id is not None and name is not None:
            attachments.append(
                Attachment(
                    part_id,
                    get_str(item, "mime_type") or "",
                    name,
                    get_base64(item, "encoded_thumbnail", limit=MAX_THUMBNAIL),
                )
            )
    return tuple(attachments)


DECODERS: Final[Decoders] = {
    TYPE_MESSAGES: TextMessages.from_packet,
    TYPE_ATTACHMENT_FILE: AttachmentFile.from_packet,
}
