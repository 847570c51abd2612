"""The media player of an Apple TV or HomePod: its power, what plays, its apps and its group."""

from typing import Any, Final, override

from homeassistant.components.media_player import MediaPlayerEntity
from homeassistant.components.media_player.browse_media import BrowseMedia
from homeassistant.components.media_player.const import (
    MediaClass,
    MediaPlayerDeviceClass,
    MediaPlayerState,
    MediaType as ContentType,
    RepeatMode,
)
from homeassistant.core import callback
from homeassistant.helpers.dispatcher import (
    async_dispatcher_connect,
    async_dispatcher_send,
)
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from ...protocols.apple.enums import Feature, RepeatState, ShuffleState
from ...protocols.apple.models import Playing
from .apps import app_name, app_names, async_launch
from .coordinator import AppleTvCoordinator
from .entity import AppleTvPowerEntity
from .errors import apple_tv_errors, refuse
from .outputs import GROUPS_CHANGED, PLAYER, async_group, async_join, async_unjoin
from .player_state import (
    REPEAT,
    content_type,
    has_ended,
    image_hash,
    player_features,
    player_state,
    position_updated_at,
    shown,
)

APPS: Final = "apps"
"""What the list of apps is called among the media."""
LINKS: Final = frozenset({ContentType.APP, ContentType.URL, "link"})
"""Kinds of media that an app is started for."""

_NOTHING: Final = Playing()
_REPEAT: Final = {mode: state for state, mode in REPEAT.items()}


