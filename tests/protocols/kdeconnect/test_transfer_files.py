"""Storing bulk data as files (sections 9 and 12.3)."""

import asyncio
from dataclasses import replace
import errno
import os
from pathlib import Path
import shutil
import threading
from types import SimpleNamespace

import pytest

from .conftest import both_protocols
from .support import PATIENCE, at_once, call_us, know_each_other, turns
from .transfers import (
    DATA,
    Ends,
    SilentListener,
    content,
    ended,
    ends,
    folder,
    nothing_left,
)
from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    MessageTooLargeError,
    PeerTimeoutError,
    ProtocolError,
    RumpusError,
    UnsupportedError,
)
from custom_components.rumpus.protocols.kdeconnect import (
    payload as payload_module,
    transfer as transfer_module,
)
from custom_components.rumpus.protocols.kdeconnect.device import RemoteDevice
from custom_components.rumpus.protocols.kdeconnect.handshake import (
    CertificateChangedError,
)
from custom_components.rumpus.protocols.kdeconnect.local import LocalPeer
from custom_components.rumpus.protocols.kdeconnect.packet import Payload
from custom_components.rumpus.protocols.kdeconnect.payload import MAX_PAYLOADS
from custom_components.rumpus.protocols.kdeconnect.payload_files import (
    SPACE_RESERVE,
    FileAccessError,
    OutOfSpaceError,
    PartFile,
    ReceivedFile,
)
from tests.fakes.kdeconnect import FakeDevice, Misbehave
from tests.fakes.kdeconnect_wire import Body

__all__ = ["ends", "folder", "nothing_left"]

pytestmark = pytest.mark.usefixtures("nothing_left")

LIMIT = len(DATA)


async def announce(phone: FakeDevice, data: bytes = DATA) -> Payload:
    """Let the phone offer data, and return what its packet says of it."""
    body: Body = {"filename": "a"}
    port = await phone.payloads.send(phone.peer(), "share.request", body, data)
    unknown = Misbehave.PAYLOAD_UNKNOWN_SIZE in phone.misbehave
    return Payload(None if unknown else len(data), port)


async def fetch(
    device: RemoteDevice, payload: Payload, folder: Path, limit: int = LIMIT
) -> ReceivedFile:
    """Fetch a file without waiting for ever."""
    async with asyncio.timeout(PATIENCE):
        return await device.fetch_file(payload, folder / "a.txt", limit=limit)


def modified_ns(path: Path) -> int:
    """Return when a file was modified."""
    return path.stat().st_mtime_ns


# What arrives


@both_protocols
@pytest.mark.parametrize("tls13", [False, True], ids=["tls 1.2", "tls 1.3"])
async def test_file_is_stored(
    friend: RemoteDevice, phone: FakeDevice, folder: Path, tls13: bool
) -> None:
    phone.tls13 = tls13
    told: list[int] = []
    received = await friend.fetch_file(
        await announce(phone),
        folder / "a.txt",
        limit=LIMIT,
        modified_ms=1_500_000_000_123,
        progress=told.append,
    )
    assert received == ReceivedFile(folder / "a.txt", len(DATA))
    assert content(folder) == {"a.txt": DATA}
    assert modified_ns(folder / "a.txt") == 1_500_000_000_123 * 10**6
    assert told[-1] == len(DATA)
    await phone.wait_for("payload_sent")


@pytest.mark.parametrize(
    ("misbehave", "stored"),
    [
        (Misbehave.PAYLOAD_ABRUPT_END, DATA),
        (Misbehave.PAYLOAD_LONG, DATA),  # what was announced counts
        (Misbehave.PAYLOAD_ENDLESS, bytes(len(DATA))),
        (Misbehave.PAYLOAD_UNKNOWN_SIZE, DATA),
        (Misbehave.PAYLOAD_UNKNOWN_SIZE | Misbehave.PAYLOAD_ABRUPT_END, DATA),
    ],
)
async def test_ends_that_are_normal(
    friend: RemoteDevice,
    phone: FakeDevice,
    folder: Path,
    misbehave: Misbehave,
    stored: bytes,
) -> None:
    """A flood is cut off at the announced size."""
    phone.misbehave = misbehave
    received = await fetch(friend, await announce(phone), folder)
    assert received.size == len(stored)
    assert content(folder) == {"a.txt": stored}


