"""Media players of the peer (the KDE Connect reference, section 11.11).

All times are in milliseconds, except the offset of `seek`.
"""

from dataclasses import dataclass, field, replace
from enum import Enum, StrEnum
from typing import Final, Self

from ...errors import ProtocolError
from ...json_fields import get_bool, get_int, get_str, get_strings
from ...json_lines import JsonObject
from ..packet import Packet, Payload
from .message import Decoders, Message

TYPE: Final = "kdeconnect.mpris"
TYPE_REQUEST: Final = "kdeconnect.mpris.request"

MAX_PLAYERS: Final = 100
"""Players kept of a list."""
MAX_PLAYER_NAME: Final = 1024
"""Characters of a player's name; a longer one is dropped, since the peer would not know it cut."""
MAX_URL: Final = 4096
"""Characters of an address; a longer one is dropped."""

_MAX_VOLUME: Final = 100


class LoopStatus(StrEnum):
    """What a player repeats."""

    NONE = "None"
    TRACK = "Track"
    PLAYLIST = "Playlist"


class Action(StrEnum):
    """What a player can be told to do."""

    PLAY = "Play"
    PAUSE = "Pause"
    PLAY_PAUSE = "PlayPause"
    STOP = "Stop"
    NEXT = "Next"
    PREVIOUS = "Previous"


class Absent(Enum):
    """The type of ABSENT, which stands for a field that a packet does not have."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT

type Told[T] = T | Absent | None
"""What an update tells: ABSENT is nothing at all, None is "unknown" or "there is none"."""


@dataclass(frozen=True, slots=True)
class PlayerList(Message):
    """All players of the peer by name, and whether it can send their album art."""

    players: tuple[str, ...]
    supports_album_art: bool

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read a list of players; raises ProtocolError when there is none."""
        players = get_strings(
            packet.body, "playerList", max_items=MAX_PLAYERS, limit=MAX_PLAYER_NAME
        )
        if players is None:
            raise ProtocolError("mpris packet whose list of players is no list")
        return cls(players, get_bool(packet.body, "supportAlbumArtPayload") or False)


