"""Clients, players and the items of their queues (part B, sections 4.1, 5.1 and 5.3)."""

from collections.abc import Mapping, Sequence
from typing import Final

from ..apple.enums import DeviceState
from ..apple.models import App
from .commands import CommandList
from .enums import PlaybackState
from .metadata import MAX_IDENTIFIER, MAX_TEXT, Metadata
from .models import CommandInfo, Queue, QueueItem
from .proto import mrp_pb2 as pb

MAX_CLIENTS: Final = 32
"""Apps that are remembered; of those behind the one in front the oldest goes first."""
MAX_PLAYERS: Final = 8
"""Players of one app, in the same way."""
MAX_ITEMS: Final = 32
"""Items of one queue, from shortly before the current one on."""
MAX_UPDATES: Final = 256
"""Items of one update that are looked at."""
DEFAULT_PLAYER: Final = "MediaRemote-DefaultPlayer"
COCOA_EPOCH: Final = 978_307_200
"""The Unix time of 2001, from which devices count."""

_BEFORE_CURRENT: Final = 8
_STATES: Final[Mapping[int, DeviceState]] = {
    PlaybackState.STOPPED: DeviceState.STOPPED,
    PlaybackState.INTERRUPTED: DeviceState.LOADING,
    PlaybackState.SEEKING: DeviceState.SEEKING,
}
_STANDING: Final = (DeviceState.PAUSED, DeviceState.PLAYING, DeviceState.LOADING)


class Item:
    """One item of a queue."""

    __slots__ = ("identifier", "metadata")

    def __init__(self, message: pb.ContentItem) -> None:
        """Take over an item."""
        identifier = message.identifier
        self.identifier = identifier if len(identifier) <= MAX_IDENTIFIER else ""
        self.metadata = Metadata()
        if message.HasField("metadata"):
            self.metadata.merge(message.metadata)


class Player:
    """One player of an app."""

    __slots__ = (
        "_reference",
        "_was_standing",
        "commands",
        "elapsed",
        "identifier",
        "items",
        "location",
        "moving_since",
        "offset",
        "playback_state",
        "state",
    )

    def __init__(self, identifier: str) -> None:
        """Begin with nothing known."""
        self.identifier = identifier
        self.playback_state: int | None = None
        self.commands = CommandList()
        self.items: list[Item] = []
        self.location = 0
        self.offset = 0
        """The index in the device's queue of the first item that is kept."""
        self.state = DeviceState.IDLE
        self.elapsed = 0.0
        """Seconds of the current item, ..."""
        self.moving_since: float | None = None
        """... and the Unix time from which they go on, None if they stand."""
        # What the device measured last.
        self._reference: tuple[float | None, float | None, str] | None = None
        self._was_standing = False

    @property
    def item(self) -> Item | None:
        """Return the current item."""
        index = self.location - self.offset
        return self.items[index] if 0 <= index < len(self.items) else None

    def set_state(self, message: pb.SetStateMessage, now: float) -> bool:
        """Take over what a message has; return whether commands changed."""
        changed = False
        if message.HasField("playback_state"):
            self.playback_state = int(message.playback_state)
        if message.HasField("supported_commands"):
            changed = self.commands.replace(message.supported_commands)
        if message.HasField("playback_queue"):
            self._set_queue(message.playback_queue)
        self._settle(now)
        return changed

    def update_items(self, items: Sequence[pb.ContentItem], now: float) -> bool:
        """Merge what is new about items that we know; return whether there was any."""
        found = False
        current = self.item
        for message in items[:MAX_UPDATES]:
            # One without an id can only be about what is played.
            known = self.items if message.identifier else (current,)
            for item in known:
                if item is not None and item.identifier == message.identifier:
                    item.metadata.merge(message.metadata)
                    found = True
        if found:
            self._settle(now)
        return found

    def _set_queue(self, queue: pb.PlaybackQueue) -> None:
        self.location = queue.location  # of which there may be nothing
        items = queue.content_items
        self.offset = 0
        if len(items) > MAX_ITEMS:
            self.offset = max(0, min(self.location - _BEFORE_CURRENT, len(items)))
        self.items = [
            Item(item) for item in items[self.offset : self.offset + MAX_ITEMS]
        ]

    def _settle(self, now: float) -> None:
        """Find out what the device does, and whether its clock can be trusted.

        Some apps do not measure anew when they pause, and some not when they go on: the
        position stays where it was then, and the pause does not count (section 5.3).
        """
        item = self.item
        metadata = None if item is None else item.metadata
        self.state = state = _device_state(self.playback_state, metadata)
        if item is None or metadata is None:
            self._reference = self.moving_since = None
            self._was_standing = False
            return
        timestamp = metadata.elapsed_time_timestamp
        reference = (metadata.elapsed_time, timestamp, item.identifier)
        is_moving = state is DeviceState.PLAYING and bool(metadata.playback_rate)
        since = self.moving_since
        if reference != self._reference:
            self._reference = reference
            self.elapsed = metadata.elapsed_time or 0.0
            self._was_standing = False
            since = None
        if is_moving:
            if since is None:
                measured = COCOA_EPOCH + (timestamp or 0.0)
                self.moving_since = now if self._was_standing else measured
            self._was_standing = False
            return
        self.moving_since = None
        if since is not None:
            self.elapsed += now - since
            self._was_standing = True
        elif state in _STANDING:
            self._was_standing = True


