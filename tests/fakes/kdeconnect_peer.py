"""The other side of a fake KDE Connect device: its link and its pairing."""

import asyncio
import enum
import math
from typing import TYPE_CHECKING

from tests.fakes.kdeconnect_events import EventKind, FakeEvent
from tests.fakes.kdeconnect_misbehave import Misbehave
from tests.fakes.kdeconnect_tls import TlsChannel, verification_key
from tests.fakes.kdeconnect_wire import (
    MAX_PACKET,
    PAIR,
    Body,
    FakeIdentity,
    FakePacket,
    JsonValue,
    WireError,
    decode_packet,
    encode_packet,
    full_type,
)

if TYPE_CHECKING:
    from tests.fakes.kdeconnect import FakeDevice

CLOCK_TOLERANCE = 1800


class PairingState(enum.Enum):
    """The states of section 7.2."""

    UNPAIRED = "unpaired"
    REQUESTED = "requested"
    REQUESTED_BY_PEER = "requested_by_peer"
    PAIRED = "paired"


class LineReader:
    """Lines of a TLS channel."""

    def __init__(self, channel: TlsChannel) -> None:
        """Read from this channel; nobody else may."""
        self._channel = channel
        self._buffer = bytearray()
        self._searched = 0

    async def read_line(self, limit: int) -> bytes | None:
        """Return a line without its LF, None at the end. Raises WireError, OSError."""
        while (end := self._buffer.find(b"\n", self._searched)) < 0:
            self._searched = len(self._buffer)
            if self._searched > limit:
                raise WireError("line too long")
            data = await self._channel.read()
            if not data:
                return None
            self._buffer += data
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        self._searched = 0
        if len(line) >= limit:
            raise WireError("line too long")
        return line


