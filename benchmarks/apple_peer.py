"""pyatv's side of the Apple TV benchmark; see `benchmarks.apple`.

Runs in an environment of its own, which has nothing of this project.
"""

import asyncio
import gc
import importlib
import json
import mmap
from pathlib import Path
import sys
import time
from typing import Any


def resident() -> int:
    """Return the bytes of this process that are in memory."""
    gc.collect()
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * mmap.PAGESIZE


def private() -> int:
    """Return those of them that are this process's alone: no pages of libraries.

    How many of those count depends on what the system has read of them before.
    """
    gc.collect()
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("RssAnon:")[2].split()[0]) * 1024


async def config_of(order: dict[str, Any]) -> Any:
    """Find the device; `PYATV_UDNS_PORT` says where it answers."""
    pyatv = importlib.import_module("pyatv")
    loop = asyncio.get_running_loop()
    (config,) = await pyatv.scan(loop, hosts=[order["address"]], timeout=5)
    for service in config.services:
        name = service.protocol.name.lower()
        service.credentials = order["credentials"].get(name)
        service.enabled = name in order["credentials"]
    return config


async def connected(config: Any) -> Any:
    """Connect to the protocols that there are credentials for."""
    pyatv = importlib.import_module("pyatv")
    return await pyatv.connect(config, asyncio.get_running_loop())


async def connects(config: Any, count: int) -> list[float]:
    """Return the seconds of the processor for connects to all protocols."""
    times = []
    for _ in range(count):
        start = time.process_time()
        device = await connected(config)
        times.append(time.process_time() - start)
        await asyncio.gather(*device.close())
    return times


async def commands(device: Any, count: int) -> list[float]:
    """Return the seconds until a command is answered."""
    times = []
    control = device.remote_control
    for number in range(count):
        start = time.perf_counter()
        await (control.play() if number % 2 else control.pause())
        times.append(time.perf_counter() - start)
    return times


async def main() -> None:
    """Do the work that the line on standard input describes, print the figures."""
    order = json.loads(sys.stdin.readline())
    before, start = resident(), time.process_time()
    config = await config_of(order)
    device = await connected(config)
    figures: dict[str, Any] = {
        "first": time.process_time() - start,
        "memory": resident() - before,
        "commands": await commands(device, order["commands"]),
    }
    await asyncio.gather(*device.close())
    figures["connects"] = await connects(config, order["connects"])
    print(json.dumps(figures))


def imports() -> None:
    """Print the seconds and the bytes that the import of the client takes."""
    own, before, start = private(), resident(), time.process_time()
    importlib.import_module("pyatv")
    seconds = time.process_time() - start
    memory = {"memory": resident() - before, "private": private() - own}
    print(json.dumps({"seconds": seconds, **memory}))


if __name__ == "__main__":
    if sys.argv[1:] == ["imports"]:
        imports()
    else:
        asyncio.run(main())
