"""The SMS and MMS of a fake phone (section 11.9).

In a test::

    phone.sms.add("+15550001", "Hi", date=1_700_000_000_000)  # was there before
    await computer.send("sms.request_conversations")  # now somebody listens
    await phone.sms.arrive("+15550001", "Are you there?")
    sent = await phone.wait_for("sms_sent")
    assert phone.sms.sent[0].text == "Yes"
"""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass, field
import time
from typing import TYPE_CHECKING, Literal, override

from tests.fakes.kdeconnect_plugins import Plugin
from tests.fakes.kdeconnect_wire import Body, FakePacket, JsonValue, WireError

if TYPE_CHECKING:
    from tests.fakes.kdeconnect import FakeDevice
    from tests.fakes.kdeconnect_peer import FakePeer

RECEIVED, SENT, FAILED = 1, 2, 5


@dataclass(frozen=True, slots=True)
class FakeAttachment:
    """A picture or the like in an MMS; `name` is its unique identifier."""

    part_id: int
    name: str
    mime_type: str = "image/jpeg"
    data: bytes = field(default=b"", repr=False)
    thumbnail: bytes = field(default=b"", repr=False)

    @property
    def body(self) -> Body:
        """The attachment as it is listed in its message."""
        body: Body = {
            "part_id": self.part_id,
            "mime_type": self.mime_type,
            "unique_identifier": self.name,
        }
        if self.thumbnail:
            body["encoded_thumbnail"] = base64.b64encode(self.thumbnail).decode()
        return body


@dataclass(frozen=True, slots=True)
class FakeText:
    """One message. Of a group's, the sender comes first in `addresses`."""

    id: int
    thread: int
    addresses: tuple[str, ...]
    text: str
    date: int  # ms since 1970
    type: int = RECEIVED
    is_read: bool = False
    sub_id: int = 1
    attachments: tuple[FakeAttachment, ...] = ()

    @property
    def body(self) -> Body:
        """The message as it is sent."""
        body: Body = {
            "_id": self.id,
            "thread_id": self.thread,
            "addresses": [{"address": address} for address in self.addresses],
            "body": self.text,
            "date": self.date,
            "type": self.type,
            "read": int(self.is_read),
            "sub_id": self.sub_id,
            "event": 1 | (2 if len(self.addresses) > 1 else 0),
        }
        if self.attachments:
            body["attachments"] = [item.body for item in self.attachments]
        return body


@dataclass(frozen=True, slots=True)
class SentText:
    """What the other side wanted to be sent."""

    addresses: tuple[str, ...]
    text: str
    sub_id: int | None
    attachments: tuple[FakeAttachment, ...]


