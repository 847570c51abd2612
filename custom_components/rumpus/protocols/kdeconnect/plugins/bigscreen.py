"""Dictated text for a TV, gone since 2025 (the KDE Connect reference, section 11.15)."""

from dataclasses import dataclass, field
from typing import Final, Self

from ...errors import ProtocolError
from ..packet import Packet
from .message import Decoders, Message

TYPE: Final = "kdeconnect.bigscreen.stt"

MAX_DICTATION: Final = 4096
"""Characters of a dictated text; a longer one is refused, since half of it is another text."""


@dataclass(frozen=True, slots=True)
class Dictation(Message):
    """Somebody has spoken to the peer; the text is private."""

    content: str = field(repr=False)

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read a text; raises ProtocolError when there is none or it is too long."""
        content = packet.body.get("content")
        if not isinstance(content, str) or not 0 < len(content) <= MAX_DICTATION:
            raise ProtocolError("bigscreen packet without a usable text")
        return cls(content)


def dictate(content: str) -> Packet:
    """Send a text that was spoken to us."""
    return Packet(TYPE, {"type": "stt", "content": content})


DECODERS: Final[Decoders] = {TYPE: Dictation.from_packet}
