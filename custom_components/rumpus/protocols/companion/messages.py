"""What all messages of a session have in common (part A, section 4.3)."""

from dataclasses import dataclass, field
import math
from typing import Final

from ..errors import ProtocolError
from ..opack import OpackDict, OpackValue, decode_dict, encode
from .enums import MessageType
from .errors import CommandFailedError

MAX_NAME: Final = 128
"""Characters of a message's name; a longer one is none of ours."""
MAX_TEXT: Final = 256
"""Characters kept of a text that is shown."""
MAX_ID: Final = 256
"""Characters of an identifier; a longer one is dropped: half of it names nothing."""
MAX_INTEGER: Final = 2**64 - 1
MAX_ITEMS: Final = 5000
"""Of one message: 2,000 apps have 4,000. To read so many takes 20 ms, at one go."""

NO_HANDLER_CODE: Final = 58822
NO_HANDLER_DOMAIN: Final = "RPErrorDomain"
NO_HANDLER_MESSAGE: Final = "No request handler"


@dataclass(frozen=True, slots=True)
class Message:
    """One message; `kind` may be a number that nobody knows."""

    kind: int
    name: str = ""
    transfer_id: int | None = None
    content: OpackDict = field(default_factory=dict, repr=False)
    is_error: bool = False
    error_code: int | None = None
    error_domain: str | None = None

    def error(self, name: str) -> CommandFailedError:
        """Return what is wrong, for the answer to a request of that name."""
        return CommandFailedError(name, self.error_code, self.error_domain)


def decode_message(data: bytes) -> Message:
    """Return a message. Raises ProtocolError for what is none."""
    body = decode_dict(data, max_items=MAX_ITEMS)
    kind = get_int(body, "_t")
    if kind is None:
        raise ProtocolError("A message does not tell what it is")
    return Message(
        kind=kind,
        name=get_id(body, "_i", limit=MAX_NAME) or "",
        transfer_id=get_int(body, "_x"),
        content=get_dict(body, "_c") or {},
        is_error="_em" in body,
        error_code=get_int(body, "_ec"),
        error_domain=get_id(body, "_ed"),
    )


def encode_message(
    kind: MessageType, name: str, content: OpackDict, transfer_id: int
) -> bytes:
    """Return a message of ours. Raises ProtocolError for what OPACK cannot carry."""
    return encode({"_i": name, "_t": int(kind), "_c": content, "_x": transfer_id})


def encode_refusal(message: Message) -> bytes:
    """Return the answer to a request of the device: we know none."""
    return encode(
        {
            "_i": message.name,
            "_t": int(MessageType.RESPONSE),
            "_x": message.transfer_id,
            "_ec": NO_HANDLER_CODE,
            "_ed": NO_HANDLER_DOMAIN,
            "_em": NO_HANDLER_MESSAGE,
        }
    )


# Typed readers: None for what is absent or of no usable type.


def get_int(body: OpackDict, key: str) -> int | None:
    """Return a whole number from 0 to MAX_INTEGER."""
    value = body.get(key)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= MAX_INTEGER else None


def get_float(body: OpackDict, key: str) -> float | None:
    """Return a finite number."""
    value = body.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= MAX_INTEGER and math.isfinite(value) else None


def get_text(body: OpackDict, key: str) -> str | None:
    """Return text for display, cut to MAX_TEXT characters."""
    value = body.get(key)
    return value[:MAX_TEXT] if isinstance(value, str) else None


def get_id(body: OpackDict, key: str, *, limit: int = MAX_ID) -> str | None:
    """Return an identifier of at most `limit` characters."""
    value = body.get(key)
    return value if isinstance(value, str) and 0 < len(value) <= limit else None


def get_data(body: OpackDict, key: str) -> bytes | None:
    """Return data; whoever reads it bounds its size."""
    value = body.get(key)
    return value if isinstance(value, bytes) else None


def get_dict(body: OpackDict, key: str) -> OpackDict | None:
    """Return a dictionary inside the body."""
    value: OpackValue = body.get(key)
    return value if isinstance(value, dict) else None


def get_named(body: OpackDict, *, limit: int) -> list[tuple[str, str]]:
    """Return identifiers and their names, at most `limit` of them, in their order."""
    named: list[tuple[str, str]] = []
    for key, name in body.items():
        if len(named) == limit:
            break
        if isinstance(key, str) and 0 < len(key) <= MAX_ID and isinstance(name, str):
            named.append((key, name[:MAX_TEXT]))
    return named
