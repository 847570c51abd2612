"""Files that are sent about, and how fast they arrive.

The clock runs at the receiver: from the moment that a file appears in its folder, whole
or in part and by whatever name, until all are there, whole and by their own names.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
import contextlib
from dataclasses import dataclass
import hashlib
import os
from pathlib import Path
import secrets
import time
from typing import Final

from .daemon import KdeConnectDaemon
from .network import Network
from .roots import Flavour
from .waiting import TooLateError
from tests.interop.report import CheckError

MIB: Final = 1024 * 1024
GIB: Final = 1024 * MIB
# A batch of files, together not too small to be measured.
MANY: Final = 50
MANY_SIZE: Final = 4 * MIB
# Seconds in which nothing at all arrives.
PATIENCE: Final = 60.0
_PAUSE: Final = 0.003
_ATTEMPTS: Final = 4
_LINK_PATIENCE: Final = 6.0


@dataclass(frozen=True, slots=True)
class Figures:
    """How fast files of each kind went, in MiB/s."""

    one: float
    many: float


def make_file(path: Path, size: int) -> str:
    """Write a file that cannot be compressed; return its SHA-256."""
    block = secrets.token_bytes(MIB)
    digest = hashlib.sha256()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        for number in range(-(-size // MIB)):
            # Each block is another one: its number is mixed into it.
            piece = number.to_bytes(8, "big") + block[8:]
            piece = piece[: size - number * MIB]
            file.write(piece)
            digest.update(piece)
    return digest.hexdigest()


def make_files(folder: Path, count: int, size: int, stem: str) -> dict[str, str]:
    """Write files; return their SHA-256 by name."""
    return {
        name: make_file(folder / name, size)
        for name in (f"{stem}-{number}.bin" for number in range(count))
    }


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def compare(folder: Path, digests: Mapping[str, str]) -> None:
    """Check what arrived. Raises CheckError."""
    for name, digest in digests.items():
        if await asyncio.to_thread(digest_of, find(folder, name)) != digest:
            raise CheckError(f"{name} differs")


async def clock_arrival(
    folder: Path, sizes: Mapping[str, int], patience: float = PATIENCE
) -> float:
    """Wait until files have arrived; return the seconds since the first one appeared.

    The folder has to be empty, or missing, before. Raises TooLateError when nothing more
    arrives.
    """
    progress = time.monotonic()
    begun: float | None = None
    before: dict[str, int] = {}
    while True:
        now = time.monotonic()
        there = present(folder)
        if there and begun is None:
            begun = now
        if begun is not None and there == sizes:
            return max(now - begun, _PAUSE)
        if there != before:
            before, progress = there, now
        if now - progress > patience:
            raise TooLateError(
                f"{', '.join(sorted(there)[:5])}: {sum(there.values())} of {sum(sizes.values())} bytes in"
                f" {len(there)} of {len(sizes)} files, and no more for {patience:g} s"
            )
        await asyncio.sleep(_PAUSE)


def present(folder: Path) -> dict[str, int]:
    """Return the files below a folder with their sizes."""
    found: dict[str, int] = {}
    for path, _, names in os.walk(folder):
        for name in names:
            # Files are renamed all the time.
            with contextlib.suppress(FileNotFoundError):
                found[name] = Path(path, name).stat().st_size
    return found


def find(folder: Path, name: str) -> Path:
    """Return the file with a name below a folder. Raises CheckError."""
    for path in folder.rglob(name):
        return path
    raise CheckError(f"{name} is not there")


async def wait_begun(folder: Path, size: int, patience: float = PATIENCE) -> None:
    """Wait until a folder has files of ``size`` bytes together.

    Raises TooLateError when nothing more arrives.
    """
    progress, before = time.monotonic(), 0
    while (there := sum(present(folder).values())) < size:
        now = time.monotonic()
        if there != before:
            before, progress = there, now
        if now - progress > patience:
            raise TooLateError(
                f"{there} of {size} bytes, and no more for {patience:g} s"
            )
        await asyncio.sleep(_PAUSE)


def empty(folder: Path) -> None:
    """Remove the files below a folder."""
    for path in list(folder.rglob("*")):
        if path.is_file():
            path.unlink(missing_ok=True)


async def measure_daemons(flavour: Flavour, *, size: int = GIB) -> Figures:
    """Return how fast a daemon of the release sends to the newest one.

    Both run alone, on a network like that of the checks.
    """
    async with _pair_of_daemons(flavour) as (sender, receiver):
        one = await _send(sender, receiver, 1, size)
        many = await _send(sender, receiver, MANY, MANY_SIZE)
    return Figures(one, many)


async def _send(
    sender: KdeConnectDaemon, receiver: KdeConnectDaemon, count: int, size: int
) -> float:
    digests = await asyncio.to_thread(make_files, sender.outbox, count, size, "between")
    sizes = dict.fromkeys(digests, size)
    async with asyncio.TaskGroup() as group:
        arrival = group.create_task(clock_arrival(receiver.inbox, sizes))
        await sender.device(receiver.device_id).share_files(digests)
    await compare(receiver.inbox, digests)
    empty(sender.outbox)
    empty(receiver.inbox)
    return count * size / MIB / arrival.result()


@contextlib.asynccontextmanager
async def _pair_of_daemons(
    flavour: Flavour,
) -> AsyncIterator[tuple[KdeConnectDaemon, KdeConnectDaemon]]:
    """Run two paired daemons, of the release and of the newest one."""
    for attempt in range(1, _ATTEMPTS + 1):
        with Network() as network:
            sender = KdeConnectDaemon(flavour, network, "sender", 1)
            receiver = KdeConnectDaemon(Flavour.KDE26, network, "receiver", 2)
            try:
                try:
                    # Release 25.04 does not get through to one that comes after it.
                    for daemon in (receiver, sender):
                        await daemon.start(fresh=True)
                    await _pair(sender, receiver)
                except TooLateError:
                    if attempt == _ATTEMPTS:
                        raise
                    continue
                yield sender, receiver
                return
            finally:
                await sender.stop()
                await receiver.stop()


async def _pair(one: KdeConnectDaemon, other: KdeConnectDaemon) -> None:
    """Pair two daemons; links that come up at once may cost one its view of the other."""
    here, there = one.device(other.device_id), other.device(one.device_id)
    for device in (here, there):
        await device.wait_reachable(_LINK_PATIENCE)
    # A second link, if there is one, has replaced the first by then.
    await asyncio.sleep(0.3)
    await here.request_pairing()
    await there.wait_asked(_LINK_PATIENCE)
    await there.accept()
    for device in (here, there):
        await device.wait_paired(_LINK_PATIENCE)
        await device.wait_reachable(_LINK_PATIENCE)
