"""What services ask for and what devices are (part A, sections 1.8 and 1.10)."""

import pytest

from .test_records import only, only_service, said
from custom_components.rumpus.protocols.apple.const import (
    AppleProtocol,
    PairingRequirement,
)
from custom_components.rumpus.protocols.apple.info import DeviceInfo, OperatingSystem
from custom_components.rumpus.protocols.apple.records import Announcement, ServiceType

UNSUPPORTED, DISABLED, NOT_NEEDED, OPTIONAL, MANDATORY = PairingRequirement


# What services ask for


@pytest.mark.parametrize(
    ("flags", "pairing"),
    [
        ("0x36782", MANDATORY),
        ("0x367A2", MANDATORY),
        ("0xB6782", MANDATORY),
        ("0x62792", UNSUPPORTED),
        ("0x627B2", UNSUPPORTED),
        ("0x627B6", DISABLED),
        ("0xB67A2", MANDATORY),
        ("0x20000", UNSUPPORTED),
        ("0x30000", UNSUPPORTED),
        ("", UNSUPPORTED),
        ("nonsense", UNSUPPORTED),
    ],
)
def test_pairing_of_companion(flags: str, pairing: PairingRequirement) -> None:
    assert only_service(said(ServiceType.COMPANION, rpfl=flags)).pairing is pairing


AIRPLAY_RULES = [
    ({}, NOT_NEEDED),
    ({"flags": "0x244"}, MANDATORY),
    ({"flags": "0x8"}, MANDATORY),
    ({"flags": "0x4"}, NOT_NEEDED),
    ({"flags": "0x8", "sf": "0x4"}, NOT_NEEDED),
    ({"flags": "0x8", "sf": ""}, MANDATORY),
    ({"acl": "0"}, NOT_NEEDED),
    ({"acl": "1", "model": "Mac14,7"}, DISABLED),
    ({"acl": "1", "flags": "0x8"}, DISABLED),
    ({"model": "Mac14,7", "flags": "0x8"}, UNSUPPORTED),
    ({"act": "2", "flags": "0x8"}, MANDATORY),
    ({"act": "2"}, UNSUPPORTED),
    ({"act": "1"}, NOT_NEEDED),
]


@pytest.mark.parametrize(("properties", "pairing"), AIRPLAY_RULES)
def test_pairing_of_airplay(
    properties: dict[str, str], pairing: PairingRequirement
) -> None:
    assert only_service(said(ServiceType.AIRPLAY, texts=properties)).pairing is pairing


@pytest.mark.parametrize(
    ("airplay", "raop", "pairing"),
    [
        ({"acl": "1"}, {"sf": "0x8"}, DISABLED),
        ({"act": "2"}, {"sf": "0x8"}, UNSUPPORTED),
        ({"flags": "0x8"}, {}, NOT_NEEDED),
        ({}, {"sf": "0x8"}, MANDATORY),
        ({}, {"am": "Mac14,7"}, UNSUPPORTED),
    ],
)
def test_pairing_of_raop(
    airplay: dict[str, str], raop: dict[str, str], pairing: PairingRequirement
) -> None:
    device = only(
        said(ServiceType.AIRPLAY, texts=airplay),
        said(ServiceType.RAOP, "id@Living Room", texts=raop),
    )
    service = device.service(AppleProtocol.RAOP)
    assert service is not None
    assert service.pairing is pairing


@pytest.mark.parametrize(
    ("properties", "is_enabled", "pairing"),
    [
        ({"allowpairing": "YES"}, True, OPTIONAL),
        ({"allowpairing": "yes", "systembuildversion": "18M60"}, True, OPTIONAL),
        ({"allowpairing": "NO"}, True, DISABLED),
        ({}, True, DISABLED),
        ({"allowpairing": "YES", "systembuildversion": "19J346"}, False, NOT_NEEDED),
        ({"allowpairing": "YES", "systembuildversion": "23K1"}, False, NOT_NEEDED),
        ({"allowpairing": "YES", "systembuildversion": "new"}, True, OPTIONAL),
    ],
)
def test_pairing_of_mrp(
    properties: dict[str, str], is_enabled: bool, pairing: PairingRequirement
) -> None:
    service = only_service(said(ServiceType.MRP, texts=properties))
    assert (service.is_enabled, service.pairing) == (is_enabled, pairing)


