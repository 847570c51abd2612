"""KDE Connect: a large file from one end of ours to another, and what the event loop feels.

Both ends run in this process, over loopback and from disk to disk, so that the figure is
that of two devices which share one machine and one interpreter.
"""

import asyncio
import contextlib
from pathlib import Path
import tempfile
import time
from typing import Final

from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from custom_components.rumpus.protocols.kdeconnect.packet import Payload
from custom_components.rumpus.protocols.kdeconnect.payload import PayloadPeer, Payloads
from custom_components.rumpus.protocols.kdeconnect.tls import TlsContexts

HOST: Final = "127.0.0.1"
SIZE: Final = 512 * 1024 * 1024
MIB: Final = 1024 * 1024
TICK: Final = 0.005


async def run() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="rumpus-bench-") as folder:
        source = Path(folder) / "source"
        await asyncio.to_thread(_fill, source)
        seconds, cpu, gap, reports = await _transfer(source, Path(folder) / "target")
    print(
        f"KDE Connect, {SIZE // MIB} MiB from disk to disk: {SIZE / MIB / seconds:.0f} MiB/s,"
        f" {cpu:.1f} s of CPU time for both ends\n"
        f"longest wait of the event loop {1000 * gap:.1f} ms,"
        f" {reports} reports of progress"
    )


def _fill(path: Path) -> None:
    block = bytes(range(256)) * (MIB // 256)
    with path.open("wb") as file:
        for _ in range(SIZE // MIB):
            file.write(block)


async def _transfer(source: Path, target: Path) -> tuple[float, float, float, int]:
    """Return the seconds, those of CPU time, the loop's longest wait, and the reports."""
    one, other = Credentials.generate(), Credentials.generate()
    sender = Payloads(TlsContexts(one), HOST)
    receiver = Payloads(TlsContexts(other), HOST)
    announced: asyncio.Future[Payload] = asyncio.get_running_loop().create_future()
    reports: list[int] = []
    gaps: list[float] = []

    async def announce(payload: Payload | None) -> None:
        assert payload is not None
        announced.set_result(payload)

    start, cpu = time.perf_counter(), time.process_time()
    ticker = asyncio.create_task(_tick(gaps))
    sending = asyncio.create_task(
        sender.offer(
            PayloadPeer(HOST, other.certificate), source, announce, reports.append
        )
    )
    received = await receiver.fetch_file(
        PayloadPeer(HOST, one.certificate),
        await announced,
        target,
        SIZE,
        progress=reports.append,
    )
    await sending
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    ticker.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await ticker
    assert received.size == SIZE
    received.path.unlink()
    await sender.close()
    await receiver.close()
    return seconds, cpu, max(gaps), len(reports)


async def _tick(gaps: list[float]) -> None:
    """Note by how much each tick is late."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + TICK
        await asyncio.sleep(TICK)
        gaps.append(loop.time() - due)
