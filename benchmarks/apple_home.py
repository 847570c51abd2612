"""A whole Home Assistant with a dozen Apple TVs: memory, CPU, states, stalls, losses, returns.

The Apple TVs are the fakes of the tests, in a process of their own, each on a loopback
address of its own. All timings are those of a home: a loss is to be shown within 20 s, and a
return within 5 s of the device answering again.

    python -m benchmarks.apple_home COUNT    the fakes alone; reads wishes, one a line
"""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
import json
from pathlib import Path
import shutil
import sys
import tempfile
import time
from typing import Final

from benchmarks.homeassistant import (
    PORT,
    QUIET,
    entry,
    go_private,
    measure,
    store,
    store_entries,
)
from custom_components.rumpus.families.apple_tv.data import device_data
from custom_components.rumpus.families.apple_tv.pairings import STORAGE_KEY, Pairings
from custom_components.rumpus.protocols.apple.const import AppleProtocol
from custom_components.rumpus.protocols.apple.identity import ClientIdentity
from custom_components.rumpus.protocols.apple.pairing import (
    pairing_needed,
    start_pairing,
)
from custom_components.rumpus.protocols.apple.scan import scan_unicast
from custom_components.rumpus.protocols.apple.services import FoundDevice
from tests.e2e.api import HomeAssistantApi
from tests.e2e.models import State
from tests.e2e.server import HomeAssistantServer
from tests.e2e.shapes import JsonObject, as_object
from tests.fakes.apple_tv import FakeAppleTv
from tests.fakes.apple_tv_models import FakeItem
from tests.interop.smartglass.program import Program

DEVICES: Final = 12
CHANGES: Final = 40  # titles that each of them plays
MDNS_PORT: Final = 5353
PIN: Final = "4711"
APP: Final = "com.example.films"
LOST: Final = 20.0
BACK: Final = 5.0
PATIENCE: Final = 60.0
PROBE: Final = Path(__file__).parent.parent / "tests/interop/kdeconnect/interop_probe"


async def run() -> None:
    """Measure and print."""
    go_private()
    fakes = Program(
        "the fakes", (sys.executable, "-m", "benchmarks.apple_home", str(DEVICES))
    )
    with tempfile.TemporaryDirectory(prefix="rumpus-bench-") as folder:
        async with AsyncExitStack() as stack:
            await fakes.start()
            stack.push_async_callback(fakes.stop)
            pairings: dict[str, Pairings] = {}
            entries = [await _entry(number, pairings) for number in range(DEVICES)]
            async with _server(Path(folder) / "without", [], {}) as server:
                without = await measure(server)
            begin = time.monotonic()
            server = _server(Path(folder) / "with", entries, pairings)
            await stack.enter_async_context(server)
            api = await stack.enter_async_context(HomeAssistantApi(server.url))
            await _wait_all(api, "idle")
            connected = time.monotonic() - begin
            with_devices = await measure(server)
            rate, seen = await _change(api, fakes)
            losses = [await _lose(api, fakes, *how) for how in WAYS]
    start = with_devices.start - without.start
    memory = (with_devices.memory - without.memory) / DEVICES
    cpu = (with_devices.cpu - without.cpu) / DEVICES
    print(f"Apple TV in Home Assistant, {DEVICES} devices")
    print(f"start-up {without.start:.2f} s without, {start:+.2f} s with all of them")
    print(f"all connected {connected:.2f} s after the start of the process")
    print(f"memory of a connected device {memory / 1024:.0f} KiB")
    print(f"CPU of an idle device {cpu * 100:.3f} % of a core")
    print(f"titles into states {rate:,.0f} a second, all at once")
    print(
        f"longest stall of the loop {_number(seen, 'stall'):.0f} ms (50 ms at most),"
        f" {_number(seen, 'starved'):.0f} ms of them for want of a processor"
    )
    for (title, *_), (lost, back) in zip(WAYS, losses, strict=True):
        print(f"{title}: unavailable after {_within(lost, LOST)}", end="")
        print(f", available {_within(back, BACK)} after it answers again")


#: What happens to the devices, the wishes for its beginning and for its end.
WAYS: Final = (
    ("falls silent", "vanish", "back"),
    ("breaks off and is gone", "stop", "start"),
    ("breaks off and takes no connections", "deny", "allow"),
)


def _within(seconds: float, limit: float) -> str:
    missed = "" if seconds <= limit else "  TOO LATE"
    return f"{seconds:.1f} s ({limit:.0f} s at most{missed})"


def _address(number: int) -> str:
    return f"127.0.1.{number + 1}"


def _player(number: int) -> str:
    return f"media_player.apple_tv_{number}"


