"""How the frames of a data channel are answered: soon, and many with one write."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from .scripted import PATIENCE, Ends, Peer, serve
from custom_components.rumpus.protocols.airplay import data_channel, wire
from custom_components.rumpus.protocols.airplay.data_channel import DataChannel
from custom_components.rumpus.protocols.airplay.data_frames import (
    DataFrame,
    FrameKind,
    FrameParser,
    decode_messages,
    encode_frame,
    encode_message,
)
from custom_components.rumpus.protocols.errors import DisconnectedError
from custom_components.rumpus.protocols.hap.crypto import ChannelCipher
from custom_components.rumpus.protocols.hap.frames import HapFrames

pytestmark = pytest.mark.usefixtures("socket_enabled")

KEY = bytes(32)
NEVER = 1000.0


class Device:
    """The other end: sends numbered frames, and reads what answers them."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._cipher = HapFrames(ChannelCipher(KEY, KEY))
        self._parser = FrameParser()

    def send(self, *numbers: int) -> None:
        payload = encode_message(b"\x10\x01")
        frames = [
            encode_frame(DataFrame(FrameKind.SYNC, "cmnd", number, payload))
            for number in numbers
        ]
        self._peer.send(self._cipher.encode(b"".join(frames)))

    async def read(self) -> list[DataFrame]:
        """Return the frames that came with the next write."""
        start = await self._peer.reader.readexactly(2)
        end = await self._peer.reader.readexactly(int.from_bytes(start, "little") + 16)
        return self._parser.feed(self._cipher.feed(start + end))


async def talk(
    script: Callable[[Device], Awaitable[None]], act: Callable[[DataChannel], None]
) -> Ends:
    """Run a device's script, and do something with every message that comes."""

    async def serving(peer: Peer) -> None:
        await script(Device(peer))

    ends = Ends()
    async with serve(serving) as port:
        channel = DataChannel(ChannelCipher(KEY, KEY), ends)
        await channel.connect("127.0.0.1", port, PATIENCE)
        channel.start(lambda _: act(channel))
        await ends.wait()
        await channel.close(PATIENCE)
    return ends


def numbers(frames: list[DataFrame]) -> list[int]:
    assert all(frame.kind == FrameKind.REPLY for frame in frames)
    return [frame.sequence for frame in frames]


async def test_frames_are_answered_soon() -> None:
    async def script(device: Device) -> None:
        device.send(1, 2)
        assert numbers(await device.read()) == [1, 2]
        device.send(3)
        assert numbers(await device.read()) == [3]

    await talk(script, lambda _: None)


async def test_answers_go_with_what_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_channel, "REPLY_DELAY", NEVER)
    is_first = asyncio.Event()

    def act(channel: DataChannel) -> None:
        if is_first.is_set():
            channel.send(b"\x10\x02")
        is_first.set()

    async def script(device: Device) -> None:
        device.send(1)
        await is_first.wait()
        device.send(2)
        *replies, message = await device.read()
        assert numbers(replies) == [1, 2]
        assert decode_messages(message.payload) == (b"\x10\x02",)

    await talk(script, act)


async def test_max_replies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_channel, "REPLY_DELAY", NEVER)
    monkeypatch.setattr(data_channel, "MAX_REPLIES", 3)

    async def script(device: Device) -> None:
        device.send(1, 2, 3, 4)
        assert numbers(await device.read()) == [1, 2, 3, 4]
        device.send(5)

    await talk(script, lambda _: None)


async def test_a_device_that_takes_no_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    async def script(device: Device) -> None:
        monkeypatch.setattr(wire, "MAX_UNSENT", 0)
        device.send(1)
        with pytest.raises(asyncio.IncompleteReadError):
            await device.read()

    ends = await talk(script, lambda _: None)
    assert isinstance(ends.reasons[0], DisconnectedError)
