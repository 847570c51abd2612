"""Our media players, which the peer controls (the KDE Connect reference, section 11.11).

The other direction, with what both have in common, is in `mpris`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Self

from ...errors import ProtocolError
from ...json_fields import get_bool, get_int, get_str
from ...json_lines import JsonObject, JsonValue
from ..packet import Packet, Payload
from .message import Decoders, Message
from .mpris import (
    MAX_PLAYER_NAME,
    MAX_URL,
    TYPE,
    TYPE_REQUEST,
    Action,
    LoopStatus,
    Player,
)

_MAX_VOLUME: Final = 100


@dataclass(frozen=True, slots=True)
class PlayersWanted(Message):
    """The peer wants the list of our players."""


@dataclass(frozen=True, slots=True)
class PlayerRequest(Message):
    """What the peer wants of one of our players; None is not asked for.

    Several things may be asked for at once. An unknown player is answered with the list,
    and so is `want_players`. `position_ms` is absolute, `seek_us` is relative and in
    microseconds, `volume` is 0 to 100. `album_art_url` asks for the picture, if it is the
    current one.
    """

    player: str
    want_players: bool = False
    want_now_playing: bool = False
    want_volume: bool = False
    action: Action | None = None
    volume: int | None = None
    position_ms: int | None = None
    seek_us: int | None = None
    loop_status: LoopStatus | None = None
    shuffle: bool | None = None
    album_art_url: str | None = field(default=None, repr=False)

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read a request; raises ProtocolError when it is not said of which player.

        What has an unknown or impossible value is not asked for.
        """
        body = packet.body
        player = body.get("player")
        if not isinstance(player, str) or not 0 < len(player) <= MAX_PLAYER_NAME:
            raise ProtocolError("mpris request without a usable player")
        volume = get_int(body, "setVolume")
        position = get_int(body, "SetPosition")
        url = body.get("albumArtUrl")
        return cls(
            player,
            want_players=get_bool(body, "requestPlayerList") or False,
            want_now_playing=get_bool(body, "requestNowPlaying") or False,
            want_volume=get_bool(body, "requestVolume") or False,
            action=_member(Action, body, "action"),
            volume=None if volume is None else min(max(volume, 0), _MAX_VOLUME),
            position_ms=None if position is None else max(position, 0),
            seek_us=get_int(body, "Seek"),
            loop_status=_member(LoopStatus, body, "setLoopStatus"),
            shuffle=get_bool(body, "setShuffle"),
            album_art_url=url
            if isinstance(url, str) and 0 < len(url) <= MAX_URL
            else None,
        )


def decode(packet: Packet) -> PlayersWanted | PlayerRequest:
    """Tell the two requests apart. Raises ProtocolError when the packet is neither."""
    body = packet.body
    if not body.get("player") and get_bool(body, "requestPlayerList"):
        return PlayersWanted()
    return PlayerRequest.from_packet(packet)


def player_list(names: Iterable[str], *, supports_album_art: bool) -> Packet:
    """Tell all our players, and whether we send album art; who is not named is gone."""
    players: list[JsonValue] = list(names)
    return Packet(
        TYPE, {"playerList": players, "supportAlbumArtPayload": supports_album_art}
    )


def player_state(player: Player) -> Packet:
    """Tell the whole state of a player.

    What is None is told as unknown where the protocol has a word for that, and left out where
    it means that the player cannot do it.
    """
    title = player.title or ""
    body: JsonObject = {
        "player": player.name,
        "title": title,
        "artist": player.artist or "",
        "album": player.album or "",
        # For old peers, which know no other.
        "nowPlaying": " - ".join(filter(None, (player.artist, title))),
        "url": player.url or "",
        "albumArtUrl": player.album_art_url or "",
        "length": -1 if player.length_ms is None else player.length_ms,
    }
    optional: JsonObject = {
        "pos": player.position_ms,
        "isPlaying": player.is_playing,
        "canPlay": player.can_play,
        "canPause": player.can_pause,
        "canGoNext": player.can_go_next,
        "canGoPrevious": player.can_go_previous,
        "canSeek": player.can_seek,
        "loopStatus": None if player.loop_status is None else player.loop_status.value,
        "shuffle": player.shuffle,
        "volume": player.volume,
    }
    body.update({key: value for key, value in optional.items() if value is not None})
    return Packet(TYPE, body)


def album_art(player: str, url: str, payload: Payload | None = None) -> Packet:
    """Announce the album art that was asked for; whoever sends the data adds the payload."""
    body: JsonObject = {
        "player": player,
        "albumArtUrl": url,
        "transferringAlbumArt": True,
    }
    return Packet(TYPE, body, payload)


def _member[E: (Action, LoopStatus)](
    kind: type[E], body: JsonObject, key: str
) -> E | None:
    try:
        return kind(get_str(body, key) or "")
    except ValueError:
        return None


DECODERS: Final[Decoders] = {TYPE_REQUEST: decode}
