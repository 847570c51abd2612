"""Serving bulk data to a paired device (section 9)."""

import asyncio
import contextlib
import os
from pathlib import Path
import socket
import ssl
import threading
import tracemalloc

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from .conftest import both_protocols
from .support import (
    LOOPBACK,
    PATIENCE,
    EventLog,
    Sink,
    at_once,
    fake_credentials,
    new_peer,
    running,
)
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
    raw_ends,
)
from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    PeerTimeoutError,
    ProtocolError,
)
from custom_components.rumpus.protocols.json_lines import JsonObject
from custom_components.rumpus.protocols.kdeconnect import (
    payload as payload_module,
    transfer as transfer_module,
)
from custom_components.rumpus.protocols.kdeconnect.const import (
    PAYLOAD_PORTS,
    DeviceType,
)
from custom_components.rumpus.protocols.kdeconnect.device import RemoteDevice
from custom_components.rumpus.protocols.kdeconnect.events import (
    DeviceAppeared,
    MessageReceived,
)
from custom_components.rumpus.protocols.kdeconnect.handshake import (
    CertificateChangedError,
)
from custom_components.rumpus.protocols.kdeconnect.local import LocalPeer
from custom_components.rumpus.protocols.kdeconnect.packet import Packet, Payload
from custom_components.rumpus.protocols.kdeconnect.paired import PairedDevice
from custom_components.rumpus.protocols.kdeconnect.payload_files import FileAccessError
from custom_components.rumpus.protocols.kdeconnect.plugins.mpris import AlbumArt
from custom_components.rumpus.protocols.kdeconnect.transfer import Transfer
from tests.fakes.kdeconnect import FakeDevice
from tests.fakes.kdeconnect_payload import fetch_payload
from tests.fakes.kdeconnect_tls import FakeTlsError

__all__ = ["ends", "large", "nothing_left", "raw_ends"]

pytestmark = pytest.mark.usefixtures("nothing_left")

ART: JsonObject = {
    "transferringAlbumArt": True,
    "player": "P",
    "albumArtUrl": "file:///a",
}


# What arrives


@both_protocols
@pytest.mark.parametrize("tls13", [False, True], ids=["tls 1.2", "tls 1.3"])
async def test_device_gets_what_its_packet_announces(
    friend: RemoteDevice, phone: FakeDevice, tls13: bool
) -> None:
    """Steps 1 to 6; the packet comes when somebody listens already."""
    phone.tls13 = tls13
    sending = asyncio.create_task(
        friend.send_payload(Packet(SHARE, {"filename": "a"}), DATA)
    )
    packet = (await phone.wait_for("packet", lambda e: "filename" in _body(e))).packet
    assert packet is not None
    assert packet.payload_size == len(DATA)
    assert packet.payload_port in PAYLOAD_PORTS
    assert await fetch_payload(phone.peer(), packet) == DATA
    await ended(sending)


def _body(event: object) -> dict[str, object]:
    packet = getattr(event, "packet", None)
    return {} if packet is None else packet.body


async def test_empty_data_is_announced_without_a_payload(
    friend: RemoteDevice, phone: FakeDevice, tmp_path: Path
) -> None:
    """Section 9; what the caller put there does not count."""
    empty = tmp_path / "empty"
    empty.touch()
    for source in (b"", empty):
        packet = Packet(SHARE, {"filename": "a"}, Payload(5, 1739))
        await friend.send_payload(packet, source)
        event = await phone.wait_for("packet", lambda e: "filename" in _body(e))
        assert event.packet is not None
        assert event.packet.payload_port is None
        assert event.packet.payload_size in {None, 0}


async def test_two_ends_of_ours(sink: Sink, tmp_path: Path) -> None:
    """A file from one Home Assistant to another."""
    one = new_peer(sink.port)
    other = new_peer(sink.port, credentials=other_credentials())
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(DATA)
    async with running(one), running(other):
        log = EventLog(other.subscribe)
        other.add_paired(_known(one))
        to_other = one.add_paired(_known(other, address=LOOPBACK))
        await log.wait_for(DeviceAppeared)
        to_one = other.devices[one.identity.device_id]
        messages = EventLog(to_one.subscribe)
        sending = asyncio.create_task(
            to_other.send_payload(Packet("kdeconnect.mpris", ART), source)
        )
        # They also greet each other.
        message = (
            await messages.wait_for(
                MessageReceived, lambda event: isinstance(event.message, AlbumArt)
            )
        ).message
        assert isinstance(message, AlbumArt)
        assert message.payload is not None
        received = await to_one.fetch_file(message.payload, target, limit=len(DATA))
        await ended(sending)
    assert received.path.read_bytes() == DATA


