"""Pointing at slides (the KDE Connect reference, section 11.16).

The slides themselves are turned with keys of `mousepad`.
"""

from dataclasses import dataclass
from typing import Final, Self

from ...errors import ProtocolError
from ...json_fields import get_bool, get_number
from ...json_lines import JsonObject
from ..packet import Packet
from . import mousepad
from .message import Decoders, Message

TYPE: Final = "kdeconnect.presenter"

MAX_FRACTION: Final = 1.0
"""The whole width or height of the screen, farther than which the pointer never moves."""


@dataclass(frozen=True, slots=True)
class PresenterMoved(Message):
    """The pointer is to move, by parts of the screen's width to the right and height down."""

    dx: float
    dy: float

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read a movement; raises ProtocolError when there is none."""
        dx, dy = _fraction(packet.body, "dx"), _fraction(packet.body, "dy")
        if dx is None and dy is None:
            raise ProtocolError("presenter packet without a movement")
        return cls(dx or 0.0, dy or 0.0)


@dataclass(frozen=True, slots=True)
class PresenterStopped(Message):
    """The pointer is to be hidden."""


def decode(packet: Packet) -> PresenterMoved | PresenterStopped:
    """Tell the two forms apart. Raises ProtocolError when the packet is neither."""
    if get_bool(packet.body, "stop"):
        return PresenterStopped()
    return PresenterMoved.from_packet(packet)


def move(dx: float, dy: float) -> Packet:
    """Show the pointer and move it by parts of the screen's width and height."""
    return Packet(TYPE, {"dx": dx, "dy": dy})


def stop() -> Packet:
    """Hide the pointer."""
    return Packet(TYPE, {"stop": True})


def previous_slide() -> Packet:
    """Go one slide back."""
    return mousepad.key(mousepad.SpecialKey.PAGE_UP)


def next_slide() -> Packet:
    """Go one slide on."""
    return mousepad.key(mousepad.SpecialKey.PAGE_DOWN)


def start_show() -> Packet:
    """Begin to show the slides."""
    return mousepad.key(mousepad.SpecialKey.F5)


def end_show() -> Packet:
    """End the show."""
    return mousepad.key(mousepad.SpecialKey.ESCAPE)


def _fraction(body: JsonObject, key: str) -> float | None:
    fraction = get_number(body, key)
    if fraction is None:
        return None
    return min(max(fraction, -MAX_FRACTION), MAX_FRACTION)


DECODERS: Final[Decoders] = {TYPE: decode}
