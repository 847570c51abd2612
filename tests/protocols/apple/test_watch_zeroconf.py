"""Watching, through zeroconf over loopback (part A, sections 1.6 and 1.7)."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

import pytest
from zeroconf import Zeroconf
from zeroconf.asyncio import AsyncZeroconf

from .zeroconf_support import (  # noqa: F401 - fixtures have to be known here
    AIRPLAY,
    APPEARED,
    ASLEEP,
    AWAKE,
    CHANGED,
    GONE,
    LOOPBACK,
    PATIENCE,
    PROXY_RECORDS,
    Device,
    Log,
    SleepProxy,
    hear,
    name_fixture,
    real_zeroconf_fixture,
    zeroconf_fixture,
)
from custom_components.rumpus.protocols.apple import watch
from custom_components.rumpus.protocols.apple.const import AppleProtocol
from custom_components.rumpus.protocols.apple.records import (
    Announcement,
    ServiceType,
    announcement,
)
from custom_components.rumpus.protocols.apple.scan_zeroconf import ask_proxies
from custom_components.rumpus.protocols.apple.watch import (
    MAX_CHECKS,
    MAX_LOOKUPS,
    Sighting,
    Watcher,
)
from tests.fakes.apple_tv import FakeAppleTv
from tests.fakes.apple_tv_dns import PTR, SRV, Record


@pytest.fixture
async def watchers(
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Callable[..., Watcher]]:
    """Make watchers that do not wait long, and stop them in the end."""
    monkeypatch.setattr(watch, "CONFIRM", 0.05)
    monkeypatch.setattr(watch, "STIR_INTERVAL", 0.0)
    made: list[Watcher] = []

    def make(zeroconf: AsyncZeroconf | None = None, **options: Any) -> Watcher:
        options = {"debounce": 0.01, "allow_loopback": True} | options
        made.append(Watcher(zeroconf, **options))
        return made[-1]

    yield make
    for watcher in made:
        await watcher.stop()


async def test_a_device_comes_moves_and_goes(
    zeroconf: AsyncZeroconf, name: str, watchers: Callable[..., Watcher]
) -> None:
    watcher, log, device = watchers(zeroconf), Log(name), Device(name)
    watcher.subscribe(log)
    await watcher.start()
    await watcher.start()
    hear(zeroconf, device.pointer, *device.details)
    sighting = await log.next()
    assert (sighting.kind, sighting.device.address) == (APPEARED, LOOPBACK)
    assert watcher.find([device.identifier]) == sighting.device
    assert watcher.find(["nobody"]) is None
    assert sighting.device in watcher.devices
    hear(zeroconf, *Device(name, port=7001).details)
    sighting = await log.wait_for(CHANGED)
    assert sighting.device.services[0].port == 7001
    hear(zeroconf, *Device(name, address="10.0.0.9", port=7001).details)
    sighting = await log.wait_for(CHANGED)
    assert sighting.device.address == "10.0.0.9"
    hear(zeroconf, device.goodbye)
    await log.wait_for(GONE)
    assert watcher.find([device.identifier]) is None


async def test_a_name_first_and_its_place_later(
    zeroconf: AsyncZeroconf, name: str, watchers: Callable[..., Watcher]
) -> None:
    watcher, log, device = watchers(zeroconf), Log(name), Device(name)
    watcher.subscribe(log)
    await watcher.start()
    hear(zeroconf, device.pointer)
    await turns()
    hear(zeroconf, *device.details)
    assert (await log.next()).kind is APPEARED


async def test_where_it_is_first_and_what_it_is_later(
    zeroconf: AsyncZeroconf,
    name: str,
    watchers: Callable[..., Watcher],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: asyncio.Queue[str] = asyncio.Queue()

    async def note(_: Zeroconf, __: ServiceType, instance: str, ___: float) -> None:
        asked.put_nowait(instance)

    monkeypatch.setattr(watch, "look_up", note)
    watcher, log, device = watchers(zeroconf), Log(name), Device(name)
    watcher.subscribe(log)
    await watcher.start()
    *place, text = device.details
    hear(zeroconf, device.pointer, *place)
    async with asyncio.timeout(PATIENCE):
        assert await asked.get() == name
    hear(zeroconf, text)
    assert (await log.next()).kind is APPEARED


async def test_subscribers_that_fail_or_end(
    watchers: Callable[..., Watcher], caplog: pytest.LogCaptureFixture
) -> None:
    watcher = watchers()
    told: list[str] = []

    def fail(_: Sighting) -> None:
        told.append("first")
        end()
        raise ValueError("Oops")

    def note(_: Sighting) -> None:
        told.append("second")

    done = asyncio.Event()
    watcher.subscribe(fail)
    end = watcher.subscribe(note)
    watcher.subscribe(lambda _: done.set())
    watcher.feed(
        Announcement(ServiceType.AIRPLAY, "Room", LOOPBACK, 7000, {"deviceid": "1"})
    )
    async with asyncio.timeout(PATIENCE):
        await done.wait()
    assert told == ["first"]
    assert "Oops" in caplog.text
    # Neither does it keep anybody from beginning.
    watcher.subscribe(fail)
    assert told == ["first", "first"]


async def test_a_device_that_says_again_what_is_known(
    zeroconf: AsyncZeroconf, name: str, watchers: Callable[..., Watcher]
) -> None:
    watcher, log, device = watchers(zeroconf), Log(name), Device(name)
    watcher.subscribe(log)
    await watcher.start()
    hear(zeroconf, device.pointer, *device.details)
    await log.wait_for(APPEARED)
    hear(zeroconf, device.pointer, *device.details)
    assert (await log.next()).kind is AWAKE


async def test_limit_of_saying_the_same_again(
    zeroconf: AsyncZeroconf,
    name: str,
    watchers: Callable[..., Watcher],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watcher, log, device = watchers(zeroconf), Log(name), Device(name)
    watcher.subscribe(log)
    await watcher.start()
    hear(zeroconf, device.pointer, *device.details)
    await log.wait_for(APPEARED)
    hear(zeroconf, *device.details)
    await log.wait_for(AWAKE)
    monkeypatch.setattr(watch, "STIR_INTERVAL", 60.0)
    hear(zeroconf, *device.details)
    hear(zeroconf, *Device(name, port=7001).details)
    assert (await log.next()).kind is CHANGED


async def test_a_sleep_proxy_comes_and_goes(
    zeroconf: AsyncZeroconf, name: str, watchers: Callable[..., Watcher]
) -> None:
    watcher, log, device = watchers(zeroconf), Log(name), Device(name)
    watcher.subscribe(log)
    await watcher.start()
    hear(zeroconf, device.pointer, *device.details)
    before = (await log.wait_for(APPEARED)).device
    # Only the name is told, and nobody contradicts.
    hear(zeroconf, device.pointer)
    asleep = (await log.wait_for(ASLEEP)).device
    assert (asleep.services, asleep.address) == (before.services, before.address)
    hear(zeroconf, device.pointer, *device.details)
    await log.wait_for(AWAKE)


async def test_a_device_contradicts_that_it_sleeps(
    zeroconf: AsyncZeroconf,
    name: str,
    watchers: Callable[..., Watcher],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watch, "CONFIRM", 60.0)
    watcher, log, device = watchers(zeroconf), Log(name), Device(name)
    watcher.subscribe(log)
    await watcher.start()
    hear(zeroconf, device.pointer, *device.details)
    await log.wait_for(APPEARED)
    hear(zeroconf, device.pointer)
    hear(zeroconf, device.pointer)
    hear(zeroconf, *device.details)
    hear(zeroconf, *device.details)
    assert (await log.next()).kind is AWAKE


async def test_a_device_at_the_host_of_its_sleep_proxy(
    zeroconf: AsyncZeroconf, name: str, watchers: Callable[..., Watcher]
) -> None:
    watcher, log, device = watchers(zeroconf), Log(name), Device(name)
    watcher.subscribe(log)
    await watcher.start()
    hear(zeroconf, device.pointer, *device.details)
    await log.wait_for(APPEARED)
    device.host = ("Hall", "local")
    hear(zeroconf, *PROXY_RECORDS, *device.details)
    await log.wait_for(ASLEEP)


async def test_a_whole_device_on_its_way_to_sleep_and_back(
    zeroconf: AsyncZeroconf, name: str, watchers: Callable[..., Watcher]
) -> None:
    watcher, log = watchers(zeroconf), Log(name)
    watcher.subscribe(log)
    await watcher.start()
    fake = FakeAppleTv(kind="apple_tv", name=name)
    fake.mdns.proxy_form = "proxy"
    await fake.start()
    try:
        await fake.announce()
        found = (await log.wait_for(APPEARED)).device
        while len(found.services) < 3:
            found = (await log.next()).device
        fake.sleep()
        asleep = (await log.wait_for(ASLEEP)).device
        assert asleep.is_same_as([fake.device_id])
        assert asleep.service(AppleProtocol.AIRPLAY) is not None
        fake.wake()
        awake = (await log.wait_for(AWAKE)).device
        assert awake.address == fake.address
    finally:
        await fake.stop()


async def test_a_stranger_asleep_is_asked_for(
    zeroconf: AsyncZeroconf,
    name: str,
    watchers: Callable[..., Watcher],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watch, "LOOKUP_TIMEOUT", 0.2)
    device, log = Device(name), Log(name)
    async with SleepProxy(device.details) as proxy:
        watcher = watchers(zeroconf, proxy_port=proxy.port)
        watcher.subscribe(log)
        await watcher.start()
        hear(zeroconf, *PROXY_RECORDS)
        hear(zeroconf, device.pointer)
        sighting = await log.wait_for(APPEARED)
    assert sighting.device.is_asleep
    assert sighting.device.identifiers == (device.identifier,)


async def test_a_device_of_earlier_days_asleep(
    zeroconf: AsyncZeroconf,
    name: str,
    watchers: Callable[..., Watcher],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watch, "LOOKUP_TIMEOUT", 0.05)
    device, log = Device(name), Log(name)
    earlier = watchers()
    earlier.subscribe(log)
    earlier.feed(fed(name))
    known = (await log.next()).device
    watcher = watchers(zeroconf)
    watcher.remember(known)
    watcher.subscribe(log)
    await watcher.start()
    hear(zeroconf, device.pointer)
    sighting = await log.next()
    assert sighting.device.is_asleep
    assert sighting.device.services == known.services


async def test_a_stranger_that_no_sleep_proxy_knows(
    zeroconf: AsyncZeroconf,
    name: str,
    watchers: Callable[..., Watcher],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watch, "LOOKUP_TIMEOUT", 0.05)
    device, other, log = Device(name), Device(f"{name} b"), Log(name)
    done = asyncio.Event()

    async def ask(*args: Any, **options: Any) -> tuple[Announcement, ...]:
        told = await ask_proxies(*args, **options)
        done.set()
        return (*told, fed(other.name))

    monkeypatch.setattr(watch, "ask_proxies", ask)
    async with SleepProxy(other.details) as proxy:
        watcher = watchers(zeroconf, proxy_port=proxy.port)
        watcher.subscribe(log)
        await watcher.start()
        hear(zeroconf, *PROXY_RECORDS)
        hear(zeroconf, Record(AIRPLAY, PTR, ("x", "_http", "_tcp", "local")))
        hear(zeroconf, Record(("x", "_http", "_tcp", "local"), SRV, (1, device.host)))
        hear(zeroconf, device.pointer)
        async with asyncio.timeout(PATIENCE):
            await done.wait()
    assert log.is_empty
    assert watcher.find([device.identifier]) is None


async def test_limit_of_what_was_heard(
    zeroconf: AsyncZeroconf,
    name: str,
    watchers: Callable[..., Watcher],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watch, "MAX_HEARD", 1)
    monkeypatch.setattr(watch, "STIR_INTERVAL", 60.0)
    watcher, log = watchers(zeroconf), Log(name)
    devices = [Device(name), Device(f"{name} b"), Device(f"{name} c")]
    watcher.subscribe(log)
    for device in devices:
        watcher.feed(fed(device.name))
    await log.wait_for(APPEARED)
    await watcher.start()
    for device in devices:
        hear(zeroconf, *device.details)
    await log.wait_for(AWAKE)
    # Everything was forgotten: it may say it again.
    hear(zeroconf, *devices[0].details)
    await log.wait_for(AWAKE)


async def test_limit_of_lookups(
    zeroconf: AsyncZeroconf,
    name: str,
    watchers: Callable[..., Watcher],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    running: list[str] = []

    async def never(_: Zeroconf, __: ServiceType, instance: str, ___: float) -> None:
        running.append(instance)
        await asyncio.Event().wait()

    monkeypatch.setattr(watch, "look_up", never)
    log = Log("known")
    watcher = watchers(zeroconf)
    watcher.subscribe(log)
    watcher.feed(fed("known"))
    await log.next()
    await watcher.start()
    hear(zeroconf, *(Device(f"{name} {index}").pointer for index in range(50)))
    hear(zeroconf, Device("known").pointer)
    # Nothing is looked up twice at once.
    hear(zeroconf, *Device("known").details[:1])
    await turns()
    assert len(running) == MAX_LOOKUPS + 1
    assert running[-1] == "known"


async def test_limit_of_checks(
    zeroconf: AsyncZeroconf,
    name: str,
    watchers: Callable[..., Watcher],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watch, "CONFIRM", 60.0)
    sent: list[object] = []
    monkeypatch.setattr(zeroconf.zeroconf, "async_send", sent.append)
    watcher = watchers(zeroconf)
    devices = [Device(f"{name} {index}") for index in range(MAX_CHECKS + 1)]
    for device in devices:
        watcher.feed(fed(device.name))
    await watcher.start()
    sent.clear()
    for device in devices:
        hear(zeroconf, device.pointer)
    assert len(sent) == MAX_CHECKS


async def turns(count: int = 20) -> None:
    """Let the event loop turn, so that everything that is ready is done."""
    for _ in range(count):
        await asyncio.sleep(0)


def fed(name: str, *, port: int = 7000) -> Announcement:
    """Return what Home Assistant may have heard."""
    type_ = "_airplay._tcp.local."
    found = announcement(
        type_,
        f"{name}.{type_}",
        addresses=[LOOPBACK],
        port=port,
        properties={"deviceid": f"id of {name}"},
    )
    assert found is not None
    return found


def of(names: Iterable[Sighting]) -> list[tuple[str, str]]:
    """Return kind and name of sightings."""
    return [(one.kind.value, one.device.name) for one in names]


async def test_fed_by_others(watchers: Callable[..., Watcher]) -> None:
    watcher, log = watchers(), Log("Room")
    await watcher.start()
    unsubscribe = watcher.subscribe(log)
    watcher.feed(fed("Room"))
    watcher.feed(fed("Room"))
    assert (await log.next()).kind is APPEARED
    # Whoever comes later is told at once, and whoever has left is not.
    unsubscribe()
    unsubscribe()
    late: list[Sighting] = []
    watcher.subscribe(late.append)
    assert of(late) == [(APPEARED, "Room")]
    watcher.subscribe(log)
    await log.next()
    watcher.feed(fed("Room", port=0))
    await log.wait_for(ASLEEP)
    watcher.feed_goodbye("_airplay._tcp.local.", "Room._airplay._tcp.local.")
    watcher.feed_goodbye("_airplay._tcp.local.", "Hall._airplay._tcp.local.")
    watcher.feed_goodbye("_http._tcp.local.", "Room._http._tcp.local.")
    await log.wait_for(GONE)
    assert of(late) == [(APPEARED, "Room"), (ASLEEP, "Room"), (GONE, "Room")]


async def test_what_follows_in_one_breath_is_told_together(
    watchers: Callable[..., Watcher],
) -> None:
    watcher, log = watchers(debounce=0.05), Log("Room")
    watcher.subscribe(log)
    for port in range(7000, 7050):
        watcher.feed(fed("Room", port=port))
        await asyncio.sleep(0)
    sighting = await log.next()
    assert (sighting.kind, sighting.device.services[0].port) == (APPEARED, 7049)
    assert log.is_empty


async def test_nothing_is_told_after_the_end(
    zeroconf: AsyncZeroconf,
    name: str,
    watchers: Callable[..., Watcher],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watch, "CONFIRM", 60.0)
    watcher, log, device = watchers(zeroconf), Log(name), Device(name)
    watcher.subscribe(log)
    await watcher.start()
    hear(zeroconf, device.pointer, *device.details)
    await log.wait_for(APPEARED)
    hear(zeroconf, device.pointer)
    hear(zeroconf, Device(f"{name} b").pointer)
    hear(zeroconf, *Device(name, port=1).details)
    await turns()
    await watcher.stop()
    await watcher.stop()
    assert watcher.devices == ()
    hear(zeroconf, device.pointer, *device.details)
    assert log.is_empty
