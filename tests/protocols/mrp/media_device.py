"""A model of what is played, messages for it, and a clock."""

from typing import Any

from custom_components.rumpus.protocols.apple.models import IDLE, Playing
from custom_components.rumpus.protocols.mrp.media import MediaState
from custom_components.rumpus.protocols.mrp.playing import build_playing
from custom_components.rumpus.protocols.mrp.proto import mrp_pb2 as pb
from tests.protocols.mrp.vectors import MESSAGES, NOW

APP = "com.example.tv"


class Device:
    """A model, messages for it, and a clock."""

    def __init__(self) -> None:
        self.now = NOW
        self.media = MediaState(lambda: self.now)
        self.last = IDLE

    def take(self, message: pb.ProtocolMessage) -> int:
        """Hand over a message as the client does."""
        media = self.media
        handlers = {
            pb.MESSAGE_TYPE_SET_STATE: lambda: media.set_state(message.set_state),
            pb.MESSAGE_TYPE_UPDATE_CONTENT_ITEM: lambda: media.update_items(
                message.update_content_item
            ),
            pb.MESSAGE_TYPE_SET_NOW_PLAYING_CLIENT: lambda: media.set_active_client(
                message.set_now_playing_client
            ),
            pb.MESSAGE_TYPE_SET_NOW_PLAYING_PLAYER: lambda: media.set_active_player(
                message.set_now_playing_player
            ),
            pb.MESSAGE_TYPE_UPDATE_CLIENT: lambda: media.update_client(
                message.update_client
            ),
            pb.MESSAGE_TYPE_REMOVE_CLIENT: lambda: media.remove_client(
                message.remove_client
            ),
            pb.MESSAGE_TYPE_REMOVE_PLAYER: lambda: media.remove_player(
                message.remove_player
            ),
            pb.MESSAGE_TYPE_SET_DEFAULT_SUPPORTED_COMMANDS: lambda: (
                media.set_default_commands(message.set_default_supported_commands)
            ),
        }
        return handlers[message.type]()

    def vector(self, name: str) -> int:
        return self.take(pb.ProtocolMessage.FromString(MESSAGES[name].data))

    def activate(self, app: str = APP, name: str = "") -> int:
        client = pb.NowPlayingClient(bundle_identifier=app)
        if name:
            client.display_name = name
        return self.media.set_active_client(
            pb.SetNowPlayingClientMessage(client=client)
        )

    def state(
        self,
        *items: pb.ContentItem,
        playback: int | None = pb.PLAYBACK_STATE_PLAYING,
        app: str = APP,
        player: str = "",
        commands: list[pb.CommandInfo] | None = None,
        location: int = 0,
    ) -> int:
        message = pb.SetStateMessage(player_path=path(app, player))
        if playback is not None:
            message.playback_state = playback  # type: ignore[assignment] # open enum
        if items:
            message.playback_queue.location = location
            message.playback_queue.content_items.extend(items)
        if commands is not None:
            message.supported_commands.supported_commands.extend(commands)
            message.supported_commands.SetInParent()
        return self.media.set_state(message)

    def update(self, *items: pb.ContentItem, app: str = APP, player: str = "") -> int:
        return self.media.update_items(
            pb.UpdateContentItemMessage(
                content_items=items, player_path=path(app, player)
            )
        )

    def playing(self) -> Playing:
        media = self.media
        self.last = build_playing(media.client, media.player, self.now, self.last)
        return self.last


def path(app: str = APP, player: str = "") -> pb.PlayerPath:
    message = pb.PlayerPath(client=pb.NowPlayingClient(bundle_identifier=app))
    if player:
        message.player.identifier = player
    return message


def item(identifier: str = "id1", **metadata: Any) -> pb.ContentItem:
    return pb.ContentItem(
        identifier=identifier, metadata=pb.ContentItemMetadata(**metadata)
    )
