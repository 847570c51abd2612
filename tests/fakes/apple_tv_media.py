"""The media of a fake Apple TV: what its apps play, and what commands do with it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from custom_components.rumpus.protocols.mrp.proto import mrp_pb2 as pb
from tests.fakes.apple_tv_models import (
    FILM_COMMANDS,
    FakeClient,
    FakeCommand,
    FakeItem,
    FakePicture,
    FakePlayer,
    cocoa,
    commands_message,
    item_message,
    queue_message,
)

DEFAULT_SKIP: Final = 15.0
_RESTART_AFTER: Final = 3.0  # seconds after which "previous" begins the item anew

type Told = Callable[[pb.ProtocolMessage], None]
type _Handler = Callable[[FakePlayer, pb.CommandOptions], bool]


class MediaModel:
    """Apps, their players, and which of them is in front."""

    def __init__(self, tell: Told) -> None:
        """Everything that changes goes to `tell`."""
        self.clients: dict[str, FakeClient] = {}
        self.active: str | None = None
        self.base_url = ""  # of the pictures
        self._tell = tell
        self._handlers: dict[int, _Handler] = {
            pb.COMMAND_PLAY: lambda p, o: _go(p, pb.PLAYBACK_STATE_PLAYING),
            pb.COMMAND_PAUSE: lambda p, o: _go(p, pb.PLAYBACK_STATE_PAUSED),
            pb.COMMAND_TOGGLE_PLAY_PAUSE: _toggle,
            pb.COMMAND_STOP: lambda p, o: _go(p, pb.PLAYBACK_STATE_STOPPED, 0.0),
            pb.COMMAND_NEXT_TRACK: lambda p, o: _step(p, 1),
            pb.COMMAND_PREVIOUS_TRACK: _previous,
            pb.COMMAND_SKIP_FORWARD: lambda p, o: _skip(p, o, 1),
            pb.COMMAND_SKIP_BACKWARD: lambda p, o: _skip(p, o, -1),
            pb.COMMAND_SEEK_TO_PLAYBACK_POSITION: lambda p, o: _go(
                p, None, max(0.0, o.playback_position)
            ),
            pb.COMMAND_CHANGE_SHUFFLE_MODE: _shuffle,
            pb.COMMAND_CHANGE_REPEAT_MODE: _repeat,
        }

    # What plays

    @property
    def player(self) -> FakePlayer | None:
        """The player in front."""
        if self.active is None or self.active not in self.clients:
            return None
        return self.clients[self.active].active_player

    @property
    def item(self) -> FakeItem | None:
        """What plays."""
        return self.player.item if self.player else None

    @property
    def picture(self) -> FakePicture | None:
        """The artwork of what plays."""
        return self.item.picture if self.item else None

    def pictures(self) -> Iterator[FakePicture]:
        """All artworks in all queues."""
        for client in self.clients.values():
            for player in client.players.values():
                for item in player.items:
                    if item.picture is not None:
                        yield item.picture

    # What an app does

    def client(self, bundle: str, name: str = "") -> FakeClient:
        """Return an app, a new one if need be; nothing is told."""
        client = self.clients.setdefault(
            bundle, FakeClient(bundle, process=100 + len(self.clients))
        )
        client.name = name or client.name
        return client

    def play(
        self,
        bundle: str,
        *items: FakeItem,
        name: str = "",
        position: float = 0.0,
        commands: Mapping[int, FakeCommand] = FILM_COMMANDS,
    ) -> FakePlayer:
        """Let an app come to the front and play items, the first one first."""
        client = self.client(bundle, name)
        player = client.active_player
        player.items, player.location = list(items), 0
        player.commands = dict(commands)
        player.move(pb.PLAYBACK_STATE_PLAYING, position)
        self.tell_state(client, player)
        self.activate(bundle)
        return player

    def activate(self, bundle: str | None) -> None:
        """Bring an app to the front, or none."""
        self.active = bundle
        message = make(pb.MESSAGE_TYPE_SET_NOW_PLAYING_CLIENT)
        message.set_now_playing_client.client.SetInParent()
        if bundle is not None:
            now = message.set_now_playing_client.client
            now.CopyFrom(self.client(bundle).message())
        self._tell(message)

    def activate_player(self, bundle: str, identifier: str) -> None:
        """Bring a player of an app to the front."""
        client = self.client(bundle)
        client.active = identifier
        self._tell(self._active_player(client))

    def set_state(
        self, state: pb.PlaybackState, *, position: float | None = None
    ) -> None:
        """Change the state of the player in front."""
        client, player = self._front()
        player.move(state, position)
        self.tell_state(client, player)

    def change_item(self, **changes: object) -> None:
        """Change fields of the item that plays, and tell only of them."""
        client, player = self._front()
        before = player.items[player.location]
        after = replace(before, **changes)  # type: ignore[arg-type] # as its fields are
        player.items[player.location] = after
        part = replace(
            FakeItem(after.identifier, media_type=after.media_type),
            **changes,  # type: ignore[arg-type] # as above
        )
        message = make(pb.MESSAGE_TYPE_UPDATE_CONTENT_ITEM)
        update = message.update_content_item
        update.content_items.append(item_message(part, None, self.base_url))
        update.player_path.CopyFrom(self.path(client, player))
        self._tell(message)

    def tell_progress(self) -> None:
        """Tell where the item that plays is."""
        client, player = self._front()
        player.move()
        message = make(pb.MESSAGE_TYPE_UPDATE_CONTENT_ITEM)
        update = message.update_content_item
        item = player.items[player.location]
        update.content_items.append(item_message(item, player, self.base_url))
        update.player_path.CopyFrom(self.path(client, player))
        self._tell(message)

    def tell_artwork(self) -> None:
        """Tell that the artwork of what plays is another one, without saying which."""
        client, player = self._front()
        message = make(pb.MESSAGE_TYPE_UPDATE_CONTENT_ITEM_ARTWORK)
        update = message.update_content_item_artwork
        update.content_items.add(identifier=player.items[player.location].identifier)
        update.player_path.CopyFrom(self.path(client, player))
        self._tell(message)

    def tell_old_form(self) -> None:
        """Tell what plays as systems up to tvOS 11 do: no queue, no player's path."""
        client, player = self._front()
        item = player.items[player.location]
        message = make(pb.MESSAGE_TYPE_SET_STATE)
        state = message.set_state
        state.display_id, state.display_name = client.bundle, client.name
        state.supported_commands.CopyFrom(player.command_infos())
        if player.state is not None:
            state.playback_state = player.state
        info = state.now_playing_info
        info.elapsed_time = player.elapsed
        if player.measured_at is not None:
            info.timestamp = cocoa(player.measured_at)
        if player.rate is not None:
            info.playback_rate = player.rate
        for name in ("title", "artist", "album", "duration"):
            if (value := getattr(item, name)) is not None:
                setattr(info, name, value)
        self._tell(message)

    def rename(self, bundle: str, name: str) -> None:
        """Give an app a name."""
        message = make(pb.MESSAGE_TYPE_UPDATE_CLIENT)
        message.update_client.client.CopyFrom(self.client(bundle, name).message())
        self._tell(message)

    def set_default_commands(
        self, bundle: str, commands: Mapping[int, FakeCommand]
    ) -> None:
        """Give an app commands for all of its players."""
        client = self.client(bundle)
        client.defaults = dict(commands)
        self._tell(self._defaults(client))

    def set_commands(self, commands: Mapping[int, FakeCommand]) -> None:
        """Give the player in front other commands."""
        client, player = self._front()
        player.commands = dict(commands)
        self.tell_state(client, player, with_queue=False)

    def remove_player(self, bundle: str, identifier: str) -> None:
        """Take a player away."""
        client = self.client(bundle)
        message = make(pb.MESSAGE_TYPE_REMOVE_PLAYER)
        path = self.path(client, client.player(identifier))
        message.remove_player.player_path.CopyFrom(path)
        del client.players[identifier]
        if client.active == identifier:
            client.active = FakePlayer().identifier
        self._tell(message)

    def remove(self, bundle: str) -> None:
        """End an app."""
        client = self.clients.pop(bundle)
        if self.active == bundle:
            self.active = None
        message = make(pb.MESSAGE_TYPE_REMOVE_CLIENT)
        message.remove_client.client.CopyFrom(client.message())
        self._tell(message)

    def clear(self) -> None:
        """End all apps; nothing plays any more."""
        for bundle in tuple(self.clients):
            self.remove(bundle)
        self.activate(None)

    # What is told

    def tell_state(
        self, client: FakeClient, player: FakePlayer, *, with_queue: bool = True
    ) -> None:
        """Tell of a player."""
        self._tell(self.state(client, player, with_queue=with_queue))

    def messages(self) -> Iterator[pb.ProtocolMessage]:
        """Return all that a client has to know that connects now."""
        for client in self.clients.values():
            if client.defaults:
                yield self._defaults(client)
            for player in client.players.values():
                yield self.state(client, player)
            if client.players:
                yield self._active_player(client)
        message = make(pb.MESSAGE_TYPE_SET_NOW_PLAYING_CLIENT)
        message.set_now_playing_client.client.SetInParent()
        if self.active is not None:
            now = message.set_now_playing_client.client
            now.CopyFrom(self.client(self.active).message())
        yield message

    def state(
        self, client: FakeClient, player: FakePlayer, *, with_queue: bool = True
    ) -> pb.ProtocolMessage:
        """Return the state of a player as a message."""
        message = make(pb.MESSAGE_TYPE_SET_STATE)
        state = message.set_state
        state.display_name = client.name
        state.player_path.CopyFrom(self.path(client, player))
        if player.state is not None:
            state.playback_state = player.state
        state.supported_commands.CopyFrom(player.command_infos())
        if with_queue:
            queue = queue_message(player.items, player, self.base_url)
            state.playback_queue.CopyFrom(queue)
        return message

    def path(self, client: FakeClient, player: FakePlayer) -> pb.PlayerPath:
        """Return what names a player."""
        return pb.PlayerPath(
            client=client.message(),
            player=pb.NowPlayingPlayer(
                identifier=player.identifier, display_name=player.name
            ),
        )

    def _active_player(self, client: FakeClient) -> pb.ProtocolMessage:
        message = make(pb.MESSAGE_TYPE_SET_NOW_PLAYING_PLAYER)
        path = self.path(client, client.active_player)
        message.set_now_playing_player.player_path.CopyFrom(path)
        return message

    def _defaults(self, client: FakeClient) -> pb.ProtocolMessage:
        message = make(pb.MESSAGE_TYPE_SET_DEFAULT_SUPPORTED_COMMANDS)
        defaults = message.set_default_supported_commands
        defaults.supported_commands.CopyFrom(commands_message(client.defaults))
        defaults.player_path.client.CopyFrom(client.message())
        return message

    # What a remote does

    def command(self, number: int, options: pb.CommandOptions) -> pb.SendError:
        """Do what a remote asks for and return the answer."""
        player = self.player
        if self.active is None or player is None or player.item is None:
            return pb.SEND_ERROR_NO_COMMAND_HANDLERS
        client = self.clients[self.active]
        known = {**client.defaults, **player.commands}.get(number)
        handler = self._handlers.get(number)
        if known is None or not known.is_enabled or handler is None:
            return pb.SEND_ERROR_NOT_SUPPORTED
        if not handler(player, options):
            return pb.SEND_ERROR_INVALID_OPTIONS
        self.tell_state(client, player)
        return pb.SEND_ERROR_NO_ERROR

    def _front(self) -> tuple[FakeClient, FakePlayer]:
        assert self.active is not None
        client = self.clients[self.active]
        return client, client.active_player