@pytest.mark.parametrize("misbehave", [Misbehave.NOTHING, Misbehave.PAYLOAD_RESET])
async def test_empty_file(
    friend: RemoteDevice, phone: FakeDevice, folder: Path, misbehave: Misbehave
) -> None:
    """Announced with size 0, whatever its end looks like."""
    phone.misbehave = misbehave
    assert (await fetch(friend, await announce(phone, b""), folder)).size == 0
    assert content(folder) == {"a.txt": b""}


async def test_empty_file_of_unknown_size(
    friend: RemoteDevice, phone: FakeDevice, folder: Path
) -> None:
    """As iOS announces it."""
    phone.misbehave = Misbehave.PAYLOAD_UNKNOWN_SIZE
    assert (await fetch(friend, await announce(phone, b""), folder)).size == 0
    assert content(folder) == {"a.txt": b""}


async def test_name_that_is_taken_meanwhile(ends: Ends, folder: Path) -> None:
    """Between the announcement and the last byte."""
    sending = ends.offer(DATA)
    fetching = ends.fetch_file(await ends.next(), folder / "a.txt")
    (folder / "a.txt").write_bytes(b"mine")
    assert (await ended(fetching)).path == folder / "a (1).txt"
    await ended(sending)
    assert content(folder) == {"a.txt": b"mine", "a (1).txt": DATA}


# What fails, and leaves nothing


@pytest.mark.parametrize(
    ("misbehave", "error"),
    [
        (Misbehave.PAYLOAD_SHORT, ProtocolError),  # vanishes half-way
        (Misbehave.PAYLOAD_SHORT | Misbehave.PAYLOAD_ABRUPT_END, ProtocolError),
        (Misbehave.PAYLOAD_SHORT | Misbehave.PAYLOAD_RESET, ProtocolError),
        (Misbehave.PAYLOAD_REFUSED, DisconnectedError),
        (Misbehave.PAYLOAD_WRONG_CERTIFICATE, CertificateChangedError),
        (
            Misbehave.PAYLOAD_UNKNOWN_SIZE | Misbehave.PAYLOAD_ENDLESS,
            MessageTooLargeError,
        ),
    ],
)
async def test_failed_transfer_leaves_nothing(
    friend: RemoteDevice,
    phone: FakeDevice,
    folder: Path,
    misbehave: Misbehave,
    error: type[RumpusError],
) -> None:
    phone.misbehave = misbehave
    with pytest.raises(error):
        await fetch(friend, await announce(phone), folder)
    assert content(folder) == {}
    assert friend.is_connected


async def test_sender_that_stops_half_way(
    friend: RemoteDevice,
    phone: FakeDevice,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """PAYLOAD_IDLE_TIMEOUT."""
    monkeypatch.setattr(transfer_module, "PAYLOAD_IDLE_TIMEOUT", 0.3)
    phone.misbehave = Misbehave.PAYLOAD_STALL
    with pytest.raises(PeerTimeoutError):
        await fetch(friend, await announce(phone), folder)
    assert content(folder) == {}


async def test_sender_that_does_not_answer(
    friend: RemoteDevice, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PAYLOAD_CONNECT_TIMEOUT."""

    async def never(*args: object) -> None:
        await asyncio.get_running_loop().create_future()

    at_once(monkeypatch, payload_module, "PAYLOAD_CONNECT_TIMEOUT")
    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", never)
    with pytest.raises(PeerTimeoutError):
        await fetch(friend, Payload(1, 1739), folder)


async def test_more_than_the_limit_is_not_even_asked_for(
    friend: RemoteDevice, phone: FakeDevice, folder: Path
) -> None:
    """The limit, one byte more."""
    payload = await announce(phone)
    with pytest.raises(MessageTooLargeError):
        await fetch(friend, payload, folder, LIMIT - 1)
    assert content(folder) == {}
    await fetch(friend, payload, folder, LIMIT)


async def test_unknown_size_is_stored_up_to_the_limit(
    friend: RemoteDevice, phone: FakeDevice, folder: Path
) -> None:
    phone.misbehave = Misbehave.PAYLOAD_UNKNOWN_SIZE
    with pytest.raises(MessageTooLargeError):
        await fetch(friend, await announce(phone), folder, LIMIT - 1)
    assert content(folder) == {}


async def test_disk_without_room_is_noticed_before(
    friend: RemoteDevice,
    phone: FakeDevice,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """SPACE_RESERVE: one byte too few; the sender learns it at once."""
    free = SPACE_RESERVE + len(DATA) - 1
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=free))
    with pytest.raises(OutOfSpaceError):
        await fetch(friend, await announce(phone), folder)
    await phone.wait_for("payload_failed")
    assert content(folder) == {}
    free += 1
    await fetch(friend, await announce(phone), folder)


async def test_disk_that_fills_meanwhile_is_noticed(
    ends: Ends, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what comes without an announced size, or by somebody else."""
    free = SPACE_RESERVE + 1500
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=free))
    monkeypatch.setattr(transfer_module, "RECEIVE_BUFFER", 1000)
    write = PartFile.write

    def fill(part: PartFile, data: memoryview) -> None:
        nonlocal free
        write(part, data)
        free -= len(data)

    monkeypatch.setattr(PartFile, "write", fill)
    sending = ends.offer(bytes(32 * 1024 * 1024))
    payload = replace(await ends.next(), size=None)
    with pytest.raises(OutOfSpaceError):
        await ended(ends.fetch_file(payload, folder / "a", 32 * 1024 * 1024))
    assert free == SPACE_RESERVE + 500
    assert content(folder) == {}
    with pytest.raises(DisconnectedError):
        await ended(sending)


