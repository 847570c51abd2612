"""Taking a photo on the peer, gone since 2023 (the KDE Connect reference, section 11.19)."""

from dataclasses import dataclass, field
from typing import Final, Self

from ...errors import ProtocolError
from ...json_fields import get_bool
from ..file_names import safe_file_name
from ..packet import Packet, Payload
from .message import Decoders, Message

TYPE: Final = "kdeconnect.photo"
TYPE_REQUEST: Final = "kdeconnect.photo.request"


@dataclass(frozen=True, slots=True)
class PhotoTaken(Message):
    """The photo that we asked for waits to be fetched; the name is safe."""

    filename: str = field(repr=False)
    payload: Payload

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read the announcement; raises ProtocolError when there is nothing to fetch."""
        if packet.payload is None:
            raise ProtocolError("photo packet without a payload")
        name = packet.body.get("filename")
        return cls(
            safe_file_name(name if isinstance(name, str) else ""), packet.payload
        )


@dataclass(frozen=True, slots=True)
class PhotoCanceled(Message):
    """The peer's user did not take the photo that we asked for."""


@dataclass(frozen=True, slots=True)
class PhotoWanted(Message):
    """The peer wants a photo of us."""

    @classmethod
    def from_packet(cls, _packet: Packet) -> Self:
        """Read a request, which has no members."""
        return cls()


def decode(packet: Packet) -> PhotoTaken | PhotoCanceled:
    """Tell the two answers apart. Raises ProtocolError when the packet is neither."""
    if get_bool(packet.body, "cancel"):
        return PhotoCanceled()
    return PhotoTaken.from_packet(packet)


def request() -> Packet:
    """Ask for a photo; the peer's user takes it."""
    return Packet(TYPE_REQUEST)


def photo(filename: str, payload: Payload | None = None) -> Packet:
    """Announce the photo that was asked for; whoever sends the data adds the payload."""
    return Packet(TYPE, {"filename": filename}, payload)


def cancel() -> Packet:
    """Tell that there will be no photo."""
    return Packet(TYPE, {"cancel": True})


DECODERS: Final[Decoders] = {
    TYPE: decode,
    TYPE_REQUEST: PhotoWanted.from_packet,
}
