"""The peer's screen as one more monitor (the KDE Connect reference, section 11.18)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
import re
from typing import Final, Self

from ...errors import ProtocolError
from ...json_fields import MAX_ID, get_bool, get_int, get_number, get_objects, get_str
from ...json_lines import JsonObject, JsonValue
from ..packet import Packet
from .message import Decoders, Message

TYPE: Final = "kdeconnect.virtualmonitor"
TYPE_REQUEST: Final = "kdeconnect.virtualmonitor.request"

MAX_RESOLUTIONS: Final = 100
"""Resolutions kept of an offer."""
MAX_SCALE: Final = 16.0
"""Largest scale; one that is out of range counts as 1."""
MAX_URL: Final = 4096
"""Characters of an address; a request with a longer one is refused."""

_RESOLUTION: Final = re.compile(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})", re.ASCII)
_PORTS: Final = range(1, 65536)


@dataclass(frozen=True, slots=True)
class Resolution:
    """A size in pixels, and by how much things are drawn larger."""

    width: int
    height: int
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class MonitorOffer(Message):
    """What the peer can do as a monitor or with one."""

    resolutions: tuple[Resolution, ...]
    supports_rdp: bool = False
    supports_vnc: bool = False
    supports_virtual_monitor: bool = False

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read an offer; nothing in it is required. Unusable resolutions are left out."""
        body = packet.body
        entries = get_objects(body, "resolutions", max_items=MAX_RESOLUTIONS) or ()
        resolutions = (_resolution(entry) for entry in entries)
        return cls(
            tuple(found for found in resolutions if found is not None),
            get_bool(body, "supports_rdp") or False,
            get_bool(body, "supports_vnc") or False,
            get_bool(body, "supports_virt_mon") or False,
        )


@dataclass(frozen=True, slots=True)
class MonitorFailed(Message):
    """The peer could not do it; `reason` is None when it does not tell why."""

    reason: str | None

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read a failure; KDE gives the number 0 for a reason."""
        return cls(get_str(packet.body, "failed") or None)


@dataclass(frozen=True, slots=True)
class MonitorRequest(Message):
    """The peer wants us to show its monitor at the address of the link, or old ones at `url`.

    `protocol` is such as "rdp".
    """

    protocol: str | None = None
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    port: int | None = None
    url: str | None = field(default=None, repr=False)

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read a request; raises ProtocolError when it does not say where the monitor is."""
        body = packet.body
        port = get_int(body, "port")
        if port is not None and port not in _PORTS:
            raise ProtocolError("virtualmonitor request with an unusable port")
        url = _short(body, "url", MAX_URL)
        if port is None and url is None:
            raise ProtocolError("virtualmonitor request that leads nowhere")
        return cls(
            _short(body, "protocol"),
            _short(body, "username"),
            _short(body, "password"),
            port,
            url,
        )


def decode(packet: Packet) -> MonitorOffer | MonitorFailed:
    """Tell the two forms apart: a failure counts by being there, whatever its value."""
    if "failed" in packet.body:
        return MonitorFailed.from_packet(packet)
    return MonitorOffer.from_packet(packet)


def offer(
    resolutions: Iterable[Resolution],
    *,
    supports_rdp: bool = False,
    supports_virtual_monitor: bool = False,
) -> Packet:
    """Tell what we can do as a monitor or with one."""
    entries: list[JsonValue] = [
        {"resolution": f"{entry.width}x{entry.height}", "scale": entry.scale}
        for entry in resolutions
    ]
    return Packet(
        TYPE,
        {
            "resolutions": entries,
            "supports_rdp": supports_rdp,
            "supports_virt_mon": supports_virtual_monitor,
        },
    )


def fail(reason: str) -> Packet:
    """Tell why we cannot do it."""
    return Packet(TYPE, {"failed": reason})


def request(username: str, password: str, port: int) -> Packet:
    """Ask the peer to show our monitor, which it finds with RDP at a port of ours."""
    return Packet(
        TYPE_REQUEST,
        {
            "protocol": "rdp",
            "username": username,
            "password": password,
            # KDE writes it as text, and reads it as such.
            "port": str(port),
        },
    )


def _resolution(entry: JsonObject) -> Resolution | None:
    match = _RESOLUTION.fullmatch(get_str(entry, "resolution") or "")
    if match is None:
        return None
    scale = get_number(entry, "scale")
    if scale is None or not 0.0 < scale <= MAX_SCALE:
        scale = 1.0
    return Resolution(int(match[1]), int(match[2]), scale)


def _short(body: JsonObject, key: str, limit: int = MAX_ID) -> str | None:
    value = body.get(key)
    if not isinstance(value, str) or not value:
        return None
    if len(value) > limit:
        raise ProtocolError("virtualmonitor request with too long a member")
    return value


DECODERS: Final[Decoders] = {
    TYPE: decode,
    TYPE_REQUEST: MonitorRequest.from_packet,
}
