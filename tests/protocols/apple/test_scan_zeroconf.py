"""Asking everybody, through zeroconf over loopback (part A, section 1.6)."""

import asyncio

import pytest
from zeroconf import Zeroconf
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from .zeroconf_support import (  # noqa: F401 - fixtures have to be known here
    AIRPLAY,
    LONG,
    LOOPBACK,
    PATIENCE,
    PROXY_RECORDS,
    Device,
    SleepProxy,
    hear,
    name_fixture,
    other_fixture,
    real_zeroconf_fixture,
    zeroconf_fixture,
)
from custom_components.rumpus.protocols.apple import scan_zeroconf
from custom_components.rumpus.protocols.apple.const import AppleProtocol
from custom_components.rumpus.protocols.apple.records import Announcement, ServiceType
from custom_components.rumpus.protocols.apple.scan import scan_multicast
from custom_components.rumpus.protocols.apple.scan_zeroconf import (
    MAX_NAMES,
    MAX_PROXIES,
    ask_proxies,
    look_up,
    read_cached,
)
from tests.fakes.apple_tv_dns import PTR, TXT, Record, txt_data


async def test_what_is_announced_is_found(
    zeroconf: AsyncZeroconf, other: AsyncZeroconf, name: str
) -> None:
    type_ = "_airplay._tcp.local."
    info = AsyncServiceInfo(
        type_,
        f"{name}.{type_}",
        7000,
        properties={"deviceid": f"id of {name}", "model": "AppleTV6,2"},
        server=f"{name.replace(' ', '-')}.local.",
        parsed_addresses=[LOOPBACK],
    )
    await (await other.async_register_service(info, cooperating_responders=True))
    async with asyncio.timeout(PATIENCE):
        (found,) = await scan_multicast(
            zeroconf, timeout=LONG, identifiers=[f"id of {name}"], allow_loopback=True
        )
    assert (found.name, found.address, found.is_asleep) == (name, LOOPBACK, False)
    assert found.info.model == "Apple TV 4K"
    assert found.services[0].port == 7000


async def test_what_is_known_already_is_found_at_once(
    zeroconf: AsyncZeroconf, name: str
) -> None:
    device = Device(name, address="10.0.0.9")
    board = Record(
        (name, "_device-info", "_tcp", "local"), TXT, txt_data({"model": "J255AP"})
    )
    hear(zeroconf, device.pointer, *device.details, board)
    async with asyncio.timeout(PATIENCE):
        (found,) = await scan_multicast(
            zeroconf,
            timeout=LONG,
            protocols=[AppleProtocol.AIRPLAY],
            identifiers=[device.identifier],
        )
    assert found.address == "10.0.0.9"
    assert found.info.raw_model == "AppleTV14,1"


async def test_the_whole_time_is_searched(zeroconf: AsyncZeroconf, name: str) -> None:
    device, moved = Device(name, address="10.0.0.9"), Device(name, address="10.0.0.8")
    loopback, local = Device(f"{name} a"), Device(f"{name} b", address="169.254.1.1")
    gone = Device(f"{name} c", address="10.0.0.7")
    hear(zeroconf, device.pointer, *device.details)
    hear(zeroconf, *moved.details)
    hear(zeroconf, loopback.pointer, *loopback.details)
    hear(zeroconf, local.pointer, *local.details)
    hear(zeroconf, gone.pointer, *gone.details)
    searching = asyncio.ensure_future(scan_multicast(zeroconf, timeout=0.3))
    await asyncio.sleep(0)
    hear(zeroconf, gone.goodbye)
    # Whoever is heard last is where it says that it is.
    assert [(one.name, one.address) for one in await searching if name in one.name] == [
        (name, "10.0.0.8")
    ]


