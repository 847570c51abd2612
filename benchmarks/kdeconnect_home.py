"""A whole Home Assistant with a hundred KDE Connect devices: start-up, memory, CPU, packets.

Home Assistant is the real one, in a process of its own; the devices are the fakes of the tests,
in this process, each on a loopback address of its own. The same Home Assistant without devices
is measured first, and what counts is the difference.
"""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
import json
import os
from pathlib import Path
import ssl
import tempfile
import time
from typing import Final

from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from tests.e2e.api import HomeAssistantApi
from tests.e2e.server import HomeAssistantServer
from tests.fakes.kdeconnect import FakeDevice

DEVICES: Final = 100
BATTERIES: Final = 100  # packets that each device sends
SETTLE: Final = 5.0  # seconds until a start has ended in every corner
IDLE: Final = 20.0  # seconds that the CPU time is taken over
PORT: Final = 8351
TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Idle:
    """What a Home Assistant takes that has nothing to do."""

    start: float  # seconds
    memory: int  # bytes, resident
    cpu: float  # seconds of CPU time a second


async def run() -> None:
    """Measure and print."""
    ours = Credentials.generate()
    with tempfile.TemporaryDirectory(prefix="rumpus-bench-") as folder:
        async with _server(Path(folder) / "without", ours, []) as server:
            without = await _measure(server)
        async with AsyncExitStack() as stack:
            fakes = [
                await stack.enter_async_context(_device(number, ours))
                for number in range(DEVICES)
            ]
            begin = time.monotonic()
            server = _server(Path(folder) / "with", ours, fakes)
            await stack.enter_async_context(server)
            for fake in fakes:
                await fake.wait_for("link_up", timeout=60)
            connected = time.monotonic() - begin
            with_devices = await _measure(server)
            rate = await _flood(server, fakes)
    start = with_devices.start - without.start
    memory = (with_devices.memory - without.memory) / DEVICES
    cpu = (with_devices.cpu - without.cpu) / DEVICES
    print(f"KDE Connect in Home Assistant, {DEVICES} devices")
    print(f"start-up {without.start:.2f} s without, {start:+.2f} s with all of them")
    print(f"all connected {connected:.2f} s after the start of the process")
    print(f"memory of a connected device {memory / 1024:.0f} KiB")
    print(f"CPU of an idle device {cpu * 1e6:.0f} µs a second")
    print(f"packets into states {rate:,.0f} a second")


def _device(number: int, ours: Credentials) -> FakeDevice:
    """Return a phone that has been paired before; it waits to be called."""
    fake = FakeDevice("phone", name=f"Phone {number}", bind=f"127.0.1.{number + 1}")
    fake.paired[ours.device_id] = ours.certificate
    fake.answers_udp = False
    return fake


def _server(
    folder: Path, ours: Credentials, fakes: list[FakeDevice]
) -> HomeAssistantServer:
    """Return a Home Assistant that knows the devices."""
    storage = folder / ".storage"
    storage.mkdir(parents=True)
    _store(
        storage / "rumpus.kde_connect",
        1,
        1,
        {
            "device_id": ours.device_id,
            "private_key": ours.private_key_pem,
            "certificate": ours.certificate_pem,
        },
    )
    entries = [_entry(fake) for fake in fakes]
    _store(storage / "core.config_entries", 1, 5, {"entries": entries})
    levels = {"custom_components.rumpus": "warning"}
    return HomeAssistantServer(folder, port=PORT, log_levels=levels)


def _store(path: Path, version: int, minor: int, data: dict[str, object]) -> None:
    document = {
        "version": version,
        "minor_version": minor,
        "key": path.name,
        "data": data,
    }
    path.write_text(json.dumps(document))


def _entry(fake: FakeDevice) -> dict[str, object]:
    """Return a device as Home Assistant stores it."""
    now = "2026-01-01T00:00:00+00:00"
    return {
        "created_at": now,
        "modified_at": now,
        "data": {
            "family": "kde_connect",
            "device_id": fake.device_id,
            "certificate": ssl.DER_cert_to_PEM_cert(fake.certificate_der),
            "name": fake.name,
            "device_type": fake.device_type,
            "protocol_version": fake.protocol,
            "host": fake.bind,
            "port": fake.tcp_port,
            "incoming": sorted(fake.incoming),
            "outgoing": sorted(fake.outgoing),
        },
        "disabled_by": None,
        "discovery_keys": {},
        "domain": "rumpus",
        "entry_id": fake.device_id.upper()[:26],
        "minor_version": 1,
        "options": {},
        "pref_disable_new_entities": False,
        "pref_disable_polling": False,
        "source": "user",
        "subentries": [],
        "title": fake.name,
        "unique_id": fake.device_id,
        "version": 1,
    }


async def _measure(server: HomeAssistantServer) -> Idle:
    """Let it settle, then look at it for a while."""
    await asyncio.sleep(SETTLE)
    before = _cpu_time(server)
    await asyncio.sleep(IDLE)
    assert server.boot_seconds is not None
    return Idle(
        server.boot_seconds, _memory(server), (_cpu_time(server) - before) / IDLE
    )


def _cpu_time(server: HomeAssistantServer) -> float:
    # The name in parentheses may have blanks; user and system time are words 12 and 13 after it.
    words = Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / TICKS


def _memory(server: HomeAssistantServer) -> int:
    for line in Path(f"/proc/{server.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise ValueError("no resident memory")


async def _flood(server: HomeAssistantServer, fakes: list[FakeDevice]) -> float:
    """Return the packets a second that become states, with all devices sending at once."""
    async with HomeAssistantApi(server.url) as api:

        async def send(fake: FakeDevice) -> None:
            for number in range(BATTERIES):
                await fake.battery.set(number % 90 + 1)
            await fake.battery.set(99)

        begin = time.monotonic()
        await asyncio.gather(*(send(fake) for fake in fakes))
        for number in range(DEVICES):
            await api.wait_state(f"sensor.phone_{number}_battery", "99", 120)
        return DEVICES * (BATTERIES + 1) / (time.monotonic() - begin)
