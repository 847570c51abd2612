"""What a device does, in Home Assistant's words."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from homeassistant.components.media_player.const import (
    MediaPlayerEntityFeature,
    MediaPlayerState,
    MediaType as ContentType,
)

from custom_components.rumpus.families.apple_tv.player_state import (
    content_type,
    has_ended,
    hears_media,
    image_hash,
    player_features,
    player_state,
    position_updated_at,
    shown,
)
from custom_components.rumpus.families.apple_tv.state import AppleTvState
from custom_components.rumpus.protocols.apple.const import AppleProtocol
from custom_components.rumpus.protocols.apple.enums import (
    DeviceState,
    Feature,
    MediaType,
    PowerState,
)
from custom_components.rumpus.protocols.apple.info import DeviceInfo
from custom_components.rumpus.protocols.apple.link import LinkState, LinkStatus
from custom_components.rumpus.protocols.apple.models import Playing

UP = LinkStatus(AppleProtocol.MRP, LinkState.UP, None, 0.0, 0)
TV = AppleTvState(
    is_connected=True,
    power=PowerState.ON,
    links={AppleProtocol.MRP: UP},
    info=DeviceInfo(raw_model="AppleTV14,1"),
)
HOMEPOD = replace(TV, info=DeviceInfo(raw_model="AudioAccessory5,1"))


@pytest.mark.parametrize(
    ("device_state", "state"),
    [
        (DeviceState.IDLE, MediaPlayerState.IDLE),
        (DeviceState.STOPPED, MediaPlayerState.IDLE),
        (DeviceState.LOADING, MediaPlayerState.BUFFERING),
        (DeviceState.PLAYING, MediaPlayerState.PLAYING),
        (DeviceState.SEEKING, MediaPlayerState.PLAYING),
        (DeviceState.PAUSED, MediaPlayerState.PAUSED),
    ],
)
def test_states(device_state: DeviceState, state: MediaPlayerState) -> None:
    playing = Playing(device_state=device_state)
    assert player_state(replace(TV, playing=playing)) is state
    assert player_state(replace(HOMEPOD, playing=playing)) is state


def test_every_state_has_a_word() -> None:
    for device_state in DeviceState:
        playing = Playing(device_state=device_state)
        assert player_state(replace(TV, playing=playing)) is not None


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (AppleTvState(), None),
        (AppleTvState(is_asleep=True), MediaPlayerState.OFF),
        (replace(TV, power=PowerState.OFF), MediaPlayerState.OFF),
        (replace(TV, power=PowerState.UNKNOWN), MediaPlayerState.IDLE),
        (replace(TV, links={}), MediaPlayerState.ON),
        (
            replace(TV, links={}, playing=Playing(device_state=DeviceState.PLAYING)),
            MediaPlayerState.ON,
        ),
        (replace(HOMEPOD, power=PowerState.OFF), MediaPlayerState.IDLE),
    ],
)
def test_power(state: AppleTvState, expected: MediaPlayerState | None) -> None:
    """Off is what the device says; a HomePod listens, and is never off."""
    assert player_state(state) is expected


@pytest.mark.parametrize(
    ("playing", "ended"),
    [
        (Playing(device_state=DeviceState.PAUSED, total_time=60, position=60), True),
        (Playing(device_state=DeviceState.PAUSED, total_time=60, position=59), False),
        (Playing(device_state=DeviceState.PLAYING, total_time=60, position=60), False),
        (Playing(device_state=DeviceState.PAUSED, total_time=60), False),
        (Playing(device_state=DeviceState.PAUSED, position=60), False),
        (Playing(device_state=DeviceState.PAUSED, total_time=0, position=0), False),
    ],
)
def test_idle_after_the_end(playing: Playing, ended: bool) -> None:
    assert has_ended(playing) is ended
    expected = (
        MediaPlayerState.IDLE
        if ended
        else player_state(replace(TV, playing=replace(playing, total_time=None)))
    )
    assert player_state(replace(TV, playing=playing)) is expected
    assert (shown(replace(TV, playing=playing)) is None) is ended


def test_only_the_media_link_tells_of_media() -> None:
    assert hears_media(TV)
    down = replace(UP, state=LinkState.DOWN)
    assert not hears_media(replace(TV, links={AppleProtocol.MRP: down}))
    assert not hears_media(AppleTvState())


def test_features_are_those_of_the_moment() -> None:
    power = MediaPlayerEntityFeature.TURN_ON | MediaPlayerEntityFeature.TURN_OFF
    assert player_features(TV) == power
    assert player_features(HOMEPOD) == MediaPlayerEntityFeature(0)
    able = replace(
        TV,
        features=frozenset(
            {Feature.PLAY_PAUSE, Feature.SET_VOLUME, Feature.LAUNCH_APP}
        ),
    )
    expected = (
        power
        | MediaPlayerEntityFeature.PLAY
        | MediaPlayerEntityFeature.PAUSE
        | MediaPlayerEntityFeature.VOLUME_SET
        | MediaPlayerEntityFeature.PLAY_MEDIA
        | MediaPlayerEntityFeature.BROWSE_MEDIA
        | MediaPlayerEntityFeature.SELECT_SOURCE
    )
    assert player_features(able) == expected
    asleep = replace(able, is_connected=False, is_asleep=True)
    assert player_features(asleep) == power
    assert player_features(replace(asleep, known_features=able.features)) == (
        power
        | MediaPlayerEntityFeature.PLAY_MEDIA
        | MediaPlayerEntityFeature.BROWSE_MEDIA
        | MediaPlayerEntityFeature.SELECT_SOURCE
    )


@pytest.mark.parametrize(
    ("playing", "content"),
    [
        (Playing(), None),
        (Playing(media_type=MediaType.MUSIC), ContentType.MUSIC),
        (Playing(media_type=MediaType.VIDEO), ContentType.VIDEO),
        (Playing(media_type=MediaType.TV), ContentType.TVSHOW),
        (Playing(media_type=MediaType.VIDEO, series_name="Rumpus"), ContentType.TVSHOW),
    ],
)
def test_content_types(playing: Playing, content: ContentType | None) -> None:
    assert content_type(playing) is content


def test_image_hash() -> None:
    """Another picture is another text; what the device calls it is not told."""
    name = "https://example.com/{w}x{h}?token=secret&x=#1"
    one = image_hash(TV, Playing(artwork_id=name))
    assert one is not None
    assert one.isalnum()
    assert one == image_hash(TV, Playing(artwork_id=name, title="The same album"))
    assert one != image_hash(TV, Playing(artwork_id="other"))
    assert one != image_hash(replace(TV, artwork_changes=1), Playing(artwork_id=name))
    assert image_hash(TV, Playing(artwork_id="\ud800")) is not None
    assert image_hash(TV, Playing()) is None


def test_position() -> None:
    assert position_updated_at(Playing()) is None
    assert position_updated_at(Playing(position=3)) is None
    assert position_updated_at(Playing(position_updated_at=3.0)) is None
    told = Playing(position=3, position_updated_at=1_700_000_000.0)
    assert position_updated_at(told) == datetime.fromtimestamp(1_700_000_000, UTC)
