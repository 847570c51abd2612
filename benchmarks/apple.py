"""Apple TV: what a connected one takes, side by side with pyatv on the same fake.

The fake runs in a process of its own, and so do both clients. They connect to AirPlay,
with MRP in its tunnel, and to Companion. Imports are everything that a connected client
has loaded, in a Python that has nothing but asyncio; their times and those of connects
are those of the processor.
"""

import asyncio
from collections.abc import Mapping, Sequence
import json
import os
from pathlib import Path
import statistics
import sys
from typing import Any, Final

from custom_components.rumpus.protocols.apple.const import AppleProtocol
from custom_components.rumpus.protocols.apple.identity import ClientIdentity
from custom_components.rumpus.protocols.apple.pairing import start_pairing
from custom_components.rumpus.protocols.apple.scan import scan_unicast
from custom_components.rumpus.protocols.apple.services import FoundDevice
from tests.e2e.shapes import JsonObject, as_object, parse
from tests.interop.smartglass.program import Program

ROOT: Final = Path(__file__).parent.parent
PEER_PYTHON: Final = ROOT / ".cache/apple-peer/bin/python"
ADDRESS: Final = "127.0.0.91"
PIN: Final = "4711"
CONNECTS: Final = 15
COMMANDS: Final = 300
ROUNDS: Final = 5
TIMEOUT: Final = 120.0
MIB: Final = 1024**2

# What is shown: its name among the figures, a factor, and the ratio to stay below.
ROWS: Final = (
    ("imports, ms", "seconds", 1000, 1 / 3),
    ("memory of the imports, MiB", "memory", 1 / MIB, 1 / 3),
    ("  of which no pages of libraries", "private", 1 / MIB, 1 / 3),
    ("  and of the connection, MiB", "connected", 1 / MIB, None),
    ("first connect with imports, ms", "first", 1000, None),
    ("connect, ms", "connects", 1000, 0.8),
    ("command round trip, ms", "commands", 1000, None),
)

type Figures = dict[str, Any]


async def run() -> None:
    """Measure and print."""
    fake = Program(
        "the fake",
        (
            *(sys.executable, "-m", "tests.fakes.apple_tv_program"),
            *("--address", ADDRESS, "--mdns-port", "0", "--os", "tvos_18"),
            *("--pin", PIN),
        ),
    )
    await fake.start()
    try:
        await _compare(fake)
    finally:
        await fake.stop()


async def _compare(fake: Program) -> None:
    await fake.tell("play music")
    ports = as_object((await fake.wait("ready"))["ports"])
    port = int(str(ports["mdns"]))
    (found,) = await scan_unicast([ADDRESS], port=port)
    order: JsonObject = {
        "address": ADDRESS,
        "port": port,
        "found": parse(json.dumps(found.to_dict())),
        "credentials": dict(await _pair(found)),
        "connects": CONNECTS,
        "commands": COMMANDS,
    }
    ours = (sys.executable, "-m", "benchmarks.apple_ours")
    peer = (str(PEER_PYTHON), "-m", "benchmarks.apple_peer")
    told: list[Figures] = []
    told_by_peer: list[Figures] = []
    for _ in range(ROUNDS):
        # In turns, and the best of each: what disturbs one disturbs both.
        figures = await _measure(ours, order)
        told.append({**figures, **await _output((*ours, *figures["modules"]))})
        if PEER_PYTHON.exists():
            figures = await _measure(peer, order)
            told_by_peer.append({**figures, **await _output((*peer, "imports"))})
    _table(told, told_by_peer)
    if not told_by_peer:
        print("pyatv is not here (script/setup --apple-peer): nothing to compare.")


async def _pair(found: FoundDevice) -> Mapping[str, str]:
    """Pair with our client; the credentials serve both."""
    identity = ClientIdentity.create("Benchmark")
    credentials = {}
    for protocol in (AppleProtocol.AIRPLAY, AppleProtocol.COMPANION):
        pairing = start_pairing(found, protocol, identity)
        try:
            await pairing.begin()
            credentials[protocol.value] = await pairing.finish(PIN)
        finally:
            await pairing.close()
    return credentials


async def _measure(command: Sequence[str], order: JsonObject) -> Figures:
    line = json.dumps(order).encode() + b"\n"
    figures = await _output(command, line, int(str(order["port"])))
    figures["connected"] = figures.pop("memory")
    return figures


async def _output(command: Sequence[str], line: bytes = b"", port: int = 0) -> Figures:
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PYATV_UDNS_PORT": str(port),
        # Compiled once, as it is where Home Assistant runs.
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(ROOT / ".cache/bytecode"),
    }
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=ROOT,
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(TIMEOUT):
        output, _ = await process.communicate(line)
    assert process.returncode == 0
    figures: Figures = json.loads(output)
    return figures


def _table(ours: Sequence[Figures], peer: Sequence[Figures]) -> None:
    print("Apple TV                               rumpus    pyatv   ratio   target")
    for title, name, factor, target in ROWS:
        mine = factor * _best(ours, name)
        text = f"{title:35} {mine:9.2f}"
        if peer:
            theirs = factor * _best(peer, name)
            text += f" {theirs:8.2f} {mine / theirs:6.2f}x"
            if target is not None:
                missed = "" if mine / theirs < target else "  too much"
                text += f"   < {target:.2f}{missed}"
        print(text)


def _best(told: Sequence[Figures], name: str) -> float:
    """Return the least of several times; of many at once, their median counts."""
    return min(
        float(statistics.median(value) if isinstance(value, list) else value)
        for value in (figures[name] for figures in told)
    )


if __name__ == "__main__":
    asyncio.run(run())
