"""Home Assistant goes on while somebody answers in the name of consoles."""

import asyncio
import contextlib
import json
from pathlib import Path
import sys

import pytest
import pytest_socket

from homeassistant.core import HomeAssistant

from ..stalls import watched_loop
from .common import LINK, coordinator_of, flows, get_state, set_up, wait_state
from custom_components.rumpus.cards import MAX_CARDS
from custom_components.rumpus.protocols.reconnect import LINK_GRACE
from tests.fakes.attacker import DATAGRAMS_PER_SECOND
from tests.fakes.xbox import FakeConsole, FakeTitle

ROOT = Path(__file__).parents[3]
SECONDS = 5
MAX_STALL = 0.050
MAX_GROWTH = 20 * 1024 * 1024
TITLE = "sensor.living_room_active_title"


@pytest.fixture
def grace() -> float:
    """The true one."""
    return LINK_GRACE


@pytest.fixture
def all_of_loopback(socket_enabled: None) -> None:
    """Allow all of loopback: cards are made for consoles at many addresses."""
    pytest_socket.socket_allow_hosts(["127.0.0.0/8"], allow_unix_socket=True)


@pytest.mark.timeout(60)
@pytest.mark.usefixtures("all_of_loopback")
async def test_hostile_network(hass: HomeAssistant, console: FakeConsole) -> None:
    """A flood of answers draws no session away, and neither stalls nor fills us."""
    entry = await set_up(hass, console)
    searched = await console.wait_for("discovery_request")
    attacker = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.fakes.xbox_attacker",
        str(searched.data["port"]),
        console.live_id,
        str(SECONDS),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert attacker.stdout is not None
    await attacker.stdout.readline()
    turns = 0
    async with watched_loop() as stalls:
        output = asyncio.ensure_future(attacker.stdout.read())
        while not output.done():
            # The console keeps working: what it tells is shown, every time.
            turns += 1
            name = f"Game{turns}"
            console.set_titles([FakeTitle(1000 + turns, f"Some.{name}_abc!App")])
            await wait_state(hass, TITLE, name)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.25):
                    await asyncio.shield(output)
        sent = json.loads(await output)
        await attacker.wait()

    assert sent["datagrams"] > 0.9 * SECONDS * DATAGRAMS_PER_SECOND
    assert turns > SECONDS
    assert get_state(hass, LINK).state == "on"
    assert coordinator_of(entry).console.address == console.address
    assert entry.data["host"] == console.address
    assert entry.title == console.name
    assert len(console.participants) == 1
    assert 0 < len(flows(hass)) <= MAX_CARDS
    assert stalls.work < MAX_STALL
    assert stalls.usual_wait < MAX_STALL
    assert stalls.grown < MAX_GROWTH
