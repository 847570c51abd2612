"""Home Assistant goes on while the network is hostile."""

import asyncio
import contextlib
from dataclasses import dataclass
import gc
import json
from pathlib import Path
import sys
import time

import pytest
import pytest_socket

from homeassistant.core import HomeAssistant

from .common import flows, is_unavailable, set_up, wait_state
from custom_components.rumpus.families.kde_connect.hub import async_get_hub
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from tests import ports
from tests.fakes.attacker import DATAGRAMS_PER_SECOND, HALF_OPEN
from tests.fakes.kdeconnect import FakeDevice

ROOT = Path(__file__).parents[3]
SECONDS = 10
MAX_STALL = 0.050
MAX_GROWTH = 20 * 1024 * 1024
LONG_LINE_MIB = 32
TICK = 0.002
_SCHEDULED = Path("/proc/thread-self/schedstat")


@dataclass
class Stalls:
    """How long the event loop was kept from its other work, in seconds.

    `work` is the longest that this thread computed between two ticks: that is ours, however
    busy the machine is.  `waits` are the pauses between ticks by the clock on the wall,
    without what other programs had the processor for.
    """

    work: float = 0.0
    waits: list[float] | None = None

    @property
    def usual_wait(self) -> float:
        """Return the pause that 99.9 % of all pauses stay below."""
        waits = sorted(self.waits or [0.0])
        return waits[int(len(waits) * 0.999)]


def _starved() -> float:
    """Return how long this thread was ready and had no processor, where it is known (s)."""
    try:
        return int(_SCHEDULED.read_text().split()[1]) / 1e9
    except OSError:
        return 0.0


async def _watch(stalls: Stalls) -> None:
    stalls.waits = []
    wall, work, starved = time.monotonic(), time.thread_time(), _starved()
    while True:
        await asyncio.sleep(TICK)
        now, worked, starving = time.monotonic(), time.thread_time(), _starved()
        stalls.waits.append(now - wall - TICK - (starving - starved))
        stalls.work = max(stalls.work, worked - work)
        wall, work, starved = now, worked, starving


def _memory() -> int:
    """Return the memory of this process in bytes, as the system counts it."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * 4096
    import resource  # noqa: PLC0415 - where there is no /proc

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


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
    stalls = Stalls()
    gc.collect()
    # As in a Home Assistant that has started, outside of tests.
    gc.freeze()
    asyncio.get_running_loop().set_debug(False)
    before = _memory()

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
    watch = asyncio.create_task(_watch(stalls))
    try:
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
    finally:
        watch.cancel()
        gc.unfreeze()
    grown = _memory() - before

    assert sent["datagrams"] > 0.9 * SECONDS * DATAGRAMS_PER_SECOND
    assert sent["connections"] >= HALF_OPEN
    assert sent["endless_bytes"] >= LONG_LINE_MIB * 1024 * 1024
    assert sent["bad_lines"] > 0
    assert turns > SECONDS
    assert not is_unavailable(hass, "sensor.pixel_battery")
    assert stalls.work < MAX_STALL
    assert stalls.usual_wait < MAX_STALL
    assert grown < MAX_GROWTH
    assert flows(hass) == []
