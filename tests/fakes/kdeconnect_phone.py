"""What a fake phone tells of itself: SIM cards, calls, contacts, photos.

Sections 11.2, 11.8, 11.10 and 11.19. In a test::

    await phone.connectivity.set("1", network_type="LTE", bars=3)
    await phone.telephony.ring("+15550001", "Ada")
    await phone.telephony.answer()
    await phone.telephony.hang_up()
    phone.contacts.add("42", FakeContact("Ada Lovelace", ("+15550001",)))
    phone.photo.picture = jpeg  # an old phone: protocol=7
"""

import base64
from dataclasses import dataclass, field
import itertools
from typing import TYPE_CHECKING, Literal, override

from tests.fakes.kdeconnect_plugins import Greeting, Plugin
from tests.fakes.kdeconnect_wire import Body, FakePacket, JsonValue, WireError

if TYPE_CHECKING:
    from tests.fakes.kdeconnect import FakeDevice
    from tests.fakes.kdeconnect_peer import FakePeer

_CODES_IN_LINE = 23  # bytes of quoted-printable text before a soft line break


@dataclass(frozen=True, slots=True)
class FakeSim:
    """The network of one SIM card; `bars` are 0 to 4."""

    network_type: str = "LTE"
    bars: int = 4


class ConnectivityPlugin(Plugin):
    """The mobile networks, none without a SIM card."""

    handles = frozenset({"kdeconnect.connectivity_report.request"})

    def __init__(self, device: FakeDevice) -> None:
        """Start without a SIM card."""
        super().__init__(device)
        self.sims: dict[str, FakeSim] = {}

    @property
    def body(self) -> Body:
        """The packet's body for the state of now."""
        strengths: Body = {
            key: {"networkType": sim.network_type, "signalStrength": sim.bars}
            for key, sim in self.sims.items()
        }
        return {"signalStrengths": strengths}

    async def set(
        self, sim: str, *, network_type: str | None = None, bars: int | None = None
    ) -> None:
        """Add a SIM card or change what is given, and tell it if that is a change."""
        before = self.sims.get(sim)
        known = before or FakeSim()
        self.sims[sim] = FakeSim(
            known.network_type if network_type is None else network_type,
            known.bars if bars is None else bars,
        )
        if self.sims[sim] != before:
            await self.tell("connectivity_report", self.body)

    async def remove(self, sim: str) -> None:
        """Take a SIM card out and tell it."""
        del self.sims[sim]
        await self.tell("connectivity_report", self.body)

    @override
    def greeting(self) -> list[Greeting]:
        return [("connectivity_report", self.body)]

    @override
    def received(self, peer: FakePeer, packet: FakePacket) -> None:
        peer.send("connectivity_report", self.body)


@dataclass(frozen=True, slots=True)
class FakeCall:
    """Who calls; `name` None is nobody in the contacts."""

    number: str | None
    name: str | None = None
    thumbnail: bytes = field(default=b"", repr=False)


class TelephonyPlugin(Plugin):
    """A phone's calls, one at a time."""

    handles = frozenset({"kdeconnect.telephony.request_mute"})

    def __init__(self, device: FakeDevice) -> None:
        """Start without a call."""
        super().__init__(device)
        self.state: Literal["idle", "ringing", "talking"] = "idle"
        self.call = FakeCall(None)
        self.mutes: list[Body] = []  # the requests for silence
        self.is_muted = False
        # How programs differ.
        self.cancels_as_text = True  # isCancel is "true" instead of true
        self.names_unknown = True  # the number as contactName, else no such member

    async def ring(
        self,
        number: str | None = "+15550001",
        name: str | None = None,
        thumbnail: bytes = b"",
    ) -> None:
        """Ring: somebody calls; a hidden caller has no number."""
        self.call = FakeCall(number, name, thumbnail)
        self.state, self.is_muted = "ringing", False
        await self._tell("ringing")

    async def answer(self) -> None:
        """Take the call."""
        self._expect("ringing")
        self.state = "talking"
        await self._tell("talking")

    async def hang_up(self) -> None:
        """End the call, or refuse it while it rings."""
        self._expect("ringing", "talking")
        event, self.state = self.state, "idle"
        await self._tell(event, over=True)

    async def miss(self) -> None:
        """Let it ring in vain."""
        self._expect("ringing")
        await self.hang_up()
        await self._tell("missedCall")

    async def old_sms(self, text: str, number: str, name: str | None = None) -> None:
        """Announce an SMS as phones did before they had conversations."""
        self.call = FakeCall(number, name)
        await self.tell("telephony", self.body("sms") | {"messageBody": text})

    def body(self, event: str, *, over: bool = False) -> Body:
        """Return the packet's body for an event of the call of now."""
        body: Body = {"event": event}
        if self.call.number is not None:
            body["phoneNumber"] = self.call.number
        name = self.call.name or (self.call.number if self.names_unknown else None)
        if name is not None:
            body["contactName"] = name
        if self.call.thumbnail:
            # With line breaks, as Android's encoder makes them.
            body["phoneThumbnail"] = base64.encodebytes(self.call.thumbnail).decode()
        if over:
            body["isCancel"] = "true" if self.cancels_as_text else True
        return body

    async def _tell(self, event: str, *, over: bool = False) -> None:
        await self.tell("telephony", self.body(event, over=over))

    def _expect(self, *states: str) -> None:
        if self.state not in states:
            raise AssertionError(f"the phone is {self.state}")

    @override
    def received(self, peer: FakePeer, packet: FakePacket) -> None:
        self.mutes.append(packet.body)
        self.is_muted = self.state == "ringing"
        peer.emit("call_muted", packet, muted=self.is_muted)


