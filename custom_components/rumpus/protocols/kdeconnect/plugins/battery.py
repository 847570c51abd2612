"""Battery state (the KDE Connect reference, section 11.1)."""

from dataclasses import dataclass
from typing import Final, Self

from ...json_fields import get_bool, get_int
from ...json_lines import JsonObject
from ..packet import Packet
from .message import Decoders, Message

TYPE: Final = "kdeconnect.battery"
TYPE_REQUEST: Final = "kdeconnect.battery.request"

_NO_EVENT: Final = 0
_LOW: Final = 1
_UNKNOWN_CHARGE: Final = -1
_FULL: Final = 100


@dataclass(frozen=True, slots=True)
class BatteryStatus(Message):
    """What the peer says of its battery.

    `charge` is in per cent, 0 to 100, None when there is no battery or its charge is unknown.
    The truth values are None when the packet does not tell.
    """

    charge: int | None
    is_charging: bool | None
    is_low: bool | None

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read a battery packet; nothing in it is required."""
        charge = get_int(packet.body, "currentCharge")
        event = get_int(packet.body, "thresholdEvent")
        return cls(
            # -1 is the word for "unknown"; any other negative charge means as little.
            None if charge is None or charge < 0 else min(charge, _FULL),
            get_bool(packet.body, "isCharging"),
            event == _LOW if event in (_NO_EVENT, _LOW) else None,
        )


@dataclass(frozen=True, slots=True)
class BatteryWanted(Message):
    """The peer, which is an old one, asks for the state of our battery."""

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read a request; its type says everything."""
        return cls()


def request() -> Packet:
    """Ask for the state. Only old peers list this type; the others tell by themselves."""
    return Packet(TYPE_REQUEST, {"request": True})


def status(charge: int | None, is_charging: bool, is_low: bool) -> Packet:
    """Tell the state of our battery: `charge` in per cent, None when it is unknown.

    `is_low` belongs into every packet for as long as the battery is low.
    """
    body: JsonObject = {
        "currentCharge": _UNKNOWN_CHARGE
        if charge is None
        else max(0, min(charge, _FULL)),
        "isCharging": is_charging,
        "thresholdEvent": _LOW if is_low else _NO_EVENT,
    }
    return Packet(TYPE, body)


DECODERS: Final[Decoders] = {
    TYPE: BatteryStatus.from_packet,
    TYPE_REQUEST: BatteryWanted.from_packet,
}
