"""Devices and services, and how they are stored (part A, sections 1.3, 1.7 and 1.9)."""

from dataclasses import replace
import json
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.rumpus.protocols.airplay.features import (
    AirPlayFlags,
    AirPlayVersion,
)
from custom_components.rumpus.protocols.apple.const import (
    AppleProtocol,
    PairingRequirement,
)
from custom_components.rumpus.protocols.apple.info import DeviceInfo, OperatingSystem
from custom_components.rumpus.protocols.apple.services import (
    MAX_ADDRESS,
    MAX_IDENTIFIER,
    MAX_KEY,
    MAX_NAME,
    MAX_PROPERTIES,
    MAX_SERVICES,
    MAX_VALUE,
    FoundDevice,
    Service,
    Tunnel,
    join,
)
from custom_components.rumpus.protocols.errors import ProtocolError


def service(
    protocol: AppleProtocol = AppleProtocol.AIRPLAY,
    identifier: str | None = "id",
    port: int = 7000,
    texts: dict[str, str] | None = None,
    **more: str,
) -> Service:
    """Return one that can be paired with."""
    properties = {**(texts or {}), **more}
    return Service(
        protocol, identifier, port, properties, pairing=PairingRequirement.MANDATORY
    )


def device(*services: Service, **changes: Any) -> FoundDevice:
    """Return one at an address."""
    return replace(FoundDevice("Room", "10.0.0.9", services), **changes)


def test_identifiers_and_the_main_one() -> None:
    found = device(
        service(AppleProtocol.COMPANION, "c"),
        service(AppleProtocol.AIRPLAY, "a"),
        service(AppleProtocol.RAOP, "a"),
        service(AppleProtocol.MRP, None),
    )
    assert found.identifiers == ("c", "a")
    assert found.identifier == "a"
    assert found.is_ready
    assert found.is_same_as(["x", "c"])
    assert not found.is_same_as([])
    assert found.service(AppleProtocol.RAOP) == service(AppleProtocol.RAOP, "a")
    assert found.service(AppleProtocol.DMAP) is None
    nobody = device(service(identifier=None))
    assert (nobody.identifiers, nobody.identifier, nobody.is_ready) == ((), None, False)


@pytest.mark.parametrize(
    ("properties", "tunnel"),
    [
        ({"model": "AudioAccessory6,1"}, Tunnel.TRANSIENT),
        ({"model": "AppleTV11,1", "osvers": "13.0"}, Tunnel.PAIRED),
        ({"model": "AppleTV11,1", "osvers": "26.1"}, Tunnel.PAIRED),
        ({"model": "AppleTV5,3", "osvers": "12.4"}, Tunnel.NONE),
        ({"model": "AppleTV5,3"}, Tunnel.NONE),
        ({"model": "AppleTV5,3", "osvers": "x"}, Tunnel.NONE),
        ({"model": "MacBookPro18,3", "osvers": "15.0"}, Tunnel.NONE),
        ({}, Tunnel.NONE),
    ],
)
def test_who_tunnels(properties: dict[str, str], tunnel: Tunnel) -> None:
    found = device(service(texts=properties))
    assert found.tunnel is tunnel
    assert found.uses_tunnel is (tunnel is not Tunnel.NONE)


def test_who_tunnels_by_other_facts() -> None:
    info = DeviceInfo(raw_model="AppleTV6,2", version="16.2")
    assert device(service(), info=info).tunnel is Tunnel.PAIRED
    assert device(service(port=0), info=info).tunnel is Tunnel.NONE
    assert device(service(AppleProtocol.MRP), info=info).tunnel is Tunnel.NONE


def test_what_airplay_can_do() -> None:
    second = service(features="0x0,0x10000")
    assert second.airplay_version is AirPlayVersion.V2
    assert second.has_transient_pairing
    first = service(ft="0x1", features="0x0,0x10000")
    assert first.features is AirPlayFlags.VIDEO_V1
    assert first.airplay_version is AirPlayVersion.V1
    assert first.has_transient_pairing
    broken = service(features="all of them")
    assert broken.features == 0
    assert not broken.has_transient_pairing


def test_what_can_be_used() -> None:
    assert device(service()).is_supported
    assert not device(replace(service(), is_enabled=False)).is_supported
    for requirement in (PairingRequirement.DISABLED, PairingRequirement.UNSUPPORTED):
        assert not device(replace(service(), pairing=requirement)).is_supported


def test_secrets_are_not_shown() -> None:
    assert "0x1234" not in repr(device(service(hg="0x1234")))
    assert len({device(service(a="1")), device(service(a="1"))}) == 1