async def test_strangers_are_looked_at_once(
    zeroconf: AsyncZeroconf, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def note(
        _: Zeroconf, type_: ServiceType, instance: str, **__: bool
    ) -> Announcement:
        read.append(instance)
        return Announcement(type_, instance, None, 0)

    monkeypatch.setattr(scan_zeroconf, "read_cached", note)
    strangers = [Device(f"{name} {index}") for index in range(30)]
    for one in strangers:
        hear(zeroconf, one.pointer, *one.details)
    await scan_multicast(zeroconf, timeout=0.1, identifiers=["nobody"])
    # When it comes up, when it was looked up, in the middle for sleep proxies, in the end.
    assert all(0 < read.count(one.name) <= 6 for one in strangers)


async def test_sleep_proxies_are_asked_for_what_only_they_know(
    zeroconf: AsyncZeroconf, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan_zeroconf, "PROXY_DELAY", 0.0)
    one, two = Device(name), Device(f"{name} two")
    hear(zeroconf, *PROXY_RECORDS)
    hear(zeroconf, one.pointer, two.pointer)
    async with SleepProxy([*one.details, *two.details]) as proxy:
        async with asyncio.timeout(PATIENCE):
            found = await scan_multicast(
                zeroconf,
                timeout=LONG,
                identifiers=[one.identifier, two.identifier],
                allow_loopback=True,
                proxy_port=proxy.port,
            )
    assert [(device.name, device.is_asleep) for device in found] == [
        (name, True),
        (f"{name} two", True),
    ]


async def test_without_sleep_proxies_nobody_is_asked(
    zeroconf: AsyncZeroconf, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan_zeroconf, "PROXY_DELAY", 0.0)
    hear(zeroconf, Device(name).pointer)
    found = await scan_multicast(zeroconf, timeout=0.2, allow_loopback=True)
    assert not any(name in device.name for device in found)


async def test_names_of_other_types_are_left_alone(zeroconf: AsyncZeroconf) -> None:
    hear(zeroconf, Record(AIRPLAY, PTR, ("a", "_http", "_tcp", "local")))
    assert await scan_multicast(zeroconf, timeout=0.05) == ()
    odd = "\x01"
    await look_up(zeroconf.zeroconf, ServiceType.AIRPLAY, "", 0.01)
    assert read_cached(zeroconf.zeroconf, ServiceType.AIRPLAY, odd) == Announcement(
        ServiceType.AIRPLAY, odd, None, 0
    )


async def test_broken_texts_are_no_texts(zeroconf: AsyncZeroconf, name: str) -> None:
    owner = (name, *AIRPLAY)
    hear(zeroconf, Record(owner, TXT, b"\x05a"))
    assert read_cached(zeroconf.zeroconf, ServiceType.AIRPLAY, name).properties == {}


async def test_limit_of_names(
    zeroconf: AsyncZeroconf, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def note(_: Zeroconf, __: ServiceType, instance: str, ___: float) -> None:
        asked.append(instance)

    monkeypatch.setattr(scan_zeroconf, "look_up", note)
    pointers = [Device(f"{name} {index}").pointer for index in range(MAX_NAMES + 9)]
    for index in range(0, len(pointers), 50):
        hear(zeroconf, *pointers[index : index + 50])
    await scan_multicast(zeroconf, timeout=0.3)
    assert len(asked) == MAX_NAMES


async def test_limit_of_lookups_of_a_search(
    zeroconf: AsyncZeroconf, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    running: set[str] = set()

    async def never(_: Zeroconf, __: ServiceType, instance: str, ___: float) -> None:
        running.add(instance)
        await asyncio.Event().wait()

    monkeypatch.setattr(scan_zeroconf, "look_up", never)
    many = [Device(f"{name} {index}").pointer for index in range(50)]
    hear(zeroconf, *many)
    await scan_multicast(zeroconf, timeout=0.2)
    assert len(running) == scan_zeroconf.MAX_LOOKUPS


async def test_limit_of_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class Query:
        def __init__(self, address: str, *_: object) -> None:
            asked.append(address)

        async def run(self, *_: object) -> tuple[()]:
            return ()

    monkeypatch.setattr(scan_zeroconf, "HostQuery", Query)
    addresses = [f"10.0.0.{index}" for index in range(MAX_PROXIES + 1)]
    await ask_proxies(addresses * 2, [(ServiceType.AIRPLAY, "A")], port=9, timeout=1)
    assert asked == addresses[:MAX_PROXIES]
