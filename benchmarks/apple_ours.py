"""This project's side of the Apple TV benchmark; see `benchmarks.apple`.

Only the protocols are loaded: the package around them would load Home Assistant.
"""

import asyncio
from collections.abc import Callable
import functools
import gc
import importlib
import json
import logging
import mmap
from pathlib import Path
import sys
import time
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from custom_components.rumpus.protocols.apple.device import AppleDevice

ROOT: Final = Path(__file__).parent.parent
PACKAGE: Final = "custom_components.rumpus"
APPLE: Final = f"{PACKAGE}.protocols.apple"
TIMEOUT: Final = 20.0


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


def empty_packages() -> None:
    """Let the protocols be imported without what is around them."""
    for name in ("custom_components", PACKAGE):
        package = ModuleType(name)
        package.__path__ = [str(ROOT / name.replace(".", "/"))]
        sys.modules[name] = package


def maker_of(order: dict[str, Any]) -> Callable[[], AppleDevice]:
    """Return what makes a device of what was found before, as an entry remembers it."""
    const = importlib.import_module(f"{APPLE}.const")
    device = importlib.import_module(f"{APPLE}.device")
    identity = importlib.import_module(f"{APPLE}.identity")
    services = importlib.import_module(f"{APPLE}.services")
    found = services.FoundDevice.from_dict(order["found"])

    credentials = {
        const.AppleProtocol(name): text for name, text in order["credentials"].items()
    }

    async def resolve() -> Any:
        return found

    return functools.partial(
        device.AppleDevice,
        found,
        credentials,
        identity.ClientIdentity.create("Benchmark"),
        resolve=resolve,
        logger=logging.getLogger("benchmark"),
    )


async def connects(order: dict[str, Any]) -> list[float]:
    """Return the seconds of the processor for connects to all protocols."""
    times = []
    make = maker_of(order)
    for _ in range(order["connects"]):
        start = time.process_time()
        device = make()
        device.start()
        await device.connected(TIMEOUT)
        times.append(time.process_time() - start)
        await device.stop()
    return times


async def commands(device: AppleDevice, count: int) -> list[float]:
    """Return the seconds until a command is answered."""
    times = []
    for number in range(count):
        start = time.perf_counter()
        await (device.play() if number % 2 else device.pause())
        times.append(time.perf_counter() - start)
    return times


async def main() -> None:
    """Do the work that the line on standard input describes, print the figures."""
    order = json.loads(sys.stdin.readline())
    empty_packages()
    before, start = resident(), time.process_time()
    device = maker_of(order)()
    device.start()
    await device.connected(TIMEOUT)
    figures: dict[str, Any] = {
        "first": time.process_time() - start,
        "memory": resident() - before,
        "commands": await commands(device, order["commands"]),
        "modules": sorted(n for n in sys.modules if n.startswith(f"{PACKAGE}.")),
    }
    await device.stop()
    figures["connects"] = await connects(order)
    print(json.dumps(figures))


def imports(names: list[str]) -> None:
    """Print the seconds and the bytes that the imports of an Apple TV take."""
    empty_packages()
    own, before, start = private(), resident(), time.process_time()
    for name in names:
        importlib.import_module(name)
    seconds = time.process_time() - start
    memory = {"memory": resident() - before, "private": private() - own}
    print(json.dumps({"seconds": seconds, **memory}))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        imports(sys.argv[1:])
    else:
        asyncio.run(main())