class FakePeer:
    """What a fake device knows of one other device."""

    def __init__(self, device: FakeDevice, identity: FakeIdentity) -> None:
        """Start without a link; paired if the device remembers it."""
        self.device = device
        self.device_id = identity.device_id
        self.identity = identity
        self.channel: TlsChannel | None = None
        self.certificate = b""
        self.timestamp: int | None = None
        self.state = PairingState.UNPAIRED
        if self.device_id in device.paired:
            self.state = PairingState.PAIRED
        self._timer: asyncio.TimerHandle | None = None
        self._awake = asyncio.Event()
        self._awake.set()

    # --- the link ---

    @property
    def is_linked(self) -> bool:
        """Whether there is a link that can be written to."""
        return self.channel is not None and not self.channel.is_closing

    @property
    def is_paired(self) -> bool:
        """Whether both sides agreed, as far as this one knows."""
        return self.state is PairingState.PAIRED

    @property
    def host(self) -> str:
        """The address of the other end of the link."""
        if self.channel is None:
            raise ConnectionError("no link")
        return self.channel.peer_host

    def emit(
        self, kind: EventKind, packet: FakePacket | None = None, **data: JsonValue
    ) -> None:
        """Report something that happened with this peer."""
        event = FakeEvent(kind, self.device_id, dict(data), packet, self.identity)
        self.device.events.emit(event)

    def write(self, data: bytes) -> None:
        """Buffer bytes for the link; lost when there is none or we are silent."""
        if self.channel is not None and self._awake.is_set():
            self.channel.write(data)

    async def drain(self) -> None:
        """Wait until the link took most of what was written."""
        if self.channel is not None:
            await self.channel.drain()

    def send(self, packet_type: str, body: Body | None = None) -> bool:
        """Buffer a packet if the peer accepts its type; returns whether it does."""
        return self.send_packet(FakePacket(full_type(packet_type), body or {}))

    def send_packet(self, packet: FakePacket) -> bool:
        """Buffer a packet if the peer accepts its type; returns whether it does."""
        if packet.type != PAIR and not self.identity.accepts(packet.type):
            return False
        self.write(encode_packet(packet, text_id=self.device.text_id))
        return True

    def silence(self, *, on: bool) -> None:
        """Neither read nor write any more, with the connection left open."""
        if on:
            self._awake.clear()
        else:
            self._awake.set()

    async def run(self, channel: TlsChannel, lines: LineReader) -> None:
        """Handle the packets of a link until it ends or is replaced."""
        try:
            while await self._handle_line(lines):
                await self.drain()
        except OSError:
            return
        finally:
            try:
                # Also when the other side only closed its half.
                await channel.close(notify=False)
            finally:
                if self.channel is channel:
                    self.channel = None
                    self._link_lost()

    async def _handle_line(self, lines: LineReader) -> bool:
        """Handle one line; returns whether there may be more."""
        await self._awake.wait()
        try:
            line = await lines.read_line(MAX_PACKET)
        except WireError as error:
            self.emit("malformed", reason=str(error))
            return False
        await self._awake.wait()
        if line is None:
            return False
        if not line.strip():
            return True
        try:
            self._received(decode_packet(line))
        except WireError as error:
            self.emit("malformed", reason=str(error))
            # Android ends the link, KDE goes on.
            return self.device.kind == "computer"
        return True

    def _link_lost(self) -> None:
        self._stop_timer()
        self._awake.set()
        if self.state is not PairingState.PAIRED:
            if self.state is not PairingState.UNPAIRED:
                self.emit("pairing_failed", reason="link lost")
            self.state = PairingState.UNPAIRED
        self.device.link_lost(self)
        self.emit("link_down")

    def _received(self, packet: FakePacket) -> None:
        if self.device.events.keep:
            self.device.received.append(packet)
        if packet.type == PAIR:
            self.emit("packet", packet)
            self._received_pair(packet.body)
        elif self.is_paired and packet.type in self.device.incoming:
            self.emit("packet", packet)
            self.device.handle(self, packet)
        elif self.is_paired:
            self.emit("unlisted", packet, type=packet.type)
        else:
            self.emit("dropped", packet, type=packet.type)
            self.send_pair(pair=False)

    # --- pairing ---

    @property
    def speaks_v8(self) -> bool:
        """Whether the rules of protocol 8 hold between the two."""
        return self.identity.protocol >= 8 and self.device.protocol >= 8

    @property
    def verification_key(self) -> str:
        """The code that the user would compare."""
        return verification_key(
            self.device.presented_credentials().certificate_der,
            self.certificate,
            self.timestamp if self.speaks_v8 else None,
        )

    def send_pair(self, *, pair: bool, timestamp: int | None = None) -> None:
        """Send a pairing packet, whatever the state."""
        body: Body = {"pair": pair}
        if timestamp is not None:
            body["timestamp"] = timestamp
        self.send(PAIR, body)

    def request_pairing(self) -> None:
        """Ask for pairing, or accept when the peer asked."""
        if self.state is PairingState.REQUESTED_BY_PEER:
            self.accept_pairing()
        elif self.state is PairingState.UNPAIRED:
            self.timestamp = self.device.now()
            self.state = PairingState.REQUESTED
            self._start_timer()
            self.send_pair(
                pair=True,
                timestamp=self.timestamp if self.device.protocol >= 8 else None,
            )

    def accept_pairing(self) -> None:
        """Accept what the peer asked for. Raises RuntimeError when it did not."""
        if self.state is not PairingState.REQUESTED_BY_PEER:
            raise RuntimeError(f"nothing to accept: {self.state.value}")
        misbehave = Misbehave.ACCEPT_WITH_TIMESTAMP in self.device.misbehave
        self.send_pair(pair=True, timestamp=self.device.now() if misbehave else None)
        self._become_paired()

    def reject_pairing(self) -> None:
        """Refuse the peer's request, or cancel our own."""
        if self.state in {PairingState.REQUESTED, PairingState.REQUESTED_BY_PEER}:
            self.send_pair(pair=False)
            self._become_unpaired("pairing_failed", "refused here")

    def unpair(self) -> None:
        """Forget the peer and tell it."""
        if self.is_paired:
            self.send_pair(pair=False)
            self._become_unpaired("unpaired", "here")

    def forget(self) -> None:
        """Drop the pin without telling anybody."""
        self._stop_timer()
        self.state = PairingState.UNPAIRED
        self.device.paired.pop(self.device_id, None)
        self.device.versions.pop(self.device_id, None)

    def _received_pair(self, body: Body) -> None:
        wanted, timestamp = body.get("pair"), body.get("timestamp")
        if not isinstance(wanted, bool):
            self.emit("malformed", reason="pair is no boolean")
        elif not wanted:
            self._received_refusal()
        elif self.state is PairingState.REQUESTED:
            self._become_paired()
        elif self.state is PairingState.UNPAIRED:
            self._received_request(timestamp)
        elif self.state is PairingState.PAIRED:
            self._received_repeat(timestamp)

    def _received_refusal(self) -> None:
        if self.state is PairingState.PAIRED:
            self._become_unpaired("unpaired", "by the other side")
        elif self.state is not PairingState.UNPAIRED:
            self._become_unpaired("pairing_failed", "refused by the other side")

    def _received_repeat(self, timestamp: JsonValue) -> None:
        """React to a request of a paired peer as the programs do, section 7.4."""
        if self.device.protocol < 8:
            self.send_pair(pair=True)
        else:
            self._become_unpaired("unpaired", "asked again")
            self._received_request(timestamp)

    def _received_request(self, timestamp: JsonValue) -> None:
        self.timestamp = None
        if self.speaks_v8:
            if isinstance(timestamp, bool) or not isinstance(timestamp, int | float):
                self.emit("malformed", reason="request without a timestamp")
                return
            difference = abs(timestamp - self.device.now())
            if not math.isfinite(difference) or difference > CLOCK_TOLERANCE:
                self.emit("pairing_failed", reason="clocks differ")
                return
            self.timestamp = int(timestamp)
        self.state = PairingState.REQUESTED_BY_PEER
        self.emit("pairing_requested", verification_key=self.verification_key)
        if self.device.accept == "auto":
            self.accept_pairing()
        elif self.device.accept == "reject":
            self.reject_pairing()
        elif self.device.accept == "ask":
            self._start_timer()

    def _become_paired(self) -> None:
        self._stop_timer()
        self.state = PairingState.PAIRED
        self.device.paired[self.device_id] = self.certificate
        self.device.versions[self.device_id] = self.identity.protocol
        self.emit("paired", verification_key=self.verification_key)
        self.device.greet(self)

    def _become_unpaired(self, kind: EventKind, reason: str) -> None:
        self.forget()
        self.emit(kind, reason=reason)

    def _start_timer(self) -> None:
        self._stop_timer()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self.device.pairing_timeout, self._timed_out)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _timed_out(self) -> None:
        # An Android phone that was asked only forgets the request.
        if self.state is PairingState.REQUESTED or self.device.kind == "computer":
            self.send_pair(pair=False)
        self._become_unpaired("pairing_failed", "timeout")
