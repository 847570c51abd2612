"""What became of devices (the Apple TV reference, part A, sections 1.6 and 1.7)."""

from dataclasses import replace

from hypothesis import given, strategies as st
import pytest

from custom_components.rumpus.protocols.apple.records import Announcement, ServiceType
from custom_components.rumpus.protocols.apple.services import FoundDevice
from custom_components.rumpus.protocols.apple.watch_sightings import (
    MAX_DEVICES,
    MAX_REMEMBERED,
    MAX_SERVICES,
    MAX_WANTED,
    SightingKind,
    Sightings,
)

APPEARED, CHANGED, ASLEEP, AWAKE, GONE = SightingKind
ADDRESS = "10.0.0.9"


def airplay(
    name: str = "Room",
    identifier: str = "1",
    *,
    address: str = ADDRESS,
    port: int = 7000,
) -> Announcement:
    """Return an announcement of AirPlay."""
    return Announcement(
        ServiceType.AIRPLAY, name, address, port, {"deviceid": identifier}
    )


def bare(name: str = "Room", type_: ServiceType = ServiceType.AIRPLAY) -> Announcement:
    """Return what a sleep proxy says that tells nothing but names."""
    return Announcement(type_, name, None, 0)


RAOP = Announcement(ServiceType.RAOP, "R@Room", ADDRESS, 7000)


@pytest.fixture
def sightings() -> Sightings:
    return Sightings()


def told(sightings: Sightings, *announced: Announcement) -> list[tuple[str, str]]:
    """Announce, and return the kind of each sighting with the device's name."""
    for one in announced:
        sightings.add(one)
    return [(one.kind.value, one.device.name) for one in sightings.update()]


def kinds(sightings: Sightings, *announced: Announcement) -> list[str]:
    """Announce, and return the kind of each sighting."""
    return [kind for kind, _ in told(sightings, *announced)]


def test_a_device_comes_moves_and_goes(sightings: Sightings) -> None:
    assert kinds(sightings, airplay()) == [APPEARED]
    assert not sightings.add(airplay())
    assert kinds(sightings) == []
    assert kinds(sightings, airplay(address="10.0.0.8")) == [CHANGED]
    assert kinds(sightings, airplay(address="10.0.0.8", port=7001)) == [CHANGED]
    assert sightings.devices[0].address == "10.0.0.8"
    assert sightings.remove(airplay().key)
    assert not sightings.remove(airplay().key)
    assert kinds(sightings) == [GONE]
    assert not sightings.devices
    assert kinds(sightings, airplay()) == [APPEARED]


def test_a_service_more_and_less(sightings: Sightings) -> None:
    told(sightings, airplay())
    assert kinds(sightings, RAOP) == [CHANGED]
    assert sightings.devices[0].identifiers == ("1", "R")
    sightings.remove(airplay().key)
    assert kinds(sightings) == [CHANGED]
    assert set(sightings.devices[0].identifiers) == {"R"}


def test_what_cannot_be_known_again_is_not_told(sightings: Sightings) -> None:
    companion = Announcement(ServiceType.COMPANION, "Room", ADDRESS, 1)
    assert kinds(sightings, companion) == []
    # It belongs to the device as soon as that has another service.
    told(sightings, airplay())
    assert len(sightings.devices[0].services) == 2


def test_a_device_that_announces_itself_anew(sightings: Sightings) -> None:
    told(sightings, airplay())
    sightings.remove(airplay().key)
    assert sightings.add(airplay())
    assert kinds(sightings) == [AWAKE]
    assert kinds(sightings) == []
    assert sightings.stir(airplay().key)
    assert kinds(sightings) == [AWAKE]
    assert not sightings.stir(RAOP.key)


def test_another_device_stirs(sightings: Sightings) -> None:
    told(sightings, airplay(), airplay("Hall", "2", address="10.0.0.2"))
    sightings.stir(airplay("Hall").key)
    assert told(sightings) == [(AWAKE, "Hall")]


def test_asleep_by_name_and_awake_again(sightings: Sightings) -> None:
    told(sightings, airplay(), RAOP)
    (before,) = sightings.devices
    # One of the two is awake.
    assert kinds(sightings, bare()) == []
    assert kinds(sightings, bare("R@Room", ServiceType.RAOP)) == [ASLEEP]
    # It is still known where it was.
    assert sightings.devices == (replace(before, is_asleep=True),)
    assert sightings.is_unlocated(RAOP.key)
    assert not sightings.is_located(RAOP.key)
    assert not sightings.stir(RAOP.key)
    assert kinds(sightings, airplay(), RAOP) == [AWAKE]
    assert sightings.devices == (before,)


