"""Fixtures for the tests of the Apple TV family: our end and devices on loopback."""

from collections.abc import AsyncIterator

import pytest

from homeassistant.core import HomeAssistant

from custom_components.rumpus.families.apple_tv import (
    coordinator,
    flow,
    flow_check,
    flow_pair,
    hub,
    store,
    trial,
)
from custom_components.rumpus.protocols.airplay.timing import Timing as AirPlayTiming
from custom_components.rumpus.protocols.apple.scan import scan_unicast
from custom_components.rumpus.protocols.apple.services import FoundDevice
from custom_components.rumpus.protocols.apple.timing import Timing
from custom_components.rumpus.protocols.apple.watch import Watcher
from custom_components.rumpus.protocols.companion.timing import (
    Timing as CompanionTiming,
)
from custom_components.rumpus.protocols.mrp.timing import Timing as MrpTiming
from custom_components.rumpus.protocols.reconnect import Backoff
from tests.fakes.apple_tv import FakeAppleTv
from tests.fakes.apple_tv_core import OsName

QUICK = Timing(
    connect=5.0,
    close=1.0,
    backoff=Backoff((0.05, 0.1, 0.2), jitter=0),
    refused=0.3,
    resolve=1.5,
    resolve_interval=0.2,
    asleep_interval=0.2,
    command=2.0,
    wake=4.0,
    knock_interval=0.3,
    power=2.0,
    airplay=AirPlayTiming(
        connect=1.0,
        first_request=2.0,
        request=2.0,
        event_pause=0.1,
        feedback=0.2,
        feedback_timeout=0.5,
        close=0.2,
    ),
    companion=CompanionTiming(
        connect=1.0,
        authenticate=2.0,
        request=1.0,
        optional=0.5,
        attention=0.2,
        farewell=0.2,
        quiet=0.3,
        probe=0.3,
        hold=0.05,
        click=0.005,
    ),
    mrp=MrpTiming(heartbeat=0.3, heartbeat_answer=0.2, hold=0.05),
)
"""As at home, but in a hurry."""


async def stop(hass: HomeAssistant) -> None:
    """Let what a test has set in motion come to its end before the devices go."""
    if hass.is_running:
        await hass.async_block_till_done()
        await hass.async_stop(force=True)


@pytest.fixture
def system() -> OsName:
    """The system of the Apple TV."""
    return "tvos_26"


@pytest.fixture
async def apple_tv(
    hass: HomeAssistant, socket_enabled: None, system: OsName
) -> AsyncIterator[FakeAppleTv]:
    """An Apple TV that is awake; it answers questions where it is, to whoever asks."""
    async with FakeAppleTv(os=system) as fake:
        yield fake
        await stop(hass)


@pytest.fixture
async def homepod(
    hass: HomeAssistant, socket_enabled: None
) -> AsyncIterator[FakeAppleTv]:
    """A HomePod, which wants no pairing."""
    async with FakeAppleTv("Kitchen", "homepod") as fake:
        yield fake
        await stop(hass)


@pytest.fixture
def timing() -> Timing:
    """How long everything may take."""
    return QUICK


@pytest.fixture(autouse=True)
def loopback(
    request: pytest.FixtureRequest,
    mock_async_zeroconf: object,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Keep everything on loopback, and quick."""
    names = [name for name in ("apple_tv", "homepod") if name in request.fixturenames]
    fakes: list[FakeAppleTv] = [request.getfixturevalue(name) for name in names]

    async def async_watcher(hass: HomeAssistant) -> Watcher:
        return Watcher(None, debounce=0.01)

    async def async_search(
        hass: HomeAssistant, seconds: float
    ) -> tuple[FoundDevice, ...]:
        answers: list[FoundDevice] = []
        for fake in fakes:
            answers += await scan_unicast(
                [fake.address], port=fake.mdns_port, timeout=1.0, knock=False
            )
        return tuple(answers)

    monkeypatch.setattr(hub, "async_watcher", async_watcher)
    monkeypatch.setattr(flow, "async_search", async_search)
    if fakes:
        monkeypatch.setattr(hub, "MDNS_PORT", fakes[0].mdns_port)
    monkeypatch.setattr(hub, "RESOLVE_SECONDS", 0.5)
    monkeypatch.setattr(flow, "GATHER_SECONDS", 0.05)
    monkeypatch.setattr(flow_check, "LOOK_SECONDS", 1.0)
    monkeypatch.setattr(flow_pair, "COUNT_SECONDS", 0.1)
    monkeypatch.setattr(trial, "TRIAL_SECONDS", 3.0)
    monkeypatch.setattr(coordinator, "LISTS_INTERVAL", 0.1)
    monkeypatch.setattr(coordinator, "PRESUMED_SECONDS", 0.2)
    monkeypatch.setattr(coordinator, "TIMING", request.getfixturevalue("timing"))
    monkeypatch.setattr(store, "SAVE_DELAY", 0)
