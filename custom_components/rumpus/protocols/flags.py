"""Words of flags that come from the network; nothing here does input or output."""

from enum import IntFlag
from typing import Final, override

MAX_COMBINATIONS: Final = 1024
"""Combinations of the flags of one class that are kept in memory for the next time."""


class WireFlag(IntFlag):
    """Flags from the network, with the bits that nobody knows.

    The standard library keeps each combination it ever met: a peer could fill the memory
    with all the words that a field can hold.
    """

    @classmethod
    @override
    def _missing_(cls, value: object) -> WireFlag:
        combination: WireFlag = super()._missing_(value)
        if len(cls._value2member_map_) > MAX_COMBINATIONS:
            cls._value2member_map_.pop(combination.value, None)
        return combination
