"""What paired devices say to each other (the KDE Connect reference, sections 10 and 11)."""

from collections.abc import Callable, Mapping
from typing import Final

from ..identity import Identity
from ..packet import Packet
from . import battery, findmyphone, lock, mpris, ping, runcommand

type Message = (
    battery.BatteryStatus
    | lock.LockResult
    | lock.LockState
    | mpris.AlbumArt
    | mpris.PlayerList
    | mpris.PlayerUpdate
    | ping.Ping
    | runcommand.CommandList
)

_DECODERS: Final[Mapping[str, Callable[[Packet], Message]]] = {
    battery.TYPE: battery.BatteryStatus.from_packet,
    lock.TYPE: lock.decode,
    mpris.TYPE: mpris.decode,
    ping.TYPE: ping.Ping.from_packet,
    runcommand.TYPE: runcommand.CommandList.from_packet,
}

INCOMING_CAPABILITIES: Final = frozenset(_DECODERS)
"""The packet types that we can receive."""
OUTGOING_CAPABILITIES: Final = frozenset(
    {
        battery.TYPE_REQUEST,
        findmyphone.TYPE_REQUEST,
        lock.TYPE_REQUEST,
        mpris.TYPE_REQUEST,
        ping.TYPE,
        runcommand.TYPE_REQUEST,
    }
)
"""The packet types that we may send."""


def decode_message(packet: Packet) -> Message | None:
    """Return the message in a packet of a paired peer, None for a type that we do not handle.

    Raises ProtocolError when the packet is of no use.
    """
    decoder = _DECODERS.get(packet.type)
    return None if decoder is None else decoder(packet)


def greetings(identity: Identity) -> list[Packet]:
    """Return what to ask a paired peer once its link is up, of what it accepts."""
    packets = [lock.request_state(), runcommand.request_list(), mpris.request_players()]
    accepted = [packet for packet in packets if identity.accepts(packet.type)]
    # Deprecated, so not for a peer whose list is unknown.
    if battery.TYPE_REQUEST in identity.incoming:
        accepted.append(battery.request())
    return accepted
