"""Payloads between fake KDE Connect devices: big ones, and receivers that misbehave."""

import asyncio
from collections.abc import AsyncIterator
import hashlib

import pytest

from tests.fakes.kdeconnect import FakeDevice, FakePacket, Misbehave
from tests.fakes.kdeconnect_pairs import devices, pair
from tests.fakes.kdeconnect_payload import PayloadError, fetch, receive

pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.fixture
async def both() -> AsyncIterator[tuple[FakeDevice, FakeDevice]]:
    """A phone and a computer that are paired."""
    async with devices() as (phone, computer):
        await pair(phone, computer)
        yield phone, computer


async def announced(device: FakeDevice) -> FakePacket:
    """Return the next packet with a payload."""
    event = await device.wait_for(
        "packet", lambda e: e.packet is not None and e.packet.payload_port is not None
    )
    assert event.packet is not None
    return event.packet


async def test_deliver(both: tuple[FakeDevice, FakeDevice]) -> None:
    """A sender can wait for its payload to arrive; a big one is only hashed."""
    phone, computer = both
    phone.share.fetches = False
    data = bytes(range(256)) * 16384
    async with asyncio.TaskGroup() as group:
        group.create_task(
            computer.payloads.deliver(
                computer.peer(), "share.request", {"filename": "a"}, data
            )
        )
        packet = await announced(phone)
        fetched = await receive(phone.peer(), packet, keep=False)
    assert (fetched.size, fetched.data) == (len(data), b"")
    assert fetched.sha256 == hashlib.sha256(data).hexdigest()


async def test_longer_than_announced(both: tuple[FakeDevice, FakeDevice]) -> None:
    """KDE takes more than was announced."""
    phone, computer = both
    phone.misbehave = Misbehave.PAYLOAD_LONG
    await phone.payloads.send(phone.peer(), "share.request", {}, b"12")
    packet = await announced(computer)
    fetched = await receive(computer.peer(), packet, exact=False)
    assert fetched.data == b"1212"


async def test_no_payload(both: tuple[FakeDevice, FakeDevice]) -> None:
    """Where nothing is announced nothing is fetched."""
    phone, _ = both
    with pytest.raises(PayloadError):
        await fetch(phone.peer(), FakePacket("kdeconnect.ping"))


@pytest.mark.parametrize(
    "misbehave",
    [
        Misbehave.FETCH_NEVER,
        Misbehave.FETCH_NO_TLS,
        Misbehave.FETCH_WRONG_CERTIFICATE,
        Misbehave.FETCH_HANG_UP,
        Misbehave.FETCH_STALL,
    ],
)
async def test_bad_receiver(
    both: tuple[FakeDevice, FakeDevice], misbehave: Misbehave
) -> None:
    """A sender notices a receiver that does not take the data."""
    phone, computer = both
    phone.misbehave = misbehave
    computer.payloads.timeout = computer.payloads.receiver_timeout = 0.3

    async def fetched() -> None:
        with pytest.raises((PayloadError, OSError)):
            await fetch(phone.peer(), await announced(phone))

    fetching = asyncio.create_task(fetched())
    with pytest.raises(PayloadError):
        await computer.payloads.deliver(
            computer.peer(), "share.request", {}, bytes(8 * 1024 * 1024)
        )
    await computer.wait_for("payload_failed")
    fetching.cancel()
    await asyncio.gather(fetching, return_exceptions=True)


async def test_deliver_refused(both: tuple[FakeDevice, FakeDevice]) -> None:
    """With nobody listening a delivery fails at once."""
    _, computer = both
    computer.misbehave = Misbehave.PAYLOAD_REFUSED
    with pytest.raises(PayloadError):
        await computer.payloads.deliver(computer.peer(), "share.request", {}, b"1")
