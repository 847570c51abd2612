"""What the benchmarks of a whole Home Assistant share: what it starts with, and what it takes.

Home Assistant is the real one, in a process of its own. The same one without devices is
measured first, and what counts is the difference.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
import json
import os
from pathlib import Path
import sys
from typing import Final

from tests.e2e.network import can_use_namespaces, enter_private_network
from tests.e2e.server import HomeAssistantServer

PORT: Final = 8351
SETTLE: Final = 5.0  # seconds until a start has ended in every corner
IDLE: Final = 20.0  # seconds that the CPU time is taken over
TICKS: Final = os.sysconf("SC_CLK_TCK")
QUIET: Final = {"custom_components.rumpus": "warning"}


@dataclass(frozen=True)
class Idle:
    """What a Home Assistant takes that has nothing to do."""

    start: float  # seconds
    memory: int  # bytes, resident
    cpu: float  # seconds of CPU time a second


async def measure(server: HomeAssistantServer) -> Idle:
    """Let it settle, then look at it for a while."""
    await asyncio.sleep(SETTLE)
    before = _cpu_time(server)
    await asyncio.sleep(IDLE)
    assert server.boot_seconds is not None
    return Idle(
        server.boot_seconds, _memory(server), (_cpu_time(server) - before) / IDLE
    )


def go_private() -> None:
    """Leave the network of this machine, where that is possible: nobody hears our searches."""
    if sys.platform == "linux" and can_use_namespaces():
        enter_private_network()


def store(
    folder: Path, name: str, data: Mapping[str, object], *, minor_version: int = 1
) -> None:
    """Write what Home Assistant is to find in its storage when it starts."""
    path = folder / ".storage" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "version": 1,
        "minor_version": minor_version,
        "key": name,
        "data": data,
    }
    path.write_text(json.dumps(document))


def store_entries(folder: Path, entries: Sequence[Mapping[str, object]]) -> None:
    """Write the config entries that Home Assistant is to have."""
    store(folder, "core.config_entries", {"entries": list(entries)}, minor_version=5)


def entry(unique_id: str, title: str, data: Mapping[str, object]) -> dict[str, object]:
    """Return a device as Home Assistant stores it."""
    now = "2026-01-01T00:00:00+00:00"
    return {
        "created_at": now,
        "modified_at": now,
        "data": dict(data),
        "disabled_by": None,
        "discovery_keys": {},
        "domain": "rumpus",
        "entry_id": unique_id.upper()[:26],
        "minor_version": 1,
        "options": {},
        "pref_disable_new_entities": False,
        "pref_disable_polling": False,
        "source": "user",
        "subentries": [],
        "title": title,
        "unique_id": unique_id,
        "version": 1,
    }


def _cpu_time(server: HomeAssistantServer) -> float:
    # The name in parentheses may have blanks; user and system time are words 12 and 13 after it.
    words = Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / TICKS


def _memory(server: HomeAssistantServer) -> int:
    for line in Path(f"/proc/{server.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise ValueError("no resident memory")
