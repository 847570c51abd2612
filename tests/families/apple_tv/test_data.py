"""A device as the data of an entry, and the texts about it."""

from dataclasses import replace

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant

from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.families.apple_tv.data import (
    MAX_IDENTIFIERS,
    async_entry_of,
    device_data,
    device_name,
    is_ours,
    model_name,
    paired_protocols,
    place,
    stored_found,
    usable_protocols,
    version_name,
)
from custom_components.rumpus.names import clean_text, plain_text
from custom_components.rumpus.protocols.apple.const import (
    AppleProtocol,
    PairingRequirement,
)
from custom_components.rumpus.protocols.apple.info import DeviceInfo, OperatingSystem
from custom_components.rumpus.protocols.apple.services import FoundDevice, Service

INFO = DeviceInfo(OperatingSystem.TVOS, "18.4", raw_model="AppleTV14,1")
AIRPLAY = Service(
    AppleProtocol.AIRPLAY,
    "AA:BB:CC:DD:EE:FF",
    7000,
    {"model": "AppleTV14,1", "osvers": "18.4"},
    pairing=PairingRequirement.MANDATORY,
)
MRP = Service(AppleProtocol.MRP, "MRP-1", 49152, pairing=PairingRequirement.OPTIONAL)
DEVICE = FoundDevice("Living Room", "192.0.2.7", (AIRPLAY,), info=INFO)


def test_round_trip() -> None:
    """What is stored is what was found."""
    data = device_data(DEVICE, {AppleProtocol.AIRPLAY: "secret"})
    assert stored_found(data) == DEVICE
    assert paired_protocols(data) == (AppleProtocol.AIRPLAY,)
    assert "secret" not in str(data)
    moved = {**data, "address": "192.0.2.8"}
    assert stored_found(moved) == replace(DEVICE, address="192.0.2.8")


@pytest.mark.parametrize(
    "damage", [{}, {"found": None}, {"found": {"name": 7}}, {"found": "x"}]
)
def test_damaged_data(damage: dict[str, object]) -> None:
    """Where the device was is enough to find it again."""
    data = {"name": "Living Room", "address": "192.0.2.7", **damage}
    assert stored_found(data) == FoundDevice("Living Room", "192.0.2.7", ())
    assert paired_protocols(data) == ()


def test_identifiers_are_collected() -> None:
    """Those that were known come first, and there are never too many."""
    assert place(DEVICE, ["A"])["identifiers"] == ["A", "AA:BB:CC:DD:EE:FF"]
    many = [str(number) for number in range(MAX_IDENTIFIERS)]
    assert place(DEVICE, many)["identifiers"] == many


def test_what_is_ours() -> None:
    """By its model, or where it tells none by a service that nobody else has."""
    assert is_ours(DEVICE)
    assert not is_ours(replace(DEVICE, info=DeviceInfo()))
    assert is_ours(replace(DEVICE, services=(MRP,), info=DeviceInfo()))
    assert not is_ours(
        replace(DEVICE, services=(MRP,), info=DeviceInfo(raw_model="Mac14,3"))
    )


def test_what_is_usable() -> None:
    """AirPlay where it carries MRP, MRP itself where it does not."""
    assert usable_protocols(DEVICE) == (AppleProtocol.AIRPLAY,)
    both = replace(DEVICE, services=(AIRPLAY, MRP))
    assert usable_protocols(both) == (AppleProtocol.AIRPLAY,)
    old = replace(AIRPLAY, properties={"model": "AppleTV5,3", "osvers": "12.4"})
    assert usable_protocols(replace(DEVICE, services=(old, MRP))) == (
        AppleProtocol.MRP,
    )
    closed = replace(AIRPLAY, pairing=PairingRequirement.DISABLED)
    assert usable_protocols(replace(DEVICE, services=(closed, MRP))) == (
        AppleProtocol.MRP,
    )


def test_texts() -> None:
    """They say something in any case."""
    nameless = FoundDevice("\x00", "192.0.2.7", ())
    assert device_name(nameless) == "Apple TV"
    assert model_name(nameless) == "Apple TV"
    assert version_name(nameless) == ""
    assert version_name(DEVICE) == "tvOS 18.4"
    unknown = replace(DEVICE, info=DeviceInfo(raw_model="AppleTV99,1"))
    assert model_name(unknown) == "AppleTV99,1"
    assert plain_text("[a](b) www.example.com `c`") == "a b www example.com c"
    assert clean_text("a\u202eb\nc  d\u200d") == "a b c d\u200d"
    assert len(clean_text("x" * 1000)) == 64


async def test_entry_of_a_device(hass: HomeAssistant) -> None:
    """By any of its identifiers; other families' entries are other devices."""
    data = device_data(DEVICE, (), ["A"])
    entry = MockConfigEntry(domain=DOMAIN, unique_id="A", data=data)
    entry.add_to_hass(hass)
    MockConfigEntry(
        domain=DOMAIN, unique_id="X", data={"family": "xbox", "identifiers": ["B"]}
    ).add_to_hass(hass)
    assert async_entry_of(hass, ["A"]) is entry
    assert async_entry_of(hass, ["B", "AA:BB:CC:DD:EE:FF"]) is entry
    assert async_entry_of(hass, ["B"]) is None
    assert async_entry_of(hass, []) is None
