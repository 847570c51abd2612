"""This project's side of the MRP benchmark; see `benchmarks.apple_mrp`."""

import asyncio
import json
import sys
import time

from custom_components.rumpus.protocols.mrp.events import MrpEvent, PlayingChanged
from tests.protocols.mrp.common import ScriptedTransport, scripted


def measure(
    transport: ScriptedTransport, messages: list[bytes], seconds: float
) -> tuple[int, float]:
    """Return how many messages were handed over, and seconds of the processor."""
    count, start = 0, time.process_time()
    take = transport.push_bytes
    while (passed := time.process_time() - start) < seconds:
        for _ in range(4):
            for message in messages:
                take(message)
        count += 4 * len(messages)
    return count, passed


async def main() -> None:
    """Read the work, then measure what each further line asks for."""
    work = {
        kind: [bytes.fromhex(message) for message in messages]
        for kind, messages in json.loads(sys.stdin.readline()).items()
    }
    published = 0

    def listener(event: MrpEvent) -> None:
        nonlocal published
        published += isinstance(event, PlayingChanged)

    async with scripted(clock=time.time) as (client, transport, log):
        log.events.clear()
        for kept in tuple(client._listeners):  # noqa: SLF001 - a log would grow
            del client._listeners[kept]  # noqa: SLF001
        client.subscribe(listener)
        transport.push_bytes(work["front"][0])
        for line in sys.stdin:
            order = json.loads(line)
            messages = work[order["kind"]]
            transport.push_bytes(messages[-1])
            published = 0
            count, passed = measure(transport, messages, order["seconds"])
            assert published == count, (published, count)
            print(count / passed, flush=True)


if __name__ == "__main__":
    asyncio.run(main())
