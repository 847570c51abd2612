"""Sound outputs of both sides and their volumes (the KDE Connect reference, section 11.12)."""

from dataclasses import dataclass, field, replace
from typing import Final, Self

from ...errors import ProtocolError
from ...json_fields import get_bool, get_int, get_objects, get_str
from ...json_lines import JsonObject, JsonValue
from ..packet import Packet
from .message import Decoders, Message

TYPE: Final = "kdeconnect.systemvolume"
TYPE_REQUEST: Final = "kdeconnect.systemvolume.request"

MAX_SINKS: Final = 100
"""Sinks kept of a list."""
MAX_SINK_NAME: Final = 1024
"""Characters of a sink's name; a longer one is dropped, since the peer would not know it cut."""
MAX_VOLUME: Final = 2**31 - 1
"""Largest number taken for a volume."""
DEFAULT_MAX_VOLUME: Final = 65536
"""The number for 100 per cent of a peer that does not tell its own: that of Linux."""


@dataclass(frozen=True, slots=True)
class Sink:
    """One sound output.

    `volume` is 100 per cent when it is `max_volume`, and may be more. None is what nobody told.
    """

    name: str
    description: str
    volume: int | None = None
    max_volume: int = DEFAULT_MAX_VOLUME
    is_muted: bool | None = None
    is_default: bool | None = None

    @property
    def level(self) -> float | None:
        """The volume as a part of 100 per cent; above 1.0 it is amplified."""
        return None if self.volume is None else self.volume / self.max_volume

    def volume_at(self, level: float) -> int:
        """Return the number for a part of 100 per cent, 0.0 to 1.0."""
        return round(min(max(level, 0.0), 1.0) * self.max_volume)


@dataclass(frozen=True, slots=True)
class SinkList(Message):
    """All sinks of the peer."""

    sinks: tuple[Sink, ...]

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read the list; raises ProtocolError when there is none.

        Sinks without a usable name are left out; of two with one name the later counts.
        """
        entries = get_objects(packet.body, "sinkList", max_items=MAX_SINKS)
        if entries is None:
            raise ProtocolError("systemvolume packet without a list of sinks")
        sinks: dict[str, Sink] = {}
        for entry in entries:
            name = _name(entry)
            if name is not None:
                largest = get_int(entry, "maxVolume")
                sinks[name] = Sink(
                    name,
                    get_str(entry, "description") or name,
                    _volume(entry),
                    DEFAULT_MAX_VOLUME
                    if largest is None or not 0 < largest <= MAX_VOLUME
                    else largest,
                    get_bool(entry, "muted"),
                    get_bool(entry, "enabled"),
                )
        return cls(tuple(sinks.values()))


@dataclass(frozen=True, slots=True)
class SinkChange(Message):
    """What changed with one sink; None stayed as it was."""

    name: str
    volume: int | None = None
    is_muted: bool | None = None
    is_default: bool | None = None

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read a change; raises ProtocolError when it is not said whose."""
        body = packet.body
        return cls(
            _required_name(body),
            _volume(body),
            get_bool(body, "muted"),
            get_bool(body, "enabled"),
        )


@dataclass(frozen=True, slots=True)
class SinksWanted(Message):
    """The peer wants the list of our sinks."""


