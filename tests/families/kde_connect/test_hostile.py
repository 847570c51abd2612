"""Home Assistant goes on while the network is hostile."""

import asyncio
import contextlib
import json
from pathlib import Path
import sys

import pytest
import pytest_socket

from homeassistant.core import HomeAssistant

from ..stalls import watched_loop
from .common import flows, is_unavailable, set_up, wait_state
from custom_components.rumpus.families.kde_connect.hub import async_get_hub
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from custom_components.rumpus.protocols.reconnect import LINK_GRACE
from tests import ports
from tests.fakes.attacker import DATAGRAMS_PER_SECOND, HALF_OPEN
from tests.fakes.kdeconnect import FakeDevice

ROOT = Path(__file__).parents[3]
SECONDS = 20
MAX_STALL = 0.050
MAX_GROWTH = 20 * 1024 * 1024
LONG_LINE_MIB = 32


@pytest.fixture
def grace() -> float:
    """The true one."""
    return LINK_GRACE


@pytest.fixture
def all_of_loopback(socket_enabled: None) -> None:
    """Allow calls to every address of loopback: the flood comes from many."""
    pytest_socket.socket_allow_hosts(["127.0.0.0/8"], allow_unix_socket=True)


async def _misbehave(phone: FakeDevice, turn: int) -> None:
    """Let the paired device itself send what it must not."""
    match turn % 4:
        case 0:
            await phone.mischief.long_line(LONG_LINE_MIB, end=True)
        case 1:
            await phone.mischief.not_utf8()
        case 2:
            await phone.mischief.nesting_bomb()
        case _:
            await phone.mischief.invalid_json()


@pytest.mark.timeout(120)
@pytest.mark.usefixtures("all_of_loopback")
async def test_hostile_network(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """Floods, half-open connections and endless lines neither stall nor fill us."""
    await set_up(hass, ours, phone, "pixel")
    peer = async_get_hub(hass).peer
    assert peer is not None
    turns = 0

    attacker = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.fakes.attacker",
        str(peer.udp_port),
        str(peer.tcp_port),
        str(ports.share().free_tcp_port()),
        str(SECONDS),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    async with watched_loop() as stalls:
        assert attacker.stdout is not None
        output = asyncio.ensure_future(attacker.stdout.read())
        while not output.done():
            # The paired device keeps working: what it says is heard, every time.
            turns += 1
            await _misbehave(phone, turns)
            await phone.battery.set(turns % 100)
            await wait_state(hass, "sensor.pixel_battery", str(turns % 100))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.25):
                    await asyncio.shield(output)
        sent = json.loads(await output)
        await attacker.wait()

    assert sent["datagrams"] > 0.9 * SECONDS * DATAGRAMS_PER_SECOND
    assert sent["connections"] >= HALF_OPEN
    assert sent["endless_bytes"] >= LONG_LINE_MIB * 1024 * 1024
    assert sent["bad_lines"] > 0
    assert turns > SECONDS
    assert not is_unavailable(hass, "sensor.pixel_battery")
    assert stalls.work < MAX_STALL
    assert stalls.usual_wait < MAX_STALL
    assert stalls.grown < MAX_GROWTH
    assert flows(hass) == []
