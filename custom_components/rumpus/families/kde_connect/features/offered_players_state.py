"""Media players of this home in the words of the protocol; nothing here does input or output.

The KDE Connect reference, section 11.11.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
import hashlib
import math
from typing import Any, Final, assert_never
from urllib.parse import urlsplit

from homeassistant.components.media_player.const import (
    ATTR_MEDIA_SEEK_POSITION,
    ATTR_MEDIA_VOLUME_LEVEL,
    DOMAIN,
    MediaPlayerEntityFeature as CanDo,
    MediaPlayerState,
    RepeatMode,
)
from homeassistant.const import ATTR_ENTITY_PICTURE, ATTR_SUPPORTED_FEATURES
from homeassistant.core import State
from homeassistant.util import dt as dt_util

from ....protocols.json_fields import MAX_TEXT
from ....protocols.json_lines import JsonObject
from ....protocols.kdeconnect.packet import Packet
from ....protocols.kdeconnect.plugins.mpris import (
    MAX_URL,
    TYPE,
    Action,
    LoopStatus,
    Player,
)
from ....protocols.kdeconnect.plugins.mpris_provider import PlayerRequest, player_state
from .offered_entities import Call

POSITION_TOLERANCE_MS: Final = 1500
"""A position that is this near to where it should be by now is no news: players round it."""

_POSITION: Final = "pos"
_LOCAL_API: Final = "/api/"
_OFF: Final = (MediaPlayerState.OFF, "standby")
_PLAYING: Final = (MediaPlayerState.PLAYING, MediaPlayerState.BUFFERING)
_LOOP: Final = {
    RepeatMode.OFF: LoopStatus.NONE,
    RepeatMode.ONE: LoopStatus.TRACK,
    RepeatMode.ALL: LoopStatus.PLAYLIST,
}
_REPEAT: Final = {loop: repeat for repeat, loop in _LOOP.items()}
_TRACK: Final = ("title", "artist", "album", "url", "albumArtUrl", "length")
"""If one of these changes it is another track, and everything is told."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a device knows of a player, and since when it knows the position."""

    player: Player
    at: datetime


def player_of(state: State, name: str, state_text: str, now: datetime) -> Player:
    """Return a player as it is now; `state_text` is shown while nothing has a title."""
    can = _abilities(state)
    text = _Texts(state.attributes)
    title = text("media_title") or text("app_name") or text("source") or state_text
    artist = (
        text("media_artist")
        or text("media_album_artist")
        or text("media_series_title")
        or text("media_channel")
    )
    volume = _number(state.attributes, "volume_level")
    length = _number(state.attributes, "media_duration")
    return Player(
        name,
        title=title,
        artist=artist,
        album=text("media_album_name"),
        url=_address(state.attributes.get("media_content_id")),
        album_art_url=art_url(state),
        length_ms=round(length * 1000) if length and length > 0 else None,
        position_ms=position_ms(state, now),
        is_playing=is_playing(state),
        can_play=bool(can & (CanDo.PLAY | CanDo.TURN_ON)),
        can_pause=bool(can & (CanDo.PAUSE | CanDo.STOP)),
        can_go_next=bool(can & CanDo.NEXT_TRACK),
        can_go_previous=bool(can & CanDo.PREVIOUS_TRACK),
        can_seek=bool(can & CanDo.SEEK),
        loop_status=_LOOP.get(state.attributes.get("repeat", ""))
        if can & CanDo.REPEAT_SET
        else None,
        shuffle=bool(state.attributes.get("shuffle"))
        if can & CanDo.SHUFFLE_SET
        else None,
        volume=min(max(round(volume * 100), 0), 100)
        if volume is not None and can & CanDo.VOLUME_SET
        else None,
    )


def is_playing(state: State) -> bool:
    """Tell whether a player plays, or is about to."""
    return state.state in _PLAYING