def test_gone_and_then_asleep(sightings: Sightings) -> None:
    told(sightings, airplay())
    sightings.remove(airplay().key)
    assert kinds(sightings) == [GONE]
    assert kinds(sightings, bare()) == [APPEARED]
    assert sightings.devices[0].is_asleep
    sightings.remove(airplay().key)
    assert kinds(sightings) == [GONE]


def test_asleep_at_the_address_of_its_sleep_proxy(sightings: Sightings) -> None:
    told(sightings, airplay())
    (before,) = sightings.devices
    proxied = replace(airplay(address="10.0.0.2"), is_proxied=True)
    assert kinds(sightings, proxied) == [ASLEEP]
    assert sightings.devices == (replace(before, is_asleep=True),)
    assert sightings.devices[0].address == ADDRESS


def test_asleep_at_the_host_of_a_sleep_proxy(sightings: Sightings) -> None:
    at = "proxy.local"
    proxy = replace(
        Announcement(ServiceType.SLEEP_PROXY, "1-1 Proxy", "10.0.0.2", 9), host=at
    )
    assert kinds(sightings, proxy, replace(airplay(), host=at)) == [APPEARED]
    assert sightings.devices[0].is_asleep
    assert sightings.proxies == ("10.0.0.2",)
    assert kinds(sightings, replace(airplay(), host="room.local")) == [AWAKE]


def test_names_of_strangers_tell_nothing(sightings: Sightings) -> None:
    assert kinds(sightings, bare()) == []
    assert bare().key in sightings
    assert kinds(sightings, airplay()) == [APPEARED]


def test_a_device_of_earlier_days_is_recognised(sightings: Sightings) -> None:
    other = Sightings()
    told(other, airplay(), RAOP)
    (known,) = other.devices
    sightings.remember(replace(known, is_asleep=True))
    assert kinds(sightings) == []
    assert kinds(sightings, bare("room")) == [APPEARED]
    assert sightings.devices == (replace(known, is_asleep=True),)
    # By its identifier, too, whatever it is called now.
    sightings = Sightings()
    sightings.remember(known)
    assert kinds(sightings, bare("R@Kitchen", ServiceType.RAOP)) == [APPEARED]


def test_two_devices_that_turn_out_to_be_one(sightings: Sightings) -> None:
    hall = Announcement(ServiceType.RAOP, "R@Hall", "10.0.0.2", 1)
    assert kinds(sightings, airplay(), hall) == [APPEARED, APPEARED]
    assert kinds(sightings, RAOP) == [CHANGED]
    assert len(sightings.devices) == 1
    sightings.remove(hall.key)
    sightings.remove(RAOP.key)
    assert kinds(sightings) == [CHANGED]


def test_limit_of_services(sightings: Sightings) -> None:
    told(sightings, airplay())
    sightings.remove(airplay().key)
    for index in range(MAX_SERVICES):
        assert sightings.add(bare(f"{index}"))
    assert not sightings.add(bare("more"))
    assert sightings.add(bare("0", ServiceType.RAOP)) is False
    # What is known is let in, and another stranger has to go.
    assert sightings.add(airplay())
    assert airplay().key in sightings
    assert bare("0").key not in sightings
    assert bare("1").key in sightings


def test_limit_of_services_when_all_are_known(sightings: Sightings) -> None:
    told(sightings, airplay())
    for index in range(1, MAX_SERVICES):
        assert sightings.add(replace(RAOP, instance=f"{index}@Room"))
    assert not sightings.add(replace(RAOP, instance="more@Room"))


def test_limit_of_devices(sightings: Sightings) -> None:
    strangers = [
        airplay(f"{index}", f"{index}", address=f"10.0.1.{index}")
        for index in range(MAX_DEVICES)
    ]
    assert len(told(sightings, *strangers)) == MAX_DEVICES
    assert len(told(sightings, airplay("more", "more"))) == 0
    # One that was known before goes first.
    known = Sightings()
    told(known, airplay("more", "more"))
    sightings = Sightings()
    sightings.remember(known.devices[0])
    told(sightings, *strangers, airplay("more", "more"))
    assert sightings.devices[0].name == "more"
    assert len(sightings.devices) == MAX_DEVICES


def test_strangers_do_not_hide_what_is_known(sightings: Sightings) -> None:
    known = Sightings()
    told(known, airplay())
    sightings.remember(known.devices[0])
    strangers = [
        airplay(f"{index}", f"id {index}", address=f"10.0.{index // 200}.{index % 200}")
        for index in range(300)
    ]
    assert (APPEARED, "Room") in told(sightings, *strangers, airplay())


