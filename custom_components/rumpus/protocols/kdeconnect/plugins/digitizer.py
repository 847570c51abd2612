"""A drawing tablet made of the peer's screen (the KDE Connect reference, section 11.18)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

from ...errors import ProtocolError
from ...json_fields import get_bool, get_int, get_number, get_str
from ...json_lines import JsonObject
from ..packet import Packet
from .message import Decoders, Message

TYPE: Final = "kdeconnect.digitizer"
TYPE_SESSION: Final = "kdeconnect.digitizer.session"

MAX_EXTENT: Final = 100_000
"""Pixels of a side, and pixels per millimetre; a session with more is refused."""


class Tool(StrEnum):
    """The ends of a pen."""

    PEN = "Pen"
    RUBBER = "Rubber"


@dataclass(frozen=True, slots=True)
class SessionStarted(Message):
    """The tablet is there: its size in pixels, and pixels per millimetre both ways."""

    width: int
    height: int
    resolution_x: int
    resolution_y: int

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read the begin of a session; raises ProtocolError when a number is unusable."""
        body = packet.body
        return cls(
            _extent(body, "width"),
            _extent(body, "height"),
            _extent(body, "resolutionX"),
            _extent(body, "resolutionY"),
        )


@dataclass(frozen=True, slots=True)
class SessionEnded(Message):
    """The tablet is gone."""


@dataclass(frozen=True, slots=True)
class PenUpdate(Message):
    """What changed with the pen; None is as it was.

    `is_active` is whether it is near, `x` and `y` are pixels of the tablet, `pressure` is 0.0
    to 1.0.
    """

    is_active: bool | None = None
    is_touching: bool | None = None
    tool: Tool | None = None
    x: int | None = None
    y: int | None = None
    pressure: float | None = None

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read a change; nothing in it is required, and what is unknown did not change."""
        body = packet.body
        try:
            tool = Tool(get_str(body, "tool") or "")
        except ValueError:
            tool = None
        pressure = get_number(body, "pressure")
        return cls(
            get_bool(body, "active"),
            get_bool(body, "touching"),
            tool,
            _position(body, "x"),
            _position(body, "y"),
            None if pressure is None else min(max(pressure, 0.0), 1.0),
        )


def decode_session(packet: Packet) -> SessionStarted | SessionEnded:
    """Tell begin and end apart. Raises ProtocolError when the packet is neither."""
    action = packet.body.get("action")
    if action == "start":
        return SessionStarted.from_packet(packet)
    if action == "end":
        return SessionEnded()
    raise ProtocolError("digitizer packet with an unknown action")


def start_session(
    width: int, height: int, resolution_x: int, resolution_y: int
) -> Packet:
    """Offer a tablet of a size in pixels, with so many pixels per millimetre."""
    return Packet(
        TYPE_SESSION,
        {
            "action": "start",
            "width": width,
            "height": height,
            "resolutionX": resolution_x,
            "resolutionY": resolution_y,
        },
    )


def end_session() -> Packet:
    """Take the tablet away."""
    return Packet(TYPE_SESSION, {"action": "end"})


def pen(update: PenUpdate) -> Packet:
    """Tell what changed with the pen."""
    fields: JsonObject = {
        "active": update.is_active,
        "touching": update.is_touching,
        "tool": None if update.tool is None else update.tool.value,
        "x": update.x,
        "y": update.y,
        "pressure": update.pressure,
    }
    return Packet(TYPE, {k: value for k, value in fields.items() if value is not None})


def _extent(body: JsonObject, key: str) -> int:
    extent = get_int(body, key)
    if extent is None or not 0 < extent <= MAX_EXTENT:
        raise ProtocolError("digitizer packet without a usable size")
    return extent


def _position(body: JsonObject, key: str) -> int | None:
    position = get_int(body, key)
    return None if position is None else min(max(position, 0), MAX_EXTENT)


DECODERS: Final[Decoders] = {TYPE: PenUpdate.from_packet, TYPE_SESSION: decode_session}
