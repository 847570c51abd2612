"""Home Assistant goes on while an Apple TV goes wild, or somebody speaks in its name."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
import gc
from ipaddress import ip_address
import logging
from pathlib import Path
import sys

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import pytest_socket

from homeassistant.config_entries import SOURCE_REAUTH
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo

from ..stalls import Stalls, watched_loop
from .common import (
    PATIENCE,
    PLAYER,
    coordinator_of,
    flows,
    links_of,
    secrets_of,
    set_up,
    wait_attribute,
    wait_data,
    wait_links,
    wait_state,
)
from .test_flow_zeroconf import discover
from custom_components.rumpus.cards import MAX_CARDS
from custom_components.rumpus.families.apple_tv import coordinator
from custom_components.rumpus.families.apple_tv.hub import async_get_hub
from custom_components.rumpus.protocols.apple.records import announcement
from custom_components.rumpus.protocols.apple.timing import Timing
from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    PeerTimeoutError,
)
from custom_components.rumpus.protocols.reconnect import LINK_GRACE
from tests.e2e.fakes import FakeProcess
from tests.e2e.shapes import JsonObject, get_object
from tests.fakes.apple_tv import FakeAppleTv
from tests.fakes.apple_tv_core import OsName
from tests.fakes.apple_tv_mdns import AIRPLAY, COMPANION
from tests.fakes.apple_tv_models import FakeItem

SECONDS = 6
LONG = 16
"""Seconds of attacks that begin when a silence is noticed, or that are answered seldom."""
MAX_STALL = 0.050
MAX_GROWTH = 24 * 1024 * 1024
MAX_ATTEMPTS = 8
"""In a short attack: the pauses are 0.5 s, 1 s and 2 s then."""
MAX_UPDATES = 200 + SECONDS * (20 + 4) + 20
"""Looks of the entities: at each change first, then so many in a second."""
MAX_LOGGED = 60
LOOKS = 20
MAX_OPEN = 3
"""Connections of ours at a time to one of its ports."""
ADDRESS = "127.0.0.2"
SANE_PLAYER = "media_player.kitchen"
REFUSED = 6.0
LISTS_INTERVAL = 5.0


@pytest.fixture
def grace() -> float:
    """The true one."""
    return LINK_GRACE


@pytest.fixture
def all_of_loopback(socket_enabled: None) -> None:
    """Allow all of loopback: each device has an address of its own."""
    pytest_socket.socket_allow_hosts(["127.0.0.0/8"], allow_unix_socket=True)


@pytest.fixture
def timing() -> Timing:
    """The true one: what is done how often is what is tested here."""
    return replace(Timing(), refused=REFUSED)


class Attacker:
    """An Apple TV in another process, that can be told to go wild."""

    def __init__(self, mdns_port: int, system: OsName) -> None:
        """Describe it."""
        # What is known of it here; it never starts.
        self.twin = FakeAppleTv(
            os=system, address=ADDRESS, mdns_port=mdns_port, pin="4711"
        )
        self.process = FakeProcess(
            "attacker",
            (
                *(sys.executable, "-m", "tests.fakes.apple_tv_attacker"),
                *("--address", ADDRESS, "--mdns-port", str(mdns_port)),
                *("--os", system, "--pin", self.twin.pin),
            ),
        )

    async def start(self) -> None:
        """Start, and wait until it is there."""
        await self.process.start()
        ready = await self.process.wait(lambda one: one["kind"] == "ready", "start")
        ports = get_object(get_object(ready, "data"), "ports")
        for name, port in ports.items():
            assert isinstance(port, int)
            self.twin.ports[name] = port

    async def attack(self, name: str, seconds: float = SECONDS) -> JsonObject:
        """Attack for so long; return what it managed to do."""
        start = self.process.position
        await self.process.say(f"attack {name} {seconds}")
        done = await self.process.wait(
            lambda one: one["kind"] in {"attacked", "error"},
            "end of the attack",
            seconds + PATIENCE,
            start=start,
        )
        assert done["kind"] == "attacked", done
        return get_object(done, "data")


@pytest.fixture
async def attacker(
    all_of_loopback: None, homepod: FakeAppleTv, system: OsName
) -> AsyncIterator[Attacker]:
    """An Apple TV in another process; a HomePod in this one is sane at all times."""
    attacker = Attacker(homepod.mdns_port, system)
    await attacker.start()
    yield attacker
    await attacker.process.stop()


@pytest.fixture
async def entry(
    hass: HomeAssistant,
    homepod: FakeAppleTv,
    attacker: Attacker,
    monkeypatch: pytest.MonkeyPatch,
) -> MockConfigEntry:
    """The Apple TV that will go wild."""
    monkeypatch.setattr(coordinator, "LISTS_INTERVAL", LISTS_INTERVAL)
    await set_up(hass, homepod)
    return await set_up(hass, attacker.twin)


class Watch:
    """What Home Assistant does meanwhile."""

    def __init__(self, hass: HomeAssistant, entry: MockConfigEntry) -> None:
        """Begin to count; things that come and go are counted once more at the end."""
        self.updates = 0
        self.pictures = 0
        self._hass = hass
        self._entry = entry
        self._unsubscribe = coordinator_of(entry).async_add_listener(self._updated)
        self.before = _held()

    @callback
    def _updated(self) -> None:
        self.updates += 1

    async def served(self, homepod: FakeAppleTv, attack: asyncio.Task[object]) -> int:
        """Let the other device change all the time, and see that it is shown.

        The picture of what the wild one plays is wanted all the time, too.
        """
        turns = 0
        picture: asyncio.Task[object] | None = None
        while not attack.done():
            turns += 1
            if picture is None or picture.done():
                wanted = coordinator_of(self._entry).async_artwork()
                picture = asyncio.create_task(wanted)
                self.pictures += 1
            title = f"Song {turns}"
            async with asyncio.timeout(2):
                homepod.mrp.media.play("com.example.music", FakeItem("1", title))
                await wait_attribute(self._hass, SANE_PLAYER, "media_title", title)
            await asyncio.wait({attack}, timeout=0.25)
        if picture is not None:
            await picture
        return turns

    def end(self) -> None:
        """Count no more."""
        self._unsubscribe()


def _held() -> tuple[int, int]:
    """Return the numbers of tasks and of files and sockets that are open."""
    gc.collect()
    return len(asyncio.all_tasks()), len(list(Path("/proc/self/fd").iterdir()))


def check_stalls(stalls: Stalls) -> None:
    """The loop goes round, and the memory does not fill up."""
    assert stalls.work < MAX_STALL
    assert stalls.usual_wait < MAX_STALL
    assert stalls.grown < MAX_GROWTH


async def check_log(
    hass: HomeAssistant, entry: MockConfigEntry, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing secret is in the log, nor more than anybody would read."""
    for text in (await secrets_of(hass, entry)).values():
        for part in text.split(":")[:2]:
            assert part not in caplog.text
    told = [one for one in caplog.records if one.levelno >= logging.INFO]
    ours = [one for one in told if one.name.startswith("custom_components.rumpus")]
    assert len(ours) < MAX_LOGGED
    assert not [one for one in ours if one.levelno >= logging.ERROR]