def test_pairing_of_dmap() -> None:
    assert only_service(said(ServiceType.HOME_SHARING, hg="x")).pairing is OPTIONAL
    assert only_service(said(ServiceType.TOUCHABLE)).pairing is MANDATORY


@pytest.mark.parametrize(
    ("properties", "needed"),
    [
        ({}, False),
        ({"pw": "true"}, True),
        ({"pw": "TRUE"}, True),
        ({"pw": "false"}, False),
        ({"flags": "0x80"}, True),
        ({"sf": "0x4", "flags": "0x80"}, False),
    ],
)
def test_passwords(properties: dict[str, str], needed: bool) -> None:
    for type_ in (ServiceType.AIRPLAY, ServiceType.RAOP):
        assert only_service(said(type_, texts=properties)).requires_password is needed
    assert not only_service(
        said(ServiceType.COMPANION, texts=properties)
    ).requires_password


# What devices are


@pytest.mark.parametrize(
    ("announcements", "info"),
    [
        (
            [said(ServiceType.AIRPLAY, model="Mac14,7", osvers="15.1", pi="PI")],
            DeviceInfo(
                OperatingSystem.MACOS, "15.1", None, "Mac14,7", "Mac14,7", None, "PI"
            ),
        ),
        (
            [
                said(ServiceType.TOUCHABLE),
                said(ServiceType.AIRPLAY, model="AppleTV3,2"),
            ],
            DeviceInfo(
                OperatingSystem.LEGACY, model="Apple TV 3", raw_model="AppleTV3,2"
            ),
        ),
        (
            [said(ServiceType.HSCP)],
            DeviceInfo(OperatingSystem.LEGACY, model="Music/iTunes", raw_model="Music"),
        ),
        (
            [
                said(ServiceType.MRP, systembuildversion="23J1", macaddress="aa-bb"),
                said(ServiceType.DEVICE_INFO, address=None, port=0, model="J255AP"),
            ],
            DeviceInfo(OperatingSystem.TVOS, "26.x", "23J1", None, None, "AA:BB"),
        ),
        (
            [
                said(ServiceType.RAOP, "id@Living Room", am="AirPort10,115"),
                said(
                    ServiceType.AIRPORT,
                    port=5009,
                    wama="AA-BB-CC,raMA=x,syVs=7.8.1,other",
                ),
            ],
            DeviceInfo(
                OperatingSystem.AIRPORT_OS,
                "7.8.1",
                None,
                "AirPort Express (gen 2)",
                "AirPort10,115",
                "AA:BB:CC",
            ),
        ),
        (
            [said(ServiceType.COMPANION, rpmd="iPad1,1\n" + "x" * 200)],
            DeviceInfo(
                model=("iPad1,1" + "x" * 200)[:128],
                raw_model=("iPad1,1" + "x" * 200)[:128],
            ),
        ),
        ([said(ServiceType.AIRPLAY)], DeviceInfo()),
    ],
)
def test_facts(announcements: list[Announcement], info: DeviceInfo) -> None:
    assert only(*announcements).info == info


def test_the_board_tells_the_model_if_nothing_else_does() -> None:
    board = said(ServiceType.DEVICE_INFO, address=None, port=0, model="J255AP")
    device = only(said(ServiceType.AIRPLAY), board)
    assert device.info.raw_model == "AppleTV14,1"
    device = only(said(ServiceType.AIRPLAY, model="AppleTV6,2"), board)
    assert device.info.raw_model == "AppleTV6,2"
