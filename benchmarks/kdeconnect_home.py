"""A whole Home Assistant with a hundred KDE Connect devices: start-up, memory, CPU, packets.

The devices are the fakes of the tests, in this process, each on a loopback address of its own.
"""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
import ssl
import tempfile
import time
from typing import Final

from benchmarks.homeassistant import PORT, QUIET, entry, measure, store, store_entries
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from tests.e2e.api import HomeAssistantApi
from tests.e2e.server import HomeAssistantServer
from tests.fakes.kdeconnect import FakeDevice

DEVICES: Final = 100
BATTERIES: Final = 100  # packets that each device sends


async def run() -> None:
    """Measure and print."""
    ours = Credentials.generate()
    with tempfile.TemporaryDirectory(prefix="rumpus-bench-") as folder:
        async with _server(Path(folder) / "without", ours, []) as server:
            without = await measure(server)
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
            with_devices = await measure(server)
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
    store(
        folder,
        "rumpus.kde_connect",
        {
            "device_id": ours.device_id,
            "private_key": ours.private_key_pem,
            "certificate": ours.certificate_pem,
        },
    )
    store_entries(folder, [_entry(fake) for fake in fakes])
    return HomeAssistantServer(folder, port=PORT, log_levels=QUIET)


def _entry(fake: FakeDevice) -> dict[str, object]:
    """Return a device as Home Assistant stores it."""
    return entry(
        fake.device_id,
        fake.name,
        {
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
    )


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