@callback
def async_setup(
    coordinator: AppleTvCoordinator, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the media player of a device."""
    async_add_entities([AppleTvPlayer(coordinator)])


class AppleTvPlayer(AppleTvPowerEntity, MediaPlayerEntity):
    """A device as a media player."""

    def __init__(self, coordinator: AppleTvCoordinator) -> None:
        """Show what the device does."""
        super().__init__(coordinator, PLAYER)
        self._attr_name = None
        self._attr_translation_key = "apple_tv"
        self._outputs = coordinator.data.output_devices
        self._show()

    @override
    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        self.async_on_remove(
            async_dispatcher_connect(self.hass, GROUPS_CHANGED, self._regroup)
        )
        async_dispatcher_send(self.hass, GROUPS_CHANGED)

    @override
    async def async_will_remove_from_hass(self) -> None:
        await super().async_will_remove_from_hass()
        async_dispatcher_send(self.hass, GROUPS_CHANGED)

    @callback
    def _regroup(self) -> None:
        """Show with whom the device plays: another one may have told of that."""
        group = async_group(self.coordinator)
        if group != self._attr_group_members:
            self._attr_group_members = group
            self.async_write_ha_state()

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        self._show()
        super()._handle_coordinator_update()
        if self._outputs != self.coordinator.data.output_devices:
            self._outputs = self.coordinator.data.output_devices
            async_dispatcher_send(self.hass, GROUPS_CHANGED)

    def _show(self) -> None:
        state = self.coordinator.data
        # What a device is may be known only once it is connected.
        self._attr_device_class = (
            MediaPlayerDeviceClass.SPEAKER
            if state.is_speaker
            else MediaPlayerDeviceClass.TV
        )
        self._attr_state = player_state(state)
        self._attr_supported_features = player_features(state)
        self._attr_volume_level = None if state.volume is None else state.volume / 100
        self._attr_is_volume_muted = state.is_muted
        self._show_app()
        self._show_media(shown(state))

    def _show_app(self) -> None:
        state = self.coordinator.data
        app = state.app
        self._attr_app_id = None if app is None else app.identifier or None
        self._attr_app_name = None if app is None else app_name(state, app)
        names = app_names(state)
        self._attr_source_list = list(names.values()) or None
        self._attr_source = None if app is None else names.get(app.identifier)

    def _show_media(self, playing: Playing | None) -> None:
        now = playing or _NOTHING
        self._attr_media_content_id = now.content_identifier
        self._attr_media_content_type = content_type(now)
        self._attr_media_title = now.title
        self._attr_media_artist = now.artist
        self._attr_media_album_name = now.album
        self._attr_media_series_title = now.series_name
        self._attr_media_season = _text(now.season_number)
        self._attr_media_episode = _text(now.episode_number)
        self._attr_media_duration = now.total_time
        # The position stands with the time when it was true: nothing is written as it moves.
        self._attr_media_position = now.position
        self._attr_media_position_updated_at = position_updated_at(now)
        self._attr_media_image_hash = image_hash(self.coordinator.data, now)
        self._show_order(playing)

    def _show_order(self, playing: Playing | None) -> None:
        """Show how a queue is gone through; a film, for example, has none."""
        can = self.coordinator.data.can
        self._attr_shuffle = (
            playing.shuffle is not ShuffleState.OFF
            if playing is not None and can(Feature.SHUFFLE)
            else None
        )
        self._attr_repeat = (
            REPEAT[playing.repeat]
            if playing is not None and can(Feature.REPEAT)
            else None
        )

    @override
    async def async_get_media_image(self) -> tuple[bytes | None, str | None]:
        artwork = await self.coordinator.async_artwork()
        return (None, None) if artwork is None else (artwork.data, artwork.mimetype)

    # Power

    @override
    async def async_turn_on(self) -> None:
        await self.coordinator.async_turn_on()

    @override
    async def async_turn_off(self) -> None:
        await self.coordinator.async_turn_off()

    # What plays

    @override
    async def async_media_play(self) -> None:
        with apple_tv_errors(self.coordinator.entry.title):
            if self.coordinator.data.can(Feature.PLAY):
                await self.coordinator.device.play()
            # The key that is for both would stop what plays already.
            elif self.state not in (
                MediaPlayerState.PLAYING,
                MediaPlayerState.BUFFERING,
            ):
                await self.coordinator.device.play_pause()

    @override
    async def async_media_pause(self) -> None:
        with apple_tv_errors(self.coordinator.entry.title):
            if self.coordinator.data.can(Feature.PAUSE):
                await self.coordinator.device.pause()
            elif self.state is not MediaPlayerState.PAUSED and not has_ended(
                self.coordinator.data.playing
            ):
                await self.coordinator.device.play_pause()

    @override
    async def async_media_play_pause(self) -> None:
        with apple_tv_errors(self.coordinator.entry.title):
            await self.coordinator.device.play_pause()

    @override
    async def async_media_stop(self) -> None:
        with apple_tv_errors(self.coordinator.entry.title):
            await self.coordinator.device.stop_playing()

    @override
    async def async_media_next_track(self) -> None:
        with apple_tv_errors(self.coordinator.entry.title):
            await self.coordinator.device.next_track()

    @override
    async def async_media_previous_track(self) -> None:
        with apple_tv_errors(self.coordinator.entry.title):
            await self.coordinator.device.previous_track()

    @override
    async def async_media_seek(self, position: float) -> None:
        with apple_tv_errors(self.coordinator.entry.title):
            await self.coordinator.device.seek(position)

    @override
    async def async_set_shuffle(self, shuffle: bool) -> None:
        with apple_tv_errors(self.coordinator.entry.title):
            await self.coordinator.device.set_shuffle(
                ShuffleState.SONGS if shuffle else ShuffleState.OFF
            )

    @override
    async def async_set_repeat(self, repeat: RepeatMode) -> None:
        with apple_tv_errors(self.coordinator.entry.title):
            await self.coordinator.device.set_repeat(
                _REPEAT.get(repeat, RepeatState.OFF)
            )

    # Sound

    @override
    async def async_set_volume_level(self, volume: float) -> None:
        with apple_tv_errors(self.coordinator.entry.title):
            await self.coordinator.device.set_volume(min(max(volume, 0), 1) * 100)

    @override
    async def async_volume_up(self) -> None:
        with apple_tv_errors(self.coordinator.entry.title):
            await self.coordinator.device.volume_up()

    @override
    async def async_volume_down(self) -> None:
        with apple_tv_errors(self.coordinator.entry.title):
            await self.coordinator.device.volume_down()

    @override
    async def async_mute_volume(self, mute: bool) -> None:
        with apple_tv_errors(self.coordinator.entry.title):
            await self.coordinator.device.set_mute(mute)

    @override
    async def async_join_players(self, group_members: list[str]) -> None:
        await async_join(self.coordinator, group_members)

    @override
    async def async_unjoin_player(self) -> None:
        await async_unjoin(self.coordinator)

    # Apps

    @override
    async def async_select_source(self, source: str) -> None:
        await async_launch(self.coordinator, source)

    @override
    async def async_play_media(
        self, media_type: ContentType | str, media_id: str, **kwargs: Any
    ) -> None:
        if media_type not in LINKS:
            refuse("apple_tv_media_type", self.coordinator.entry.title)
        await async_launch(self.coordinator, media_id)

    @override
    async def async_browse_media(
        self,
        media_content_type: ContentType | str | None = None,
        media_content_id: str | None = None,
    ) -> BrowseMedia:
        if media_content_id not in (None, "", APPS):
            refuse("apple_tv_nothing_to_browse", self.coordinator.entry.title)
        names = app_names(self.coordinator.data)
        return BrowseMedia(
            title=self.coordinator.entry.title,
            media_class=MediaClass.DIRECTORY,
            media_content_id=APPS,
            media_content_type=ContentType.APPS,
            children_media_class=MediaClass.APP,
            can_play=False,
            can_expand=True,
            children=[
                BrowseMedia(
                    title=name,
                    media_class=MediaClass.APP,
                    media_content_id=identifier,
                    media_content_type=ContentType.APP,
                    can_play=True,
                    can_expand=False,
                )
                for identifier, name in names.items()
            ],
        )


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)
