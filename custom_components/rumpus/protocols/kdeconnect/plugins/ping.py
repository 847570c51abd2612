"""Ping: a notification for the other side's user (the KDE Connect reference, section 11.3)."""

from dataclasses import dataclass, field
from typing import Final, Self

from ...json_fields import get_str
from ...json_lines import JsonObject
from ..packet import Packet
from .message import Decoders, Message

TYPE: Final = "kdeconnect.ping"


@dataclass(frozen=True, slots=True)
class Ping(Message):
    """A ping; the message is private and None when there is none."""

    message: str | None = field(repr=False)

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read a ping packet; the message is cut to 1024 characters."""
        return cls(get_str(packet.body, "message") or None)


def ping(message: str | None = None) -> Packet:
    """Show a notification on the other side. No answer comes."""
    body: JsonObject = {} if message is None else {"message": message}
    return Packet(TYPE, body)


DECODERS: Final[Decoders] = {TYPE: Ping.from_packet}
