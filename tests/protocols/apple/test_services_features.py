"""What AirPlay says that it can do (the Apple TV reference, part A, section 1.9)."""

from hypothesis import given, strategies as st
import pytest

from custom_components.rumpus.protocols.airplay.features import (
    AirPlayFlags,
    AirPlayVersion,
    StatusFlags,
    airplay_version,
    has_transient_pairing,
    parse_features,
    parse_status,
)
from custom_components.rumpus.protocols.errors import ProtocolError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0x4A7FDFD5,0x3C155FDE", 0x3C155FDE4A7FDFD5),
        # The low word is that of eight digits, however few were written.
        ("0x3,0x1", 0x100000003),
        ("0x1", 1),
        (" 0xFFFFFFFF ", 0xFFFFFFFF),
    ],
)
def test_features(text: str, value: int) -> None:
    assert parse_features(text) == value


@pytest.mark.parametrize(
    "text",
    ["", "1", "0x", "0x123456789", "0x1,", "0x1,1", "0x1,0x1,0x1", "0xg", "-0x1"],
)
def test_other_forms_of_features(text: str) -> None:
    with pytest.raises(ProtocolError):
        parse_features(text)


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_every_bit_is_kept(low: int, high: int) -> None:
    assert parse_features(f"0x{low:x},0x{high:X}") == high << 32 | low


def test_status() -> None:
    assert parse_status("0x244") == (
        StatusFlags.AUDIO_CABLE_ATTACHED
        | StatusFlags.AIRPLAY_FROM_CLOUD
        | StatusFlags.ONE_TIME_PAIRING_REQUIRED
    )
    assert parse_status("4") is StatusFlags.AUDIO_CABLE_ATTACHED
    for text in ("", "0x", "zz", "0x" + "1" * 17):
        with pytest.raises(ProtocolError):
            parse_status(text)


def test_versions() -> None:
    assert airplay_version(AirPlayFlags(0)) is AirPlayVersion.V1
    assert airplay_version(AirPlayFlags.UNIFIED_MEDIA_CONTROL) is AirPlayVersion.V2
    assert (
        airplay_version(AirPlayFlags.COREUTILS_PAIRING_AND_ENCRYPTION)
        is AirPlayVersion.V2
    )


def test_transient_pairing() -> None:
    assert has_transient_pairing(AirPlayFlags.SYSTEM_PAIRING)
    assert has_transient_pairing(AirPlayFlags.COREUTILS_PAIRING_AND_ENCRYPTION)
    assert not has_transient_pairing(AirPlayFlags.HOMEKIT_PAIRING_AND_ACCESS_CONTROL)
