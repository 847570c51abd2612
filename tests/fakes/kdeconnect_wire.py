"""Packets, identities and capabilities of the fake KDE Connect device."""

from dataclasses import dataclass, field
import json
import re
import time
from typing import Literal, Self

type JsonValue = (
    bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None
)
type Body = dict[str, JsonValue]
type Kind = Literal["phone", "computer"]

PREFIX = "kdeconnect."
IDENTITY = "kdeconnect.identity"
PAIR = "kdeconnect.pair"

MAX_IDENTITY = 8192
MAX_PACKET = 32 * 1024 * 1024

_DEVICE_ID = re.compile(r"[a-zA-Z0-9_-]{32,38}")
_FORBIDDEN_IN_NAME = "\"',;:.!?()[]<>"


class WireError(ValueError):
    """What came in is not what the protocol says."""


def full_type(name: str) -> str:
    """Return a packet type with its prefix, which may be left out."""
    return name if name.startswith(PREFIX) else PREFIX + name


@dataclass(frozen=True, slots=True)
class FakePacket:
    """One packet; `payload_size` is -1 when unknown, None without a payload."""

    type: str
    body: Body = field(default_factory=dict)
    payload_size: int | None = None
    payload_port: int | None = None


def encode_packet(packet: FakePacket, *, text_id: bool = False) -> bytes:
    """Return the packet as a line; `text_id` writes the id as old KDE programs do."""
    now = int(time.time() * 1000)
    whole: Body = {
        "body": packet.body,
        "id": str(now) if text_id else now,
        "type": packet.type,
    }
    if packet.payload_size is not None:
        whole["payloadSize"] = packet.payload_size
    if packet.payload_port is not None:
        whole["payloadTransferInfo"] = {"port": packet.payload_port}
    text = json.dumps(whole, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return text.encode() + b"\n"


def decode_packet(line: bytes) -> FakePacket:
    """Read one line. Raises WireError."""
    try:
        whole: JsonValue = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise WireError("not JSON") from error
    if not isinstance(whole, dict):
        raise WireError("not an object")
    kind, body = whole.get("type"), whole.get("body", {})
    if not isinstance(kind, str) or not isinstance(body, dict):
        raise WireError("no type or no body")
    size = _integer(whole.get("payloadSize"))
    transfer = whole.get("payloadTransferInfo")
    port = _integer(transfer.get("port")) if isinstance(transfer, dict) else None
    if (size is None) != (port is None):
        raise WireError("half of the payload members")
    return FakePacket(kind, body, size, port)


def _integer(value: JsonValue) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return int(value)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class FakeIdentity:
    """What the other side said of itself."""

    device_id: str
    name: str
    device_type: str
    protocol: int
    incoming: frozenset[str]
    outgoing: frozenset[str]
    tcp_port: int | None
    target_id: str | None
    target_protocol: int | None

    @classmethod
    def parse(cls, packet: FakePacket, *, strict: bool = True) -> Self:
        """Read an identity packet; `strict` does the checks of section 3."""
        if packet.type != IDENTITY:
            raise WireError(f"{packet.type} instead of an identity")
        body = packet.body
        device_id, name = body.get("deviceId"), body.get("deviceName")
        protocol = _integer(body.get("protocolVersion"))
        if (
            not isinstance(device_id, str)
            or not isinstance(name, str)
            or protocol is None
        ):
            raise WireError("identity without id, name or version")
        if strict:
            if not _DEVICE_ID.fullmatch(device_id):
                raise WireError("bad device id")
            name = "".join(c for c in name if c not in _FORBIDDEN_IN_NAME)[:32].strip()
            if not name:
                raise WireError("bad device name")
        target = body.get("targetDeviceId")
        return cls(
            device_id=device_id,
            name=name,
            device_type=str(body.get("deviceType")),
            protocol=protocol,
            incoming=_types(body.get("incomingCapabilities")),
            outgoing=_types(body.get("outgoingCapabilities")),
            tcp_port=_integer(body.get("tcpPort")),
            target_id=target if isinstance(target, str) else None,
            target_protocol=_integer(body.get("targetProtocolVersion")),
        )

    def accepts(self, packet_type: str) -> bool:
        """Whether a packet of this type may be sent to that peer."""
        return not self.incoming or packet_type in self.incoming


def _types(value: JsonValue) -> frozenset[str]:
    # iOS takes for granted that both members are arrays.
    if not isinstance(value, list):
        raise WireError("capabilities are no array")
    return frozenset(item for item in value if isinstance(item, str))


# Section 10. R = incoming, S = outgoing.
_PHONE = """
battery RS, clipboard RS, clipboard.connect RS, connectivity_report S,
contacts.request_all_uids_timestamps R, contacts.request_vcards_by_uid R,
contacts.response_uids_timestamps S, contacts.response_vcards S, digitizer S,
digitizer.session S, findmyphone.request RS, mousepad.echo S,
mousepad.keyboardstate RS, mousepad.request RS, mpris RS, mpris.request RS,
notification RS, notification.action R, notification.reply R, notification.request RS,
ping RS, presenter S, runcommand R, runcommand.output R, runcommand.request S, sftp S,
sftp.request R, share.request RS, share.request.update R, shareinputdevices S,
shareinputdevices.request R, sms.attachment_file S, sms.messages S, sms.request R,
sms.request_attachment R, sms.request_conversation R, sms.request_conversations R,
systemvolume R, systemvolume.request S, telephony S, telephony.request_mute R
"""
_COMPUTER = """
battery RS, clipboard RS, clipboard.connect RS, connectivity_report R,
contacts.request_all_uids_timestamps S, contacts.request_vcards_by_uid S,
contacts.response_uids_timestamps R, contacts.response_vcards R,
findmyphone.request RS, lock RS, lock.request RS, mousepad.echo R,
mousepad.keyboardstate RS, mousepad.request RS, mpris RS, mpris.request RS,
notification RS, notification.action S, notification.reply S, notification.request RS,
ping RS, presenter R, runcommand RS, runcommand.request RS, sftp R, sftp.request S,
share.request RS, share.request.update S, sms.attachment_file R, sms.messages R,
sms.request S, sms.request_attachment S, sms.request_conversation S,
sms.request_conversations S, systemvolume RS, systemvolume.request RS,
telephony RS, telephony.request_mute RS, virtualmonitor RS, virtualmonitor.request RS
"""
# What only one generation of the programs has.
_ADDED: dict[tuple[Kind, int], str] = {
    ("phone", 7): "battery.request RS, bigscreen.stt S,"
    " connectivity_report.request R, photo S, photo.request R",
    ("phone", 8): "",
    (
        "computer",
        7,
    ): "battery.request RS, bigscreen.stt RS, connectivity_report.request S,"
    " photo R, photo.request S",
    ("computer", 8): "clipboard.file RS, digitizer R, digitizer.session R,"
    " shareinputdevices RS, shareinputdevices.request RS",
}


def capabilities(kind: Kind, protocol: int) -> tuple[frozenset[str], frozenset[str]]:
    """Return what such a device receives and sends, as full types."""
    table = (_PHONE if kind == "phone" else _COMPUTER) + "," + _ADDED[kind, protocol]
    rows = [row.split() for row in table.split(",") if row.strip()]
    return (
        frozenset(PREFIX + name for name, marks in rows if "R" in marks),
        frozenset(PREFIX + name for name, marks in rows if "S" in marks),
    )
