"""The clipboards of both sides (the KDE Connect reference, section 11.6)."""

from dataclasses import dataclass, field
from typing import Final, Self

from ...errors import ProtocolError
from ...json_fields import get_int
from ..file_names import safe_file_name
from ..packet import Packet, Payload
from .message import Decoders, Message

TYPE: Final = "kdeconnect.clipboard"
TYPE_CONNECT: Final = "kdeconnect.clipboard.connect"
TYPE_FILE: Final = "kdeconnect.clipboard.file"

MAX_CONTENT: Final = 256 * 1024
"""Characters of a clipboard; a longer one is refused, since half of it is of no use."""


@dataclass(frozen=True, slots=True)
class ClipboardChanged(Message):
    """The peer's clipboard has changed just now; the content is private."""

    content: str = field(repr=False)

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read the content; raises ProtocolError when there is none or it is too long."""
        content = _content(packet)
        if content is None:
            raise ProtocolError("clipboard packet without a content")
        return cls(content)


@dataclass(frozen=True, slots=True)
class ClipboardAtConnect(Message):
    """What the peer's clipboard held when the link came up, None when it was empty.

    `timestamp_ms` (milliseconds since 1970) is when it got there, 0 when that is unknown.
    """

    content: str | None = field(repr=False)
    timestamp_ms: int

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read the content; raises ProtocolError when it is too long or no text."""
        timestamp = get_int(packet.body, "timestamp")
        # Old peers write the empty text where new ones write null.
        return cls(_content(packet) or None, max(timestamp or 0, 0))


@dataclass(frozen=True, slots=True)
class ClipboardFile(Message):
    """A file or a picture from the peer's clipboard waits to be fetched; the name is safe."""

    filename: str = field(repr=False)
    payload: Payload

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read the announcement; raises ProtocolError when there is nothing to fetch."""
        if packet.payload is None:
            raise ProtocolError("clipboard packet without a payload")
        name = packet.body.get("filename")
        return cls(
            safe_file_name(name if isinstance(name, str) else ""), packet.payload
        )


class ClipboardSync:
    """Keeps our clipboard and that of one peer the same; sans-I/O.

    The newest content wins, and what came from the peer is never sent back to it.
    Times are in milliseconds since 1970.
    """

    __slots__ = ("_content", "_timestamp_ms")

    def __init__(self, content: str | None = None, timestamp_ms: int = 0) -> None:
        """Start with what our clipboard holds since then."""
        self._content = content
        self._timestamp_ms = timestamp_ms

    @property
    def content(self) -> str | None:
        """What both clipboards hold, None when that is unknown."""
        return self._content

    @property
    def timestamp_ms(self) -> int:
        """When the content got into a clipboard, 0 when there is none."""
        return self._timestamp_ms

    def received(
        self, message: ClipboardChanged | ClipboardAtConnect, now_ms: int
    ) -> str | None:
        """Return what our clipboard has to become, None when it stays.

        A time in the future counts as now, so that a peer's wrong clock cannot win for ever.
        """
        if isinstance(message, ClipboardChanged):
            timestamp_ms = now_ms
        else:
            timestamp_ms = min(message.timestamp_ms, now_ms)
            if timestamp_ms <= self._timestamp_ms:
                return None
        content = message.content
        if content is None:
            return None
        is_new = content != self._content
        self._content, self._timestamp_ms = content, timestamp_ms
        return content if is_new else None

    def changed(self, content: str, now_ms: int) -> Packet | None:
        """Return what to send after a change of our clipboard, None when the peer has it."""
        if content == self._content:
            return None
        self._content, self._timestamp_ms = content, now_ms
        return changed(content)

    def at_connect(self) -> Packet | None:
        """Return what to send when the link comes up, None when our clipboard is empty."""
        if not self._content or self._timestamp_ms == 0:
            return None
        return at_connect(self._content, self._timestamp_ms)


def changed(content: str) -> Packet:
    """Set the peer's clipboard."""
    return Packet(TYPE, {"content": content})


def at_connect(content: str, timestamp_ms: int) -> Packet:
    """Tell what our clipboard holds since when; the peer takes it if its own is older."""
    return Packet(TYPE_CONNECT, {"content": content, "timestamp": timestamp_ms})


def file(filename: str, payload: Payload | None = None) -> Packet:
    """Put a file into the peer's clipboard; whoever sends the data adds the payload."""
    return Packet(TYPE_FILE, {"filename": filename}, payload)


def _content(packet: Packet) -> str | None:
    content = packet.body.get("content")
    if content is None:
        return None
    if not isinstance(content, str) or len(content) > MAX_CONTENT:
        raise ProtocolError("clipboard packet without a usable content")
    return content


DECODERS: Final[Decoders] = {
    TYPE: ClipboardChanged.from_packet,
    TYPE_CONNECT: ClipboardAtConnect.from_packet,
    TYPE_FILE: ClipboardFile.from_packet,
}