@dataclass(frozen=True, slots=True)
class SinkRequest(Message):
    """The peer wants one of our sinks changed; None is to stay.

    `volume` is in the numbers of our list; `enabled` makes it the default.
    """

    name: str
    volume: int | None = None
    muted: bool | None = None
    enabled: bool | None = None

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read a request; raises ProtocolError when it is not said of which sink."""
        body = packet.body
        return cls(
            _required_name(body),
            _volume(body),
            get_bool(body, "muted"),
            get_bool(body, "enabled"),
        )


@dataclass(frozen=True, slots=True)
class Sinks:
    """All that is known of the peer's sinks, by name in the order of its list."""

    by_name: dict[str, Sink] = field(default_factory=dict)

    @property
    def default(self) -> Sink | None:
        """The sink that plays what has no sink of its own, None when nobody told."""
        return next((sink for sink in self.by_name.values() if sink.is_default), None)

    def updated(self, message: SinkList | SinkChange) -> Self:
        """Return the sinks after a message; a change of an unknown sink changes nothing."""
        if isinstance(message, SinkList):
            return replace(self, by_name={sink.name: sink for sink in message.sinks})
        if message.name not in self.by_name:
            return self
        sinks = dict(self.by_name)
        if message.is_default:
            # The packet that takes it from the old one may come later or never.
            sinks = {
                name: replace(sink, is_default=False) if sink.is_default else sink
                for name, sink in sinks.items()
            }
        sink = sinks[message.name]
        sinks[message.name] = replace(
            sink,
            volume=_merged(sink.volume, message.volume),
            is_muted=_merged(sink.is_muted, message.is_muted),
            is_default=_merged(sink.is_default, message.is_default),
        )
        return replace(self, by_name=sinks)


def decode(packet: Packet) -> SinkList | SinkChange:
    """Tell the two forms apart. Raises ProtocolError when the packet is neither."""
    if packet.body.get("sinkList") is not None:
        return SinkList.from_packet(packet)
    return SinkChange.from_packet(packet)


def decode_request(packet: Packet) -> SinksWanted | SinkRequest:
    """Tell the two requests apart. Raises ProtocolError when the packet is neither."""
    if get_bool(packet.body, "requestSinks"):
        return SinksWanted()
    return SinkRequest.from_packet(packet)


def request_sinks() -> Packet:
    """Ask for the list."""
    return Packet(TYPE_REQUEST, {"requestSinks": True})


def set_volume(name: str, volume: int) -> Packet:
    """Set a sink's volume, 0 to its `max_volume`. KDE switches its mute off by it."""
    return Packet(TYPE_REQUEST, {"name": name, "volume": volume})


def set_muted(name: str, muted: bool) -> Packet:
    """Mute a sink or end that."""
    return Packet(TYPE_REQUEST, {"name": name, "muted": muted})


def set_default(name: str) -> Packet:
    """Make a sink the default."""
    return Packet(TYPE_REQUEST, {"name": name, "enabled": True})


def sink_list(sinks: tuple[Sink, ...]) -> Packet:
    """Tell all our sinks; what a peer is to set should not be None."""
    entries: list[JsonValue] = [
        {
            "name": sink.name,
            "description": sink.description,
            "muted": bool(sink.is_muted),
            "volume": sink.volume or 0,
            "maxVolume": sink.max_volume,
            "enabled": bool(sink.is_default),
        }
        for sink in sinks
    ]
    return Packet(TYPE, {"sinkList": entries})


def sink_change(
    name: str,
    *,
    volume: int | None = None,
    is_muted: bool | None = None,
    is_default: bool | None = None,
) -> Packet:
    """Tell what changed with one of our sinks; None stayed as it was."""
    body: JsonObject = {"name": name}
    if volume is not None:
        body["volume"] = volume
    if is_muted is not None:
        body["muted"] = is_muted
    if is_default is not None:
        body["enabled"] = is_default
    return Packet(TYPE, body)


def _name(body: JsonObject) -> str | None:
    name = body.get("name")
    if not isinstance(name, str) or not 0 < len(name) <= MAX_SINK_NAME:
        return None
    return name


def _required_name(body: JsonObject) -> str:
    name = _name(body)
    if name is None:
        raise ProtocolError("systemvolume packet without a usable sink")
    return name


def _volume(body: JsonObject) -> int | None:
    volume = get_int(body, "volume")
    return None if volume is None else min(max(volume, 0), MAX_VOLUME)


def _merged[T](known: T | None, told: T | None) -> T | None:
    return known if told is None else told


DECODERS: Final[Decoders] = {TYPE: decode, TYPE_REQUEST: decode_request}
