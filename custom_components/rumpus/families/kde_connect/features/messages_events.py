"""What events and answers tell of text messages: all of it is private."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from homeassistant.util.json import JsonObjectType

from ....protocols.kdeconnect.plugins.sms import TextMessage

MAX_BURST: Final = 30
"""Events of new messages at once; the ones beyond are not told."""
REFILL: Final = 1.0
"""Events a second that there may be after that."""

type Names = Callable[[str], str | None]
"""Returns the name that belongs to a number, None when there is none."""


def event_data(message: TextMessage, names: Names) -> JsonObjectType:
    """Return what the event of a new message tells."""
    contact = names(message.addresses[0]) if message.addresses else None
    return {**_data(message), "contact": contact}


def message_data(message: TextMessage, names: Names) -> JsonObjectType:
    """Return what the answer of an action tells of a message."""
    return {
        **_data(message),
        "type": message.kind.name.lower(),
        "is_read": message.is_read,
        "contacts": [names(address) for address in message.addresses],
    }


def _data(message: TextMessage) -> JsonObjectType:
    return {
        "thread_id": message.thread_id,
        "message_id": message.id,
        "date": iso_date(message.date_ms),
        "number": message.addresses[0] if message.addresses else None,
        "numbers": list(message.addresses),
        "text": message.body,
        "is_group": is_group(message),
        "sim": message.sub_id,
        "attachments": [
            {
                "part_id": attachment.part_id,
                "unique_identifier": attachment.unique_identifier,
                "mime_type": attachment.mime_type,
            }
            for attachment in message.attachments
        ],
    }


def is_group(message: TextMessage) -> bool:
    """Whether there are several others in the conversation."""
    return message.is_group or len(message.addresses) > 1


def iso_date(date_ms: int) -> str | None:
    """Return a time as text, None for what no calendar has."""
    try:
        return datetime.fromtimestamp(date_ms / 1000, UTC).isoformat(
            timespec="milliseconds"
        )
    except ValueError, OverflowError, OSError:
        return None
