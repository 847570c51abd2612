"""Who a peer is and what it understands (the KDE Connect reference, section 3)."""

from dataclasses import dataclass
from itertools import islice
import re
from typing import Final
import unicodedata

from ..errors import ProtocolError
from ..json_fields import get_int, get_str, get_strings
from ..json_lines import JsonObject, JsonValue
from .const import MIN_PROTOCOL_VERSION, TCP_PORTS, TYPE_IDENTITY, DeviceType
from .packet import Packet

__all__ = [
    "DeviceType",
    "Identity",
    "filter_name",
    "is_valid_device_id",
    "parse_identity",
]

MAX_NAME: Final = 32
"""Characters of a device name."""
MAX_CAPABILITIES: Final = 512
"""Packet types kept of each capability array; real peers list about 35."""
MAX_CAPABILITY: Final = 128
"""Characters of one capability; a longer one is dropped."""

_DEVICE_ID: Final = re.compile(r"[a-zA-Z0-9_-]{32,38}", re.ASCII)
_FORBIDDEN_IN_NAME: Final = frozenset("\"',;:.!?()[]<>")
# Marks that reorder the text around them could disguise a name in the pairing question.
_DIRECTION_MARKS: Final = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
_CONTROL_CATEGORIES: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
_ALIASES: Final = {"smartphone": DeviceType.PHONE}


@dataclass(frozen=True, slots=True)
class Identity:
    """A checked identity.

    `incoming` are the packet types that the peer can receive, `outgoing` those that it may
    send; an empty set means unknown. `tcp_port` and the `target_` members are what a received
    packet carried; they are never written back by `to_packet`.
    """

    device_id: str
    name: str
    device_type: DeviceType
    protocol_version: int
    incoming: frozenset[str] = frozenset()
    outgoing: frozenset[str] = frozenset()
    tcp_port: int | None = None
    target_device_id: str | None = None
    target_protocol_version: int | None = None

    def accepts(self, packet_type: str) -> bool:
        """Whether the peer can receive this type; true when its list is unknown."""
        return not self.incoming or packet_type in self.incoming

    def sends(self, packet_type: str) -> bool:
        """Whether the peer may send this type; true when its list is unknown."""
        return not self.outgoing or packet_type in self.outgoing

    def to_packet(
        self,
        *,
        tcp_port: int | None = None,
        target: Identity | None = None,
        with_capabilities: bool = True,
    ) -> Packet:
        """Return the identity packet in one of its three forms.

        UDP: with our `tcp_port`. Clear text on TCP: with the `target` that is called, if it
        is known. Inside TLS: with neither. Without capabilities both arrays are empty but there:
        a shorter packet for networks that refuse to fragment a broadcast.
        """
        body: JsonObject = {
            "deviceId": self.device_id,
            "deviceName": self.name,
            "deviceType": self.device_type.value,
            "protocolVersion": self.protocol_version,
            "incomingCapabilities": _array(self.incoming, with_capabilities),
            "outgoingCapabilities": _array(self.outgoing, with_capabilities),
        }
        if tcp_port is not None:
            body["tcpPort"] = tcp_port
        if target is not None:
            body["targetDeviceId"] = target.device_id
            body["targetProtocolVersion"] = target.protocol_version
        return Packet(TYPE_IDENTITY, body)


def is_valid_device_id(device_id: str) -> bool:
    """Whether the text may be a device id: 32 to 38 of A-Z, a-z, 0-9, underscore and hyphen."""
    return _DEVICE_ID.fullmatch(device_id) is not None


def filter_name(name: str) -> str:
    """Return the name as every peer must show it, which may be the empty text.

    Forbidden and control characters go, then at most 32 characters stay, then white space at
    both ends goes.
    """
    kept = (
        character
        for character in name
        if character not in _FORBIDDEN_IN_NAME
        and character not in _DIRECTION_MARKS
        and unicodedata.category(character) not in _CONTROL_CATEGORIES
    )
    return "".join(islice(kept, MAX_NAME)).strip()


def parse_identity(packet: Packet, *, own_device_id: str | None = None) -> Identity:
    """Return the identity in a packet.

    Raises ProtocolError when the packet is no identity, the id does not match the pattern or is
    `own_device_id`, no name is left after filtering, or the version is missing or below 7.
    Members that only some forms have are None when absent or unusable: the reader of a UDP
    packet has to insist on `tcp_port` itself, which is None when outside 1716 to 1764.
    """
    if packet.type != TYPE_IDENTITY:
        raise ProtocolError("expected an identity packet")
    body = packet.body
    device_id = get_str(body, "deviceId")
    if device_id is None or not is_valid_device_id(device_id):
        raise ProtocolError("identity with an invalid device id")
    if device_id == own_device_id:
        raise ProtocolError("identity with our own device id")
    name = body.get("deviceName")
    name = filter_name(name) if isinstance(name, str) else ""
    if not name:
        raise ProtocolError("identity without a usable name")
    version = get_int(body, "protocolVersion")
    if version is None or version < MIN_PROTOCOL_VERSION:
        raise ProtocolError("identity with an unsupported protocol version")
    tcp_port = get_int(body, "tcpPort")
    return Identity(
        device_id,
        name,
        _device_type(get_str(body, "deviceType")),
        version,
        _capabilities(body, "incomingCapabilities"),
        _capabilities(body, "outgoingCapabilities"),
        tcp_port if tcp_port in TCP_PORTS else None,
        get_str(body, "targetDeviceId"),
        get_int(body, "targetProtocolVersion"),
    )


def _array(capabilities: frozenset[str], wanted: bool) -> list[JsonValue]:
    return list[JsonValue](sorted(capabilities)) if wanted else []


def _capabilities(body: JsonObject, key: str) -> frozenset[str]:
    return frozenset(
        get_strings(body, key, max_items=MAX_CAPABILITIES, limit=MAX_CAPABILITY) or ()
    )


def _device_type(text: str | None) -> DeviceType:
    text = (text or "").lower()
    if (alias := _ALIASES.get(text)) is not None:
        return alias
    try:
        return DeviceType(text)
    except ValueError:
        return DeviceType.UNKNOWN
