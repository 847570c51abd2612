"""What a fake Apple TV plays: apps, players, and the items in their queues."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
import time
from typing import Final, Literal

from custom_components.rumpus.protocols.mrp.proto import mrp_pb2 as pb

COCOA_EPOCH: Final = 978307200
DEFAULT_PLAYER: Final = "MediaRemote-DefaultPlayer"

type ArtworkWay = Literal["data", "url", "template"]


def cocoa(unix: float) -> float:
    """Return a time as it is on the wire: seconds since 2001."""
    return unix - COCOA_EPOCH


@dataclass(frozen=True, slots=True)
class FakePicture:
    """An artwork and how a client gets it."""

    identifier: str
    data: bytes = field(repr=False)
    mime_type: str = "image/png"
    width: int = 0
    height: int = 0
    way: ArtworkWay = "data"


@dataclass(frozen=True, slots=True)
class FakeItem:
    """Something to watch or to hear; None and 0 for what an app does not tell."""

    identifier: str
    title: str | None = None
    artist: str | None = None
    album: str | None = None
    genre: str | None = None
    duration: float | None = None
    series: str | None = None
    season: int | None = None
    episode: int | None = None
    media_type: pb.MediaType = pb.MEDIA_TYPE_VIDEO
    content_identifier: str | None = None
    store_identifier: int | None = None
    picture: FakePicture | None = None
    # Fields of ContentItemMetadata for a test that needs others, or other values.
    more: Mapping[str, str | int | float | bool | bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FakeCommand:
    """A command that a player has."""

    is_enabled: bool = True
    intervals: tuple[float, ...] = ()


FILM_COMMANDS: Final[Mapping[int, FakeCommand]] = {
    pb.COMMAND_PLAY: FakeCommand(),
    pb.COMMAND_PAUSE: FakeCommand(),
    pb.COMMAND_TOGGLE_PLAY_PAUSE: FakeCommand(),
    pb.COMMAND_STOP: FakeCommand(),
    pb.COMMAND_SKIP_FORWARD: FakeCommand(intervals=(10.0,)),
    pb.COMMAND_SKIP_BACKWARD: FakeCommand(intervals=(10.0,)),
    pb.COMMAND_SEEK_TO_PLAYBACK_POSITION: FakeCommand(),
}
MUSIC_COMMANDS: Final[Mapping[int, FakeCommand]] = {
    **FILM_COMMANDS,
    pb.COMMAND_NEXT_TRACK: FakeCommand(),
    pb.COMMAND_PREVIOUS_TRACK: FakeCommand(),
    pb.COMMAND_CHANGE_SHUFFLE_MODE: FakeCommand(),
    pb.COMMAND_CHANGE_REPEAT_MODE: FakeCommand(),
}


@dataclass(slots=True)
class FakePlayer:
    """One player of an app."""

    identifier: str = DEFAULT_PLAYER
    name: str = "Default Player"
    state: pb.PlaybackState | None = None  # None: it has told nothing yet
    items: list[FakeItem] = field(default_factory=list)
    location: int = 0
    rate: float | None = 1.0
    elapsed: float = 0.0
    measured_at: float | None = None  # Unix time of `elapsed`; None: is not told
    commands: dict[int, FakeCommand] = field(default_factory=dict)
    shuffle: pb.ShuffleMode = pb.SHUFFLE_MODE_OFF
    repeat: pb.RepeatMode = pb.REPEAT_MODE_OFF

    @property
    def item(self) -> FakeItem | None:
        """What plays."""
        if 0 <= self.location < len(self.items):
            return self.items[self.location]
        return None

    @property
    def is_playing(self) -> bool:
        """Whether time passes."""
        return self.state == pb.PLAYBACK_STATE_PLAYING

    def position(self) -> float:
        """Return the seconds that have been played of the item."""
        seconds = self.elapsed
        if self.is_playing and self.measured_at is not None:
            seconds += (time.time() - self.measured_at) * (self.rate or 0)
        duration = self.item.duration if self.item else None
        return max(0.0, min(seconds, duration or seconds))

    def move(
        self, state: pb.PlaybackState | None = None, position: float | None = None
    ) -> None:
        """Go on in another state or at another position, as of now."""
        self.elapsed = self.position() if position is None else position
        self.measured_at = time.time()
        if state is not None:
            self.state = state
            self.rate = 1.0 if state == pb.PLAYBACK_STATE_PLAYING else 0.0

    def command_infos(self) -> pb.SupportedCommands:
        """Return the commands as they are told."""
        return commands_message(self.commands, self.shuffle, self.repeat)


@dataclass(slots=True)
class FakeClient:
    """An app that plays something."""

    bundle: str
    name: str = ""
    players: dict[str, FakePlayer] = field(default_factory=dict)
    active: str = DEFAULT_PLAYER
    defaults: dict[int, FakeCommand] = field(default_factory=dict)
    process: int = 0

    def player(self, identifier: str = DEFAULT_PLAYER) -> FakePlayer:
        """Return a player, a new one if need be."""
        return self.players.setdefault(identifier, FakePlayer(identifier))

    @property
    def active_player(self) -> FakePlayer:
        """Return the player that is in front."""
        return self.player(self.active)

    def message(self) -> pb.NowPlayingClient:
        """Return what names the app."""
        message = pb.NowPlayingClient(bundle_identifier=self.bundle)
        if self.name:
            message.display_name = self.name
        if self.process:
            message.process_identifier = self.process
        return message


@dataclass(frozen=True, slots=True)
class FakeOutput:
    """A speaker that can play along."""

    identifier: str
    name: str
    volume: float | None = 0.3  # of 1.0; None: it cannot be set

    def at(self, volume: float) -> FakeOutput:
        """Return it with another volume."""
        return replace(self, volume=volume)


def commands_message(
    commands: Mapping[int, FakeCommand],
    shuffle: pb.ShuffleMode = pb.SHUFFLE_MODE_OFF,
    repeat: pb.RepeatMode = pb.REPEAT_MODE_OFF,
) -> pb.SupportedCommands:
    """Return commands as they are told."""
    message = pb.SupportedCommands()
    for number, command in commands.items():
        info = message.supported_commands.add(
            enabled=command.is_enabled, preferred_intervals=command.intervals
        )
        info.command = number  # type: ignore[assignment] # enums are open
        if number == pb.COMMAND_CHANGE_SHUFFLE_MODE:
            info.shuffle_mode = shuffle
        if number == pb.COMMAND_CHANGE_REPEAT_MODE:
            info.repeat_mode = repeat
    return message


_FIELDS: Final[Mapping[str, str]] = {
    "title": "title",
    "artist": "track_artist_name",
    "album": "album_name",
    "genre": "genre",
    "duration": "duration",
    "series": "series_name",
    "season": "season_number",
    "episode": "episode_number",
    "content_identifier": "content_identifier",
    "store_identifier": "itunes_store_identifier",
}


def item_message(
    item: FakeItem, player: FakePlayer | None, base_url: str = ""
) -> pb.ContentItem:
    """Return an item as it is told; with its player when it is the one that plays."""
    message = pb.ContentItem(identifier=item.identifier)
    metadata = message.metadata
    metadata.media_type = item.media_type
    for name, field_name in _FIELDS.items():
        if (value := getattr(item, name)) is not None:
            setattr(metadata, field_name, value)
    if player is not None:
        _add_progress(metadata, player)
    if item.picture is not None:
        _add_picture(metadata, item.picture, base_url)
    for name, value in item.more.items():
        setattr(metadata, name, value)
    return message


def _add_progress(metadata: pb.ContentItemMetadata, player: FakePlayer) -> None:
    metadata.elapsed_time = player.elapsed
    if player.measured_at is not None:
        metadata.elapsed_time_timestamp = cocoa(player.measured_at)
    if player.rate is not None:
        metadata.playback_rate = player.rate


def _add_picture(
    metadata: pb.ContentItemMetadata, picture: FakePicture, base_url: str
) -> None:
    metadata.artwork_available = True
    metadata.artwork_mime_type = picture.mime_type
    if picture.way == "template":
        metadata.artwork_identifier = (
            f"{base_url}/{picture.identifier}/{{w}}x{{h}}{{c}}.{{f}}"
        )
        return
    metadata.artwork_identifier = picture.identifier
    if picture.way == "url":
        metadata.artwork_url = f"{base_url}/{picture.identifier}/artwork"


def queue_message(
    items: Iterable[FakeItem], player: FakePlayer, base_url: str = ""
) -> pb.PlaybackQueue:
    """Return a queue as it is told."""
    message = pb.PlaybackQueue(location=player.location)
    for number, item in enumerate(items):
        playing = player if number == player.location else None
        message.content_items.append(item_message(item, playing, base_url))
    return message
