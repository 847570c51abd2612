"""Limits, lost links and cancellation while bulk data is served (section 9)."""

import asyncio
from dataclasses import replace
from pathlib import Path
import socket
import threading
from typing import override

import pytest

from .support import LOOPBACK, PATIENCE, EventLog, call_us, turns
from .transfers import (
    DATA,
    LARGE,
    SHARE,
    Ends,
    RawReceiver,
    ended,
    ends,
    large,
    nothing_left,
    other_credentials,
    payload_threads,
    raw_ends,
)
from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    UnsupportedError,
)
from custom_components.rumpus.protocols.kdeconnect import (
    payload as payload_module,
    transfer as transfer_module,
)
from custom_components.rumpus.protocols.kdeconnect.device import RemoteDevice
from custom_components.rumpus.protocols.kdeconnect.events import LinkDown
from custom_components.rumpus.protocols.kdeconnect.local import LocalPeer
from custom_components.rumpus.protocols.kdeconnect.packet import Packet, Payload
from custom_components.rumpus.protocols.kdeconnect.payload import MAX_PAYLOADS
from custom_components.rumpus.protocols.kdeconnect.payload_files import Source
from tests.fakes.kdeconnect import FakeDevice

__all__ = ["ends", "large", "nothing_left", "raw_ends"]

pytestmark = pytest.mark.usefixtures("nothing_left")


# Limits and ends


async def test_offers_at_once_are_bounded(ends: Ends) -> None:
    """MAX_PAYLOADS: one more waits until one has ended."""
    offers = [ends.offer(DATA) for _ in range(MAX_PAYLOADS + 1)]
    payloads = [await ends.next() for _ in range(MAX_PAYLOADS)]
    assert len({payload.port for payload in payloads}) == MAX_PAYLOADS
    await turns()
    assert not ends.has_announced
    assert await ends.fetch(payloads[0]) == DATA
    payloads.append(await ends.next())
    for payload in payloads[1:]:
        assert await ends.fetch(payload) == DATA
    await asyncio.gather(*offers)


async def test_offers_do_not_hold_up_fetching(ends: Ends) -> None:
    """Nobody has to fetch what we announce."""
    offers = [ends.offer(DATA) for _ in range(MAX_PAYLOADS)]
    for _ in offers:
        await ends.next()
    async with Ends.open() as others:
        others.sender, others.receiver = others.receiver, ends.sender
        others.from_peer, others.to_peer = ends.to_peer, ends.from_peer
        sending = others.offer(DATA)
        assert await others.fetch(await others.next()) == DATA
        await ended(sending)
    await asyncio.gather(*offers, return_exceptions=True)


