"""What a fake KDE Connect device can do wrong."""

import asyncio
import enum
from typing import TYPE_CHECKING, Literal

from tests.fakes.kdeconnect_wire import FakePacket, encode_packet, full_type

if TYPE_CHECKING:
    from tests.fakes.kdeconnect import FakeDevice


class Misbehave(enum.Flag):
    """Switches that may be set and cleared at any time; they act from then on."""

    # Certificates. Each is made once and kept, so it is the same on every link.
    WRONG_COMMON_NAME = enum.auto()  # the CN is another device's id
    OTHER_CERTIFICATE = (
        enum.auto()
    )  # another key with the right CN (not the pinned one)
    EXPIRED_CERTIFICATE = enum.auto()
    NO_CERTIFICATE = enum.auto()  # only when called: a TLS server needs one

    # Link set-up
    HALF_OPEN = enum.auto()  # TCP connection, then silence (both roles)
    BIG_IDENTITY = enum.auto()  # clear identity of more than 8192 bytes
    TRAILING_DATA = enum.auto()  # bytes after the LF of the clear identity
    NO_TLS = enum.auto()  # silence after the clear identity
    WRONG_TLS_ROLE = enum.auto()  # caller as TLS client, called as TLS server
    NO_SECOND_IDENTITY = enum.auto()
    OTHER_SECOND_PACKET = enum.auto()  # a ping instead of the second identity
    BIG_SECOND_IDENTITY = enum.auto()
    SWAPPED_ID = enum.auto()  # another id in the second identity
    CHANGED_VERSION = enum.auto()  # another version in the second identity

    # Pairing
    ACCEPT_WITH_TIMESTAMP = enum.auto()  # as iOS does

    # Payloads that we send
    PAYLOAD_SHORT = enum.auto()  # half of what was announced
    PAYLOAD_LONG = enum.auto()  # twice what was announced
    PAYLOAD_ENDLESS = enum.auto()  # until the receiver hangs up
    PAYLOAD_STALL = enum.auto()  # half of it, then silence
    PAYLOAD_NEVER_ACCEPT = enum.auto()  # TCP connects, TLS is never answered
    PAYLOAD_REFUSED = enum.auto()  # nobody listens on the announced port
    PAYLOAD_WRONG_CERTIFICATE = enum.auto()
    PAYLOAD_ABRUPT_END = enum.auto()  # all the bytes, no close_notify
    PAYLOAD_RESET = enum.auto()  # all the bytes, then a RST after the end
    PAYLOAD_UNKNOWN_SIZE = enum.auto()  # payloadSize -1

    # Payloads that we fetch
    FETCH_NEVER = enum.auto()  # nobody comes
    FETCH_NO_TLS = enum.auto()  # TCP connects, and not a word of TLS
    FETCH_WRONG_CERTIFICATE = enum.auto()
    FETCH_HANG_UP = enum.auto()  # gone after the first piece
    FETCH_STALL = enum.auto()  # connected, but nothing is read after the first piece

    NOTHING = 0


class Mischief:
    """Wrong or excessive data on a link that is up (`device.mischief`)."""

    def __init__(self, device: FakeDevice) -> None:
        """Act on the links of this device."""
        self._device = device

    async def send_raw(self, data: bytes, device_id: str | None = None) -> None:
        """Send bytes as they are, inside TLS."""
        peer = self._device.peer(device_id)
        peer.write(data)
        await peer.drain()

    async def half_packet(
        self, then: Literal["close", "silence"] = "close", device_id: str | None = None
    ) -> None:
        """Send the first half of a packet, then close or never say anything again."""
        line = encode_packet(FakePacket("kdeconnect.ping", {"message": "half"}))
        await self.send_raw(line[: len(line) // 2], device_id)
        if then == "close":
            await self._device.close_link(device_id)
        else:
            self._device.silence(device_id=device_id)

    async def flood(
        self,
        count: int,
        packet_type: str = "ping",
        *,
        per_second: float | None = None,
        device_id: str | None = None,
    ) -> int:
        """Send many packets, as fast as the link takes them or at a rate.

        Stops early when the other side closes the link; returns how many were sent.
        """
        peer = self._device.peer(device_id)
        line = encode_packet(FakePacket(full_type(packet_type)))
        for sent in range(count):
            if not peer.is_linked:
                return sent
            peer.write(line)
            await peer.drain()
            await asyncio.sleep(1 / per_second if per_second else 0)
        return count

    async def long_line(
        self, mebibytes: float, *, end: bool = False, device_id: str | None = None
    ) -> int:
        """Send a packet of that size, without its LF unless `end`.

        Stops early when the other side closes the link; returns the bytes sent.
        """
        peer = self._device.peer(device_id)
        peer.write(b'{"id":1,"type":"kdeconnect.ping","body":{"message":"')
        sent, total, piece = 0, int(mebibytes * 1024 * 1024), b"x" * 65536
        while sent < total and peer.is_linked:
            peer.write(piece)
            await peer.drain()
            sent += len(piece)
        if end:
            peer.write(b'"}}\n')
            await peer.drain()
        return sent

    async def not_utf8(self, device_id: str | None = None) -> None:
        """Send a packet whose text is no UTF-8."""
        line = b'{"id":1,"type":"kdeconnect.ping","body":{"message":"\xff\xfe\xc3("}}\n'
        await self.send_raw(line, device_id)

    async def nesting_bomb(
        self, depth: int = 100_000, device_id: str | None = None
    ) -> None:
        """Send a packet with arrays inside arrays, complete and valid JSON."""
        start = b'{"id":1,"type":"kdeconnect.ping","body":{"message":'
        line = start + b"[" * depth + b"]" * depth + b"}}\n"
        await self.send_raw(line, device_id)

    async def invalid_json(self, device_id: str | None = None) -> None:
        """Send lines that are no JSON, or JSON but no packet."""
        lines = b'{"id":1,"type":}\nhello\n[1,2]\n"text"\n{}\n{"type":5,"body":[]}\n'
        await self.send_raw(lines, device_id)

    async def unknown_type(self, device_id: str | None = None) -> None:
        """Send a packet of a type that nobody knows, without asking what is accepted."""
        packet = FakePacket("kdeconnect.nobody.knows", {"": None, "deep": {"a": [1]}})
        await self.send_raw(encode_packet(packet), device_id)