class MessagesPlugin(Plugin):
    """All conversations; only whoever asked for them hears of new messages."""

    handles = frozenset(
        {
            "kdeconnect.sms.request",
            "kdeconnect.sms.request_attachment",
            "kdeconnect.sms.request_conversation",
            "kdeconnect.sms.request_conversations",
        }
    )

    def __init__(self, device: FakeDevice) -> None:
        """Start without messages."""
        super().__init__(device)
        self.messages: list[FakeText] = []
        self.sent: list[SentText] = []
        self.listeners: set[str] = set()
        # What a test may change.
        self.outcome: Literal["sent", "failed", "lost"] = "sent"  # of what is sent
        self.together = False  # all conversations in one packet

    # --- what happens on the phone ---

    def add(
        self,
        addresses: str | Iterable[str],
        text: str,
        *,
        date: int | None = None,
        type_: int = RECEIVED,
        is_read: bool = False,
        sub_id: int = 1,
        attachments: Iterable[FakeAttachment] = (),
    ) -> FakeText:
        """Keep a message without telling anybody; the date is now if not given."""
        people = (addresses,) if isinstance(addresses, str) else tuple(addresses)
        message = FakeText(
            id=len(self.messages) + 1,
            thread=self.thread(people),
            addresses=people,
            text=text,
            date=int(time.time() * 1000) if date is None else date,
            type=type_,
            is_read=is_read,
            sub_id=sub_id,
            attachments=tuple(attachments),
        )
        self.messages.append(message)
        return message

    async def arrive(
        self,
        addresses: str | Iterable[str],
        text: str,
        *,
        date: int | None = None,
        sub_id: int = 1,
        attachments: Iterable[FakeAttachment] = (),
    ) -> FakeText:
        """Receive a message and push it to whoever listens."""
        message = self.add(
            addresses, text, date=date, sub_id=sub_id, attachments=attachments
        )
        await self.push(message)
        return message

    async def push(self, *messages: FakeText) -> None:
        """Send messages, new or not, in one packet to whoever listens."""
        for peer in self.device.linked:
            if peer.is_paired and peer.device_id in self.listeners:
                self._send(peer, messages)
                await peer.drain()

    def thread(self, addresses: Iterable[str]) -> int:
        """Return the number of the conversation of these people."""
        people = frozenset(addresses)
        for message in self.messages:
            if frozenset(message.addresses) == people:
                return message.thread
        return max((message.thread for message in self.messages), default=0) + 1

    def _send(self, peer: FakePeer, messages: Iterable[FakeText]) -> None:
        bodies: list[JsonValue] = [message.body for message in messages]
        peer.send("sms.messages", {"version": 2, "messages": bodies})

    # --- what the other side wants ---

    @override
    def link_lost(self, peer: FakePeer) -> None:
        self.listeners.discard(peer.device_id)

    @override
    def received(self, peer: FakePeer, packet: FakePacket) -> None:
        match packet.type.removeprefix("kdeconnect.sms."):
            case "request_conversations":
                self.listeners.add(peer.device_id)
                peer.emit("sms_wanted", packet, what="conversations")
                self._send_conversations(peer)
            case "request_conversation":
                self._send_conversation(peer, packet)
            case "request_attachment":
                self._send_attachment(peer, packet)
            case _:
                self.device.run_task(self._send_text(peer, packet))

    def _send_conversations(self, peer: FakePeer) -> None:
        newest: dict[int, FakeText] = {}
        for message in self.messages:
            known = newest.get(message.thread)
            if known is None or known.date <= message.date:
                newest[message.thread] = message
        if self.together:
            self._send(peer, newest.values())
            return
        # In no useful order.
        for message in sorted(newest.values(), key=lambda item: item.text):
            self._send(peer, [message])

    def _send_conversation(self, peer: FakePeer, packet: FakePacket) -> None:
        thread = packet.body.get("threadID")
        start = packet.body.get("rangeStartTimestamp", -1)
        count = packet.body.get("numberToRequest", -1)
        if (
            not isinstance(thread, int)
            or not isinstance(start, int)
            or not isinstance(count, int)
        ):
            raise WireError("bad request for a conversation")
        peer.emit("sms_wanted", packet, what="conversation", thread=thread)
        found = sorted(
            (
                message
                for message in self.messages
                if message.thread == thread and (start < 0 or message.date <= start)
            ),
            key=lambda message: message.date,
            reverse=True,
        )
        self._send(peer, found if count < 0 else found[:count])

    def _send_attachment(self, peer: FakePeer, packet: FakePacket) -> None:
        part_id = packet.body.get("part_id")
        name = packet.body.get("unique_identifier")
        if not isinstance(part_id, int) or not isinstance(name, str):
            raise WireError("bad request for an attachment")
        peer.emit("sms_wanted", packet, what="attachment", part_id=part_id)
        for message in self.messages:
            for attachment in message.attachments:
                if (attachment.part_id, attachment.name) == (part_id, name):
                    self.device.run_task(self._announce(peer, attachment))
                    return

    async def _announce(self, peer: FakePeer, attachment: FakeAttachment) -> None:
        await self.device.payloads.send(
            peer, "sms.attachment_file", {"filename": attachment.name}, attachment.data
        )

    async def _send_text(self, peer: FakePeer, packet: FakePacket) -> None:
        """Send a message; the only answer is that it is there afterwards."""
        try:
            wanted = _parse_request(packet.body, len(self.messages))
        except WireError as error:
            peer.emit("malformed", packet, reason=str(error))
            return
        self.sent.append(wanted)
        people: list[JsonValue] = [*wanted.addresses]
        peer.emit("sms_sent", packet, addresses=people, text=wanted.text)
        if self.outcome == "lost":
            return
        message = self.add(
            wanted.addresses,
            wanted.text,
            type_=SENT if self.outcome == "sent" else FAILED,
            is_read=True,
            sub_id=1 if wanted.sub_id is None else wanted.sub_id,
            attachments=wanted.attachments,
        )
        await self.push(message)


def _parse_request(body: Body, number: int) -> SentText:
    """Read `sms.request` as strictly as the reference writes it. Raises WireError."""
    people, text = body.get("addresses"), body.get("messageBody")
    sub_id, files = body.get("subID"), body.get("attachments", [])
    if not isinstance(people, list) or not isinstance(text, str):
        raise WireError("a message without addresses or text")
    addresses = [item.get("address") for item in people if isinstance(item, dict)]
    texts = tuple(address for address in addresses if isinstance(address, str))
    if not texts or len(texts) != len(people):
        raise WireError("a message to nobody")
    if body.get("version") != 2 or not isinstance(sub_id, int | None):
        raise WireError("no version 2, or a strange SIM card")
    if not isinstance(files, list):
        raise WireError("attachments are no list")
    attachments = tuple(
        _parse_attachment(item, number * 100 + index)
        for index, item in enumerate(files)
    )
    return SentText(texts, text, sub_id, attachments)


def _parse_attachment(item: JsonValue, part_id: int) -> FakeAttachment:
    if not isinstance(item, dict):
        raise WireError("an attachment that is none")
    name, text = item.get("fileName"), item.get("base64EncodedFile")
    mime_type = item.get("mimeType")
    if (
        not isinstance(name, str)
        or not isinstance(text, str)
        or not isinstance(mime_type, str)
    ):
        raise WireError("an attachment without its members")
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise WireError("an attachment that is no base64") from error
    return FakeAttachment(part_id, name, mime_type, data)