class Client:
    """One app and its players."""

    __slots__ = ("active", "app", "commands", "players")

    def __init__(self, identifier: str) -> None:
        """Begin with nothing but the id of its bundle."""
        self.app = App(identifier)
        self.players: dict[str, Player] = {}
        self.active: str | None = None
        self.commands = CommandList()

    def rename(self, name: str) -> bool:
        """Take over a name unless it is empty; return whether it is another one."""
        name = name[:MAX_TEXT]
        if not name or name == self.app.name:
            return False
        self.app = App(self.app.identifier, name)
        return True

    def player(self, identifier: str) -> Player:
        """Return a player, made on its first mention."""
        if (player := self.players.get(identifier)) is None:
            if len(self.players) >= MAX_PLAYERS:
                self._forget_one()
            player = self.players[identifier] = Player(identifier)
        return player

    def playing(self) -> Player | None:
        """Return the player in front."""
        return self.players.get(DEFAULT_PLAYER if self.active is None else self.active)

    def _forget_one(self) -> None:
        front = self.playing()
        oldest = next(key for key, value in self.players.items() if value is not front)
        del self.players[oldest]


def command_info(
    client: Client | None, player: Player | None, command: int
) -> CommandInfo | None:
    """Return what is known of a command: of the player, or else of its app."""
    if player is not None and (info := player.commands.infos.get(command)) is not None:
        return info
    return None if client is None else client.commands.infos.get(command)


def queue_of(player: Player | None) -> Queue:
    """Return the queue of a player."""
    if player is None:
        return Queue()
    return Queue(
        player.location - player.offset,
        tuple(
            QueueItem(
                item.identifier or None,
                item.metadata.title,
                item.metadata.track_artist_name,
                item.metadata.album_name,
                item.metadata.total_time,
            )
            for item in player.items
        ),
    )


def _device_state(playback: int | None, metadata: Metadata | None) -> DeviceState:
    """Return what a device does (section 5.2)."""
    if playback is None:
        return DeviceState.IDLE
    if playback == PlaybackState.PLAYING:
        rate = None if metadata is None else metadata.playback_rate
        if rate is None or _is_near(rate, 0) or _is_near(rate, 1):
            return DeviceState.PLAYING
        return DeviceState.SEEKING
    if playback == PlaybackState.PAUSED and metadata is None:
        return DeviceState.IDLE
    return _STATES.get(playback, DeviceState.PAUSED)


def _is_near(number: float, other: float) -> bool:
    return abs(number - other) <= 1e-9 * max(abs(number), abs(other))
