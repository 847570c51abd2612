"""A hostile program on the network: floods, half-open connections, endless lines.

Runs in a process of its own, so that its work is not counted as ours:

    python -m tests.fakes.attacker UDP_PORT TCP_PORT LISTEN_PORT SECONDS

It listens where it says that devices are, and prints one JSON line of what it managed to send when it is done.  Everything goes to
127.0.0.1; where the system allows it, datagrams come from many loopback addresses.
"""

import asyncio
import contextlib
from dataclasses import asdict, dataclass
import json
import random
import socket
import sys
import time
from typing import Final

HOST: Final = "127.0.0.1"
DATAGRAMS_PER_SECOND: Final = 500
HALF_OPEN: Final = 200
ENDLESS_LINE: Final = 32 * 1024 * 1024
CHUNK: Final = b"A" * 65536
NOT_UTF8: Final = b'{"type":"kdeconnect.identity","body":{"deviceName":"\xff\xfe"}}\n'
NESTING_BOMB: Final = b'{"type":"kdeconnect.identity","body":' + b"[" * 8000 + b"\n"


@dataclass
class Sent:
    """What was sent."""

    datagrams: int = 0
    connections: int = 0
    endless_bytes: int = 0
    bad_lines: int = 0


def identity(listening: int) -> bytes:
    """Return the announcement of a device that does not exist."""
    device_id = f"{random.getrandbits(128):032x}"
    kind = random.random()
    if kind < 0.05:
        return b"\xff" * 1500
    if kind < 0.1:
        return b"[" * 7000
    body = {
        "deviceId": device_id,
        "deviceName": f"Phone {device_id[:6]}",
        "deviceType": "phone",
        "protocolVersion": random.choice((7, 8)),
        # Some lead to a listener that accepts and says nothing, most to nowhere.
        "tcpPort": listening if kind < 0.5 else random.randrange(1730, 1765),
        "incomingCapabilities": [f"kdeconnect.made.up.{n}" for n in range(40)],
        "outgoingCapabilities": [],
    }
    packet = {"id": 0, "type": "kdeconnect.identity", "body": body}
    return json.dumps(packet).encode() + b"\n"


def sources() -> list[socket.socket]:
    """Return sockets with as many loopback addresses as can be had."""
    found = []
    for number in range(1, 200):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sock.bind((f"127.0.{number}.1" if number > 1 else HOST, 0))
        except OSError:  # systems that have only one
            sock.close()
            continue
        sock.setblocking(False)
        found.append(sock)
    return found


async def flood(port: int, listening: int, until: float, sent: Sent) -> None:
    """Send announcements at a steady rate."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(sock) for sock in sources()]
        start = time.monotonic()
        while (now := time.monotonic()) < until:
            due = int((now - start) * DATAGRAMS_PER_SECOND) - sent.datagrams
            for _ in range(due):
                with contextlib.suppress(BlockingIOError):
                    random.choice(sockets).sendto(identity(listening), (HOST, port))
                sent.datagrams += 1
            await asyncio.sleep(0.005)


async def half_open(port: int, until: float, sent: Sent) -> None:
    """Keep connections open that never say anything, and open a new one for each lost."""
    while time.monotonic() < until:
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(max(0.0, until - time.monotonic())):
                reader, writer = await asyncio.open_connection(HOST, port)
                sent.connections += 1
                try:
                    await reader.read()
                finally:
                    writer.transport.abort()
        await asyncio.sleep(0.2)


async def endless_line(port: int, until: float, sent: Sent) -> None:
    """Send lines that never end, then lines that are wrong."""
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(HOST, port)
            try:
                for _ in range(ENDLESS_LINE // len(CHUNK)):
                    writer.write(CHUNK)
                    await writer.drain()
                    sent.endless_bytes += len(CHUNK)
            finally:
                writer.transport.abort()
        for line in (NOT_UTF8, NESTING_BOMB):
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection(HOST, port)
                try:
                    writer.write(line)
                    await writer.drain()
                    sent.bad_lines += 1
                finally:
                    writer.transport.abort()
        await asyncio.sleep(0.1)


async def main(udp_port: int, tcp_port: int, listening: int, seconds: float) -> None:
    """Attack for some seconds."""
    sent = Sent()
    until = time.monotonic() + seconds
    server = await asyncio.start_server(lambda *_: None, HOST, listening)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(flood(udp_port, listening, until, sent))
        tasks.create_task(endless_line(tcp_port, until, sent))
        for _ in range(HALF_OPEN):
            tasks.create_task(half_open(tcp_port, until, sent))
    server.close()
    sys.stdout.write(json.dumps(asdict(sent)) + "\n")


if __name__ == "__main__":
    asyncio.run(main(*(int(argument) for argument in sys.argv[1:5])))
