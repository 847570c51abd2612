"""The media player of a console: its power, its titles and what plays."""

from typing import Any, Final, override

from homeassistant.components.media_player import MediaPlayerEntity
from homeassistant.components.media_player.const import (
    MediaPlayerDeviceClass,
    MediaType as ContentType,
)
from homeassistant.core import callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from ...protocols.smartglass.enums import MediaControlCommand
from .coordinator import XboxCoordinator
from .entity import XboxPowerEntity
from .errors import refuse, xbox_errors
from .launch import async_launch, name_of, source_names, title_id_text
from .player_state import content_type, current_media, player_features, player_state
from .remote_keys import TV_PREFIX
from .tv import async_press

PLAYER: Final = "player"


@callback
def async_setup(
    coordinator: XboxCoordinator, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the media player of a console."""
    async_add_entities([XboxPlayer(coordinator)])


class XboxPlayer(XboxPowerEntity, MediaPlayerEntity):
    """A console as a media player."""

    def __init__(self, coordinator: XboxCoordinator) -> None:
        """Show what the console does."""
        super().__init__(coordinator, PLAYER)
        self._attr_name = None
        self._attr_translation_key = "console"
        self._attr_device_class = MediaPlayerDeviceClass.TV
        self._show()

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        self._show()
        super()._handle_coordinator_update()

    def _show(self) -> None:
        state = self.coordinator.data
        self._attr_state = player_state(state)
        self._attr_supported_features = player_features(state)
        self._show_titles()
        self._show_media()

    def _show_titles(self) -> None:
        state = self.coordinator.data
        names = source_names(state)
        title = state.active_title
        self._attr_source_list = list(names.values())
        self._attr_source = None if title is None else names[title.title_id]
        self._attr_app_id = None if title is None else title_id_text(title.title_id)
        self._attr_app_name = (
            None if title is None else name_of(state, title.title_id, title.aum)
        )

    def _show_media(self) -> None:
        state = self.coordinator.data
        media = current_media(state)
        self._attr_media_content_type = None if media is None else content_type(media)
        self._attr_media_title = None if media is None else media.title
        self._attr_media_artist = None if media is None else media.subtitle
        self._attr_media_image_url = None if media is None else media.picture_url
        self._attr_media_duration = (
            None if media is None or media.duration is None else int(media.duration)
        )
        # The position stands with the time when it was true: nothing is written as it moves.
        self._attr_media_position = None if media is None else int(media.position)
        self._attr_media_position_updated_at = (
            None if media is None else state.media_updated_at
        )

    # Power

    @override
    async def async_turn_on(self) -> None:
        await self.coordinator.async_turn_on()

    @override
    async def async_turn_off(self) -> None:
        await self.coordinator.async_turn_off()

    # What plays

    async def _async_command(self, command: MediaControlCommand) -> None:
        with xbox_errors(self.coordinator.entry.title):
            await self.coordinator.console.media.command(command)

    @override
    async def async_media_play(self) -> None:
        await self._async_command(MediaControlCommand.PLAY)

    @override
    async def async_media_pause(self) -> None:
        await self._async_command(MediaControlCommand.PAUSE)

    @override
    async def async_media_stop(self) -> None:
        await self._async_command(MediaControlCommand.STOP)

    @override
    async def async_media_next_track(self) -> None:
        await self._async_command(MediaControlCommand.NEXT_TRACK)

    @override
    async def async_media_previous_track(self) -> None:
        await self._async_command(MediaControlCommand.PREVIOUS_TRACK)

    @override
    async def async_media_seek(self, position: float) -> None:
        with xbox_errors(self.coordinator.entry.title):
            await self.coordinator.console.media.seek(position)

    # The TV

    @override
    async def async_volume_up(self) -> None:
        await async_press(self.coordinator, f"{TV_PREFIX}vol_up")

    @override
    async def async_volume_down(self) -> None:
        await async_press(self.coordinator, f"{TV_PREFIX}vol_down")

    @override
    async def async_mute_volume(self, mute: bool) -> None:
        # The key mutes or the opposite: no TV tells by infrared whether it is muted.
        await async_press(self.coordinator, f"{TV_PREFIX}vol_mute")

    # Titles

    @override
    async def async_select_source(self, source: str) -> None:
        await async_launch(self.coordinator, source)

    @override
    async def async_play_media(
        self, media_type: ContentType | str, media_id: str, **kwargs: Any
    ) -> None:
        if media_type not in (ContentType.APP, ContentType.GAME):
            refuse("xbox_media_type", self.coordinator.entry.title)
        await async_launch(self.coordinator, media_id)