def test_joined_devices_keep_the_first_word() -> None:
    known = device(
        service(port=7000, model="a"),
        info=DeviceInfo(mac="M"),
        is_asleep=True,
    )
    other = device(
        service(identifier="other", port=7001, model="b", osvers="1"),
        service(AppleProtocol.MRP, "m", 1),
        name="Other",
        address="10.0.0.8",
        info=DeviceInfo(OperatingSystem.TVOS, "1", "b", "model", "raw", "N", "out"),
    )
    joined = join(known, other)
    assert joined == FoundDevice(
        "Room",
        "10.0.0.9",
        (service(port=7000, model="a", osvers="1"), service(AppleProtocol.MRP, "m", 1)),
        info=DeviceInfo(OperatingSystem.TVOS, "1", "b", "model", "raw", "M", "out"),
    )
    assert join(other, known).info.mac == "N"


def test_a_service_known_by_name_alone_knows_less() -> None:
    bare = replace(service(port=0, identifier="new"), is_enabled=False)
    full = service(identifier=None, port=7000, model="a")
    expected = replace(full, identifier="new")
    assert join(device(bare), device(full)).services == (expected,)
    assert join(device(full), device(bare)).services == (expected,)


texts = st.text(max_size=40)
services = st.builds(
    Service,
    st.sampled_from(AppleProtocol),
    st.none() | texts,
    st.integers(0, 65535),
    st.dictionaries(texts, texts, max_size=5),
    st.booleans(),
    st.sampled_from(PairingRequirement),
    st.booleans(),
)
found_devices = st.builds(
    FoundDevice,
    texts,
    texts,
    st.lists(services, max_size=5).map(tuple),
    st.booleans(),
    st.builds(DeviceInfo, st.sampled_from(OperatingSystem), st.none() | texts),
)


@given(found_devices)
def test_stored_and_read_again(found: FoundDevice) -> None:
    assert FoundDevice.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def stored(**changes: object) -> dict[str, object]:
    """Return a device in its stored form, changed."""
    return device(service()).to_dict() | changes


def stored_service(**changes: object) -> dict[str, object]:
    """Return a device in its stored form with a service that was changed."""
    return stored(services=[service().to_dict() | changes])


@pytest.mark.parametrize(
    "broken",
    [
        {},
        stored(name=None),
        stored(address=7),
        stored(services=None),
        stored(services=["no"]),
        stored(services=[{1: 2}]),
        stored(is_asleep="yes"),
        stored(info=7),
        stored(info={"model": 7}),
        stored_service(protocol="gopher"),
        stored_service(port=-1),
        stored_service(port=65536),
        stored_service(port=True),
        stored_service(port="7000"),
        stored_service(identifier=7),
        stored_service(properties=None),
        stored_service(properties={"a": 1}),
        stored_service(is_enabled=None),
        stored_service(pairing="perhaps"),
        stored_service(requires_password=0),
    ],
)
def test_what_was_not_stored_by_us(broken: dict[str, object]) -> None:
    with pytest.raises(ProtocolError):
        FoundDevice.from_dict(broken)


def test_facts_may_be_missing() -> None:
    assert FoundDevice.from_dict(stored(info=None)).info == DeviceInfo()


def refused(entry: dict[str, object]) -> bool:
    """Tell whether a stored device is refused."""
    try:
        FoundDevice.from_dict(entry)
    except ProtocolError:
        return True
    return False


def test_limit_of_names() -> None:
    assert not refused(stored(name="a" * MAX_NAME))
    assert refused(stored(name="a" * (MAX_NAME + 1)))


def test_limit_of_addresses() -> None:
    assert not refused(stored(address="a" * MAX_ADDRESS))
    assert refused(stored(address="a" * (MAX_ADDRESS + 1)))


def test_limit_of_services() -> None:
    one = service().to_dict()
    assert not refused(stored(services=[one] * MAX_SERVICES))
    assert refused(stored(services=[one] * (MAX_SERVICES + 1)))


def test_limit_of_identifiers() -> None:
    assert not refused(stored_service(identifier="a" * MAX_IDENTIFIER))
    assert refused(stored_service(identifier="a" * (MAX_IDENTIFIER + 1)))


def test_limit_of_properties() -> None:
    many = {str(index): "" for index in range(MAX_PROPERTIES)}
    assert not refused(stored_service(properties=many))
    assert refused(stored_service(properties=many | {"more": ""}))
    together = join(device(service(texts=many)), device(service(more="")))
    assert len(together.services[0].properties) == MAX_PROPERTIES


def test_limit_of_keys_and_values() -> None:
    assert not refused(stored_service(properties={"a" * MAX_KEY: "a" * MAX_VALUE}))
    assert refused(stored_service(properties={"a" * (MAX_KEY + 1): ""}))
    assert refused(stored_service(properties={"a": "a" * (MAX_VALUE + 1)}))
