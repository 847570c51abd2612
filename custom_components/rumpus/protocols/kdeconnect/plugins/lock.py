"""Screen lock (the KDE Connect reference, section 11.14)."""

from dataclasses import dataclass
from typing import Final, Self

from ...errors import ProtocolError
from ..fields import get_bool
from ..packet import Packet
from .message import Decoders, Message

TYPE: Final = "kdeconnect.lock"
TYPE_REQUEST: Final = "kdeconnect.lock.request"


@dataclass(frozen=True, slots=True)
class LockState(Message):
    """Whether the peer's screen is locked; None when it does not know."""

    is_locked: bool | None

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read a lock packet that has the state; raises ProtocolError when it has none."""
        if "isLocked" not in packet.body:
            raise ProtocolError("lock packet without a state")
        return cls(get_bool(packet.body, "isLocked"))


@dataclass(frozen=True, slots=True)
class LockResult(Message):
    """Whether the peer could do what `set_locked` asked for."""

    success: bool

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read a lock packet that has a result; raises ProtocolError when it has none."""
        success = get_bool(packet.body, "lockResult")
        if success is None:
            raise ProtocolError("lock packet with neither a state nor a result")
        return cls(success)


def decode(packet: Packet) -> LockState | LockResult:
    """Tell the two forms apart by their members. Raises ProtocolError when both are missing."""
    if "isLocked" in packet.body:
        return LockState.from_packet(packet)
    return LockResult.from_packet(packet)


def request_state() -> Packet:
    """Ask for the state."""
    return Packet(TYPE_REQUEST, {"requestLocked": True})


def set_locked(locked: bool) -> Packet:
    """Lock or unlock the screen."""
    return Packet(TYPE_REQUEST, {"setLocked": locked})


DECODERS: Final[Decoders] = {TYPE: decode}