@dataclass(frozen=True, slots=True)
class FakeContact:
    """Somebody in the address book; `changed` is in ms since 1970."""

    name: str
    numbers: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    changed: int = 1_600_000_000_000
    photo: bytes = field(default=b"", repr=False)


class ContactsPlugin(Plugin):
    """The address book; nothing is told unasked."""

    handles = frozenset(
        {
            "kdeconnect.contacts.request_all_uids_timestamps",
            "kdeconnect.contacts.request_vcards_by_uid",
        }
    )

    def __init__(self, device: FakeDevice) -> None:
        """Start with an empty one."""
        super().__init__(device)
        self.contacts: dict[str, FakeContact] = {}
        self.vanished: set[str] = set()  # listed, but without a card when asked
        self.cards: dict[str, str] = {}  # cards in other words than ours

    def add(self, uid: str, contact: FakeContact) -> None:
        """Add or replace a contact."""
        self.contacts[uid] = contact

    def card(self, uid: str) -> str:
        """Return a contact as Android writes it: vCard 2.1 and lines of its own."""
        contact = self.contacts[uid]
        first, _, last = contact.name.partition(" ")
        lines = [
            "BEGIN:VCARD",
            "VERSION:2.1",
            _line("N", last, first, "", "", ""),
            _line("FN", contact.name),
            *(f"TEL;CELL:{number}" for number in contact.numbers),
            *(f"EMAIL;HOME:{email}" for email in contact.emails),
        ]
        if contact.photo:
            text = base64.encodebytes(contact.photo).decode().strip()
            lines.append("PHOTO;ENCODING=BASE64;JPEG:" + text.replace("\n", "\r\n "))
            lines.append("")
        # The system ends lines with CR LF, the program adds its own with LF.
        device_id = self.device.device_id
        return "\r\n".join(lines) + (
            f"\nX-KDECONNECT-ID-DEV-{device_id}:{uid}\nREV:{contact.changed}\nEND:VCARD"
        )

    @override
    def received(self, peer: FakePeer, packet: FakePacket) -> None:
        if packet.type.endswith("uids_timestamps"):
            peer.emit("contacts_wanted", packet)
            times: Body = {"uids": list[JsonValue](self.contacts)}
            for uid, contact in self.contacts.items():
                times[uid] = str(contact.changed)
            peer.send("contacts.response_uids_timestamps", times)
            return
        wanted = packet.body.get("uids")
        if not isinstance(wanted, list):
            raise WireError("no list of uids")
        peer.emit("contacts_wanted", packet, uids=wanted)
        cards: Body = {
            uid: self.cards.get(uid) or self.card(uid)
            for uid in wanted
            if isinstance(uid, str)
            and uid in self.contacts
            and uid not in self.vanished
        }
        cards["uids"] = list[JsonValue](cards)
        peer.send("contacts.response_vcards", cards)


def _line(name: str, *parts: str) -> str:
    """Write a property; Android encodes all of a value or nothing."""
    if all(part.isascii() for part in parts):
        text = ";".join(
            part.replace("\\", "\\\\").replace(";", "\\;") for part in parts
        )
        return f"{name}:{text}"
    text = ";".join(_quoted_printable(part) for part in parts)
    return f"{name};CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:{text}"


def _quoted_printable(text: str) -> str:
    """Encode every byte, with soft line breaks."""
    codes = [f"={byte:02X}" for byte in text.encode()]
    lines = [
        "".join(line) for line in itertools.batched(codes, _CODES_IN_LINE, strict=False)
    ]
    return "=\r\n".join(lines)


class PhotoPlugin(Plugin):
    """The camera of a phone from before 2023 (protocol 7)."""

    handles = frozenset({"kdeconnect.photo.request"})

    def __init__(self, device: FakeDevice) -> None:
        """Start with a user who does not want to be bothered."""
        super().__init__(device)
        self.picture: bytes | None = None  # None: the user cancels
        self.filename = "photo.jpg"
        self.answers = True  # False: the user thinks about it; `take` or `cancel`
        self.requests = 0

    async def take(self, picture: bytes, filename: str | None = None) -> None:
        """Take a picture and send it to whoever is there."""
        for peer in self.device.linked:
            if peer.is_paired:
                await self._send(peer, picture, filename or self.filename)

    async def cancel(self) -> int:
        """Refuse to take one."""
        return await self.tell("photo", {"cancel": True})

    @override
    def received(self, peer: FakePeer, packet: FakePacket) -> None:
        self.requests += 1
        peer.emit("photo_wanted", packet)
        if not self.answers:
            return
        if self.picture is None:
            peer.send("photo", {"cancel": True})
        else:
            self.device.run_task(self._send(peer, self.picture, self.filename))

    async def _send(self, peer: FakePeer, picture: bytes, filename: str) -> None:
        await self.device.payloads.send(peer, "photo", {"filename": filename}, picture)
