"""SmartGlass: datagrams decoded and encoded a second, encryption included, on one core.

Two programs do the same work in processes of their own, taking turns: `smartglass_ours` with
this project's code and `smartglass_peer` with xbox-smartglass-core. Both run on the same
Python, the peer with newer releases of construct and cryptography than it asks for.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import json
import os
from pathlib import Path
import sys
from typing import Final

from custom_components.rumpus.protocols.smartglass.const import MAX_PLAINTEXT
from custom_components.rumpus.protocols.smartglass.crypto import Crypto
from custom_components.rumpus.protocols.smartglass.enums import MessageType
from custom_components.rumpus.protocols.smartglass.messages import MessageFragment
from custom_components.rumpus.protocols.smartglass.packets import MessageHeader
from tests.protocols.smartglass.vectors import KEYS, MESSAGES

ROOT: Final = Path(__file__).parent.parent
PEER_PYTHON: Final = ROOT / ".cache/bench/bin/python"
ROUNDS: Final = 5
SECONDS: Final = 0.2
TIMEOUT: Final = 60.0

SECRET: Final = KEYS[0].expanded
TARGETS: Final = {"decode": 70_000, "encode": 52_000}
"""ConsoleStatus packets a second that have to be reached."""


def datagrams() -> dict[str, bytes]:
    """Return what is measured; a ConsoleStatus has two titles, a fragment is a full one."""
    fragment = MessageFragment(40, 43, bytes(MAX_PLAINTEXT))
    header = MessageHeader(
        40, 31, 0, MessageType.MEDIA_STATE, 150, need_ack=True, is_fragment=True
    )
    return {
        "ConsoleStatus": MESSAGES["console_status"].datagram,
        "MediaState": MESSAGES["media_state"].datagram,
        "Ack": MESSAGES["ack_from_console"].datagram,
        "Gamepad": MESSAGES["gamepad_a_press"].datagram,
        "Fragment": Crypto.from_expanded_secret(SECRET).seal_message(
            header, fragment.encode()
        ),
    }


class Worker:
    """A program that measures what it is told to."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        """Take a program that has been started."""
        self._process = process

    async def measure(self, name: str, way: str) -> float:
        """Return how many datagrams of this name it decodes or encodes in a second."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        order = {"name": name, "way": way, "seconds": SECONDS}
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        async with asyncio.timeout(TIMEOUT):
            return float(await self._process.stdout.readline())


@asynccontextmanager
async def worker(python: Path, module: str) -> AsyncIterator[Worker]:
    """Run one of the two programs."""
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
    )
    assert process.stdin is not None
    try:
        work = {
            "secret": SECRET.hex(),
            "datagrams": {name: data.hex() for name, data in datagrams().items()},
        }
        process.stdin.write(json.dumps(work).encode() + b"\n")
        yield Worker(process)
    finally:
        process.stdin.close()
        await process.wait()


async def run() -> None:
    """Measure and print."""
    async with worker(Path(sys.executable), "benchmarks.smartglass_ours") as ours:
        if PEER_PYTHON.exists():
            async with worker(PEER_PYTHON, "benchmarks.smartglass_peer") as peer:
                await _compare(ours, peer)
        else:
            await _compare(ours, None)
            print("xbox-smartglass-core cannot be installed here: nothing to compare.")


async def _compare(ours: Worker, peer: Worker | None) -> None:
    print("SmartGlass, datagrams/s      rumpus  smartglass-core    ratio")
    for name in datagrams():
        for way in TARGETS:
            # In turns, and the best of each: what disturbs one disturbs both.
            best = best_of_peer = 0.0
            for _ in range(ROUNDS):
                best = max(best, await ours.measure(name, way))
                if peer is not None:
                    best_of_peer = max(best_of_peer, await peer.measure(name, way))
            _row(f"{name} {way}", best, best_of_peer)
            if name == "ConsoleStatus" and best < TARGETS[way]:
                print(f"  too slow: the aim is {TARGETS[way]:,}")


def _row(title: str, ours: float, peer: float) -> None:
    if peer:
        print(f"{title:22} {ours:12,.0f} {peer:16,.0f} {ours / peer:7.1f}x")
    else:
        print(f"{title:22} {ours:12,.0f} {'-':>16} {'-':>8}")