def make(kind: pb.MessageType) -> pb.ProtocolMessage:
    """Return an empty message of a kind."""
    return pb.ProtocolMessage(type=kind, error_code=pb.ERROR_CODE_NO_ERROR)


def _go(
    player: FakePlayer, state: pb.PlaybackState | None, position: float | None = None
) -> bool:
    player.move(state, position)
    return True


def _toggle(player: FakePlayer, options: pb.CommandOptions) -> bool:
    if player.is_playing:
        return _go(player, pb.PLAYBACK_STATE_PAUSED)
    return _go(player, pb.PLAYBACK_STATE_PLAYING)


def _step(player: FakePlayer, by: int) -> bool:
    location = player.location + by
    if player.repeat == pb.REPEAT_MODE_ALL:
        location %= len(player.items)
    if not 0 <= location < len(player.items):
        return _go(player, pb.PLAYBACK_STATE_STOPPED, 0.0)
    player.location = location
    return _go(player, pb.PLAYBACK_STATE_PLAYING, 0.0)


def _previous(player: FakePlayer, options: pb.CommandOptions) -> bool:
    if player.position() > _RESTART_AFTER or player.location == 0:
        return _go(player, None, 0.0)
    return _step(player, -1)


def _skip(player: FakePlayer, options: pb.CommandOptions, sign: int) -> bool:
    seconds = (
        options.skip_interval if options.HasField("skip_interval") else DEFAULT_SKIP
    )
    duration = player.item.duration if player.item else None
    position = max(0.0, player.position() + sign * seconds)
    return _go(player, None, min(position, duration or position))


def _shuffle(player: FakePlayer, options: pb.CommandOptions) -> bool:
    if not options.HasField("shuffle_mode"):
        return False
    player.shuffle = options.shuffle_mode
    return True


def _repeat(player: FakePlayer, options: pb.CommandOptions) -> bool:
    if not options.HasField("repeat_mode"):
        return False
    player.repeat = options.repeat_mode
    return True
