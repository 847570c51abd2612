"""One client of a fake console: sequence numbers, acks, repetitions, channels."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.fakes.xbox_crypto import SessionKeys
from tests.fakes.xbox_events import EventKind
from tests.fakes.xbox_json import JsonAssembly, JsonObject, split_json
from tests.fakes.xbox_network import Address
from tests.fakes.xbox_wire import (
    ACK_CHANNEL,
    MAX_PLAINTEXT,
    NAMES,
    TYPES,
    Fields,
    Header,
    Value,
    WireError,
    decode,
    encode,
    numbers_of,
    read_fragment,
    split_message,
    text_of,
)

if TYPE_CHECKING:
    from tests.fakes.xbox import FakeConsole

_BEFORE_JOIN = ("ack", "local_join", "disconnect")


# What people type, and the keys of a title's stream.
_PRIVATE = ("text", "text_chunk", "delta", "connection_info")


def _shown(fields: Fields) -> Fields:
    return {name: value for name, value in fields.items() if name not in _PRIVATE}


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel that is open."""

    number: int
    service: str
    title_id: int = 0


@dataclass(slots=True)
class _Unacked:
    datagram: bytes
    timer: asyncio.TimerHandle
    attempt: int = 1


class Participant:
    """A client from its accepted connect to its end."""

    def __init__(
        self,
        console: FakeConsole,
        number: int,
        keys: SessionKeys,
        identity: tuple[bytes, bytes],
        address: Address,
        userhash: str = "",
    ) -> None:
        """`identity` is the client's uuid and public key."""
        self.console = console
        self.number = number
        self.keys = keys
        self.identity = identity
        self.address = address
        self.userhash = userhash
        self.device: Fields | None = None
        self.channels: dict[int, Channel] = {}
        self.watermark = 0
        self._seen: set[int] = set()
        self._rejected: set[int] = set()
        self._sequence = 0
        self._unacked: dict[int, _Unacked] = {}
        self._fragments: dict[tuple[int, int], dict[int, bytes]] = {}
        self._json = JsonAssembly()
        self._datagram_id = 0
        self._idle: asyncio.TimerHandle | None = None
        self.is_gone = False
        self.heard()

    @property
    def is_authenticated(self) -> bool:
        """Whether it showed a token."""
        return bool(self.userhash)

    @property
    def has_joined(self) -> bool:
        """Whether its LocalJoin came."""
        return self.device is not None

    @property
    def unacked(self) -> list[int]:
        """The numbers of our messages that it has not acked."""
        return sorted(self._unacked)

    def emit(self, kind: EventKind, **data: Value) -> None:
        """Tell of something about this client."""
        self.console.events.emit(kind, participant=self.number, **data)

    # --- life ---

    def heard(self) -> None:
        """Begin to wait for its next word."""
        if self._idle is not None:
            self._idle.cancel()
        loop = asyncio.get_running_loop()
        self._idle = loop.call_later(self.console.idle_timeout, self._fell_silent)

    def _fell_silent(self) -> None:
        self.console.remove(self, reason="silence", by="silence")

    def end(self) -> None:
        """Forget all; the console calls this."""
        self.is_gone = True
        if self._idle is not None:
            self._idle.cancel()
        for unacked in self._unacked.values():
            unacked.timer.cancel()
        self._unacked.clear()
        for channel in list(self.channels.values()):
            self.close_channel(channel)

    # --- what it sends ---

    def receive(self, header: Header, plaintext: bytes) -> None:
        """Take a message whose MAC is right."""
        self.heard()
        name = NAMES.get(header.message_type, f"0x{header.message_type:03x}")
        if header.target != 0:
            self.emit("dropped", reason="for another participant")
            return
        if not self.has_joined and name not in _BEFORE_JOIN:
            self.emit("dropped", reason=f"{name} before local_join")
            return
        if header.sequence in self._seen:
            self._acknowledge(header)
            self.emit("duplicate", name=name, sequence=header.sequence)
            return
        if header.need_ack and self.console.takes_rejection(name):
            self._rejected.add(header.sequence)
        if name != "power_off" or self.console.acks_power_off:
            self._acknowledge(header)
        self._note(header.sequence)
        if header.sequence in self._rejected:
            self.emit("rejected", name=name, sequence=header.sequence)
            return
        try:
            self._handle(name, header, plaintext)
        except WireError as error:
            self.emit("malformed", name=name, reason=str(error))

    def _note(self, sequence: int) -> None:
        self._seen.add(sequence)
        while self.watermark + 1 in self._seen:
            self.watermark += 1

    def _acknowledge(self, header: Header) -> None:
        if not header.need_ack or self.console.mute_acks:
            return
        if self.console.acks_to_lose > 0:
            self.console.acks_to_lose -= 1
            return
        number: list[Value] = [header.sequence]
        is_rejected = header.sequence in self._rejected
        ack: Fields = {
            "low_watermark": self.watermark,
            "processed_list": [] if is_rejected else number,
            "rejected_list": number if is_rejected else [],
        }
        self.send("ack", ack, ACK_CHANNEL, need_ack=False)

    def _handle(self, name: str, header: Header, plaintext: bytes) -> None:
        if header.is_fragment:
            whole = self._reassemble(header, plaintext)
            if whole is None:
                return
            plaintext = whole
        fields = decode(header.message_type, plaintext)
        if name == "ack":
            self._acked(fields, header)
            return
        self.emit(
            "message",
            name=name,
            sequence=header.sequence,
            channel=header.channel,
            need_ack=header.need_ack,
            fields=_shown(fields),
        )
        if header.channel == 0:
            self.console.core_message(self, name, fields, header.sequence)
            return
        channel = self.channels.get(header.channel)
        if channel is None:
            self.emit("unknown_channel", name=name, channel=header.channel)
            return
        service = self.console.services[channel.service]
        if name == "json":
            self._json_came(channel, fields, header.sequence)
        elif not service.received(self, channel, name, fields, header.sequence):
            self.emit("malformed", name=name, reason="not on this channel")

    def _reassemble(self, header: Header, plaintext: bytes) -> bytes | None:
        begin, end, data = read_fragment(plaintext)
        if not begin <= header.sequence < end or end - begin > 64:
            raise WireError("a fragment outside of its message")
        pieces = self._fragments.setdefault((begin, end), {})
        pieces[header.sequence] = data
        if len(pieces) < end - begin:
            return None
        del self._fragments[begin, end]
        return b"".join(pieces[number] for number in range(begin, end))

    def _json_came(self, channel: Channel, fields: Fields, sequence: int) -> None:
        service = self.console.services[channel.service]
        try:
            body = self._json.add(channel.number, text_of(fields, "text"))
        except ValueError as error:
            self.emit("json_error", reason=str(error))
            return
        if body is not None:
            service.received_json(self, channel, body, sequence)

    def _acked(self, fields: Fields, header: Header) -> None:
        if header.need_ack:
            self.emit("heartbeat", sequence=header.sequence)
        for accepted, name in ((True, "processed_list"), (False, "rejected_list")):
            for number in numbers_of(fields, name):
                unacked = self._unacked.pop(number, None)
                if unacked is not None:
                    unacked.timer.cancel()
                    self.emit("acked", sequence=number, accepted=accepted)

    # --- what we send ---

    def next_sequence(self) -> int:
        """Take the next number of ours."""
        self._sequence += 1
        return self._sequence

    def send(
        self,
        message: str | int,
        fields: Fields | bytes,
        channel: int = 0,
        *,
        need_ack: bool = True,
        fragment: int = MAX_PLAINTEXT,
        order: Callable[[list[bytes]], list[bytes]] = list,
    ) -> list[int]:
        """Send a message, in fragments if it is long; returns its numbers.

        Bytes are a plaintext that is sent as it is. `order` rearranges, repeats or
        leaves out the datagrams of the first transmission.
        """
        number = TYPES[message] if isinstance(message, str) else message
        plaintext = fields if isinstance(fields, bytes) else encode(number, fields)
        if self.console.logs_sent:
            self.emit(
                "sent",
                name=NAMES.get(number, hex(number)),
                sequence=self._sequence + 1,
                channel=channel,
                need_ack=need_ack,
                fields={} if isinstance(fields, bytes) else _shown(fields),
            )
        is_fragment = len(plaintext) > fragment
        begin = self._sequence + 1
        pieces = (
            split_message(plaintext, begin, fragment) if is_fragment else [plaintext]
        )
        datagrams: dict[int, bytes] = {}
        for piece in pieces:
            header = Header(
                self.next_sequence(),
                self.number,
                0,
                number,
                channel,
                need_ack=need_ack,
                is_fragment=is_fragment,
            )
            datagrams[header.sequence] = self.keys.seal(header, piece)
        for datagram in order(list(datagrams.values())):
            self.console.send_datagram(datagram, self.address)
        if need_ack:
            for sequence, datagram in datagrams.items():
                timer = self._resend_later(sequence, 0)
                self._unacked[sequence] = _Unacked(datagram, timer)
        return list(datagrams)

    def _resend_later(self, sequence: int, attempt: int) -> asyncio.TimerHandle:
        delay = self.console.retransmit[attempt]
        loop = asyncio.get_running_loop()
        return loop.call_later(delay, self._resend, sequence)

    def _resend(self, sequence: int) -> None:
        unacked = self._unacked[sequence]
        if unacked.attempt == len(self.console.retransmit):
            del self._unacked[sequence]
            self.console.remove(self, reason="no ack", by="no_ack", say=1)
            return
        unacked.timer = self._resend_later(sequence, unacked.attempt)
        unacked.attempt += 1
        self.emit("resent", sequence=sequence, attempt=unacked.attempt)
        self.console.send_datagram(unacked.datagram, self.address)

    def send_json(self, channel: Channel | int, body: JsonObject) -> None:
        """Send an object, in fragments if it is long."""
        number = channel if isinstance(channel, int) else channel.number
        self._datagram_id += 1
        for text in split_json(body, self._datagram_id):
            self.send("json", {"text": text}, number)

    def send_json_text(self, channel: Channel | int, text: str) -> None:
        """Send anything as the text of a Json message."""
        number = channel if isinstance(channel, int) else channel.number
        self.send("json", {"text": text}, number)

    # --- channels ---

    def channel(self, service: str) -> Channel:
        """Return the open channel of a service. Raises LookupError."""
        for channel in self.channels.values():
            if channel.service == service:
                return channel
        raise LookupError(f"no {service} channel is open")

    def close_channel(self, channel: Channel) -> None:
        """Forget a channel."""
        del self.channels[channel.number]
        self.console.services[channel.service].closed(self, channel)
        self.emit("channel_closed", service=channel.service, channel=channel.number)
