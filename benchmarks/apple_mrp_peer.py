"""pyatv's side of the MRP benchmark; see `benchmarks.apple_mrp`.

Runs in an environment of its own, which has nothing of this project.
"""
# mypy: disable-error-code="import-not-found,no-any-unimported"
# pyatv is not installed where the types are checked.

import asyncio
import json
import sys
import time
from typing import Any

from pyatv.auth.hap_srp import SRPAuthHandler
from pyatv.const import Protocol
from pyatv.core import CoreStateDispatcher, ProtocolStateDispatcher
from pyatv.protocols.mrp import MrpMetadata, MrpPushUpdater
from pyatv.protocols.mrp.connection import MrpConnection
from pyatv.protocols.mrp.player_state import PlayerStateManager
from pyatv.protocols.mrp.protocol import MrpProtocol


class Listener:
    """Counts what is published."""

    published = 0

    def playstatus_update(self, updater: Any, playstatus: Any) -> None:
        """Take a state."""
        self.published += 1

    def playstatus_error(self, updater: Any, exception: Exception) -> None:
        """Take a failure."""
        raise exception


async def settle() -> None:
    """Let all tasks of the messages end."""
    current = asyncio.current_task()
    while tasks := asyncio.all_tasks() - {current}:
        await asyncio.wait(tasks)
    await asyncio.sleep(0)


async def measure(
    connection: Any, messages: list[bytes], seconds: float
) -> tuple[int, float]:
    """Return how many messages were handed over, and seconds of the processor."""
    count, start = 0, time.process_time()
    while (passed := time.process_time() - start) < seconds:
        for message in messages:
            connection._handle_message(message)  # noqa: SLF001
        await settle()
        count += len(messages)
    return count, passed


async def main() -> None:
    """Read the work, then measure what each further line asks for."""
    work = {
        kind: [bytes.fromhex(message) for message in messages]
        for kind, messages in json.loads(sys.stdin.readline()).items()
    }
    loop = asyncio.get_running_loop()
    connection: Any = MrpConnection("127.0.0.1", 1, loop)
    protocol: Any = MrpProtocol(connection, SRPAuthHandler(), None, None)
    players: Any = PlayerStateManager(protocol)
    metadata: Any = MrpMetadata(protocol, players, None, None)
    dispatcher = ProtocolStateDispatcher(Protocol.MRP, CoreStateDispatcher())
    updater: Any = MrpPushUpdater(metadata, players, dispatcher)
    listener = Listener()
    updater.listener = listener
    updater.start()
    connection._handle_message(work["front"][0])  # noqa: SLF001
    for line in sys.stdin:
        order = json.loads(line)
        messages = work[order["kind"]]
        connection._handle_message(messages[-1])  # noqa: SLF001
        await settle()
        listener.published = 0
        count, passed = await measure(connection, messages, order["seconds"])
        assert listener.published == count, (listener.published, count)
        print(count / passed, flush=True)


if __name__ == "__main__":
    asyncio.run(main())