@pytest.mark.parametrize(
    ("number", "error"),
    [
        (errno.ENOSPC, OutOfSpaceError),
        (errno.EDQUOT, OutOfSpaceError),
        (errno.EIO, FileAccessError),
    ],
)
async def test_disk_that_fails_while_it_is_written_to(
    ends: Ends,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    error: type[FileAccessError],
) -> None:
    class Full:
        """A file that takes a part of what it gets, and then nothing."""

        def __init__(self) -> None:
            self.taken = 0

        def write(self, data: memoryview) -> int:
            if self.taken:
                raise OSError(number, os.strerror(number), "private-name")
            self.taken = len(data) // 2
            return self.taken

        def close(self) -> None:
            """Do nothing."""

    monkeypatch.setattr(transfer_module, "RECEIVE_BUFFER", 1000)
    sending = ends.offer(bytes(32 * 1024 * 1024))
    payload = await ends.next()
    await ends.receiver._contexts.client()  # writes a file too
    monkeypatch.setattr(Path, "open", lambda *args, **kwargs: Full())
    with pytest.raises(error) as caught:
        await ended(ends.fetch_file(payload, folder / "a", 32 * 1024 * 1024))
    assert "private-name" not in str(caught.value)
    with pytest.raises(DisconnectedError):
        await ended(sending)


async def test_folder_that_does_not_exist(ends: Ends, folder: Path) -> None:
    sending = ends.offer(DATA)
    with pytest.raises(FileAccessError) as caught:
        await ended(ends.fetch_file(await ends.next(), folder / "private-name" / "a"))
    assert "private-name" not in str(caught.value)
    with pytest.raises(DisconnectedError):
        await ended(sending)


async def test_nothing_is_stored_for_an_unpaired_device(
    local: LocalPeer, phone: FakeDevice, folder: Path
) -> None:
    """Section 12.2."""
    await call_us(local, phone)
    device = local.devices[phone.device_id]
    with pytest.raises(UnsupportedError):
        await fetch(device, Payload(1, 1739), folder)


async def test_nothing_is_stored_without_a_link(
    local: LocalPeer, phone: FakeDevice, folder: Path
) -> None:
    device = know_each_other(local, phone)
    with pytest.raises(DisconnectedError):
        await fetch(device, Payload(1, 1739), folder)


# Cancellation


async def cancel(task: asyncio.Task[ReceivedFile], folder: Path) -> None:
    """Cancel a task and wait for its end; there is nothing left of it."""
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ended(task)
    assert content(folder) == {}


async def test_cancelled_while_it_waits_for_its_turn(ends: Ends, folder: Path) -> None:
    """The others wait for TLS: MAX_PAYLOADS."""
    async with asyncio.timeout(PATIENCE):
        with SilentListener() as listener:
            tasks = [
                ends.fetch_file(Payload(1, listener.port), folder / "a")
                for _ in range(MAX_PAYLOADS)
            ]
            for _ in tasks:
                await listener.accept()
            late = ends.fetch_file(Payload(1, listener.port), folder / "a")
            await turns()
            assert not listener.has_caller
            late.cancel()
            with pytest.raises(asyncio.CancelledError):
                await late
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
    assert content(folder) == {}


