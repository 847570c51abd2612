"""Screen lock, the peer's or ours (the KDE Connect reference, section 11.14)."""

from dataclasses import dataclass
from typing import Final, Self

from ...errors import ProtocolError
from ...json_fields import get_bool
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


@dataclass(frozen=True, slots=True)
class LockWanted(Message):
    """The peer wants to know whether we are locked."""


@dataclass(frozen=True, slots=True)
class LockRequested(Message):
    """The peer wants us locked or unlocked; answer with the state."""

    locked: bool

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read a request; raises ProtocolError when it is not said what is wanted."""
        locked = get_bool(packet.body, "setLocked")
        if locked is None:
            raise ProtocolError("lock request of nothing")
        return cls(locked)


def decode(packet: Packet) -> LockState | LockResult:
    """Tell the two forms apart by their members. Raises ProtocolError when both are missing."""
    if "isLocked" in packet.body:
        return LockState.from_packet(packet)
    return LockResult.from_packet(packet)


def decode_request(packet: Packet) -> LockWanted | LockRequested:
    """Tell the two requests apart. Raises ProtocolError when the packet is neither.

    A packet with both is one to lock, after which the state is told anyway.
    """
    if "requestLocked" in packet.body and "setLocked" not in packet.body:
        return LockWanted()
    return LockRequested.from_packet(packet)


def request_state() -> Packet:
    """Ask for the state."""
    return Packet(TYPE_REQUEST, {"requestLocked": True})


def set_locked(locked: bool) -> Packet:
    """Lock or unlock the screen."""
    return Packet(TYPE_REQUEST, {"setLocked": locked})


def state(locked: bool) -> Packet:
    """Tell whether we are locked, when it changes and when somebody asks."""
    return Packet(TYPE, {"isLocked": locked})


def result(success: bool) -> Packet:
    """Tell whether we could do what was asked for."""
    return Packet(TYPE, {"lockResult": success})


DECODERS: Final[Decoders] = {TYPE: decode, TYPE_REQUEST: decode_request}