def _known(peer: LocalPeer, address: str | None = None) -> PairedDevice:
    return PairedDevice(
        peer.identity.device_id,
        peer.credentials.certificate,
        "Peer",
        DeviceType.DESKTOP,
        8,
        address,
        peer.tcp_port or 1716,
    )


@given(data=st.binary(max_size=300), piece=st.integers(1, 100))
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_every_size_arrives(
    tmp_path: Path, socket_enabled: None, data: bytes, piece: int
) -> None:
    """Whatever the sizes of pieces and buffers are, from memory and from disk."""
    source = tmp_path / "source"
    source.write_bytes(data)

    async def transfer(origin: bytes | Path) -> bytes:
        async with Ends.open() as ends:
            sending = ends.offer(origin)
            payload = await ends.taken()
            fetched = b"" if payload is None else await ends.fetch(payload)
            await ended(sending)
            return fetched

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transfer_module, "SEND_PIECE", piece)
        patch.setattr(transfer_module, "RECEIVE_BUFFER", 101 - piece)
        for origin in (data, source):
            assert asyncio.run(transfer(origin)) == data


@pytest.mark.parametrize("tls13", [False, True], ids=["tls 1.2", "tls 1.3"])
async def test_end_of_tls_and_of_tcp_come_with_the_last_byte(
    raw_ends: Ends, tls13: bool
) -> None:
    """Pitfalls 12, 13 and 21: nobody has to answer."""
    sending = raw_ends.offer(b"tiny")
    async with RawReceiver.open(await raw_ends.next()) as receiver:
        await receiver.start_tls(tls13=tls13)
        assert await receiver.read(100) == b"tiny"
        assert receiver.was_told_goodbye
        await receiver.closed()
        await ended(sending)


@pytest.mark.parametrize("has_room", [True, False])
async def test_end_of_tls_waits_for_room_behind_the_data(
    raw_ends: Ends, monkeypatch: pytest.MonkeyPatch, has_room: bool
) -> None:
    """A slow receiver gets it too; one that reads no more is PAYLOAD_IDLE_TIMEOUT's."""
    unwrap = ssl.SSLSocket.unwrap
    calls: list[ssl.SSLSocket] = []

    def no_room_at_first(self: ssl.SSLSocket) -> socket.socket:
        calls.append(self)
        if len(calls) == 1:
            raise ssl.SSLWantWriteError
        return unwrap(self)

    monkeypatch.setattr(ssl.SSLSocket, "unwrap", no_room_at_first)
    if not has_room:
        monkeypatch.setattr(transfer_module, "_is_writable", lambda sock: False)
    sending = raw_ends.offer(b"tiny")
    async with RawReceiver.open(await raw_ends.next()) as receiver:
        await receiver.start_tls()
        if has_room:
            assert await receiver.read(100) == b"tiny"
            assert receiver.was_told_goodbye
            await ended(sending)
        else:
            with pytest.raises(PeerTimeoutError):
                await ended(sending)


async def test_slow_receiver_gets_the_end_of_tls(raw_ends: Ends, large: Path) -> None:
    """Nothing is lost where the sender is far ahead."""
    sending = raw_ends.offer(large)
    async with RawReceiver.open(await raw_ends.next()) as receiver:
        await receiver.start_tls()
        data = await receiver.read(LARGE + 1)
        assert len(data) == LARGE
        assert receiver.was_told_goodbye
        await ended(sending)


