"""Fetching bulk data from a paired device (section 9)."""

import asyncio
import socket

import pytest

from .conftest import both_protocols
from .support import (
    LOOPBACK,
    PATIENCE,
    EventLog,
    at_once,
    call_us,
    know_each_other,
    turns,
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
from custom_components.rumpus.protocols.kdeconnect.events import MessageReceived
from custom_components.rumpus.protocols.kdeconnect.handshake import (
    CertificateChangedError,
)
from custom_components.rumpus.protocols.kdeconnect.local import LocalPeer
from custom_components.rumpus.protocols.kdeconnect.packet import Payload
from custom_components.rumpus.protocols.kdeconnect.payload import (
    MAX_PAYLOADS,
    PayloadPeer,
)
from custom_components.rumpus.protocols.kdeconnect.plugins.mpris import AlbumArt
from custom_components.rumpus.protocols.kdeconnect.transfer import Transfer
from tests.fakes.kdeconnect import FakeDevice, Misbehave
from tests.fakes.kdeconnect_wire import Body

# More than one piece, in TLS and in TCP.
DATA = bytes(range(256)) * 1000
LIMIT = len(DATA)


@pytest.fixture
async def device(local: LocalPeer, phone: FakeDevice) -> RemoteDevice:
    """The paired phone."""
    found = know_each_other(local, phone)
    await call_us(local, phone)
    await phone.wait_for("link_up")
    return found


async def announce(phone: FakeDevice, data: bytes = DATA) -> Payload:
    """Let the phone offer data, and return what we know of it."""
    body: Body = {
        "transferringAlbumArt": True,
        "player": "P",
        "albumArtUrl": "file:///a",
    }
    port = await phone.payloads.send(phone.peer(), "mpris", body, data)
    unknown = Misbehave.PAYLOAD_UNKNOWN_SIZE in phone.misbehave
    return Payload(None if unknown else len(data), port)


async def fetch(device: RemoteDevice, payload: Payload, limit: int = LIMIT) -> bytes:
    """Fetch it without waiting for ever."""
    async with asyncio.timeout(PATIENCE):
        return await device.fetch(payload, limit)


@both_protocols
@pytest.mark.parametrize("tls13", [False, True], ids=["tls 1.2", "tls 1.3"])
async def test_data_is_fetched_as_its_packet_says(
    device: RemoteDevice, phone: FakeDevice, tls13: bool
) -> None:
    """Steps 1 to 6, the port and the size as they came; TLS roles are the ordinary ones."""
    phone.tls13 = tls13
    log = EventLog(device.subscribe)
    port = (await announce(phone)).port
    received = await log.wait_for(
        MessageReceived, lambda event: isinstance(event.message, AlbumArt)
    )
    message = received.message
    assert isinstance(message, AlbumArt)
    assert message.payload == Payload(len(DATA), port)
    assert await fetch(device, message.payload) == DATA
    await phone.wait_for("payload_sent")


async def test_end_of_an_endless_fetch_frees_the_sender(
    device: RemoteDevice, phone: FakeDevice
) -> None:
    """The announced part counts; a sender that goes on is cut off."""
    phone.misbehave = Misbehave.PAYLOAD_ENDLESS
    assert await fetch(device, await announce(phone)) == bytes(len(DATA))
    await phone.wait_for("payload_failed")


@pytest.mark.parametrize(
    "misbehave",
    [
        Misbehave.PAYLOAD_ABRUPT_END,  # no close_notify, as KDE does
        Misbehave.PAYLOAD_LONG,
        Misbehave.PAYLOAD_UNKNOWN_SIZE,
        Misbehave.PAYLOAD_UNKNOWN_SIZE | Misbehave.PAYLOAD_ABRUPT_END,
    ],
)
async def test_ends_that_are_normal(
    device: RemoteDevice, phone: FakeDevice, misbehave: Misbehave
) -> None:
    phone.misbehave = misbehave
    payload = await announce(phone)
    assert (await fetch(device, payload, 2 * LIMIT))[: len(DATA)] == DATA


async def test_reset_after_the_last_byte_is_normal(
    device: RemoteDevice, phone: FakeDevice
) -> None:
    phone.misbehave = Misbehave.PAYLOAD_RESET
    """Pitfall 12: the end of TLS may be missing (section 14.3)."""
    data = DATA[:4096]  # more could get lost on its way
    assert await fetch(device, await announce(phone, data)) == data


async def test_reset_is_no_end_of_unknown_size(
    device: RemoteDevice, phone: FakeDevice
) -> None:
    """Nothing tells whether that was all."""
    phone.misbehave = Misbehave.PAYLOAD_RESET | Misbehave.PAYLOAD_UNKNOWN_SIZE
    with pytest.raises(DisconnectedError):
        await fetch(device, await announce(phone, DATA[:4096]))


@pytest.mark.parametrize(
    ("misbehave", "error"),
    [
        (Misbehave.PAYLOAD_SHORT, ProtocolError),
        (Misbehave.PAYLOAD_SHORT | Misbehave.PAYLOAD_ABRUPT_END, ProtocolError),
        (Misbehave.PAYLOAD_REFUSED, DisconnectedError),
        (Misbehave.PAYLOAD_WRONG_CERTIFICATE, CertificateChangedError),
    ],
)
async def test_fetches_that_fail(
    device: RemoteDevice,
    phone: FakeDevice,
    misbehave: Misbehave,
    error: type[RumpusError],
) -> None:
    """The link lives on, and so does the pairing."""
    phone.misbehave = misbehave
    with pytest.raises(error):
        await fetch(device, await announce(phone))
    assert device.is_connected
    assert device.is_paired
    phone.misbehave = Misbehave.NOTHING
    assert await fetch(device, await announce(phone)) == DATA


@pytest.mark.parametrize(
    ("misbehave", "timeout"),
    [
        (Misbehave.PAYLOAD_STALL, "PAYLOAD_IDLE_TIMEOUT"),
        (Misbehave.PAYLOAD_NEVER_ACCEPT, "PAYLOAD_HANDSHAKE_TIMEOUT"),
    ],
)
async def test_sender_that_stops_ends_the_fetch(
    device: RemoteDevice,
    phone: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
    misbehave: Misbehave,
    timeout: str,
) -> None:
    """PAYLOAD_IDLE_TIMEOUT and PAYLOAD_HANDSHAKE_TIMEOUT."""
    at_once(monkeypatch, transfer_module, timeout)
    phone.misbehave = misbehave
    with pytest.raises(PeerTimeoutError):
        await fetch(device, await announce(phone))
    await phone.wait_for("payload_failed")


# Limits


async def test_more_than_the_limit_is_not_even_asked_for(
    device: RemoteDevice, phone: FakeDevice
) -> None:
    """The payload's limit, one byte more."""
    payload = await announce(phone)
    with pytest.raises(MessageTooLargeError):
        await fetch(device, payload, LIMIT - 1)
    assert await fetch(device, payload, LIMIT) == DATA  # the one connection is unused


async def test_unknown_size_is_read_up_to_the_limit(
    device: RemoteDevice, phone: FakeDevice
) -> None:
    phone.misbehave = Misbehave.PAYLOAD_UNKNOWN_SIZE
    assert await fetch(device, await announce(phone), LIMIT) == DATA
    with pytest.raises(MessageTooLargeError):
        await fetch(device, await announce(phone), LIMIT - 1)


async def test_unknown_size_without_an_end_is_cut_at_the_limit(
    device: RemoteDevice, phone: FakeDevice
) -> None:
    phone.misbehave = Misbehave.PAYLOAD_UNKNOWN_SIZE | Misbehave.PAYLOAD_ENDLESS
    with pytest.raises(MessageTooLargeError):
        await fetch(device, await announce(phone), 1000)
    await phone.wait_for("payload_failed")


async def test_payloads_at_once_are_bounded(
    device: RemoteDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MAX_PAYLOADS: one more waits until one has ended."""
    begun: asyncio.Queue[asyncio.Future[None]] = asyncio.Queue()

    async def hold(host: str, port: int) -> socket.socket:
        end: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        begun.put_nowait(end)
        await end
        raise DisconnectedError("enough")

    monkeypatch.setattr(payload_module, "_connect", hold)
    async with asyncio.timeout(PATIENCE):
        fetches = [
            asyncio.create_task(device.fetch(Payload(1, 1739), 1))
            for _ in range(MAX_PAYLOADS + 1)
        ]
        ends = [await begun.get() for _ in range(MAX_PAYLOADS)]
        await turns()
        assert begun.empty()
        ends[0].set_result(None)
        ends.append(await begun.get())
        for end in ends[1:]:
            end.set_result(None)
        for failed in await asyncio.gather(*fetches, return_exceptions=True):
            assert isinstance(failed, DisconnectedError)


async def test_nothing_is_fetched_for_an_unpaired_device(
    local: LocalPeer, phone: FakeDevice
) -> None:
    """Section 12.2."""
    await call_us(local, phone)
    device = local.devices[phone.device_id]
    with pytest.raises(UnsupportedError, match="not paired"):
        await fetch(device, Payload(1, 1739))


async def test_nothing_is_fetched_without_a_link(
    local: LocalPeer, phone: FakeDevice
) -> None:
    device = know_each_other(local, phone)
    with pytest.raises(DisconnectedError):
        await fetch(device, Payload(1, 1739))


async def test_data_comes_from_the_address_of_the_link(
    device: RemoteDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever was stored, and only with the pin (section 12.3)."""
    seen: list[tuple[PayloadPeer, Payload, int]] = []

    async def record(peer: PayloadPeer, payload: Payload, limit: int) -> bytes:
        seen.append((peer, payload, limit))
        return b""

    monkeypatch.setattr(device._payloads, "fetch", record)
    payload = Payload(5, 1740)
    await fetch(device, payload, 7)
    assert seen == [(PayloadPeer(LOOPBACK, device.certificate), payload, 7)]


async def test_empty_data_needs_no_byte(
    device: RemoteDevice, phone: FakeDevice
) -> None:
    assert await fetch(device, await announce(phone, b"")) == b""


async def test_cancelled_fetch_closes_its_connection(
    device: RemoteDevice, phone: FakeDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no packet for it (section 9)."""
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()
    receive = Transfer._receive_piece

    def watch(self: Transfer, buffer: memoryview, *, lenient: bool) -> int:
        loop.call_soon_threadsafe(begun.set)
        return receive(self, buffer, lenient=lenient)

    monkeypatch.setattr(Transfer, "_receive_piece", watch)
    phone.misbehave = Misbehave.PAYLOAD_STALL
    task = asyncio.create_task(fetch(device, await announce(phone)))
    async with asyncio.timeout(PATIENCE):
        await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await phone.wait_for("payload_failed")


async def test_nobody_listens_for_it(device: RemoteDevice, closed_port: int) -> None:
    with pytest.raises(DisconnectedError):
        await fetch(device, Payload(1, closed_port))
