"""From announcements to devices (part A, sections 1.1 to 1.3, 1.7, 1.8 and 1.10)."""

from dataclasses import replace

from hypothesis import given, strategies as st
import pytest

from custom_components.rumpus.protocols.apple import records
from custom_components.rumpus.protocols.apple.const import (
    AppleProtocol,
    PairingRequirement,
)
from custom_components.rumpus.protocols.apple.info import DeviceInfo, OperatingSystem
from custom_components.rumpus.protocols.apple.records import (
    MAX_ANNOUNCEMENTS,
    MAX_DEVICES,
    UNKNOWN_NAME,
    Announcement,
    ServiceType,
    announcement,
    clean_name,
    devices,
    mark_proxied,
    merge,
    read_texts,
    service_type,
    usable_address,
)
from custom_components.rumpus.protocols.apple.services import (
    MAX_IDENTIFIER,
    MAX_KEY,
    MAX_NAME,
    MAX_PROPERTIES,
    MAX_VALUE,
    FoundDevice,
    Service,
)

ADDRESS = "10.0.0.9"

UNSUPPORTED, DISABLED, NOT_NEEDED, OPTIONAL, MANDATORY = PairingRequirement


def said(
    type_: ServiceType,
    instance: str = "Living Room",
    *,
    address: str | None = ADDRESS,
    port: int = 7000,
    texts: dict[str, str] | None = None,
    **more: str,
) -> Announcement:
    """Return an announcement."""
    return Announcement(type_, instance, address, port, {**(texts or {}), **more})


def only(*announcements: Announcement) -> FoundDevice:
    """Return the one device behind announcements."""
    (device,) = devices(announcements)
    return device


def only_service(*announcements: Announcement) -> Service:
    """Return the one service behind announcements."""
    (service,) = only(*announcements).services
    return service


APPLE_TV = (
    said(ServiceType.DEVICE_INFO, port=0, address=None, model="J105aAP"),
    said(
        ServiceType.MRP,
        "Living Room",
        port=49152,
        name="Living Room",
        uniqueidentifier="MRP-ID",
        systembuildversion="18M60",
        allowpairing="YES",
        macaddress="aa:bb:cc:dd:ee:ff",
    ),
    said(ServiceType.RAOP, "AABBCCDDEEFF@Living Room", am="AppleTV6,2", ov="14.7"),
    said(
        ServiceType.COMPANION,
        port=49153,
        rpmd="AppleTV6,2",
        rpfl="0x36782",
        rpmrtid="RP-ID",
    ),
    said(
        ServiceType.AIRPLAY,
        deviceid="AA:BB:CC:DD:EE:FF",
        model="AppleTV6,2",
        osvers="14.7",
        flags="0x244",
        psi="PSI",
        pi="PI",
    ),
)


def test_a_whole_apple_tv() -> None:
    device = only(*APPLE_TV)
    assert (device.name, device.address, device.is_asleep) == (
        "Living Room",
        ADDRESS,
        False,
    )
    assert device.identifiers == (
        "AA:BB:CC:DD:EE:FF",
        "RP-ID",
        "MRP-ID",
        "AABBCCDDEEFF",
    )
    assert device.identifier == "MRP-ID"
    assert {one.protocol: one.pairing for one in device.services} == {
        AppleProtocol.AIRPLAY: MANDATORY,
        AppleProtocol.COMPANION: MANDATORY,
        AppleProtocol.MRP: OPTIONAL,
        AppleProtocol.RAOP: NOT_NEEDED,
    }
    assert device.info == DeviceInfo(
        OperatingSystem.TVOS,
        "14.7",
        "18M60",
        "Apple TV 4K",
        "AppleTV6,2",
        "AA:BB:CC:DD:EE:FF",
        "PSI",
    )


@given(st.permutations(APPLE_TV))
def test_the_order_does_not_matter(announcements: list[Announcement]) -> None:
    assert devices(announcements) == devices(APPLE_TV)


# Names and identifiers