def position_ms(state: State, now: datetime) -> int | None:
    """Return where a player is by now, in milliseconds."""
    position = _number(state.attributes, "media_position")
    if position is None:
        return None
    since = state.attributes.get("media_position_updated_at")
    if isinstance(since, str):
        since = dt_util.parse_datetime(since)
    milliseconds = round(position * 1000)
    if state.state == MediaPlayerState.PLAYING and isinstance(since, datetime):
        milliseconds += max((now - since) // timedelta(milliseconds=1), 0)
    length = _number(state.attributes, "media_duration")
    if length and length > 0:
        milliseconds = min(milliseconds, round(length * 1000))
    return max(milliseconds, 0)


def art_url(state: State) -> str | None:
    """Return what changes with a player's picture, None when it has none.

    It names a file that exists nowhere: such addresses are what all peers ask the player's
    side for. It does not tell where the picture comes from.
    """
    picture = state.attributes.get(ATTR_ENTITY_PICTURE)
    if not isinstance(picture, str) or not picture:
        return None
    # Ours have a token, which is another one after each start.
    picture = picture.partition("&cache=")[2] or picture
    digest = hashlib.sha256(f"{state.entity_id}\0{picture}".encode()).hexdigest()
    return f"file:///home-assistant/{digest[:32]}"


def whole(player: Player) -> Packet:
    """Return the packet with everything about a player."""
    return Packet(TYPE, _body(player))


def news(told: Told | None, player: Player, now: datetime) -> Packet | None:
    """Return a packet with what is new to a device, None when there is nothing."""
    if told is None or told.player.name != player.name:
        return whole(player)
    before, after = _body(told.player), _body(player)
    if any(before[key] != after[key] for key in _TRACK):
        return whole(player)
    changes = {
        key: value
        for key, value in after.items()
        if key != _POSITION and before.get(key) != value
    }
    if player.position_ms is not None and (
        "isPlaying" in changes or _has_jumped(told, player.position_ms, now)
    ):
        changes[_POSITION] = player.position_ms
    return Packet(TYPE, {"player": player.name, **changes}) if changes else None


def told_by(told: Told | None, player: Player, packet: Packet, now: datetime) -> Told:
    """Return what a device knows after a packet about a player."""
    if told is None or _POSITION in packet.body:
        return Told(player, now)
    return Told(replace(player, position_ms=told.player.position_ms), told.at)


def wanted(request: PlayerRequest, state: State, now: datetime) -> list[Call]:
    """Return the actions that do what a device wants, as far as the player is able to."""
    can = _abilities(state)
    calls: list[Call] = []
    if request.action is not None:
        calls += _act(request.action, state, can)
    if request.loop_status is not None and can & CanDo.REPEAT_SET:
        repeat = _REPEAT[request.loop_status]
        calls.append(Call(DOMAIN, "repeat_set", {"repeat": repeat.value}))
    if request.shuffle is not None and can & CanDo.SHUFFLE_SET:
        calls.append(Call(DOMAIN, "shuffle_set", {"shuffle": request.shuffle}))
    if request.volume is not None and can & CanDo.VOLUME_SET:
        calls.append(
            Call(DOMAIN, "volume_set", {ATTR_MEDIA_VOLUME_LEVEL: request.volume / 100})
        )
    position = request.position_ms
    if request.seek_us is not None and position is None:
        here = position_ms(state, now)
        position = None if here is None else max(here + request.seek_us // 1000, 0)
    if position is not None and can & CanDo.SEEK:
        length = _number(state.attributes, "media_duration")
        seconds = position / 1000 if not length else min(position / 1000, length)
        calls.append(Call(DOMAIN, "media_seek", {ATTR_MEDIA_SEEK_POSITION: seconds}))
    return calls


def _act(action: Action, state: State, can: CanDo) -> list[Call]:
    match action:
        case Action.PLAY_PAUSE:
            choice = Action.PAUSE if is_playing(state) else Action.PLAY
            return _act(choice, state, can)
        case Action.PLAY:
            choices = [(CanDo.TURN_ON, "turn_on"), (CanDo.PLAY, "media_play")]
        case Action.PAUSE:
            choices = [(CanDo.PAUSE, "media_pause"), (CanDo.STOP, "media_stop")]
        case Action.STOP:
            choices = [(CanDo.STOP, "media_stop"), (CanDo.PAUSE, "media_pause")]
        case Action.NEXT:
            choices = [(CanDo.NEXT_TRACK, "media_next_track")]
        case Action.PREVIOUS:
            choices = [(CanDo.PREVIOUS_TRACK, "media_previous_track")]
        case _:
            assert_never(action)
    return [Call(DOMAIN, service) for feature, service in choices if can & feature][:1]


def _abilities(state: State) -> CanDo:
    """Return what a player can do now; one that is off can be turned on, or play at most."""
    features = state.attributes.get(ATTR_SUPPORTED_FEATURES)
    can = CanDo(features if isinstance(features, int) else 0)
    if state.state in _OFF:
        return can & (CanDo.TURN_ON | CanDo.PLAY)
    return can & ~CanDo.TURN_ON


def _body(player: Player) -> JsonObject:
    body: JsonObject = {**player_state(player).body}
    # Peers take 50 for the volume of a player that tells none, and go on with the position
    # of the last track.
    body.setdefault("volume", -1)
    body.setdefault(_POSITION, 0)
    return body


def _has_jumped(told: Told, position: int, now: datetime) -> bool:
    expected = told.player.position_ms
    if expected is None:
        return True
    if told.player.is_playing:
        expected += (now - told.at) // timedelta(milliseconds=1)
        if told.player.length_ms is not None:
            expected = min(expected, told.player.length_ms)
    return abs(position - expected) > POSITION_TOLERANCE_MS


class _Texts:
    """Reads the texts among attributes, of which other integrations make anything."""

    def __init__(self, attributes: Mapping[str, Any]) -> None:
        self._attributes = attributes

    def __call__(self, key: str) -> str | None:
        value = self._attributes.get(key)
        return value[:MAX_TEXT] if isinstance(value, str) and value else None


def _number(attributes: Mapping[str, Any], key: str) -> float | None:
    value = attributes.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def _address(content_id: object) -> str | None:
    """Return the address of what plays if anybody may have it.

    What has a query or a user's name may hold the key to somebody's account or to this home,
    and so do the paths of our own streams.
    """
    if not isinstance(content_id, str) or len(content_id) > MAX_URL:
        return None
    try:
        parts = urlsplit(content_id)
    except ValueError:
        return None
    is_public = (
        parts.scheme in {"http", "https"}
        and not parts.query
        and "@" not in parts.netloc
        and not parts.path.startswith(_LOCAL_API)
    )
    return content_id if is_public else None
