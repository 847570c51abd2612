"""What one host told, datagram by datagram (part A, sections 1.5 to 1.7)."""

import pytest

from custom_components.rumpus.protocols.apple import records_table
from custom_components.rumpus.protocols.apple.dns import (
    AddressRecord,
    Message,
    Name,
    PointerRecord,
    Record,
    ServiceRecord,
    TextRecord,
)
from custom_components.rumpus.protocols.apple.records import Announcement, ServiceType
from custom_components.rumpus.protocols.apple.records_table import (
    MAX_ADDRESSES,
    MAX_HOSTS,
    MAX_INSTANCES,
    RecordTable,
    instance_key,
)

AIRPLAY = ("_airplay", "_tcp", "local")
ROOM = ("Room", *AIRPLAY)
HOST = ("Room", "local")
ASKED = "10.0.0.1"

POINTER = PointerRecord(AIRPLAY, ROOM)
SERVICE = ServiceRecord(ROOM, 7000, HOST)
TEXT = TextRecord(ROOM, (b"deviceid=1",))


def message(*records: Record) -> Message:
    """Return an answer."""
    return Message(0, 0, (), records)


def table(*records: Record) -> RecordTable:
    """Return what one answer makes."""
    made = RecordTable(ServiceType)
    made.add(message(*records))
    return made


def only(made: RecordTable) -> Announcement:
    """Return the one service."""
    (found,) = made.announcements(ASKED)
    return found


@pytest.mark.parametrize(
    ("name", "key"),
    [
        (ROOM, (ServiceType.AIRPLAY, "Room")),
        (("A", "b", "_AirPlay", "_TCP", "Local"), (ServiceType.AIRPLAY, "A.b")),
        (AIRPLAY, (ServiceType.AIRPLAY, "")),
        (("Room", "_airplay", "_tcp", "example"), None),
        (("Room", "_airplay", "_tcp"), None),
        (("Room", "_http", "_tcp", "local"), None),
        (("local",), None),
        ((), None),
    ],
)
def test_names_of_services(name: Name, key: object) -> None:
    assert instance_key(name) == key


def test_one_service() -> None:
    made = table(POINTER, SERVICE, TEXT, AddressRecord(HOST, "10.0.0.9"))
    assert only(made) == Announcement(
        ServiceType.AIRPLAY, "Room", "10.0.0.9", 7000, {"deviceid": "1"}, "room.local"
    )
    assert (len(made), made.located, made.unlocated) == (1, 1, ())


def test_news_are_told_from_repetition() -> None:
    made = table(POINTER, SERVICE)
    assert not made.add(message(POINTER, SERVICE))
    assert made.add(message(TEXT))


def test_texts_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = table(POINTER, SERVICE, TEXT)
    monkeypatch.setattr(records_table, "read_texts", None)
    assert only(made).properties == {"deviceid": "1"}


def test_the_address_that_was_asked_goes_first() -> None:
    others = [AddressRecord(HOST, "10.0.0.9"), AddressRecord(HOST, "169.254.0.1")]
    assert only(table(SERVICE)).address == ASKED
    assert only(table(SERVICE, others[1])).address == ASKED
    assert only(table(SERVICE, *others)).address == "10.0.0.9"
    assert only(table(SERVICE, *others, AddressRecord(HOST, ASKED))).address == ASKED


def test_names_alone_are_those_of_a_sleep_proxy() -> None:
    made = table(POINTER)
    assert made.unlocated == ((ServiceType.AIRPLAY, "Room"),)
    assert only(made).is_proxied
    assert only(made).port == 0
    # What it tells when it is asked for all is told for the device that sleeps.
    made.add(message(SERVICE, TEXT))
    assert not list(made.unlocated)
    assert only(made).is_proxied
    assert only(made).port == 7000
    # Then the device itself speaks.
    made.add(message(POINTER, SERVICE))
    assert not only(made).is_proxied


def test_one_service_with_a_place_is_enough_to_be_awake() -> None:
    raop = ("_raop", "_tcp", "local")
    made = table(POINTER, SERVICE, PointerRecord(raop, ("1@Room", *raop)))
    assert not any(one.is_proxied for one in made.announcements(ASKED))


def test_a_place_without_a_port_is_none() -> None:
    made = table(POINTER, ServiceRecord(ROOM, 0, HOST))
    assert only(made).is_proxied
    assert made.located == 0


def test_services_at_the_host_of_a_sleep_proxy() -> None:
    proxy = ("_sleep-proxy", "_udp", "local")
    hall = ("70-1 Hall", *proxy)
    made = table(
        PointerRecord(proxy, hall), ServiceRecord(hall, 9, HOST), POINTER, SERVICE
    )
    found = {one.type: one for one in made.announcements(ASKED)}
    assert found[ServiceType.AIRPLAY].is_proxied
    assert not found[ServiceType.SLEEP_PROXY].is_proxied
    # Its sleep proxy is elsewhere, and is not the device.
    made.add(message(AddressRecord(HOST, "10.0.0.99")))
    found = {one.type: one for one in made.announcements(ASKED)}
    assert found[ServiceType.AIRPLAY].address == ASKED
    assert found[ServiceType.SLEEP_PROXY].address == "10.0.0.99"


def test_types_that_nobody_asked_for() -> None:
    made = RecordTable([ServiceType.RAOP])
    made.add(message(POINTER, SERVICE))
    assert len(made) == 0


def test_limit_of_instances() -> None:
    made = table(
        *(
            ServiceRecord((f"{index}", *AIRPLAY), 1, HOST)
            for index in range(MAX_INSTANCES)
        )
    )
    made.add(message(SERVICE, ServiceRecord(("0", *AIRPLAY), 2, HOST)))
    assert len(made) == MAX_INSTANCES
    assert made.announcements(ASKED)[0].port == 2


def test_limit_of_hosts() -> None:
    many = [AddressRecord((f"{index}",), "10.0.0.9") for index in range(MAX_HOSTS)]
    assert (
        only(table(SERVICE, *many[1:], AddressRecord(HOST, "10.0.0.9"))).address
        != ASKED
    )
    assert only(table(SERVICE, *many, AddressRecord(HOST, "10.0.0.9"))).address == ASKED


def test_limit_of_addresses() -> None:
    many = [AddressRecord(HOST, f"10.0.1.{index}") for index in range(MAX_ADDRESSES)]
    asked = AddressRecord(HOST, ASKED)
    assert only(table(SERVICE, *many[1:], asked)).address == ASKED
    assert only(table(SERVICE, *many, asked)).address == "10.0.1.0"