@dataclass(frozen=True, slots=True)
class PlayerUpdate(Message):
    """What changed with one player; ABSENT stays as it was, None has become unknown."""

    player: str
    title: Told[str] = ABSENT
    artist: Told[str] = ABSENT
    album: Told[str] = ABSENT
    # Addresses may hold tokens of whoever streams.
    url: Told[str] = field(default=ABSENT, repr=False)
    album_art_url: Told[str] = field(default=ABSENT, repr=False)
    length_ms: Told[int] = ABSENT
    position_ms: Told[int] = ABSENT
    is_playing: Told[bool] = ABSENT
    can_play: Told[bool] = ABSENT
    can_pause: Told[bool] = ABSENT
    can_go_next: Told[bool] = ABSENT
    can_go_previous: Told[bool] = ABSENT
    can_seek: Told[bool] = ABSENT
    loop_status: Told[LoopStatus] = ABSENT
    shuffle: Told[bool] = ABSENT
    volume: Told[int] = ABSENT

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read the state of a player; raises ProtocolError when it is not said whose."""
        body = packet.body
        # The older member joins artist and title; it is worth something only alone.
        is_old = body.get("title") is None and "nowPlaying" in body
        return cls(
            _player(body),
            title=_text(body, "nowPlaying" if is_old else "title"),
            artist=_text(body, "artist"),
            album=_text(body, "album"),
            url=_address(body, "url"),
            album_art_url=_address(body, "albumArtUrl"),
            length_ms=_amount(body, "length"),
            position_ms=_amount(body, "pos"),
            is_playing=_truth(body, "isPlaying"),
            can_play=_truth(body, "canPlay"),
            can_pause=_truth(body, "canPause"),
            can_go_next=_truth(body, "canGoNext"),
            can_go_previous=_truth(body, "canGoPrevious"),
            can_seek=_truth(body, "canSeek"),
            loop_status=_loop_status(body),
            shuffle=_truth(body, "shuffle"),
            volume=_amount(body, "volume", _MAX_VOLUME),
        )


@dataclass(frozen=True, slots=True)
class AlbumArt(Message):
    """Album art waits to be fetched; `url` tells which, as in the player's state."""

    player: str
    url: str = field(repr=False)
    payload: Payload

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read an announcement; raises ProtocolError when a member or the payload is missing."""
        url = _address(packet.body, "albumArtUrl")
        if not isinstance(url, str) or packet.payload is None:
            raise ProtocolError("mpris packet that announces no usable album art")
        return cls(_player(packet.body), url, packet.payload)


type MprisMessage = PlayerList | PlayerUpdate | AlbumArt


@dataclass(frozen=True, slots=True)
class Player:
    """All that is known of one player; None is what nobody told or what it cannot do.

    `position_ms` is the position at the moment of the update that brought it.
    """

    name: str
    title: str | None = None
    artist: str | None = None
    album: str | None = None
    url: str | None = field(default=None, repr=False)
    album_art_url: str | None = field(default=None, repr=False)
    length_ms: int | None = None
    position_ms: int | None = None
    is_playing: bool | None = None
    can_play: bool | None = None
    can_pause: bool | None = None
    can_go_next: bool | None = None
    can_go_previous: bool | None = None
    can_seek: bool | None = None
    loop_status: LoopStatus | None = None
    shuffle: bool | None = None
    volume: int | None = None

    def updated(self, update: PlayerUpdate) -> Self:
        """Return the player after an update of it; what the update lacks stays."""
        return replace(
            self,
            title=_merged(self.title, update.title),
            artist=_merged(self.artist, update.artist),
            album=_merged(self.album, update.album),
            url=_merged(self.url, update.url),
            album_art_url=_merged(self.album_art_url, update.album_art_url),
            length_ms=_merged(self.length_ms, update.length_ms),
            position_ms=_merged(self.position_ms, update.position_ms),
            is_playing=_merged(self.is_playing, update.is_playing),
            can_play=_merged(self.can_play, update.can_play),
            can_pause=_merged(self.can_pause, update.can_pause),
            can_go_next=_merged(self.can_go_next, update.can_go_next),
            can_go_previous=_merged(self.can_go_previous, update.can_go_previous),
            can_seek=_merged(self.can_seek, update.can_seek),
            loop_status=_merged(self.loop_status, update.loop_status),
            shuffle=_merged(self.shuffle, update.shuffle),
            volume=_merged(self.volume, update.volume),
        )


def decode(packet: Packet) -> MprisMessage:
    """Tell the three forms apart. Raises ProtocolError when the packet is none of them."""
    if get_bool(packet.body, "transferringAlbumArt"):
        return AlbumArt.from_packet(packet)
    if packet.body.get("playerList") is not None:
        return PlayerList.from_packet(packet)
    return PlayerUpdate.from_packet(packet)


def request_players() -> Packet:
    """Ask for the list of players."""
    return Packet(TYPE_REQUEST, {"requestPlayerList": True})


def request_now_playing(player: str) -> Packet:
    """Ask for the whole state of a player."""
    return _request(player, {"requestNowPlaying": True, "requestVolume": True})


def action(player: str, what: Action) -> Packet:
    """Tell a player to do something."""
    return _request(player, {"action": what.value})


def set_volume(player: str, volume: int) -> Packet:
    """Set the volume, 0 to 100."""
    return _request(player, {"setVolume": volume})


def set_position(player: str, position_ms: int) -> Packet:
    """Go to a position."""
    return _request(player, {"SetPosition": position_ms})


def seek(player: str, offset_us: int) -> Packet:
    """Move by an offset in microseconds, which may be negative. Android cannot."""
    return _request(player, {"Seek": offset_us})


def set_loop(player: str, status: LoopStatus) -> Packet:
    """Set what the player repeats."""
    return _request(player, {"setLoopStatus": status.value})


def set_shuffle(player: str, shuffle: bool) -> Packet:
    """Set whether the player mixes the order."""
    return _request(player, {"setShuffle": shuffle})


def request_album_art(player: str, url: str) -> Packet:
    """Ask for album art; the peer sends only what is the current `album_art_url`."""
    return _request(player, {"albumArtUrl": url})


def _request(player: str, fields: JsonObject) -> Packet:
    return Packet(TYPE_REQUEST, {"player": player, **fields})


def _player(body: JsonObject) -> str:
    player = body.get("player")
    if not isinstance(player, str) or not 0 < len(player) <= MAX_PLAYER_NAME:
        raise ProtocolError("mpris packet without a usable player")
    return player


def _text(body: JsonObject, key: str) -> Told[str]:
    return (get_str(body, key) or None) if key in body else ABSENT


def _address(body: JsonObject, key: str) -> Told[str]:
    if key not in body:
        return ABSENT
    address = body[key]
    if not isinstance(address, str) or not 0 < len(address) <= MAX_URL:
        return None
    # Data in an address is no address: nothing can be fetched from it.
    return None if address[:5].lower() == "data:" else address


def _amount(body: JsonObject, key: str, largest: int | None = None) -> Told[int]:
    if key not in body:
        return ABSENT
    amount = get_int(body, key)
    if amount is None or amount < 0 or (largest is not None and amount > largest):
        return None
    return amount


def _truth(body: JsonObject, key: str) -> Told[bool]:
    return get_bool(body, key) if key in body else ABSENT


def _loop_status(body: JsonObject) -> Told[LoopStatus]:
    if "loopStatus" not in body:
        return ABSENT
    try:
        return LoopStatus(get_str(body, "loopStatus") or "")
    except ValueError:
        return None


def _merged[T](known: T, told: T | Absent) -> T:
    return known if isinstance(told, Absent) else told


DECODERS: Final[Decoders] = {TYPE: decode}
