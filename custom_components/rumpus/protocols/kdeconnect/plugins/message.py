"""What every plugin's messages have in common."""

from collections.abc import Callable, Mapping

from ..packet import Packet


class Message:
    """What a paired peer tells or asks, decoded; the base of every plugin's messages.

    Private members are kept out of `repr`.
    """

    __slots__ = ()


type Decoders = Mapping[str, Callable[[Packet], Message]]
"""The readers of a plugin's packets by their full types; they raise ProtocolError."""
