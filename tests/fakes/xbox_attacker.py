"""A hostile program on the network: answers in the name of consoles, invented ones and a true one.

Runs in a process of its own, so that its work is not counted as ours:

    python -m tests.fakes.xbox_attacker PORT LIVE_ID SECONDS

PORT is where answers to searches are heard, LIVE_ID the console whose name is taken in vain. It prints
one JSON line when it begins and one with what it sent when it is done. Everything goes to 127.0.0.1;
where the system allows it, datagrams come from many loopback addresses.
"""

import asyncio
import contextlib
import json
import random
import sys
import time
from typing import Final
import uuid

from tests.fakes.attacker import DATAGRAMS_PER_SECOND, HOST, sources
from tests.fakes.xbox_crypto import console_credentials
from tests.fakes.xbox_wire import discovery_response

INVENTED: Final = 300
ALL_ALLOWED: Final = 6


def response(live_id: str, name: str) -> bytes:
    """Return an answer to a search, with a certificate that nobody has checked."""
    certificate = console_credentials(live_id).certificate
    console_uuid = str(uuid.uuid5(uuid.NAMESPACE_OID, live_id)).upper()
    return discovery_response(ALL_ALLOWED, name, console_uuid, certificate)


def datagrams(live_id: str) -> list[bytes]:
    """Return what is worth sending."""
    made_up = [
        response(f"F4{number:014X}", f"Console {number}") for number in range(INVENTED)
    ]
    true = response(live_id, "Not the living room")
    damaged = [
        bytes(byte ^ (random.random() < 0.01) for byte in random.choice(made_up))
        for _ in range(INVENTED)
    ]
    rubbish = [random.randbytes(random.randrange(1, 9000)) for _ in range(INVENTED)]
    return [*made_up, *damaged, *rubbish, *[true] * INVENTED]


def say(event: str, **data: int) -> None:
    """Tell whoever has started this."""
    sys.stdout.write(json.dumps({"event": event, **data}) + "\n")
    sys.stdout.flush()


async def flood(port: int, live_id: str, seconds: float) -> int:
    """Send at a steady rate; return how much that was."""
    sent = 0
    choice = datagrams(live_id)
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(sock) for sock in sources()]
        say("begins")
        start = time.monotonic()
        while (now := time.monotonic()) < start + seconds:
            due = int((now - start) * DATAGRAMS_PER_SECOND) - sent
            for _ in range(due):
                with contextlib.suppress(BlockingIOError):
                    random.choice(sockets).sendto(random.choice(choice), (HOST, port))
                sent += 1
            await asyncio.sleep(0.005)
    return sent


if __name__ == "__main__":
    total = asyncio.run(flood(int(sys.argv[1]), sys.argv[2], float(sys.argv[3])))
    say("done", datagrams=total)
