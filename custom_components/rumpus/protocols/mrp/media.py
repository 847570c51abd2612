"""Who plays what: the model behind all pushes about media (part B, sections 4.1, 5.1)."""

from collections.abc import Callable
from typing import Final

from .legacy import is_old, path_of, queue_of_info
from .metadata import MAX_IDENTIFIER
from .models import CommandInfo, Queue
from .players import (
    DEFAULT_PLAYER,
    MAX_CLIENTS,
    Client,
    Item,
    Player,
    command_info,
    queue_of,
)
from .proto import mrp_pb2 as pb

NOTHING: Final = 0
"""What a message may change: nothing of what is in front, ..."""
PLAYING: Final = 1
"""... what is played, ..."""
COMMANDS: Final = 2
"""... and what can be done to it."""

type Clock = Callable[[], float]


class MediaState:
    """All clients that the device told of, and which one is in front."""

    def __init__(self, clock: Clock) -> None:
        """Begin with none; the clock gives Unix times."""
        self._clock = clock
        self._clients: dict[str, Client] = {}
        self._active: str | None = None
        self._was_told_of_active = False

    @property
    def client(self) -> Client | None:
        """Return the client in front."""
        return None if self._active is None else self._clients.get(self._active)

    @property
    def player(self) -> Player | None:
        """Return the player in front."""
        client = self.client
        return None if client is None else client.playing()

    @property
    def item(self) -> Item | None:
        """Return what is played."""
        player = self.player
        return None if player is None else player.item

    @property
    def queue(self) -> Queue:
        """Return the queue in front."""
        return queue_of(self.player)

    def command(self, command: int) -> CommandInfo | None:
        """Return what is known of a command of the player in front."""
        client = self.client
        player = None if client is None else client.playing()
        return command_info(client, player, command)

    def set_state(self, message: pb.SetStateMessage) -> int:
        """Take over the state of a player."""
        path = message.player_path
        old = not message.HasField("player_path") and is_old(message)
        if old:
            path = path_of(message)
            message = queue_of_info(message)
        client = self._client_of(path.client)
        if client is None:
            return NOTHING
        changed = PLAYING if client.rename(path.client.display_name) else NOTHING
        player = _player_of(client, path.player)
        if player is None:
            return changed
        if player.set_state(message, self._clock()):
            changed = COMMANDS
        if old and not self._was_told_of_active:
            self._active = client.app.identifier
        if not self._is_active(client):
            return NOTHING
        return changed | PLAYING if client.playing() is player else changed & PLAYING

    def update_items(self, message: pb.UpdateContentItemMessage) -> int:
        """Take over what is new about items of a player."""
        client = self._clients.get(message.player_path.client.bundle_identifier)
        if client is None:
            return NOTHING
        key = message.player_path.player.identifier or DEFAULT_PLAYER
        player = client.players.get(key)
        if player is None or not player.update_items(
            message.content_items, self._clock()
        ):
            return NOTHING
        is_in_front = self._is_active(client) and client.playing() is player
        return PLAYING if is_in_front else NOTHING

    def set_active_client(self, message: pb.SetNowPlayingClientMessage) -> int:
        """Bring an app to the front, or none."""
        self._was_told_of_active = True
        client = self._client_of(message.client)
        if client is None:
            return NOTHING
        client.rename(message.client.display_name)
        self._active = client.app.identifier
        return PLAYING | COMMANDS

    def set_active_player(self, message: pb.SetNowPlayingPlayerMessage) -> int:
        """Bring a player of an app to its front."""
        path = message.player_path
        client = self._client_of(path.client)
        if client is None or (player := _player_of(client, path.player)) is None:
            return NOTHING
        client.active = player.identifier
        return PLAYING | COMMANDS if self._is_active(client) else NOTHING

    def update_client(self, message: pb.UpdateClientMessage) -> int:
        """Take over the name of an app."""
        client = self._client_of(message.client)
        if client is None or not client.rename(message.client.display_name):
            return NOTHING
        return PLAYING if self._is_active(client) else NOTHING

    def remove_client(self, message: pb.RemoveClientMessage) -> int:
        """Forget an app."""
        identifier = message.client.bundle_identifier
        self._clients.pop(identifier, None)
        if identifier != self._active:
            return NOTHING
        self._active = None
        return PLAYING | COMMANDS

    def remove_player(self, message: pb.RemovePlayerMessage) -> int:
        """Forget a player; its app goes back to the default one."""
        path = message.player_path
        client = self._clients.get(path.client.bundle_identifier)
        key = path.player.identifier or DEFAULT_PLAYER
        if client is None or (player := client.players.get(key)) is None:
            return NOTHING
        was_in_front = self._is_active(client) and client.playing() is player
        del client.players[key]
        if client.active == key:
            client.active = None
        return PLAYING | COMMANDS if was_in_front else NOTHING

    def set_default_commands(
        self, message: pb.SetDefaultSupportedCommandsMessage
    ) -> int:
        """Take over the commands of all players of an app."""
        client = self._client_of(message.player_path.client)
        if client is None or not client.commands.replace(message.supported_commands):
            return NOTHING
        return PLAYING | COMMANDS if self._is_active(client) else NOTHING

    def _is_active(self, client: Client) -> bool:
        return client.app.identifier == self._active

    def _client_of(self, message: pb.NowPlayingClient) -> Client | None:
        """Return a client, made on its first mention; None for an id that is none."""
        identifier = message.bundle_identifier
        if (client := self._clients.get(identifier)) is None:
            if len(identifier) > MAX_IDENTIFIER:
                return None
            if len(self._clients) >= MAX_CLIENTS:
                oldest = next(key for key in self._clients if key != self._active)
                del self._clients[oldest]
            client = self._clients[identifier] = Client(identifier)
        return client


def _player_of(client: Client, message: pb.NowPlayingPlayer) -> Player | None:
    identifier = message.identifier or DEFAULT_PLAYER
    return None if len(identifier) > MAX_IDENTIFIER else client.player(identifier)
