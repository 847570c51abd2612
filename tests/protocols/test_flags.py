"""Tests of words of flags."""

import pytest

from custom_components.rumpus.protocols.airplay.features import (
    AirPlayFlags,
    StatusFlags,
    parse_features,
)
from custom_components.rumpus.protocols.companion.enums import MediaFlags
from custom_components.rumpus.protocols.flags import MAX_COMBINATIONS, WireFlag


@pytest.mark.parametrize("kind", [AirPlayFlags, StatusFlags, MediaFlags])
def test_max_combinations(kind: type[WireFlag]) -> None:
    """Who announces another word each time does not fill the memory."""
    for value in range(3 * MAX_COMBINATIONS):
        flags = kind(value << 4)
        assert flags.value == value << 4
        assert flags == kind(value << 4)
    assert len(kind._value2member_map_) <= MAX_COMBINATIONS


def test_unknown_bits_survive() -> None:
    flags = parse_features("0x80000001,0x80000000")
    assert flags == 1 << 63 | 1 << 31 | 1
    assert AirPlayFlags.VIDEO_V1 in flags
    assert AirPlayFlags.PHOTO not in flags