@pytest.mark.parametrize(
    ("one", "name", "identifier"),
    [
        (said(ServiceType.AIRPLAY, "A", deviceid="d"), "A", "d"),
        (said(ServiceType.COMPANION, "A", rpmrtid="r"), "A", "r"),
        (said(ServiceType.COMPANION, "A"), "A", None),
        (said(ServiceType.RAOP, "id@A"), "A", "id"),
        (said(ServiceType.RAOP, "A", pk="key"), "A", "key"),
        (said(ServiceType.RAOP, "id@a@b"), "a@b", "id"),
        (said(ServiceType.MRP, "x", name="A", uniqueidentifier="u"), "A", "u"),
        (said(ServiceType.MRP, "x"), None, None),
        (said(ServiceType.TOUCHABLE, "dmap_more", ctln="A"), "A", "dmap"),
        (said(ServiceType.HOME_SHARING, "dmap", name="A"), "A", "dmap"),
        (
            said(ServiceType.HSCP, "x", texts={"machine name": "A", "machine id": "m"}),
            "A",
            "m",
        ),
        (said(ServiceType.SLEEP_PROXY, "70-35-60-63.1 A b"), "A b", None),
        (said(ServiceType.AIRPLAY, "A", deviceid="a\nb"), "A", None),
    ],
)
def test_names_and_identifiers(
    one: Announcement, name: str | None, identifier: str | None
) -> None:
    assert (one.name, one.identifier) == (name, identifier)


def test_hostile_names() -> None:
    assert clean_name("  Living\u00a0Room\n\u202e ") == "Living Room"
    assert (
        only(said(ServiceType.AIRPLAY, "\x00\x1b", deviceid="d")).name == UNKNOWN_NAME
    )


def test_limit_of_names() -> None:
    assert clean_name("a" * (MAX_NAME + 1)) == "a" * MAX_NAME
    assert (
        only(said(ServiceType.AIRPLAY, "b" * 999, deviceid="d")).name == "b" * MAX_NAME
    )


def test_limit_of_identifiers() -> None:
    assert said(ServiceType.AIRPLAY, deviceid="a" * MAX_IDENTIFIER).identifier
    assert (
        said(ServiceType.AIRPLAY, deviceid="a" * (MAX_IDENTIFIER + 1)).identifier
        is None
    )


# Properties


def test_properties() -> None:
    assert read_texts(
        [b"Model=a=b", b"alone", b"=empty", b"", b"MODEL=second", b"\xff=x", b"v=\xff"]
    ) == {"model": "a=b", "alone": "", "v": "\\xff"}
    assert read_texts([b"n=a\xc2\xa0b\x00\xa0c"]) == {"n": "a b c"}


def test_limit_of_properties() -> None:
    many = [b"%d=x" % index for index in range(MAX_PROPERTIES + 1)]
    assert len(read_texts(many)) == MAX_PROPERTIES
    one = said(ServiceType.TOUCHABLE, "dmap", texts={str(i): "" for i in range(100)})
    other = said(
        ServiceType.HOME_SHARING, "dmap", texts={f"x{i}": "" for i in range(100)}
    )
    assert len(only_service(one, other).properties) == MAX_PROPERTIES


def test_limit_of_keys() -> None:
    assert read_texts([b"a" * MAX_KEY, b"b" * (MAX_KEY + 1)]) == {"a" * MAX_KEY: ""}


def test_limit_of_values() -> None:
    assert read_texts([b"a=" + b"b" * 600]) == {"a": "b" * MAX_VALUE}


# What others have resolved


def test_what_home_assistant_has_found() -> None:
    assert announcement(
        "_airplay._tcp.local.",
        "Living.Room._airplay._tcp.local.",
        addresses=["fe80::1", "169.254.1.1", "2001:db8::1", ADDRESS],
        port=7000,
        properties={"deviceID": "AA", "raw": b"x", "nothing": None},
        host="Living-Room.local.",
    ) == Announcement(
        ServiceType.AIRPLAY,
        "Living.Room",
        ADDRESS,
        7000,
        {"deviceid": "AA", "raw": "x", "nothing": ""},
        "living-room.local",
    )


