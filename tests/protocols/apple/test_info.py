"""What a device is (the Apple TV reference, part A, section 1.10; part B, section 6.5)."""

from hypothesis import given, strategies as st
import pytest

from custom_components.rumpus.protocols.apple.info import (
    BOARDS,
    MAX_TEXT,
    MODELS,
    DeviceInfo,
    OperatingSystem,
    build_number,
    major_version,
    system_of_model,
    version_of_build,
)
from custom_components.rumpus.protocols.errors import ProtocolError


@pytest.mark.parametrize(
    ("build", "version"),
    [
        ("18M60", "14.7"),
        ("22J357", "18.0"),
        ("18L999", "14.x"),
        ("22Z1", "18.x"),
        # Since then the version is that of the year.
        ("23J352", "26.x"),
        ("24A1", "27.x"),
        ("3A1", None),
        ("", None),
        ("J23", None),
        ("1234A1", None),
    ],
)
def test_versions_of_builds(build: str, version: str | None) -> None:
    assert version_of_build(build) == version


def test_numbers_of_builds() -> None:
    assert build_number("19J346") == 19
    assert build_number("nineteen") is None


@pytest.mark.parametrize(
    ("model", "system"),
    [
        ("AppleTV1,1", OperatingSystem.UNKNOWN),
        ("AppleTV14,1", OperatingSystem.TVOS),
        ("AppleTV99,9", OperatingSystem.TVOS),
        ("AudioAccessory6,1", OperatingSystem.TVOS),
        ("AirPort10,115", OperatingSystem.AIRPORT_OS),
        ("MacBookPro18,3", OperatingSystem.MACOS),
        ("Mac14,7", OperatingSystem.MACOS),
        ("Macintosh", OperatingSystem.UNKNOWN),
        ("Sonos", OperatingSystem.UNKNOWN),
    ],
)
def test_systems_of_models(model: str, system: OperatingSystem) -> None:
    assert system_of_model(model) is system


def test_boards_are_models() -> None:
    assert set(BOARDS.values()) <= set(MODELS)


@pytest.mark.parametrize(
    ("version", "major"),
    [("18.1", 18), ("15.x", 15), ("26", 26), ("x", None), (None, None), ("²", None)],
)
def test_major_versions(version: str | None, major: int | None) -> None:
    assert major_version(version) == major
    assert DeviceInfo(version=version).major_version == major


def test_kinds_and_text() -> None:
    info = DeviceInfo(
        OperatingSystem.TVOS, "18.0", "22J357", "Apple TV 4K", "AppleTV6,2"
    )
    assert info.is_apple_tv
    assert not info.is_homepod
    assert str(info) == "Apple TV 4K, tvOS 18.0 build 22J357"
    assert str(DeviceInfo()) == "Unknown model, Unknown OS"
    assert DeviceInfo(raw_model="AudioAccessory6,1").is_homepod


texts = st.none() | st.text(max_size=MAX_TEXT)


@given(
    st.builds(
        DeviceInfo,
        st.sampled_from(OperatingSystem),
        *[texts] * 6,
    )
)
def test_stored_and_read_again(info: DeviceInfo) -> None:
    assert DeviceInfo.from_dict(info.to_dict()) == info


def test_systems_of_other_releases_are_unknown() -> None:
    assert DeviceInfo.from_dict({"os": "homeOS"}) == DeviceInfo()


def test_limit_of_a_fact() -> None:
    assert DeviceInfo.from_dict({"version": "1" * MAX_TEXT}).version == "1" * MAX_TEXT
    for value in ("1" * (MAX_TEXT + 1), 18, ["18"]):
        with pytest.raises(ProtocolError):
            DeviceInfo.from_dict({"version": value})
