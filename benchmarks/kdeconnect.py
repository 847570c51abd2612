"""KDE Connect: packets decoded and encoded, and the time to connect.

Two programs do the same work in processes of their own: `kdeconnect_ours` with this
project's code and `kdeconnect_peer` with pykdeconnect, in the environment that it runs in.
The devices that both connect to are the fakes of the tests, in this process.
"""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
import json
import os
from pathlib import Path
import statistics
import sys
import time
from typing import Final

from tests.fakes.kdeconnect import FakeDevice

ROOT: Final = Path(__file__).parent.parent
PEER_PYTHON: Final = ROOT / ".cache/bench/bin/python"
CONNECTS: Final = 15
PROTOCOL: Final = 7  # what both can speak
START_TIMEOUT: Final = 60.0

# Captured shapes: what a KDE computer sends most.
PACKETS: Final = (
    """{"body":{"batteryQuantity":1,"currentCharge":77,"isCharging":false,\
"thresholdEvent":0},"id":1795249213811,"type":"kdeconnect.battery"}""",
    """{"body":{"album":"Album","albumArtUrl":"file:///srv/art.png","artist":"Artist A",\
"canGoNext":true,"canGoPrevious":true,"canPause":true,"canPlay":true,"canSeek":true,\
"isPlaying":true,"length":180000,"loopStatus":"None","player":"Fake Player","pos":2039,\
"shuffle":false,"title":"Title 1","url":"file:///music/a.ogg","volume":50},\
"id":1795249213812,"type":"kdeconnect.mpris"}""",
    """{"body":{"message":"hello"},"id":1795249213813,"type":"kdeconnect.ping"}""",
)


@dataclass(frozen=True)
class Figures:
    """What one implementation reached."""

    decoded: float  # packets a second
    encoded: float
    connects: list[float]  # seconds, from the announcement to the end of TLS


async def run() -> None:
    """Measure and print."""
    ours = await _measure(Path(sys.executable), "benchmarks.kdeconnect_ours")
    peer = None
    if PEER_PYTHON.exists():
        peer = await _measure(PEER_PYTHON, "benchmarks.kdeconnect_peer")
    print("KDE Connect                rumpus    pykdeconnect    ratio")
    _row("packets decoded/s", ours.decoded, peer.decoded if peer else None)
    _row("packets encoded/s", ours.encoded, peer.encoded if peer else None)
    _row(
        "connects/s",
        1 / statistics.median(ours.connects),
        1 / statistics.median(peer.connects) if peer else None,
    )
    print(f"median time to connect {1000 * statistics.median(ours.connects):.1f} ms")
    if peer is None:
        print(
            "pykdeconnect cannot be installed here; there is nothing to compare with."
        )


def _row(title: str, ours: float, peer: float | None) -> None:
    if peer is None:
        print(f"{title:20} {ours:12,.0f} {'-':>15} {'-':>8}")
    else:
        print(f"{title:20} {ours:12,.0f} {peer:15,.0f} {ours / peer:7.2f}x")


async def _measure(python: Path, module: str) -> Figures:
    """Run one implementation against fresh fakes."""
    async with AsyncExitStack() as stack:
        fakes = [
            await stack.enter_async_context(
                FakeDevice("computer", protocol=PROTOCOL, name=f"Bench {number}")
            )
            for number in range(CONNECTS)
        ]
        work = {
            "packets": PACKETS,
            "devices": [
                {"id": fake.device_id, "certificate": fake.certificate_der.hex()}
                for fake in fakes
            ],
        }
        process = await asyncio.create_subprocess_exec(
            python,
            "-W",
            "ignore",
            "-m",
            module,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(work).encode() + b"\n")
            async with asyncio.timeout(START_TIMEOUT):
                ready = json.loads(await process.stdout.readline())
            connects = [await _connect(fake, ready["udp_port"]) for fake in fakes]
        finally:
            process.stdin.close()
            await process.wait()
    return Figures(ready["decoded"], ready["encoded"], connects)


async def _connect(fake: FakeDevice, udp_port: int) -> float:
    start = time.perf_counter()
    fake.announce("127.0.0.1", udp_port)
    await fake.wait_for("link_up")
    return time.perf_counter() - start