async def test_progress_is_told_in_the_event_loop(
    ends: Ends, large: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """And its end always."""
    monkeypatch.setattr(transfer_module, "PROGRESS_INTERVAL", 0)
    told: list[int] = []
    main = threading.get_ident()

    def progress(total: int) -> None:
        assert threading.get_ident() == main
        told.append(total)

    sending = ends.offer(large, progress)
    await ended(ends.fetch_file(await ends.next(), tmp_path / "target", LARGE))
    await ended(sending)
    assert told == sorted(told)
    assert len(told) > 10
    assert told[-1] == LARGE


async def test_progress_does_not_flood_the_event_loop(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PROGRESS_INTERVAL: nothing but the end where that is long."""
    monkeypatch.setattr(transfer_module, "PROGRESS_INTERVAL", 1000)
    monkeypatch.setattr(transfer_module, "SEND_PIECE", 100)
    told: list[int] = []
    sending = ends.offer(DATA, told.append)
    await ends.fetch(await ends.next())
    await ended(sending)
    assert told == [len(DATA)]


async def test_failing_progress_fails_nothing_else(
    ends: Ends, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(total: int) -> None:
        raise ValueError(total)

    sending = ends.offer(DATA, fail)
    assert await ends.fetch(await ends.next()) == DATA
    await ended(sending)
    assert "progress callback failed" in caplog.text


async def test_memory_is_bounded(ends: Ends, tmp_path: Path) -> None:
    """RECEIVE_BUFFER and SEND_PIECE, not the size of the file."""
    size = 256 * 1024 * 1024
    source = tmp_path / "source"
    with source.open("wb") as file:
        file.truncate(size)
    tracemalloc.start()
    try:
        sending = ends.offer(source)
        fetching = ends.fetch_file(await ends.next(), tmp_path / "target", size)
        async with asyncio.timeout(50):
            received = await fetching
            await sending
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert received.size == size
    received.path.unlink()
    assert peak < 8 * 1024 * 1024


# Who may fetch


async def test_strangers_do_not_take_the_place_of_the_device(raw_ends: Ends) -> None:
    """Other addresses are turned away at once, however many there are (section 12.3)."""
    sending = raw_ends.offer(DATA)
    payload = await raw_ends.next()
    for number in range(2, 10):
        async with RawReceiver.open(payload, source=f"127.0.0.{number}") as stranger:
            await stranger.closed()
    async with RawReceiver.open(payload) as receiver:
        await receiver.start_tls()
        assert await receiver.read(len(DATA)) == DATA
        await ended(sending)


@pytest.mark.parametrize("tls13", [False, True], ids=["tls 1.2", "tls 1.3"])
async def test_another_certificate_gets_nothing(raw_ends: Ends, tls13: bool) -> None:
    other = type(fake_credentials()).generate()
    sending = raw_ends.offer(DATA)
    async with RawReceiver.open(await raw_ends.next()) as receiver:
        try:
            await receiver.start_tls(other, tls13=tls13)
        except FakeTlsError:
            assert not tls13
        else:
            with pytest.raises(FakeTlsError):
                await receiver.read(1)
        with pytest.raises(CertificateChangedError):
            await ended(sending)


async def test_no_certificate_gets_nothing(raw_ends: Ends) -> None:
    sending = raw_ends.offer(DATA)
    async with RawReceiver.open(await raw_ends.next()) as receiver:
        with pytest.raises(FakeTlsError):
            await receiver.start_nameless_tls()
        with pytest.raises(DisconnectedError):
            await ended(sending)


async def test_data_is_served_once(raw_ends: Ends) -> None:
    """Then nobody listens any more."""
    sending = raw_ends.offer(DATA)
    payload = await raw_ends.next()
    async with RawReceiver.open(payload) as receiver:
        await receiver.start_tls()
        with pytest.raises(ConnectionRefusedError):
            async with RawReceiver.open(payload):
                pass
        assert await receiver.read(len(DATA)) == DATA
        await ended(sending)


async def test_nobody_fetches_it(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    """PAYLOAD_RECEIVER_TIMEOUT."""
    at_once(monkeypatch, payload_module, "PAYLOAD_RECEIVER_TIMEOUT")
    with pytest.raises(PeerTimeoutError):
        await ended(ends.offer(DATA))


async def test_receiver_that_does_not_begin_tls(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PAYLOAD_HANDSHAKE_TIMEOUT."""
    at_once(monkeypatch, transfer_module, "PAYLOAD_HANDSHAKE_TIMEOUT")
    sending = ends.offer(DATA)
    async with RawReceiver.open(await ends.next()):
        with pytest.raises(PeerTimeoutError):
            await ended(sending)


async def test_receiver_that_has_gone_again(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before TLS could even begin."""

    def fail(*args: object, **kwargs: object) -> None:
        raise ConnectionResetError

    sending = ends.offer(DATA)
    payload = await ends.next()
    context = await ends.sender._contexts.pinned_server(ends.to_peer.certificate)
    monkeypatch.setattr(context, "wrap_socket", fail, raising=False)
    async with RawReceiver.open(payload):
        with pytest.raises(DisconnectedError):
            await ended(sending)


@pytest.mark.parametrize("size", [LARGE, 100])
async def test_receiver_that_reads_no_more(
    raw_ends: Ends, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """PAYLOAD_IDLE_TIMEOUT, while there is more to send."""
    monkeypatch.setattr(transfer_module, "PAYLOAD_IDLE_TIMEOUT", 0.3)
    sending = raw_ends.offer(bytes(size))
    async with RawReceiver.open(await raw_ends.next()) as receiver:
        await receiver.start_tls()
        if size == LARGE:
            with pytest.raises(PeerTimeoutError):
                await ended(sending)
        else:  # its system has everything
            await ended(sending)


async def test_unacknowledged_data_is_waited_for(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PAYLOAD_IDLE_TIMEOUT since the last progress, after the last byte."""
    left = iter([5000, 4000, 4000])
    monkeypatch.setattr(
        transfer_module, "_unacknowledged", lambda sock: next(left, 4000)
    )
    monkeypatch.setattr(transfer_module, "PAYLOAD_IDLE_TIMEOUT", 0.3)
    sending = ends.offer(DATA)
    assert await ends.fetch(await ends.next()) == DATA
    with pytest.raises(PeerTimeoutError):
        await ended(sending)


async def test_system_that_does_not_tell_what_is_unacknowledged(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise OSError

    monkeypatch.setattr("fcntl.ioctl", fail)
    sending = ends.offer(DATA)
    assert await ends.fetch(await ends.next()) == DATA
    await ended(sending)


@pytest.mark.parametrize("reset", [False, True])
async def test_receiver_that_vanishes_half_way(
    raw_ends: Ends, large: Path, reset: bool
) -> None:
    sending = raw_ends.offer(large)
    async with RawReceiver.open(await raw_ends.next()) as receiver:
        await receiver.start_tls()
        await receiver.read(LARGE // 2)
        receiver.hang_up(reset=reset)
        with pytest.raises(DisconnectedError):
            await ended(sending)


async def test_receiver_that_vanishes_before_it_has_everything(
    raw_ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All is written, not all is acknowledged."""
    loop = asyncio.get_running_loop()
    waiting = asyncio.Event()
    await_delivery = Transfer._await_delivery
    monkeypatch.setattr(transfer_module, "_unacknowledged", lambda sock: 5000)

    def watch(self: Transfer) -> None:
        loop.call_soon_threadsafe(waiting.set)
        await_delivery(self)

    monkeypatch.setattr(Transfer, "_await_delivery", watch)
    sending = raw_ends.offer(b"tiny")
    async with RawReceiver.open(await raw_ends.next()) as receiver:
        await receiver.start_tls()
        async with asyncio.timeout(PATIENCE):
            await waiting.wait()
        receiver.hang_up(reset=True)
        with pytest.raises(DisconnectedError):
            await ended(sending)


# Files


@pytest.mark.parametrize("change", [-1, 1])
async def test_file_that_changes_its_size_is_not_sent(
    raw_ends: Ends, large: Path, change: int
) -> None:
    """Its receiver is cut off."""
    sending = raw_ends.offer(large)
    payload = await raw_ends.next()
    with large.open("r+b") as file:
        file.truncate(LARGE + change)
    async with RawReceiver.open(payload) as receiver:
        await receiver.start_tls()
        reading = asyncio.create_task(receiver.read(LARGE + 1))
        with pytest.raises(ProtocolError):
            await ended(sending)
        if change < 0:
            with contextlib.suppress(OSError):
                assert len(await reading) < LARGE
        else:
            await asyncio.gather(reading, return_exceptions=True)
        assert not receiver.was_told_goodbye


@pytest.mark.parametrize("kind", ["folder", "pipe", "missing"])
async def test_only_files_are_sent(ends: Ends, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "private-name"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    with pytest.raises(FileAccessError) as caught:
        await ended(ends.offer(path))
    assert "private-name" not in str(caught.value)
    assert not ends.has_announced


async def test_file_that_cannot_be_read(
    ends: Ends, large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("os.readv", fail)
    sending = ends.offer(large)
    with pytest.raises(ProtocolError):
        await ends.fetch(await ends.next(), LARGE)
    with pytest.raises(FileAccessError):
        await ended(sending)
