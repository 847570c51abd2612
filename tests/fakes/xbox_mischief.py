"""Wrong, strange and hostile things that a fake console sends on demand."""

import os
from typing import TYPE_CHECKING

from tests.fakes.xbox_participant import Channel, Participant
from tests.fakes.xbox_wire import (
    ACK_CHANNEL,
    TYPES,
    Fields,
    Header,
    encode,
    pack_string,
    split_message,
)

if TYPE_CHECKING:
    from tests.fakes.xbox import FakeConsole


class Mischief:
    """Each method sends one thing to the only client, or to the one that is named."""

    def __init__(self, console: FakeConsole) -> None:
        self._console = console

    def _to(self, participant: Participant | None) -> Participant:
        return participant or self._console.participant

    def send(
        self,
        message: str | int,
        fields: Fields | bytes,
        channel: int | str = 0,
        *,
        need_ack: bool = True,
        participant: Participant | None = None,
    ) -> list[int]:
        """Send any message, or any plaintext with any type; a channel by its name."""
        to = self._to(participant)
        number = to.channel(channel).number if isinstance(channel, str) else channel
        return to.send(message, fields, number, need_ack=need_ack)

    def raw(self, datagram: bytes, participant: Participant | None = None) -> None:
        """Send any datagram."""
        self._console.send_datagram(datagram, self._to(participant).address)

    def garbage(self, size: int = 100, participant: Participant | None = None) -> None:
        """Send noise; the first bytes say that it is a message."""
        self.raw(b"\xd0\x0d" + os.urandom(size), participant)

    def _sealed(
        self, to: Participant, target: int, fields: Fields, source: int = 0
    ) -> bytes:
        header = Header(
            to.next_sequence(), target, source, TYPES["console_status"], need_ack=True
        )
        return to.keys.seal(header, encode("console_status", fields))

    def wrong_mac(self, participant: Participant | None = None) -> None:
        """Send a ConsoleStatus without titles whose last bit is wrong."""
        to = self._to(participant)
        datagram = self._sealed(to, to.number, self._console.status_fields([]))
        self.raw(datagram[:-1] + bytes([datagram[-1] ^ 1]), to)

    def for_other_participant(self, participant: Participant | None = None) -> None:
        """Send a ConsoleStatus without titles that is meant for somebody else."""
        to = self._to(participant)
        fields = self._console.status_fields([])
        self.raw(self._sealed(to, to.number + 1, fields), to)

    def truncated(self, participant: Participant | None = None) -> None:
        """Send a ConsoleStatus that ends too early, with a right MAC."""
        to = self._to(participant)
        plaintext = encode("console_status", self._console.status_fields())
        to.send("console_status", plaintext[:-5])

    def not_utf8(self, participant: Participant | None = None) -> None:
        """Send a ConsoleStatus whose locale is no UTF-8."""
        plaintext = bytes(16) + pack_string(b"\xff\xfe") + bytes(2)
        self._to(participant).send("console_status", plaintext)

    def unknown_type(
        self, message_type: int = 0x7FE, participant: Participant | None = None
    ) -> list[int]:
        """Send a message of a type that nobody knows."""
        return self._to(participant).send(message_type, b"\x01\x02\x03")

    def unknown_channel(self, participant: Participant | None = None) -> list[int]:
        """Send a Json on a channel that was never opened."""
        to = self._to(participant)
        return to.send("json", {"text": '{"notification":"x"}'}, 0xDEAD)

    def ack_unknown(self, participant: Participant | None = None) -> None:
        """Ack messages that were never sent."""
        ack: Fields = {
            "low_watermark": 0xFFFFFFFF,
            "processed_list": [0xFFFFFF00, 0xFFFFFFFF],
            "rejected_list": [0xFFFFFF01],
        }
        self._to(participant).send("ack", ack, ACK_CHANNEL, need_ack=False)

    def huge_ack(self, participant: Participant | None = None) -> None:
        """Send an Ack whose list claims to be longer than any datagram."""
        plaintext = bytes(4) + b"\xff\xff\xff\xff" + bytes(8)
        to = self._to(participant)
        to.send("ack", plaintext, ACK_CHANNEL, need_ack=False)

    def endless_fragments(
        self, count: int, participant: Participant | None = None
    ) -> None:
        """Begin many MediaStates that never end."""
        to = self._to(participant)
        channel = to.channel("media").number
        for _ in range(count):
            header = Header(
                to.next_sequence(),
                to.number,
                0,
                TYPES["media_state"],
                channel,
                is_fragment=True,
            )
            piece = split_message(bytes(2048), header.sequence)[0]
            self.raw(to.keys.seal(header, piece), to)

    def reversed_status(
        self, piece: int = 64, participant: Participant | None = None
    ) -> list[int]:
        """Send a ConsoleStatus in fragments, the last one first."""
        return self._to(participant).send(
            "console_status",
            self._console.status_fields(),
            fragment=piece,
            order=lambda datagrams: datagrams[::-1],
        )

    def doubled_status(
        self, piece: int = 64, participant: Participant | None = None
    ) -> list[int]:
        """Send a ConsoleStatus in fragments, each of them twice."""
        return self._to(participant).send(
            "console_status",
            self._console.status_fields(),
            fragment=piece,
            order=lambda datagrams: [d for d in datagrams for _ in range(2)],
        )

    def gapped_status(
        self, piece: int = 64, participant: Participant | None = None
    ) -> list[int]:
        """Send a ConsoleStatus in fragments, the second only when it is repeated."""
        return self._to(participant).send(
            "console_status",
            self._console.status_fields(),
            fragment=piece,
            order=lambda datagrams: datagrams[:1] + datagrams[2:],
        )

    def json_text(
        self,
        text: str,
        channel: str | Channel = "tv",
        participant: Participant | None = None,
    ) -> None:
        """Send anything as the text of a Json message."""
        to = self._to(participant)
        found = to.channel(channel) if isinstance(channel, str) else channel
        to.send_json_text(found, text)

    def discovery_to(self, host: str, port: int, data: bytes | None = None) -> None:
        """Send a DiscoveryResponse, or anything, to somebody who has not asked."""
        response = self._console.discovery_response() if data is None else data
        self._console.send_datagram(response, (host, port))
