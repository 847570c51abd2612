"""A whole Home Assistant with 24 consoles: start-up, memory, CPU, states, and how the loop fares.

The consoles are the fakes of the tests, in this process, each on a loopback address of its own.
"""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
import shutil
import tempfile
import time
from typing import Final

from benchmarks.homeassistant import (
    PORT,
    QUIET,
    entry,
    go_private,
    measure,
    store_entries,
)
from tests.e2e.api import HomeAssistantApi
from tests.e2e.server import HomeAssistantServer
from tests.e2e.shapes import JsonObject, as_object
from tests.fakes.xbox import FakeConsole, FakeTitle

CONSOLES: Final = 24
CHANGES: Final = 50  # titles that each console starts
APP: Final = "Example.Player_abc!App"
PROBE: Final = Path(__file__).parent.parent / "tests/interop/kdeconnect/interop_probe"


async def run() -> None:
    """Measure and print."""
    go_private()
    with tempfile.TemporaryDirectory(prefix="rumpus-bench-") as folder:
        async with _server(Path(folder) / "without", []) as server:
            without = await measure(server)
        async with AsyncExitStack() as stack:
            consoles = [
                await stack.enter_async_context(_console(number))
                for number in range(CONSOLES)
            ]
            begin = time.monotonic()
            server = _server(Path(folder) / "with", consoles)
            await stack.enter_async_context(server)
            for console in consoles:
                await console.wait_for("joined", timeout=60)
            connected = time.monotonic() - begin
            with_consoles = await measure(server)
            rate, stall, starved = await _change(server, consoles)
    start = with_consoles.start - without.start
    memory = (with_consoles.memory - without.memory) / CONSOLES
    cpu = (with_consoles.cpu - without.cpu) / CONSOLES
    print(f"Xbox in Home Assistant, {CONSOLES} consoles")
    print(f"start-up {without.start:.2f} s without, {start:+.2f} s with all of them")
    print(f"all connected {connected:.2f} s after the start of the process")
    print(f"memory of a connected console {memory / 1024:.0f} KiB")
    print(f"CPU of an idle console {cpu * 100:.3f} % of a core (0.2 % at most)")
    print(f"titles into states {rate:,.0f} a second")
    print(
        f"longest stall of the loop {stall:.0f} ms (50 ms at most),"
        f" {starved:.0f} ms of them for want of a processor"
    )


def _console(number: int) -> FakeConsole:
    """Return a console that is on."""
    return FakeConsole(
        name=f"Console {number}",
        live_id=f"FD{number:014X}",
        address=f"127.0.1.{number + 1}",
        port=5050,
    )


def _server(folder: Path, consoles: list[FakeConsole]) -> HomeAssistantServer:
    """Return a Home Assistant that knows the consoles, and watches itself."""
    store_entries(folder, [_entry(console) for console in consoles])
    server = HomeAssistantServer(
        folder, port=PORT, log_levels=QUIET, yaml="rumpus:\ninterop_probe:\n"
    )
    shutil.copytree(PROBE, folder / "custom_components" / PROBE.name)
    return server


def _entry(console: FakeConsole) -> dict[str, object]:
    """Return a console as Home Assistant stores it."""
    return entry(
        console.live_id,
        console.name,
        {
            "family": "xbox",
            "live_id": console.live_id,
            "console_uuid": console.console_uuid,
            "name": console.name,
            "host": console.address,
            "port": console.port,
        },
    )


async def _change(
    server: HomeAssistantServer, consoles: list[FakeConsole]
) -> tuple[float, float, float]:
    """Return the titles a second that become states, and the longest stall meanwhile in ms."""
    async with HomeAssistantApi(server.url) as api:
        await api.call_service(PROBE.name, "start")

        async def change(console: FakeConsole) -> None:
            for number in range(CHANGES):
                console.set_titles([FakeTitle(1000 + number, APP, has_focus=True)])
                await asyncio.sleep(0)

        begin = time.monotonic()
        await asyncio.gather(*(change(console) for console in consoles))
        for number in range(CONSOLES):
            await api.wait_state(
                f"sensor.console_{number}_active_title_id", f"{999 + CHANGES:08X}", 60
            )
        seconds = time.monotonic() - begin
        seen = as_object(
            await api.call_service(PROBE.name, "stop", return_response=True)
        )
        return (
            CONSOLES * CHANGES / seconds,
            _number(seen, "stall"),
            _number(seen, "starved"),
        )


def _number(data: JsonObject, key: str) -> float:
    value = data[key]
    assert isinstance(value, int | float)
    return value
