"""From a player to what is played (the Apple TV reference, part B, section 5)."""

from typing import Final

from ..apple.enums import DeviceState, MediaType, RepeatState, ShuffleState
from ..apple.models import IDLE, Playing
from .enums import Command, RepeatMode, ShuffleMode
from .metadata import Metadata
from .players import Client, Item, Player, command_info

NO_PICTURE: Final = "image/none"
"""The type of a picture that is none."""

type ArtworkSources = tuple[str | bool | None, ...]

_MEDIA_TYPES: Final = {1: MediaType.MUSIC, 2: MediaType.VIDEO}
_SHUFFLE: Final = {
    int(ShuffleMode.OFF): ShuffleState.OFF,
    int(ShuffleMode.ALBUMS): ShuffleState.ALBUMS,
}
_REPEAT: Final = {
    int(RepeatMode.ONE): RepeatState.TRACK,
    int(RepeatMode.ALL): RepeatState.ALL,
}
_CHANGE_REPEAT: Final = int(Command.CHANGE_REPEAT_MODE)
_CHANGE_SHUFFLE: Final = int(Command.CHANGE_SHUFFLE_MODE)
_NOTHING: Final = Metadata()


def build_playing(
    client: Client | None, player: Player | None, now: float, last: Playing = IDLE
) -> Playing:
    """Return what is played at a Unix time.

    With the time of the last one as far as it still holds, so that the two are equal when
    nothing has happened but that time went by.
    """
    app = None if client is None or not client.app.identifier else client.app
    if player is None:
        return Playing(app=app) if app is not None else IDLE
    item = player.item
    metadata = _NOTHING if item is None else item.metadata
    total = metadata.total_time
    position, updated_at = _position(player, metadata, total, now, last)
    return Playing(
        _MEDIA_TYPES.get(metadata.media_type or 0, MediaType.UNKNOWN),
        player.state,
        metadata.title,
        metadata.track_artist_name,
        metadata.album_name,
        metadata.genre,
        total,
        position,
        updated_at,
        metadata.playback_rate,
        shuffle_of(client, player),
        repeat_of(client, player),
        metadata.series_name,
        metadata.season_number,
        metadata.episode_number,
        metadata.content_identifier,
        metadata.itunes_store_identifier,
        (item.identifier or None) if item is not None else None,
        app,
        artwork_id(item),
    )


def shuffle_of(client: Client | None, player: Player | None) -> ShuffleState:
    """Return what is shuffled (section 5.5)."""
    info = command_info(client, player, _CHANGE_SHUFFLE)
    if info is None or info.shuffle_mode is None:
        return ShuffleState.OFF
    return _SHUFFLE.get(info.shuffle_mode, ShuffleState.SONGS)


def repeat_of(client: Client | None, player: Player | None) -> RepeatState:
    """Return what is repeated (section 5.5)."""
    info = command_info(client, player, _CHANGE_REPEAT)
    if info is None:
        return RepeatState.OFF
    return _REPEAT.get(info.repeat_mode or 0, RepeatState.OFF)


def artwork_id(item: Item | None) -> str | None:
    """Return what names the picture of an item (section 4.8)."""
    if item is None:
        return None
    metadata = item.metadata
    if not metadata.artwork_available and not metadata.artwork_url:
        return None
    if metadata.artwork_mime_type == NO_PICTURE:
        return None
    return (
        metadata.artwork_identifier
        or metadata.content_identifier
        or item.identifier
        or None
    )


def artwork_sources(item: Item) -> ArtworkSources:
    """Return what leads to the picture of an item, whatever names it."""
    metadata = item.metadata
    return (
        metadata.artwork_url,
        metadata.artwork_mime_type,
        metadata.artwork_available,
        item.identifier,
    )


def _position(
    player: Player, metadata: Metadata, total: int | None, now: float, last: Playing
) -> tuple[int | None, float | None]:
    """Return the position and when it was that (section 5.3)."""
    if not metadata.elapsed_time_timestamp:
        return None, None
    since = player.moving_since
    if since is None:
        position = _within(int(player.elapsed), total)
        if (
            position == last.position
            and last.position_updated_at is not None
            and last.device_state is player.state
            and last.rate == metadata.playback_rate
        ):
            return position, last.position_updated_at
        return position, now
    exact = player.elapsed + now - since
    position = _within(int(exact), total)
    updated_at = now if position != int(exact) else now - (exact - position)
    if (
        last.position is not None
        and last.position_updated_at is not None
        and last.device_state is DeviceState.PLAYING
        and last.rate
        and last.total_time == total
        and (
            abs(updated_at - position - last.position_updated_at + last.position) < 1e-3
            if not total or position < total
            else last.position == total
        )
    ):
        return last.position, last.position_updated_at
    return position, updated_at


def _within(position: int, total: int | None) -> int:
    if total is not None and 0 < total < position:
        return total
    return max(position, 0)
