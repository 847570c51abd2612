"""This project's side of the KDE Connect benchmark; see `benchmarks.kdeconnect`."""

import asyncio
import json
import sys
import time

from custom_components.rumpus.protocols.json_lines import JsonLinesStream
from custom_components.rumpus.protocols.kdeconnect.const import DeviceType
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from custom_components.rumpus.protocols.kdeconnect.discovery import Network
from custom_components.rumpus.protocols.kdeconnect.local import LocalPeer
from custom_components.rumpus.protocols.kdeconnect.packet import (
    decode_packet,
    encode_packet,
)
from custom_components.rumpus.protocols.kdeconnect.paired import PairedDevice
from custom_components.rumpus.protocols.kdeconnect.plugins import decode_message

SECONDS = 1.0


def decoded_per_second(lines: list[bytes]) -> float:
    """Return how many lines become typed messages in a second."""
    count, start = 0, time.perf_counter()
    while (passed := time.perf_counter() - start) < SECONDS:
        for line in lines:
            decode_message(decode_packet(JsonLinesStream.decode_message(line)))
        count += len(lines)
    return count / passed


def encoded_per_second(lines: list[bytes]) -> float:
    """Return how many packets become lines in a second."""
    packets = [decode_packet(JsonLinesStream.decode_message(line)) for line in lines]
    count, start = 0, time.perf_counter()
    while (passed := time.perf_counter() - start) < SECONDS:
        for packet in packets:
            encode_packet(packet)
        count += len(packets)
    return count / passed


async def main() -> None:
    """Read the work, measure, and stay connectable until the input ends."""
    work = json.loads(await asyncio.to_thread(sys.stdin.readline))
    lines = [packet.encode() for packet in work["packets"]]
    local = LocalPeer(
        Credentials.generate(), "Bench", network=Network(bind="127.0.0.1", udp_port=0)
    )
    for device in work["devices"]:
        local.add_paired(
            PairedDevice(
                device["id"],
                bytes.fromhex(device["certificate"]),
                "Bench",
                DeviceType.DESKTOP,
                7,
            )
        )
    await local.start()
    figures = {
        "udp_port": local.udp_port,
        "decoded": decoded_per_second(lines),
        "encoded": encoded_per_second(lines),
    }
    print(json.dumps(figures), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await local.stop()


if __name__ == "__main__":
    asyncio.run(main())