async def check_recovery(
    hass: HomeAssistant, entry: MockConfigEntry, watch: Watch
) -> None:
    """The device is as good as before, once it is sane again; nothing is left behind."""
    await wait_links(entry)
    await wait_data(entry, lambda state: len(state.apps) == 16)
    # A link that was left in the middle of a frame is dead, and known to be within 15 s.
    async with asyncio.timeout(15):
        while True:
            try:
                await coordinator_of(entry).device.set_volume(30)
                break
            except DisconnectedError, PeerTimeoutError:
                await wait_links(entry)
    await wait_attribute(hass, PLAYER, "volume_level", 0.3)
    held = _held()
    for _ in range(LOOKS):
        if all(now <= then + 2 for now, then in zip(held, watch.before, strict=True)):
            return
        await asyncio.sleep(PATIENCE / LOOKS)  # connections take their time to close
        held = _held()
    tasks = [task.get_name() for task in asyncio.all_tasks()]
    raise AssertionError(f"{watch.before} {held} {tasks}")


def number(done: JsonObject, key: str) -> int:
    """Return a count."""
    value = done.get(key, 0)
    assert isinstance(value, int)
    return value


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("attack", "system"),
    [
        ("flood", "tvos_26"),
        ("flood", "tvos_14"),  # which has MRP on a port of its own
        ("huge", "tvos_26"),
        ("endless", "tvos_26"),
        ("undecryptable", "tvos_26"),
    ],
)
async def test_wild_device(
    hass: HomeAssistant,
    attacker: Attacker,
    homepod: FakeAppleTv,
    entry: MockConfigEntry,
    attack: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whatever it sends, the others are served, and it is when it is sane again."""
    caplog.set_level(logging.INFO, "custom_components.rumpus")
    watch = Watch(hass, entry)
    async with watched_loop() as stalls:
        task: asyncio.Task[JsonObject] = asyncio.create_task(attacker.attack(attack))
        turns = await watch.served(homepod, task)
        done = await task
    watch.end()
    await check_recovery(hass, entry, watch)

    assert turns > SECONDS
    assert watch.updates < MAX_UPDATES
    assert watch.pictures > 2
    assert number(done, "airplay_verified") <= MAX_ATTEMPTS
    assert number(done, "companion_verified") <= MAX_ATTEMPTS
    check_stalls(stalls)
    await check_log(hass, entry, caplog)


async def test_flood_of_news(
    hass: HomeAssistant, apple_tv: FakeAppleTv, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond what is looked at one by one, what it comes to is shown, and all of it."""
    monkeypatch.setattr(coordinator, "MAX_NEWS", 0)
    monkeypatch.setattr(coordinator, "STATES_REFILL", 0.0)
    entry = await set_up(hass, apple_tv)
    media = apple_tv.mrp.media
    for count in range(50):
        media.play("com.example.films", FakeItem("1", f"Film {count}"))
    await wait_attribute(hass, PLAYER, "media_title", "Film 49")
    before = coordinator_of(entry).data.artwork_changes
    media.tell_artwork()
    await wait_data(entry, lambda state: state.artwork_changes == before + 1)
    apple_tv.set_volume(0.25)
    await wait_attribute(hass, PLAYER, "volume_level", 0.25)
    apple_tv.sleep(deep=False)
    await wait_state(hass, PLAYER, "off")


async def test_picture_wakes_nobody(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """A page that shows the player asks a device that sleeps for nothing."""
    entry = await set_up(hass, apple_tv)
    apple_tv.mrp.media.play("com.example.films", FakeItem("1", "A film"))
    await wait_state(hass, PLAYER, "playing")
    apple_tv.sleep()
    await wait_state(hass, PLAYER, "off")
    await wait_data(entry, lambda state: not state.is_connected)
    apple_tv.mark()
    attempts = len(apple_tv.seen("knocked"))
    assert await coordinator_of(entry).async_artwork() is None
    assert len(apple_tv.seen("knocked")) == attempts


@pytest.mark.timeout(120)
async def test_silent_device(
    hass: HomeAssistant,
    attacker: Attacker,
    homepod: FakeAppleTv,
    entry: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Who takes calls and says nothing is called seldom, and nothing piles up."""
    caplog.set_level(logging.INFO, "custom_components.rumpus")
    watch = Watch(hass, entry)
    async with watched_loop() as stalls:
        task: asyncio.Task[JsonObject] = asyncio.create_task(
            attacker.attack("silent", LONG)
        )
        turns = await watch.served(homepod, task)
        done = await task
    watch.end()
    await check_recovery(hass, entry, watch)

    assert turns > LONG
    assert 0 < number(done, "airplay") <= MAX_OPEN
    assert 0 < number(done, "companion") <= MAX_OPEN
    check_stalls(stalls)
    await check_log(hass, entry, caplog)


@pytest.mark.timeout(120)
async def test_device_that_forgot_us(
    hass: HomeAssistant,
    attacker: Attacker,
    homepod: FakeAppleTv,
    entry: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is asked seldom, the user once; if it remembers, nobody is asked any more."""
    caplog.set_level(logging.INFO, "custom_components.rumpus")
    watch = Watch(hass, entry)
    async with watched_loop() as stalls:
        task: asyncio.Task[JsonObject] = asyncio.create_task(
            attacker.attack("refuse", LONG)
        )
        turns = await watch.served(homepod, task)
        asked = [flow["context"]["source"] for flow in flows(hass)]
        done = await task
    watch.end()
    await check_recovery(hass, entry, watch)

    assert turns > LONG
    assert asked == [SOURCE_REAUTH]
    assert 0 < number(done, "airplay") <= 2 + LONG / REFUSED
    assert 0 < number(done, "companion") <= 2 + LONG / REFUSED
    assert flows(hass) == []
    check_stalls(stalls)
    await check_log(hass, entry, caplog)


def announcements(twin: FakeAppleTv) -> list[ZeroconfServiceInfo]:
    """Return what a liar announces: thousands of devices, and ours at other places."""
    made: list[ZeroconfServiceInfo] = []
    nasty = "<img src=x onerror=alert(1)>[x](http://e)\x00\x1b"
    for count in range(4000):
        is_ours = count % 4 == 0
        kind = (AIRPLAY, COMPANION)[count % 2 if not is_ours else count // 4 % 2]
        properties = dict(twin.properties[kind])
        if not is_ours:
            for key in ("pi", "psi", "rpMRtID", "rpBA", "rpHA", "rpAD"):
                if key in properties:
                    properties[key] = f"{count:012X}"
            properties["deviceid"] = f"02:00:00:00:{count // 256:02X}:{count % 256:02X}"
        type_ = f"{kind.removesuffix('.local')}.local."
        name = twin.name if is_ours else f"{nasty}{count}"
        address = ip_address(f"127.0.{1 + count // 200}.{1 + count % 200}")
        made.append(
            ZeroconfServiceInfo(
                ip_address=address,
                ip_addresses=[address],
                # At times in the words of a sleep proxy, which tells a name alone.
                port=0 if count % 16 == 4 else 7000 + count % 2,
                hostname=f"host-{count}.local.",
                type=type_,
                name=f"{name}.{type_}",
                properties=dict(properties),
            )
        )
    return made


class Liar:
    """Feeds 500 announcements in a second, and 25 discoveries as Home Assistant does."""

    def __init__(self, hass: HomeAssistant, twin: FakeAppleTv) -> None:
        """Make up what to tell."""
        self.most = 0
        self._hass = hass
        self._told = announcements(twin)
        found = [
            announcement(
                one.type,
                one.name,
                addresses=one.addresses,
                port=one.port or 0,
                properties=one.properties,
                host=one.hostname,
                is_proxied=not one.port,
            )
            for one in self._told
        ]
        self._heard = [one for one in found if one is not None]

    async def lie(self) -> None:
        """Go on for as long as all attacks do."""
        hub, loop = async_get_hub(self._hass), asyncio.get_running_loop()
        begin, fed = loop.time(), 0
        discoveries: set[asyncio.Task[object]] = set()
        while (past := loop.time() - begin) < SECONDS:
            while fed < past * 500:
                hub.feed(self._heard[fed % len(self._heard)])
                fed += 1
                if fed % 20 == 0:
                    one = self._told[(fed // 20) % len(self._told)]
                    discoveries.add(asyncio.create_task(discover(self._hass, one)))
            self.most = max(self.most, len(flows(self._hass)))
            await asyncio.sleep(0.01)
        await asyncio.gather(*discoveries)


@pytest.mark.timeout(120)
async def test_hostile_network(
    hass: HomeAssistant,
    attacker: Attacker,
    homepod: FakeAppleTv,
    entry: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whatever is announced, links that are up stay, and few cards are shown."""
    caplog.set_level(logging.INFO, "custom_components.rumpus")
    watch = Watch(hass, entry)
    data = dict(entry.data)
    device = coordinator_of(entry).device
    losses = [link.losses for link in device.links.values()]
    liar = Liar(hass, attacker.twin)
    async with watched_loop() as stalls:
        turns = await watch.served(homepod, asyncio.create_task(liar.lie()))
    watch.end()
    assert turns > SECONDS
    assert 0 < liar.most <= MAX_CARDS
    assert links_of(entry) == {"airplay": "up", "companion": "up"}
    assert [link.losses for link in device.links.values()] == losses
    assert dict(entry.data) == data
    # Nobody else can be the device: it is found again where it has proved to be.
    await attacker.process.say("drop")
    await wait_data(entry, lambda state: not state.is_connected)
    await check_recovery(hass, entry, watch)
    assert entry.data["address"] == ADDRESS
    check_stalls(stalls)
    await check_log(hass, entry, caplog)
