"""Home Assistant goes on while a lobby does its worst."""

import asyncio
from contextlib import suppress
import gc
from pathlib import Path
import sys

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er

from ..stalls import watched_loop
from .common import LOGIN, PATIENCE, add_entry, coordinator_of, set_up, wait_data
from custom_components.rumpus.families.faf import link
from custom_components.rumpus.families.faf.const import AccountKind, ServerKind
from custom_components.rumpus.families.faf.data import LobbyData
from custom_components.rumpus.families.faf.store import Secrets
from custom_components.rumpus.protocols import reconnect
from custom_components.rumpus.protocols.faf.events import LobbyEvent, Refreshed
from custom_components.rumpus.protocols.faf.lobby_queues import MAX_QUEUES
from custom_components.rumpus.protocols.faf.transports import Framing
from custom_components.rumpus.protocols.reconnect import Backoff
from tests.fakes.faf_lobby import FakeLobby

ROOT = Path(__file__).parents[3]
SECONDS = 2
MAX_STALL = 0.050
MAX_GROWTH = 60 * 1024 * 1024
MAX_ENTITIES = 400
RECONNECTS = 60
MAX_LEFT = 50
"""Objects that may be left of all reconnects together: a leak would leave some of each."""


@pytest.mark.timeout(60)
@pytest.mark.usefixtures("socket_enabled")
async def test_wild_lobby(hass: HomeAssistant) -> None:
    """A flood of games, ratings, queues and notices neither stalls nor fills us."""
    program = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.families.faf.wild_lobby", str(SECONDS)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert program.stdout is not None
    data = LobbyData(
        server=ServerKind.OWN,
        account=AccountKind.TOKEN,
        name="Wild",
        host="127.0.0.1",
        port=int(await program.stdout.readline()),
        framing=Framing.JSON,
        login=LOGIN,
        player_id=2,
    )
    entry = await add_entry(hass, data, Secrets(token="pasted"), ("rhiza",))
    assert await hass.config_entries.async_setup(entry.entry_id)
    coordinator = coordinator_of(entry)
    await wait_data(entry, lambda state: state.is_signed_in)
    turns = 0
    async with watched_loop() as stalls:
        output = asyncio.ensure_future(program.stdout.read())
        while not output.done():
            # Home Assistant keeps working meanwhile.
            turns += 1
            hass.states.async_set("sensor.other", str(turns))
            with suppress(TimeoutError):
                async with asyncio.timeout(0.1):
                    await asyncio.shield(output)
        sent = int(await output)
        await program.wait()

    assert sent > 1000
    assert turns > 5 * SECONDS
    assert coordinator.events_dropped > 0
    assert 0 < len(coordinator.data.queues) <= MAX_QUEUES
    registry = er.async_get(hass)
    entities = er.async_entries_for_config_entry(registry, entry.entry_id)
    assert len(entities) < MAX_ENTITIES
    assert stalls.work < MAX_STALL
    assert stalls.usual_wait < MAX_STALL
    assert stalls.grown < MAX_GROWTH
    # What has not been taken yet does not hold up the end.
    async with asyncio.timeout(2):
        assert await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.timeout(120)
async def test_reconnects(
    hass: HomeAssistant, lobby: FakeLobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lobby that comes and goes leaves nothing behind."""
    monkeypatch.setattr(reconnect, "LINK_GRACE", 0.005)
    monkeypatch.setattr(link, "BACKOFF", Backoff((0.005,), jitter=0))
    lobby.sign_on("Rhiza")
    lobby.crowd(20, 5)
    entry = await set_up(hass, lobby, ("Rhiza",))

    client = coordinator_of(entry).client
    assert client is not None
    refreshed = asyncio.Event()

    def on_event(event: LobbyEvent) -> None:
        if isinstance(event, Refreshed):
            refreshed.set()

    entry.async_on_unload(client.subscribe(on_event))

    async def come_and_go(times: int) -> None:
        for _ in range(times):
            refreshed.clear()
            lobby.drop(LOGIN)
            async with asyncio.timeout(PATIENCE):
                await refreshed.wait()
            await coordinator_of(entry).async_refresh_queues()

    await come_and_go(20)
    before = ours()
    tasks = len(asyncio.all_tasks())
    await come_and_go(RECONNECTS)
    assert ours() - before < MAX_LEFT
    assert len(asyncio.all_tasks()) <= tasks + 1


def ours() -> int:
    """Return how many objects of ours there are."""
    gc.collect()
    return sum(
        str(type(one).__module__).startswith("custom_components.rumpus")
        for one in gc.get_objects()
    )