async def test_cancelled_while_it_connects(
    ends: Ends, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connecting = asyncio.Event()

    async def never(*args: object) -> None:
        connecting.set()
        await asyncio.get_running_loop().create_future()

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", never)
    task = ends.fetch_file(Payload(1, 1739), folder / "a")
    async with asyncio.timeout(PATIENCE):
        await connecting.wait()
    await cancel(task, folder)


async def test_cancelled_before_tls(ends: Ends, folder: Path) -> None:
    with SilentListener() as listener:
        task = ends.fetch_file(Payload(1, listener.port), folder / "a")
        async with asyncio.timeout(PATIENCE):
            await listener.accept()
            while not content(folder):  # the thread is at work
                await turns(1)
        await cancel(task, folder)


async def test_cancelled_half_way(
    friend: RemoteDevice,
    phone: FakeDevice,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its sender is told so by the end of the connection."""
    half = asyncio.Event()
    monkeypatch.setattr(transfer_module, "PROGRESS_INTERVAL", 0)
    phone.misbehave = Misbehave.PAYLOAD_STALL
    task = asyncio.create_task(
        friend.fetch_file(
            await announce(phone),
            folder / "a",
            limit=LIMIT,
            progress=lambda total: half.set() if total >= LIMIT // 2 else None,
        )
    )
    async with asyncio.timeout(PATIENCE):
        await half.wait()
    await cancel(task, folder)
    await phone.wait_for("payload_failed")


async def test_cancelled_while_it_is_written(
    ends: Ends, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk may take its time: its end is waited for, then all is removed."""
    loop = asyncio.get_running_loop()
    writing, go = asyncio.Event(), threading.Event()
    write = PartFile.write

    def slow(self: PartFile, data: memoryview) -> None:
        loop.call_soon_threadsafe(writing.set)
        go.wait(PATIENCE)
        write(self, data)

    told: list[int] = []
    monkeypatch.setattr(PartFile, "write", slow)
    monkeypatch.setattr(transfer_module, "PROGRESS_INTERVAL", 0)
    sending = ends.offer(DATA)
    task = ends.fetch_file(await ends.next(), folder / "a.txt", progress=told.append)
    async with asyncio.timeout(PATIENCE):
        await writing.wait()
    task.cancel()
    await turns()
    assert not task.done()
    go.set()
    await cancel(task, folder)
    await asyncio.gather(sending, return_exceptions=True)


async def test_cancelled_when_it_has_its_name_already(
    ends: Ends, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then the name is taken back."""
    loop = asyncio.get_running_loop()
    finish = PartFile.finish
    finished: list[Path] = []

    def and_cancel(self: PartFile, modified_ms: int | None) -> Path:
        path = finish(self, modified_ms)
        finished.append(path)
        loop.call_soon_threadsafe(task.cancel)
        return path

    monkeypatch.setattr(PartFile, "finish", and_cancel)
    sending = ends.offer(DATA)
    task = ends.fetch_file(await ends.next(), folder / "a.txt")
    with pytest.raises(asyncio.CancelledError):
        await ended(task)
    await ended(sending)
    assert finished == [folder / "a.txt"]
    assert content(folder) == {}


async def test_cancelled_file_that_cannot_be_taken_back(
    ends: Ends, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever cancelled hears of that, and not of the disk."""
    loop = asyncio.get_running_loop()
    finish = PartFile.finish

    def and_cancel(self: PartFile, modified_ms: int | None) -> Path:
        path = finish(self, modified_ms)
        loop.call_soon_threadsafe(task.cancel)
        return path

    unlink = Path.unlink

    def fail(self: Path, missing_ok: bool = False) -> None:
        if self == folder / "a.txt":
            raise PermissionError
        unlink(self, missing_ok)

    monkeypatch.setattr(PartFile, "finish", and_cancel)
    monkeypatch.setattr(Path, "unlink", fail)
    sending = ends.offer(DATA)
    task = ends.fetch_file(await ends.next(), folder / "a.txt")
    with pytest.raises(asyncio.CancelledError):
        await ended(task)
    await ended(sending)
    assert content(folder) == {"a.txt": DATA}


async def test_progress_is_not_told_after_the_end(
    ends: Ends, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is still on its way to the event loop when the transfer is given up."""
    monkeypatch.setattr(transfer_module, "PROGRESS_INTERVAL", 0)
    monkeypatch.setattr(transfer_module, "RECEIVE_BUFFER", 1000)
    told: list[int] = []

    def progress(total: int) -> None:
        told.append(total)
        task.cancel()

    sending = ends.offer(bytes(32 * 1024 * 1024))
    task = ends.fetch_file(
        await ends.next(), folder / "a", 32 * 1024 * 1024, progress=progress
    )
    with pytest.raises(asyncio.CancelledError):
        await ended(task)
    count = len(told)
    await turns()
    assert len(told) == count
    assert content(folder) == {}
    with pytest.raises(DisconnectedError):
        await ended(sending)
