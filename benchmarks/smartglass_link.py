"""SmartGlass: the time to connect, the time of a button press, and the memory of a console.

The console is the fake of the tests, in this process; the memory is that of a process of
its own, see `smartglass_memory`.
"""

import asyncio
from pathlib import Path
import statistics
import sys
import time
from typing import Final
from uuid import uuid4

from custom_components.rumpus.protocols.smartglass.console import Console
from custom_components.rumpus.protocols.smartglass.discovery import Discoverer, Network
from custom_components.rumpus.protocols.smartglass.enums import GamepadButtons
from tests.fakes.xbox import FakeConsole

ROOT: Final = Path(__file__).parent.parent
CONNECTS: Final = 50
PRESSES: Final = 200
START_TIMEOUT: Final = 60.0


async def run() -> None:
    """Measure and print."""
    async with FakeConsole() as fake:
        network = Network(fake.address, fake.port, ((fake.address, fake.port),))
        discoverer = Discoverer(network)
        await discoverer.start()
        client = Console(
            discoverer,
            live_id=fake.live_id,
            address=fake.address,
            port=fake.port,
            client_uuid=uuid4(),
        )
        try:
            connects = await _connects(client)
            presses = await _presses(client, fake)
        finally:
            await client.disconnect()
            await discoverer.stop()
        memory = await _memory(fake)
    print("SmartGlass session                      median     worst    target")
    _row("connect on loopback, ms", connects, 60)
    _row("button press until the console, ms", presses, 5)
    print(f"{'memory of one console, MiB':36} {memory:9.1f} {'':9}    < 15")


def _row(title: str, seconds: list[float], target: float) -> None:
    median, worst = 1000 * statistics.median(seconds), 1000 * max(seconds)
    print(f"{title:36} {median:9.2f} {worst:9.2f}    < {target:g}")


async def _connects(client: Console) -> list[float]:
    """Return the seconds of connects: discovery, keys, session, channels, status."""
    times = []
    for _ in range(CONNECTS):
        start = time.perf_counter()
        await client.connect()
        times.append(time.perf_counter() - start)
        await client.disconnect()
    return times


async def _presses(client: Console, fake: FakeConsole) -> list[float]:
    """Return the seconds from the call until the console knows of the button."""
    await client.connect()
    times = []
    for _ in range(PRESSES):
        start = time.perf_counter()
        pressing = asyncio.create_task(client.input.press(GamepadButtons.A, hold=0))
        await fake.wait_for("gamepad", buttons=GamepadButtons.A)
        times.append(time.perf_counter() - start)
        await pressing
        fake.mark()
    return times


async def _memory(fake: FakeConsole) -> float:
    """Return the mebibytes of a process of its own with this console connected."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.smartglass_memory",
        fake.address,
        str(fake.port),
        fake.live_id,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(START_TIMEOUT):
        output, _ = await process.communicate()
    assert process.returncode == 0
    return float(output)