async def test_no_port_is_free(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        port = taken.getsockname()[1]
        monkeypatch.setattr(payload_module, "PAYLOAD_PORTS", range(port, port + 1))
        with pytest.raises(DisconnectedError):
            await ended(ends.offer(DATA))
    assert not ends.has_announced


async def test_connections_that_cannot_be_accepted(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever called may have gone again; other errors end the offer."""
    errors: list[OSError] = [BlockingIOError(), OSError(24, "Too many open files")]
    listen = payload_module._listen

    class Broken(socket.socket):
        @override
        def accept(self) -> tuple[socket.socket, tuple[str, int]]:
            raise errors.pop(0)

    def broken(bind: str) -> socket.socket:
        return Broken(fileno=listen(bind).detach())

    monkeypatch.setattr(payload_module, "_listen", broken)
    sending = ends.offer(DATA)
    async with RawReceiver.open(await ends.next()):
        with pytest.raises(DisconnectedError):
            await ended(sending)
    assert not errors


async def test_nothing_is_sent_without_a_link_or_a_pairing(
    local: LocalPeer, phone: FakeDevice
) -> None:
    await call_us(local, phone)
    device = local.devices[phone.device_id]
    with pytest.raises(UnsupportedError):
        await device.send_payload(Packet(SHARE), DATA)
    log = EventLog(device.subscribe)
    phone.drop_link()
    await log.wait_for(LinkDown)
    with pytest.raises(DisconnectedError):
        await device.send_payload(Packet(SHARE), DATA)


async def test_packet_that_the_device_does_not_take(
    friend: RemoteDevice, phone: FakeDevice
) -> None:
    with pytest.raises(UnsupportedError):
        await friend.send_payload(Packet("kdeconnect.unheard"), DATA)


@pytest.mark.usefixtures("quick")
async def test_lost_link_takes_the_offer_back(
    friend: RemoteDevice, phone: FakeDevice
) -> None:
    sending = asyncio.create_task(friend.send_payload(Packet(SHARE), DATA))
    await phone.wait_for("packet", lambda e: _type(e) == SHARE)
    phone.drop_link()
    with pytest.raises(DisconnectedError):
        await ended(sending)


def _type(event: object) -> str:
    packet = getattr(event, "packet", None)
    return "" if packet is None else packet.type


async def test_lost_link_ends_no_transfer(raw_ends: Ends, large: Path) -> None:
    """It has a connection of its own."""
    sending = raw_ends.offer(large)
    async with RawReceiver.open(await raw_ends.next()) as receiver:
        await receiver.start_tls()
        await receiver.read(1000)
        raw_ends.sender.withdraw()
        await receiver.read(LARGE)
        await ended(sending)


@pytest.mark.parametrize("how", ["unpair", "untrust", "trust"])
async def test_end_of_trust_ends_all_transfers(
    friend: RemoteDevice, phone: FakeDevice, how: str
) -> None:
    """Also when only another certificate is trusted from now on."""
    sending = asyncio.create_task(friend.send_payload(Packet(SHARE), DATA))
    await phone.wait_for("packet", lambda e: _type(e) == SHARE)
    if how == "unpair":
        await friend.unpair()
    elif how == "untrust":
        friend.untrust()
    else:
        assert friend.paired is not None
        other = other_credentials().certificate
        friend.trust(replace(friend.paired, certificate=other))
    with pytest.raises(DisconnectedError):
        await ended(sending)


async def test_stopping_our_end_ends_all_transfers(
    local: LocalPeer, friend: RemoteDevice, phone: FakeDevice, large: Path
) -> None:
    """And waits for their threads."""
    sending = asyncio.create_task(friend.send_payload(Packet(SHARE), large))
    packet = (await phone.wait_for("packet", lambda e: _type(e) == SHARE)).packet
    assert packet is not None
    assert packet.payload_port is not None
    async with RawReceiver.open(Payload(LARGE, packet.payload_port)) as receiver:
        await receiver.start_tls()
        await receiver.read(1000)
        await local.stop()
        assert not payload_threads()
        with pytest.raises(DisconnectedError):
            await ended(sending)
    with pytest.raises(DisconnectedError):
        await friend._payloads.fetch(
            payload_module.PayloadPeer(LOOPBACK, b""), Payload(1, 1739), 1
        )


# Cancellation


async def cancel(task: asyncio.Task[None]) -> None:
    """Cancel a task and wait for its end."""
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ended(task)


async def test_cancelled_while_it_waits_for_its_turn(ends: Ends) -> None:
    offers = [ends.offer(DATA) for _ in range(MAX_PAYLOADS + 1)]
    for _ in range(MAX_PAYLOADS):
        await ends.next()
    for offer in reversed(offers):
        await cancel(offer)


async def test_cancelled_while_the_file_is_opened(
    ends: Ends, large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is closed again, even if it was opened nevertheless."""
    loop = asyncio.get_running_loop()
    opening, go = asyncio.Event(), threading.Event()
    sources: list[Source] = []

    def slow(origin: bytes | Path) -> Source:
        loop.call_soon_threadsafe(opening.set)
        go.wait(PATIENCE)
        sources.append(Source(origin))
        return sources[0]

    slow.close = Source.close  # type: ignore[attr-defined]
    monkeypatch.setattr(payload_module, "Source", slow)
    sending = ends.offer(large)
    async with asyncio.timeout(PATIENCE):
        await opening.wait()
    sending.cancel()
    await turns()
    sending.cancel()  # impatience changes nothing
    await turns()
    assert not sending.done()
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await ended(sending)
    assert sources[0]._fd is None


async def test_cancelled_while_nobody_fetches_it(ends: Ends) -> None:
    sending = ends.offer(DATA)
    payload = await ends.next()
    await cancel(sending)
    with pytest.raises(DisconnectedError):
        await ends.fetch(payload)


async def test_cancelled_when_somebody_calls(ends: Ends) -> None:
    """In the same turn of the event loop."""
    sending = ends.offer(DATA)
    payload = await ends.next()
    await turns()
    with socket.create_connection((LOOPBACK, payload.port)):
        asyncio.get_running_loop().call_soon(sending.cancel)
        with pytest.raises(asyncio.CancelledError):
            await ended(sending)


async def test_cancelled_before_tls(ends: Ends) -> None:
    sending = ends.offer(DATA)
    async with RawReceiver.open(await ends.next()) as receiver:
        async with asyncio.timeout(PATIENCE):
            while not payload_threads():
                await turns(1)
        await cancel(sending)
        await receiver.closed()


async def test_cancelled_half_way(raw_ends: Ends, large: Path) -> None:
    told: list[int] = []
    sending = raw_ends.offer(large, told.append)
    async with RawReceiver.open(await raw_ends.next()) as receiver:
        await receiver.start_tls()
        await receiver.read(LARGE // 2)
        await cancel(sending)
        await receiver.closed()
    assert LARGE not in told


async def test_cancelled_while_it_is_delivered(
    raw_ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer_module, "_unacknowledged", lambda sock: 5000)
    sending = raw_ends.offer(DATA)
    async with RawReceiver.open(await raw_ends.next()) as receiver:
        await receiver.start_tls()
        assert await receiver.read(len(DATA)) == DATA
        await cancel(sending)
