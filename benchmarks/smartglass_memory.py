"""What one console costs in memory; see `benchmarks.smartglass_link`.

Home Assistant, the frame of the integration and the libraries that they load are there
before the first look, everything of SmartGlass before the second one.
"""

import asyncio
import gc
import importlib
import mmap
from pathlib import Path
import sys
from typing import Final
from uuid import uuid4

PACKAGE: Final = "custom_components.rumpus"
LIBRARIES: Final = (
    PACKAGE,
    "aiohttp",
    "cryptography.x509",
    "cryptography.hazmat.primitives.asymmetric.ec",
    "cryptography.hazmat.primitives.ciphers",
    "orjson",
)


def resident() -> int:
    """Return the bytes of this process that are in memory."""
    gc.collect()
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * mmap.PAGESIZE


async def main(address: str, port: int, live_id: str) -> None:
    """Connect to a console and print the mebibytes that it took."""
    for name in LIBRARIES:
        importlib.import_module(name)
    before = resident()
    console = importlib.import_module(f"{PACKAGE}.protocols.smartglass.console")
    discovery = importlib.import_module(f"{PACKAGE}.protocols.smartglass.discovery")
    network = discovery.Network(address, port, ((address, port),))
    discoverer = discovery.Discoverer(network)
    await discoverer.start()
    client = console.Console(
        discoverer,
        live_id=live_id,
        address=address,
        port=port,
        client_uuid=uuid4(),
    )
    await client.connect()
    print((resident() - before) / 1024**2)
    await client.disconnect()
    await discoverer.stop()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
