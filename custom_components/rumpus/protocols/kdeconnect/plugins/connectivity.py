"""Mobile networks of the peer (the KDE Connect reference, section 11.2)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

from ...errors import ProtocolError
from ...json_fields import MAX_ID, get_int, get_object, get_str
from ...json_lines import JsonObject
from ..packet import Packet
from .message import Decoders, Message

TYPE: Final = "kdeconnect.connectivity_report"
TYPE_REQUEST: Final = "kdeconnect.connectivity_report.request"

MAX_SIMS: Final = 8
"""SIM cards kept of a report."""
MAX_SUBSCRIPTION: Final = MAX_ID
"""Characters of a subscription's id; a SIM with a longer one is left out."""
MAX_BARS: Final = 4
"""Bars of a full signal; more are taken for that."""


class NetworkType(StrEnum):
    """The kind of network that a SIM uses; UNKNOWN also for kinds that nobody has told us of."""

    GSM = "GSM"
    CDMA = "CDMA"
    IDEN = "iDEN"
    UMTS = "UMTS"
    CDMA2000 = "CDMA2000"
    EDGE = "EDGE"
    GPRS = "GPRS"
    HSPA = "HSPA"
    LTE = "LTE"
    NR = "5G"
    UNKNOWN = "Unknown"


_NETWORK_TYPES: Final = {kind.value.lower(): kind for kind in NetworkType}


@dataclass(frozen=True, slots=True)
class Sim:
    """One SIM card: the peer's id of it, its network, its signal of 0 to 4 bars.

    `bars` is None when the packet does not tell.
    """

    subscription: str
    network_type: NetworkType
    bars: int | None


@dataclass(frozen=True, slots=True)
class ConnectivityReport(Message):
    """All SIM cards of the peer in its order; none when there are none."""

    sims: tuple[Sim, ...]

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read a report. Raises ProtocolError when there is no table of SIM cards.

        Entries that are no objects or have an unusable id are left out.
        """
        entries = get_object(packet.body, "signalStrengths")
        if entries is None:
            raise ProtocolError("connectivity report without signal strengths")
        sims: list[Sim] = []
        for subscription, entry in entries.items():
            if len(sims) == MAX_SIMS:
                break
            if isinstance(entry, dict) and 0 < len(subscription) <= MAX_SUBSCRIPTION:
                sims.append(Sim(subscription, _network_type(entry), _bars(entry)))
        return cls(tuple(sims))


def request() -> Packet:
    """Ask for a report. Only old peers list this type; the others tell by themselves."""
    return Packet(TYPE_REQUEST, {"request": True})


def _network_type(entry: JsonObject) -> NetworkType:
    name = get_str(entry, "networkType") or ""
    return _NETWORK_TYPES.get(name.strip().lower(), NetworkType.UNKNOWN)


def _bars(entry: JsonObject) -> int | None:
    bars = get_int(entry, "signalStrength")
    return None if bars is None or bars < 0 else min(bars, MAX_BARS)


DECODERS: Final[Decoders] = {TYPE: ConnectivityReport.from_packet}
