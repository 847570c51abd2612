"""pykdeconnect's side of the KDE Connect benchmark; see `benchmarks.kdeconnect`.

Runs in an environment of its own, which has nothing of this project.
"""
# mypy: disable-error-code="import-not-found,no-any-unimported"
# pykdeconnect is not installed where the types are checked.

import asyncio
import json
from pathlib import Path
import sys
import tempfile
import time
from typing import Any

from cryptography import x509
from pykdeconnect.client import KdeConnectClient
from pykdeconnect.const import KDECONNECT_PORT, KdeConnectDeviceType
from pykdeconnect.devices import KdeConnectDevice
from pykdeconnect.payloads import AnyPayload, bytes_to_payload, payload_to_bytes
from pykdeconnect.plugin_registry import PluginRegistry
from pykdeconnect.plugins.battery import BatteryPayload
from pykdeconnect.storage import FileStorage
from pykdeconnect.vol_extra import TypedDictVerifier

SECONDS = 1.0


def decoded_per_second(lines: list[bytes]) -> float:
    """Return how many lines it takes apart in a second, as its protocol class does.

    The battery packet goes through its plugin's check too; it has none for players.
    """
    verifier: Any = TypedDictVerifier[AnyPayload]()
    battery: Any = TypedDictVerifier[BatteryPayload]()
    count, start = 0, time.perf_counter()
    while (passed := time.perf_counter() - start) < SECONDS:
        for line in lines:
            payload = verifier.verify(bytes_to_payload(line))
            if payload["type"] == "kdeconnect.battery":
                battery.verify(payload)
        count += len(lines)
    return count / passed


def encoded_per_second(lines: list[bytes]) -> float:
    """Return how many packets become lines in a second."""
    payloads: list[Any] = [bytes_to_payload(line) for line in lines]
    count, start = 0, time.perf_counter()
    while (passed := time.perf_counter() - start) < SECONDS:
        for payload in payloads:
            payload_to_bytes(payload)
        count += len(payloads)
    return count / passed


async def main() -> None:
    """Read the work, measure, and stay connectable until the input ends."""
    work = json.loads(await asyncio.to_thread(sys.stdin.readline))
    lines = [packet.encode() for packet in work["packets"]]
    with tempfile.TemporaryDirectory() as folder:
        storage = FileStorage(Path(folder) / "storage")
        for device in work["devices"]:
            certificate = x509.load_der_x509_certificate(
                bytes.fromhex(device["certificate"])
            )
            storage.store_device(
                KdeConnectDevice(
                    "Bench",
                    device["id"],
                    KdeConnectDeviceType.DESKTOP,
                    set(),
                    set(),
                    certificate,
                )
            )
        client = KdeConnectClient(
            "Bench", KdeConnectDeviceType.DESKTOP, storage, PluginRegistry()
        )
        await client.start(advertise_addr="127.0.0.1", listen_addr="127.0.0.1")
        figures = {
            "udp_port": KDECONNECT_PORT,
            "decoded": decoded_per_second(lines),
            "encoded": encoded_per_second(lines),
        }
        print(json.dumps(figures), flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