def _server(
    folder: Path,
    entries: list[dict[str, object]],
    pairings: Mapping[str, Pairings],
) -> HomeAssistantServer:
    """Return a Home Assistant that knows the devices, and watches itself."""
    store_entries(folder, entries)
    devices = {device_id: one.to_dict() for device_id, one in pairings.items()}
    store(folder, STORAGE_KEY, {"devices": devices})
    server = HomeAssistantServer(
        folder, port=PORT, log_levels=QUIET, yaml="rumpus:\ninterop_probe:\n"
    )
    shutil.copytree(PROBE, folder / "custom_components" / PROBE.name)
    return server


async def _entry(number: int, pairings: dict[str, Pairings]) -> dict[str, object]:
    """Pair with a device, note that, and return its entry as Home Assistant stores it."""
    (found,) = await scan_unicast([_address(number)], port=MDNS_PORT, knock=False)
    identity = ClientIdentity.create("Home Assistant")
    credentials = await _pair(found, identity)
    assert found.identifier is not None
    pairings[found.identifier] = Pairings(identity, credentials)
    data = device_data(found, credentials)
    device: dict[str, object] = entry(found.identifier, found.name, data)
    device["entry_id"] = f"apple_tv_{number:02}"
    return device


async def _pair(
    found: FoundDevice, identity: ClientIdentity
) -> dict[AppleProtocol, str]:
    credentials = {}
    for protocol in pairing_needed(found, {}):
        pairing = start_pairing(found, protocol, identity)
        try:
            await pairing.begin()
            credentials[protocol] = await pairing.finish(PIN)
        finally:
            await pairing.close()
    return credentials


async def _wait_all(api: HomeAssistantApi, *states: str) -> None:
    """Wait until all players have one of these states."""

    def test(now: Mapping[str, State]) -> bool:
        found = (now.get(_player(number)) for number in range(DEVICES))
        return all(one is not None and one.state in states for one in found)

    await api.wait_states(
        test,
        PATIENCE,
        lambda: str([api.states.get(_player(number)) for number in range(DEVICES)]),
    )


async def _change(api: HomeAssistantApi, fakes: Program) -> tuple[float, JsonObject]:
    """Return the titles a second that become states, and how the loop fared meanwhile."""
    await api.call_service(PROBE.name, "start")

    def test(now: Mapping[str, State]) -> bool:
        last = f"Film {CHANGES - 1}"
        return all(
            now[_player(number)].attributes.get("media_title") == last
            for number in range(DEVICES)
        )

    begin = time.monotonic()
    await fakes.tell(f"change {CHANGES}")
    await api.wait_states(test, PATIENCE)
    seconds = time.monotonic() - begin
    seen = await api.call_service(PROBE.name, "stop", return_response=True)
    return DEVICES * CHANGES / seconds, as_object(seen)


async def _lose(
    api: HomeAssistantApi, fakes: Program, title: str, lose: str, find: str
) -> tuple[float, float]:
    """Return the seconds until the last device is unavailable, and is available again."""
    begin = time.monotonic()
    await fakes.tell(lose)
    await _wait_all(api, "unavailable")
    lost = time.monotonic() - begin
    # The pauses between attempts have become as long as they get.
    await asyncio.sleep(10)
    begin = time.monotonic()
    await fakes.tell(find)
    await _wait_all(api, "playing", "idle", "paused")
    return lost, time.monotonic() - begin


def _number(data: JsonObject, key: str) -> float:
    value = data[key]
    assert isinstance(value, int | float)
    return value


# The fakes


async def _fakes(count: int) -> None:
    """Be so many Apple TVs, and do as one is told."""
    devices = [
        FakeAppleTv(
            f"Apple TV {number}",
            address=_address(number),
            mdns_port=MDNS_PORT,
            pin=PIN,
        )
        for number in range(count)
    ]
    async with AsyncExitStack() as stack:
        for device in devices:
            device.events.keep = False
            await stack.enter_async_context(device)
        _say("ready")
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
        )
        async for line in reader:
            wish, *rest = line.decode().split()
            await asyncio.gather(*(_do(device, wish, *rest) for device in devices))
            _say("done", command=wish)


async def _do(device: FakeAppleTv, wish: str, count: str = "0") -> None:
    match wish:
        case "change":
            for number in range(int(count)):
                item = FakeItem(f"{number}", f"Film {number}")
                device.mrp.media.play(APP, item, name="Films")
                await asyncio.sleep(0)
        case "vanish":
            device.vanish()
        case "back":
            device.come_back()
        case "stop":
            await device.stop()
        case "start":
            await device.start()
        case "deny":
            for server in device.servers.values():
                await server.stop()
        case "allow":
            for name, server in device.servers.items():
                await server.start(device.address, device.ports[name])


def _say(kind: str, **data: object) -> None:
    print(json.dumps({"kind": kind, "data": data}), flush=True)


if __name__ == "__main__":
    asyncio.run(_fakes(int(sys.argv[1])))
