"""A data channel whose device begins a frame and does not go on with it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
import contextlib

import pytest

from .scripted import PATIENCE, Ends, Peer, serve
from custom_components.rumpus.protocols.airplay import data_channel
from custom_components.rumpus.protocols.airplay.data_channel import (
    MIN_PROGRESS,
    DataChannel,
)
from custom_components.rumpus.protocols.airplay.data_frames import (
    DataFrame,
    FrameKind,
    encode_frame,
    encode_message,
)
from custom_components.rumpus.protocols.errors import PeerTimeoutError
from custom_components.rumpus.protocols.hap.crypto import ChannelCipher
from custom_components.rumpus.protocols.hap.frames import HapFrames

pytestmark = pytest.mark.usefixtures("socket_enabled")

KEY = bytes(32)
NEVER = 1000.0


def frame(size: int) -> bytes:
    message = encode_message(b"\x10\x01" + bytes(size))
    return encode_frame(DataFrame(FrameKind.SYNC, "cmnd", 1, message))


class Device:
    """The other end of the channel, and what our end has taken of it."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._cipher = HapFrames(ChannelCipher(KEY, KEY))
        self.sent = 0

    def send(self, data: bytes) -> None:
        self.send_raw(self._cipher.encode(data))

    def send_raw(self, data: bytes) -> None:
        self.sent += len(data)
        self._peer.send(data)


class Bench:
    """A channel that looks at its frames when a test wants it to."""

    def __init__(self, channel: DataChannel, device: Device, ends: Ends) -> None:
        self.channel = channel
        self.device = device
        self.ends = ends
        self.messages = 0
        self.came = asyncio.Event()

    async def look(self) -> None:
        """Wait until all has come, and look."""
        async with asyncio.timeout(PATIENCE):
            while self.channel._wire.taken < self.device.sent:
                self.came.clear()
                await self.came.wait()
        self.channel._look()

    def is_connected(self) -> bool:
        return self.channel.is_connected


@pytest.fixture
async def bench(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    monkeypatch.setattr(data_channel, "FRAME_PATIENCE", NEVER)
    connected: asyncio.Future[Device] = asyncio.get_running_loop().create_future()

    async def script(peer: Peer) -> None:
        connected.set_result(Device(peer))
        await peer.wait_end()

    ends = Ends()
    async with serve(script) as port:
        channel = DataChannel(ChannelCipher(KEY, KEY), ends)
        await channel.connect("127.0.0.1", port, PATIENCE)
        made = Bench(channel, await connected, ends)
        take = channel._wire.data_received

        def take_and_tell(data: bytes) -> None:
            take(data)
            made.came.set()

        monkeypatch.setattr(channel._wire, "data_received", take_and_tell)

        def count(_: bytes) -> None:
            made.messages += 1

        channel.start(count)
        yield made
        await channel.close(PATIENCE)


@contextlib.asynccontextmanager
async def talk(
    script: Callable[[Device], Awaitable[None]],
) -> AsyncIterator[Ends]:
    async def serving(peer: Peer) -> None:
        await script(Device(peer))
        await peer.wait_end()

    ends = Ends()
    async with serve(serving) as port:
        channel = DataChannel(ChannelCipher(KEY, KEY), ends)
        await channel.connect("127.0.0.1", port, PATIENCE)
        channel.start(lambda _: None)
        yield ends
        await channel.close(PATIENCE)


@pytest.mark.parametrize("is_encrypted_part", [False, True])
async def test_half_a_frame(
    monkeypatch: pytest.MonkeyPatch, is_encrypted_part: bool
) -> None:
    """Its rest never comes: the connection ends by itself."""
    monkeypatch.setattr(data_channel, "FRAME_PATIENCE", 0.01)

    async def script(device: Device) -> None:
        device.send(frame(3))
        if is_encrypted_part:
            device.send_raw(b"\xff\x03" + bytes(100))
        else:
            device.send(frame(5000)[:-1])

    async with talk(script) as ends:
        assert isinstance(await ends.wait(), PeerTimeoutError)


async def test_min_progress(bench: Bench) -> None:
    """A little more is not enough, as when all that follows is taken for its rest."""
    bench.device.send(frame(10 * MIN_PROGRESS)[: -3 * MIN_PROGRESS])
    await bench.look()
    assert bench.is_connected()
    bench.device.send(bytes(MIN_PROGRESS))
    await bench.look()
    assert bench.is_connected()
    bench.device.send(bytes(MIN_PROGRESS // 2))
    await bench.look()
    assert not bench.is_connected()
    assert isinstance(await bench.ends.wait(), PeerTimeoutError)


async def test_frames_that_end_are_no_reason(bench: Bench) -> None:
    """Each look finds half a frame, but always another one."""
    one = frame(300)
    bench.device.send(one[:100])
    for _ in range(4):
        await bench.look()
        bench.device.send(one[100:] + one[:100])
    await bench.look()
    bench.device.send(one[100:])
    await bench.look()
    assert bench.is_connected()
    assert bench.messages == 5
    # Nothing at all may come for as long as it likes.
    for _ in range(3):
        await bench.look()
    assert bench.is_connected()


async def test_who_is_waited_for_by_the_device_waits_himself(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has come is worked on still, and reading pauses until it is done."""
    bench.device.send(frame(300)[:100])
    await bench.look()
    with monkeypatch.context() as patch:
        patch.setattr(type(bench.channel._portions), "is_busy", True)
        await bench.look()
        await bench.look()
    await bench.look()
    assert bench.is_connected()
    await bench.look()
    assert not bench.is_connected()


async def test_a_channel_that_has_ended_is_not_looked_at(bench: Bench) -> None:
    bench.device.send(frame(300)[:100])
    await bench.look()
    bench.channel.abort()
    bench.channel._look()
    assert bench.ends.reasons == []
    assert bench.channel._look_timer is None