def test_what_home_assistant_could_not_resolve() -> None:
    for port in (None, 0, 70000):
        found = announcement(
            "_AirPlay._tcp.local.",
            "A._airplay._TCP.local.",
            addresses=["?"],
            port=port,
            properties={},
        )
        assert found == Announcement(ServiceType.AIRPLAY, "A", None, 0)


@pytest.mark.parametrize(
    ("type_", "name"),
    [
        ("_http._tcp.local.", "A._http._tcp.local."),
        ("_airplay._tcp.local.", "_airplay._tcp.local."),
        ("_airplay._tcp.local.", "._airplay._tcp.local."),
        ("_airplay._tcp.local.", "A._raop._tcp.local."),
    ],
)
def test_what_is_not_ours(type_: str, name: str) -> None:
    assert announcement(type_, name, addresses=[], port=1, properties={}) is None


def test_types() -> None:
    assert service_type("_RAOP._tcp") is ServiceType.RAOP
    assert service_type("_raop._tcp.local.") is ServiceType.RAOP
    assert service_type("_raop._udp.local.") is None


@pytest.mark.parametrize(
    ("address", "usable"),
    [
        ("192.168.1.2", True),
        ("8.8.8.8", True),
        ("fd00::1", True),
        ("169.254.0.1", False),
        ("0.0.0.0", False),  # noqa: S104
        ("224.0.0.251", False),
        ("255.255.255.255", False),
        ("fe80::1%eth0", False),
        ("name.local", False),
        ("", False),
    ],
)
def test_usable_addresses(address: str, usable: bool) -> None:
    assert (usable_address(address) is not None) is usable


def test_loopback_is_for_tests() -> None:
    assert usable_address("127.0.0.2") == "127.0.0.2"
    assert usable_address("127.0.0.2", allow_loopback=False) is None


# Which services are one device


def test_services_nobody_can_reach_are_left_out() -> None:
    assert devices([said(ServiceType.AIRPLAY, port=0)]) == ()
    assert devices([said(ServiceType.AIRPLAY, address=None)]) == ()
    assert devices([said(ServiceType.SLEEP_PROXY)]) == ()


def test_two_services_of_a_protocol_are_merged_into_the_first() -> None:
    device = only(
        said(ServiceType.HOME_SHARING, "dmap", port=1, name="A", hg="h"),
        said(ServiceType.TOUCHABLE, "touch", port=2, ctln="A"),
    )
    assert device.name == "A"
    assert device.services == (
        Service(
            AppleProtocol.DMAP,
            "dmap",
            1,
            {"name": "A", "hg": "h", "ctln": "A"},
            pairing=OPTIONAL,
        ),
    )


def test_devices_at_one_address_are_told_apart_by_their_names() -> None:
    found = devices(
        [
            said(ServiceType.AIRPLAY, "One", deviceid="1"),
            said(ServiceType.AIRPLAY, "Two", deviceid="2"),
            said(ServiceType.RAOP, "2@Two"),
            said(ServiceType.MRP, "x", uniqueidentifier="nameless"),
        ]
    )
    assert [(one.name, one.identifiers) for one in found] == [
        ("One", ("1",)),
        ("Two", ("2",)),
        (UNKNOWN_NAME, ("nameless",)),
    ]


def test_a_name_in_two_ways_of_writing_is_one() -> None:
    device = only(
        said(ServiceType.AIRPLAY, "One", deviceid="1"),
        replace(said(ServiceType.COMPANION, "ONE"), is_proxied=True),
        said(ServiceType.MRP, "x", uniqueidentifier="nameless"),
    )
    assert device.identifiers == ("1", "nameless")
    assert not device.is_asleep


