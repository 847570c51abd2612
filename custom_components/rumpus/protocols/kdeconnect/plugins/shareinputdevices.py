"""One pointer for both screens (the KDE Connect reference, section 11.18).

Between entering and leaving, the pointer is moved with packets of `mousepad`.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Self

from ...errors import ProtocolError
from ...json_fields import get_int, get_number
from ...json_lines import JsonObject
from ..packet import Packet
from .message import Decoders, Message

TYPE: Final = "kdeconnect.shareinputdevices"
TYPE_REQUEST: Final = "kdeconnect.shareinputdevices.request"

MAX_DISTANCE: Final = 100_000
"""Pixels of an offset; a larger one is cut."""


class Edge(IntEnum):
    """The edge of its screen over which a pointer left."""

    TOP = 1
    LEFT = 2
    RIGHT = 4
    BOTTOM = 8


@dataclass(frozen=True, slots=True)
class PointerEntered(Message):
    """The peer's pointer left its screen for ours over an edge, at an offset in pixels."""

    exit_edge: Edge
    dx: float
    dy: float

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read where it left; raises ProtocolError when the edge is none."""
        body = packet.body
        try:
            edge = Edge(get_int(body, "exitEdge") or 0)
        except ValueError:
            raise ProtocolError("shareinputdevices packet without an edge") from None
        return cls(edge, _distance(body, "deltax"), _distance(body, "deltay"))


@dataclass(frozen=True, slots=True)
class PointerReleased(Message):
    """Our pointer has left the peer's screen again, at an offset in pixels."""

    dx: float
    dy: float

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read where it left; nothing in it is required."""
        body = packet.body
        return cls(_distance(body, "releaseDeltax"), _distance(body, "releaseDeltay"))


def enter(exit_edge: Edge, dx: float, dy: float) -> Packet:
    """Let our pointer go on to the peer's screen."""
    return Packet(
        TYPE_REQUEST, {"exitEdge": exit_edge.value, "deltax": dx, "deltay": dy}
    )


def release(dx: float, dy: float) -> Packet:
    """Give the peer's pointer back."""
    return Packet(TYPE, {"releaseDeltax": dx, "releaseDeltay": dy})


def _distance(body: JsonObject, key: str) -> float:
    distance = get_number(body, key) or 0.0
    return min(max(distance, -MAX_DISTANCE), MAX_DISTANCE)


DECODERS: Final[Decoders] = {
    TYPE: PointerReleased.from_packet,
    TYPE_REQUEST: PointerEntered.from_packet,
}
