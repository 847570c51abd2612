"""Make the peer ring, or be searched for (the KDE Connect reference, section 11.4)."""

from dataclasses import dataclass
from typing import Final, Self

from ..packet import Packet
from .message import Decoders, Message

TYPE_REQUEST: Final = "kdeconnect.findmyphone.request"


@dataclass(frozen=True, slots=True)
class FindRequested(Message):
    """The peer's user is looking for us. There is no word for having found us."""

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read a request; its type says everything."""
        return cls()


def ring() -> Packet:
    """Ring until somebody stops it at the device; no packet can stop it."""
    return Packet(TYPE_REQUEST)


DECODERS: Final[Decoders] = {TYPE_REQUEST: FindRequested.from_packet}