def test_devices_behind_a_sleep_proxy() -> None:
    at = "sleep-proxy.local"
    proxy = replace(said(ServiceType.SLEEP_PROXY, "70-1 Hall", port=1), host=at)
    told = [
        proxy,
        replace(said(ServiceType.AIRPLAY, "Hall", deviceid="hall"), host=at),
        replace(said(ServiceType.AIRPLAY, "One", deviceid="1"), host=at),
        replace(said(ServiceType.RAOP, "2@Two"), host=at),
        replace(said(ServiceType.RAOP, "3@Three"), host="three.local"),
        replace(said(ServiceType.MRP, "x", uniqueidentifier="4"), host=at),
    ]
    found = {one.name: one for one in devices(mark_proxied(told))}
    assert {name: one.is_asleep for name, one in found.items()} == {
        "Hall": False,
        "One": True,
        "Two": True,
        "Three": False,
        UNKNOWN_NAME: False,
    }
    assert mark_proxied(told[1:]) == tuple(told[1:])


def test_a_name_alone_cannot_be_connected_to() -> None:
    bare = replace(said(ServiceType.RAOP, "1@One", port=0), is_proxied=True)
    device = only(bare, replace(said(ServiceType.MRP, "One", port=0), is_proxied=True))
    assert device.is_asleep
    assert device.is_ready
    assert not any(one.is_enabled or one.port for one in device.services)
    assert not device.is_supported


def test_the_latest_word_about_a_service_counts() -> None:
    first = said(ServiceType.AIRPLAY, deviceid="1", port=1)
    assert only_service(first, replace(first, port=2)).port == 2


def test_limit_of_announcements() -> None:
    many = [
        said(ServiceType.COMPANION, f"{index}", rpmrtid="same")
        for index in range(MAX_ANNOUNCEMENTS)
    ]
    late = said(ServiceType.AIRPLAY, "late", address="10.0.0.1", deviceid="late")
    assert "10.0.0.1" not in {one.address for one in devices([*many, late])}
    assert len(records._latest([*many, late, many[0]])) == MAX_ANNOUNCEMENTS


def test_limit_of_devices() -> None:
    many = [
        said(ServiceType.AIRPLAY, f"{index}", deviceid=f"{index}")
        for index in range(MAX_DEVICES + 1)
    ]
    assert len(devices(many)) == MAX_DEVICES


def test_merged_by_identifiers() -> None:
    one = only(said(ServiceType.AIRPLAY, "One", deviceid="1"))
    again = only(
        said(ServiceType.AIRPLAY, "One", deviceid="1", address="10.0.0.8"),
        said(ServiceType.COMPANION, "One", rpmrtid="c", address="10.0.0.8"),
    )
    third = only(said(ServiceType.COMPANION, "Three", rpmrtid="c"))
    other = only(said(ServiceType.AIRPLAY, "Two", deviceid="2"))
    assert [one.name for one in merge([one, other, third])] == ["One", "Two", "Three"]
    # The second one shows that the first and the third are one.
    merged = merge([one, other, third, again])
    assert [(one.name, one.address, one.identifiers) for one in merged] == [
        ("One", ADDRESS, ("1", "c")),
        ("Two", ADDRESS, ("2",)),
    ]


def test_awake_goes_before_asleep() -> None:
    asleep = replace(
        only(said(ServiceType.AIRPLAY, "One", deviceid="1", address="10.0.0.1")),
        is_asleep=True,
    )
    awake = only(said(ServiceType.AIRPLAY, "One", deviceid="1"))
    assert merge([asleep, awake]) == (awake,)
    assert merge([asleep, asleep]) == (asleep,)


texts = st.text(max_size=20)
announcements = st.builds(
    Announcement,
    st.sampled_from(ServiceType),
    texts.filter(bool),
    st.none() | st.sampled_from(["10.0.0.1", "10.0.0.2"]),
    st.integers(0, 65535),
    st.dictionaries(
        st.sampled_from(
            [
                "deviceid",
                "rpmrtid",
                "uniqueidentifier",
                "model",
                "name",
                "flags",
                "acl",
                "wama",
            ]
        ),
        texts,
    ),
    st.none() | st.sampled_from(["a.local", "b.local"]),
    st.booleans(),
)


@given(st.lists(announcements, max_size=12))
def test_anything_can_be_announced(told: list[Announcement]) -> None:
    for device in merge(devices(mark_proxied(told))):
        assert device.name
        assert device.name.isprintable()
        assert len({one.protocol for one in device.services}) == len(device.services)
        assert FoundDevice.from_dict(device.to_dict()) == device