def test_what_was_heard_goes_before_what_is_remembered(sightings: Sightings) -> None:
    told(sightings, airplay(address="10.0.0.8"))
    (now,) = sightings.devices
    sightings.remember(replace(now, address=ADDRESS, is_asleep=True))
    assert kinds(sightings, bare()) == [ASLEEP]
    assert sightings.devices[0].address == "10.0.0.8"


def test_a_device_that_tells_where_it_is_alone(sightings: Sightings) -> None:
    told(sightings, airplay())
    moved = replace(airplay(port=7001), properties={})
    assert kinds(sightings, moved) == [CHANGED]
    (device,) = sightings.devices
    assert (device.identifiers, device.services[0].port) == (("1",), 7001)


def test_a_device_under_a_new_name_is_where_it_said_last(sightings: Sightings) -> None:
    # It has never said good-bye under its old name.
    told(sightings, airplay(port=7000))
    assert kinds(sightings, airplay("Room (2)", port=7001)) == [CHANGED]
    (device,) = sightings.devices
    assert (device.name, device.services[0].port) == ("Room (2)", 7001)
    # Back to where it was before.
    assert kinds(sightings, airplay(port=7002)) == [CHANGED]
    (device,) = sightings.devices
    assert (device.name, device.services[0].port) == ("Room", 7002)


def test_limit_of_what_is_remembered(sightings: Sightings) -> None:
    for index in range(MAX_REMEMBERED + 1):
        told(sightings, airplay(f"{index}", f"{index}"))
        sightings.remove(airplay(f"{index}").key)
    assert not sightings.is_remembered("0", None)
    assert sightings.is_remembered("1", None)
    assert sightings.is_remembered(None, "1")


def test_limit_of_devices_of_earlier_days(sightings: Sightings) -> None:
    for index in range(MAX_WANTED + 1):
        other = Sightings()
        told(other, airplay(f"{index}", f"{index}"))
        sightings.remember(other.devices[0])
    assert not sightings.is_remembered("0", None)
    assert sightings.is_remembered("1", None)


def test_strangers_do_not_push_out_what_is_remembered_for_good(
    sightings: Sightings,
) -> None:
    other = Sightings()
    told(other, airplay())
    sightings.remember(other.devices[0])
    told(sightings, airplay(address="10.0.0.8"))
    sightings.remove(airplay().key)
    for index in range(MAX_REMEMBERED + 1):
        told(sightings, airplay(f"{index}", f"id {index}"))
        sightings.remove(airplay(f"{index}").key)
    assert (APPEARED, "Room") in told(sightings, bare())
    # It is where it was last, not where it was in earlier days.
    assert sightings.devices[-1].address == "10.0.0.8"


announced = st.builds(
    lambda index, address, port, proxied, type_: Announcement(
        type_,
        f"{index}@{index % 3}",
        address,
        port,
        {"deviceid": f"{index % 4}"},
        is_proxied=proxied,
    ),
    st.integers(0, 5),
    st.sampled_from([None, "10.0.0.1", "10.0.0.2"]),
    st.sampled_from([0, 7000, 7001]),
    st.booleans(),
    st.sampled_from([ServiceType.AIRPLAY, ServiceType.RAOP, ServiceType.COMPANION]),
)
steps = st.lists(
    st.one_of(announced, st.just(None), announced.map(lambda one: one.key))
)


@given(steps)
def test_what_is_told_adds_up(steps: list[object]) -> None:
    sightings = Sightings()
    known: dict[str | None, FoundDevice] = {}
    for step in [*steps, None]:
        if isinstance(step, Announcement):
            sightings.add(step)
        elif isinstance(step, tuple):
            sightings.remove(step)
        else:
            for sighting in sightings.update():
                known = {
                    name: device
                    for name, device in known.items()
                    if not device.is_same_as(sighting.device.identifiers)
                }
                if sighting.kind is not GONE:
                    known[sighting.device.identifier] = sighting.device
            assert len(known) == len(sightings.devices)
            assert all(device in known.values() for device in sightings.devices)


def test_a_service_asleep_of_a_device_that_is_awake(sightings: Sightings) -> None:
    # By their names these are two as soon as a sleep proxy speaks for one of them.
    other = Announcement(ServiceType.RAOP, "R@Hall", ADDRESS, 7000)
    assert kinds(sightings, airplay(), other) == [APPEARED]
    assert kinds(sightings, replace(other, port=0)) == []
    assert len(sightings.devices) == 1
