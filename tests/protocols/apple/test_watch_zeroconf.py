"""Asking everybody and watching, through zeroconf over loopback (part A, section 1.6)."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any, Self, override
import uuid

import pytest

# The first one is public, but is not listed as such.
from zeroconf import DNSIncoming, IPVersion, Zeroconf  # type: ignore[attr-defined]
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from custom_components.rumpus.protocols.apple import scan_zeroconf, watch
from custom_components.rumpus.protocols.apple.const import AppleProtocol
from custom_components.rumpus.protocols.apple.records import (
    Announcement,
    ServiceType,
    announcement,
)
from custom_components.rumpus.protocols.apple.scan import scan_multicast
from custom_components.rumpus.protocols.apple.scan_zeroconf import (
    MAX_NAMES,
    MAX_PROXIES,
    ask_proxies,
    look_up,
    read_cached,
)
from custom_components.rumpus.protocols.apple.watch import (
    MAX_CHECKS,
    MAX_LOOKUPS,
    Sighting,
    SightingKind,
    Watcher,
)
from tests.fakes.apple_tv import FakeAppleTv
from tests.fakes.apple_tv_dns import (
    PTR,
    SRV,
    TXT,
    A,
    Labels,
    Question,
    Record,
    Response,
    address_data,
    parse_query,
    txt_data,
)

LOOPBACK = "127.0.0.1"
PATIENCE = 10.0
LONG = 60.0

AIRPLAY = ("_airplay", "_tcp", "local")
PROXY = ("_sleep-proxy", "_udp", "local")

APPEARED, CHANGED, ASLEEP, AWAKE, GONE = SightingKind

# As it is before any test has started Home Assistant, which then hands its own instance to
# whoever makes another.
_INIT = Zeroconf.__init__


@pytest.fixture
def real_zeroconf(monkeypatch: pytest.MonkeyPatch, socket_enabled: None) -> None:
    """Let instances of zeroconf be made."""

    def new(cls: type[Zeroconf], *_args: object, **_kwargs: object) -> Zeroconf:
        return object.__new__(cls)

    monkeypatch.setattr(Zeroconf, "__new__", new)
    monkeypatch.setattr(Zeroconf, "__init__", _INIT)


@pytest.fixture
async def zeroconf(real_zeroconf: None) -> AsyncIterator[AsyncZeroconf]:
    instance = AsyncZeroconf(interfaces=[LOOPBACK], ip_version=IPVersion.V4Only)
    yield instance
    await instance.async_close()


@pytest.fixture
async def other(real_zeroconf: None) -> AsyncIterator[AsyncZeroconf]:
    instance = AsyncZeroconf(interfaces=[LOOPBACK], ip_version=IPVersion.V4Only)
    yield instance
    await instance.async_close()


@pytest.fixture
def name() -> str:
    """Return a name of its own: others may be tested at once."""
    return f"Room {uuid.uuid4().hex[:8]}"


class Device:
    """What one device says, as bytes in a packet of its own."""

    def __init__(self, name: str, *, address: str = LOOPBACK, port: int = 7000) -> None:
        self.name = name
        self.owner: Labels = (name, *AIRPLAY)
        self.address = address
        self.port = port
        self.host: Labels = (name.replace(" ", "-"), "local")

    @property
    def identifier(self) -> str:
        return f"id of {self.name}"

    @property
    def pointer(self) -> Record:
        return Record(AIRPLAY, PTR, self.owner, ttl=4500, is_unique=False)

    @property
    def goodbye(self) -> Record:
        return Record(AIRPLAY, PTR, self.owner, ttl=0, is_unique=False)

    @property
    def details(self) -> list[Record]:
        return [
            Record(self.owner, SRV, (self.port, self.host)),
            Record(self.host, A, address_data(self.address)),
            Record(self.owner, TXT, txt_data({"deviceid": self.identifier}), ttl=4500),
        ]


def hear(zeroconf: AsyncZeroconf, *records: Record) -> None:
    """Let zeroconf hear one packet."""
    packet = DNSIncoming(Response(0, []).build(list(records), []))
    assert packet.valid
    zeroconf.zeroconf.record_manager.async_updates_from_response(packet)


class Log:
    """Keeps what is told of one device."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._told: asyncio.Queue[Sighting] = asyncio.Queue()

    def __call__(self, sighting: Sighting) -> None:
        if sighting.device.name == self._name:
            self._told.put_nowait(sighting)

    async def next(self) -> Sighting:
        async with asyncio.timeout(PATIENCE):
            return await self._told.get()

    async def wait_for(self, kind: SightingKind) -> Sighting:
        while (sighting := await self.next()).kind is not kind:
            pass
        return sighting

    @property
    def is_empty(self) -> bool:
        return self._told.empty()


class SleepProxy(asyncio.DatagramProtocol):
    """Answers what is asked by unicast."""

    def __init__(self, records: Sequence[Record]) -> None:
        self._records = records
        self._transport: asyncio.DatagramTransport | None = None
        self.port = 0

    async def __aenter__(self) -> Self:
        self._transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: self, local_addr=(LOOPBACK, 0)
        )
        self.port = self._transport.get_extra_info("sockname")[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._transport is not None
        self._transport.close()

    @override
    def datagram_received(self, data: bytes, addr: Any) -> None:
        assert self._transport is not None
        ident, questions = parse_query(data)
        self._transport.sendto(self.answer(ident, questions), addr)

    def answer(self, ident: int, questions: list[Question]) -> bytes:
        return Response(ident, questions).build(list(self._records), [])


PROXY_OWNER = ("70-35-60-63.1 Hall", *PROXY)
PROXY_RECORDS = [
    Record(PROXY, PTR, PROXY_OWNER, is_unique=False),
    Record(PROXY_OWNER, SRV, (9, ("Hall", "local"))),
    Record(PROXY_OWNER, TXT, b"\0"),
    Record(("Hall", "local"), A, address_data(LOOPBACK)),
]


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


# Searching


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


# Watching


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
