"""One packet: a JSON object on one line (the KDE Connect reference, section 2)."""

from dataclasses import dataclass, field
import re
import time
from typing import Final

from ..errors import ProtocolError
from ..json_fields import get_int, get_object
from ..json_lines import JsonObject, encode_json

MAX_TYPE: Final = 128
"""Characters of a packet type."""
ACCEPTED_PAYLOAD_PORTS: Final = range(1024, 65536)
"""Ports that a peer may name for a payload; wider than what peers use, never a system port."""

_TYPE: Final = re.compile(r"[!-~]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Payload:
    """Bulk data that waits on a port of its sender (the KDE Connect reference, section 9).

    `size` is in bytes, None when the sender does not know it.
    """

    size: int | None
    port: int


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet with its full type, such as "kdeconnect.ping"; the body may be private."""

    type: str
    body: JsonObject = field(default_factory=dict, repr=False)
    payload: Payload | None = None


def encode_packet(packet: Packet, *, now_ms: int | None = None) -> bytes:
    """Return the packet as one line ended by LF.

    `now_ms` (milliseconds since 1970, default the clock) becomes the `id`, which peers expect
    to be there though nobody may rely on it.
    """
    message: JsonObject = {
        "id": int(time.time() * 1000) if now_ms is None else now_ms,
        "type": packet.type,
        "body": packet.body,
    }
    if packet.payload is not None:
        # One without the other makes Android drop the link.
        message["payloadSize"] = (
            -1 if packet.payload.size is None else packet.payload.size
        )
        message["payloadTransferInfo"] = {"port": packet.payload.port}
    return encode_json(message) + b"\n"


def decode_packet(message: JsonObject) -> Packet:
    """Return the packet that a received JSON object stands for.

    Raises ProtocolError when there is no usable type, the body is no object, or the payload's
    port is none that a peer may name. The `id` and unknown members are ignored.
    """
    packet_type = message.get("type")
    if (
        not isinstance(packet_type, str)
        or len(packet_type) > MAX_TYPE
        or _TYPE.fullmatch(packet_type) is None
    ):
        raise ProtocolError("packet without a usable type")
    body = message.get("body")
    if body is None:
        body = {}
    if not isinstance(body, dict):
        raise ProtocolError("packet whose body is not an object")
    return Packet(packet_type, body, _decode_payload(message))


def _decode_payload(message: JsonObject) -> Payload | None:
    info = get_object(message, "payloadTransferInfo")
    if not info:
        # A size alone, or the empty object that some peers write, announces nothing to fetch.
        return None
    port = get_int(info, "port")
    if port is None or port not in ACCEPTED_PAYLOAD_PORTS:
        raise ProtocolError("packet that names no usable payload port")
    size = get_int(message, "payloadSize")
    return Payload(None if size is None or size < 0 else size, port)
