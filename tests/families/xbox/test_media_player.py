"""The media player: power, titles and what plays."""

from dataclasses import replace
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from syrupy.assertion import SnapshotAssertion

from homeassistant.components.media_player.const import MediaPlayerEntityFeature
from homeassistant.const import ATTR_ENTITY_ID, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import entity_registry as er

from .common import get_state, set_up, wait_attribute, wait_state, wait_until
from custom_components.rumpus.families.xbox.player_state import ALWAYS
from tests.fakes.xbox import GAME, PLAYER as PLAYER_APP, FakeConsole, FakeMedia
from tests.fakes.xbox_models import (
    CHANGING,
    CLOSED,
    NEXT,
    PAUSED,
    PLAY,
    PLAY_PAUSE,
    PLAYING,
    PREVIOUS,
    SEEK,
    STOPPED,
)

PLAYER = "media_player.living_room"
TITLE_SENSOR = "sensor.living_room_active_title"


async def call(hass: HomeAssistant, service: str, **data: Any) -> None:
    """Call an action of media players."""
    await hass.services.async_call(
        "media_player", service, {ATTR_ENTITY_ID: PLAYER, **data}, blocking=True
    )


def features(hass: HomeAssistant) -> MediaPlayerEntityFeature:
    """Return what the player offers now."""
    return MediaPlayerEntityFeature(
        get_state(hass, PLAYER).attributes["supported_features"]
    )


async def test_everything(
    hass: HomeAssistant,
    console: FakeConsole,
    entity_registry: er.EntityRegistry,
    snapshot: SnapshotAssertion,
    freezer: FrozenDateTimeFactory,
) -> None:
    """All that a player shows."""
    freezer.move_to("2026-11-21T12:00:00+00:00")
    console.launch(PLAYER_APP)
    console.media_service.set(
        FakeMedia(
            media_type=1,
            position=61.5,
            metadata={
                "title": "The Fakes",
                "subtitle": "Loopback",
                "imageUrl": "https://example.com/cover.png?token=1234567",
            },
        )
    )
    await set_up(hass, console)
    await wait_attribute(hass, PLAYER, "is_volume_muted", None)
    await wait_until(
        hass, lambda: features(hass) & MediaPlayerEntityFeature.VOLUME_STEP
    )

    attributes = dict(get_state(hass, PLAYER).attributes)
    picture = attributes.pop("entity_picture")
    assert "/api/media_player_proxy/" in picture
    assert "1234567" not in picture
    updated_at = attributes.pop("media_position_updated_at")
    assert abs((updated_at.timestamp()) - freezer().timestamp()) < 10
    assert attributes == snapshot
    assert entity_registry.async_get(PLAYER) == snapshot(name="entry")


async def test_states(hass: HomeAssistant, console: FakeConsole) -> None:
    """What the app says, or what is in front when no app plays."""
    await set_up(hass, console)
    assert get_state(hass, PLAYER).state == "idle"
    console.launch(GAME)
    await wait_state(hass, PLAYER, "on")
    for status, state in (
        (PLAYING, "playing"),
        (CHANGING, "buffering"),
        (PAUSED, "paused"),
        (STOPPED, "idle"),
        (CLOSED, "on"),
    ):
        console.media_service.set(FakeMedia(status=status))
        await wait_state(hass, PLAYER, state)
    assert "media_title" not in get_state(hass, PLAYER).attributes
    console.media_service.set(FakeMedia())
    await wait_state(hass, PLAYER, "playing")
    console.media_service.set(None)
    await wait_state(hass, PLAYER, "on")


async def test_controls(hass: HomeAssistant, console: FakeConsole) -> None:
    """Every control reaches the app, whose answer is what is shown."""
    console.media_service.set(FakeMedia(status=PAUSED, rate=0.0))
    await set_up(hass, console)
    await wait_state(hass, PLAYER, "paused")

    await call(hass, "media_play")
    await wait_state(hass, PLAYER, "playing")
    await call(hass, "media_pause")
    await wait_state(hass, PLAYER, "paused")
    await call(hass, "media_play_pause")
    await wait_state(hass, PLAYER, "playing")
    await call(hass, "media_seek", seek_position=120.5)
    await wait_attribute(hass, PLAYER, "media_position", 120)
    await call(hass, "media_next_track")
    await console.wait_for("media_command", command=NEXT)
    await call(hass, "media_previous_track")
    await console.wait_for("media_command", command=PREVIOUS)
    await call(hass, "media_stop")
    await wait_state(hass, PLAYER, "idle")


async def test_what_the_app_takes_is_offered(
    hass: HomeAssistant, console: FakeConsole
) -> None:
    """And what it does not take is not; it may change its mind."""
    console.tv_service.tv.is_silent = True
    console.media_service.set(FakeMedia(enabled_commands=PLAY))
    await set_up(hass, console)
    assert features(hass) == ALWAYS | MediaPlayerEntityFeature.PLAY

    console.media_service.set(FakeMedia(enabled_commands=PLAY_PAUSE | SEEK))
    await wait_until(
        hass,
        lambda: (
            features(hass)
            == ALWAYS
            | MediaPlayerEntityFeature.PLAY
            | MediaPlayerEntityFeature.PAUSE
            | MediaPlayerEntityFeature.SEEK
        ),
    )
    console.media_service.set(None)
    await wait_until(hass, lambda: features(hass) == ALWAYS)


async def test_position_is_not_written_again_and_again(
    hass: HomeAssistant, console: FakeConsole
) -> None:
    """The position stands with the time when it was true."""
    console.media_service.set(FakeMedia(position=10.0))
    await set_up(hass, console)
    await wait_state(hass, PLAYER, "playing")
    before = get_state(hass, PLAYER)

    console.launch(GAME)
    await wait_state(hass, TITLE_SENSOR, "Fallout4")

    after = get_state(hass, PLAYER)
    assert after.attributes["app_name"] == "Fallout4"
    for attribute in ("media_position", "media_position_updated_at"):
        assert after.attributes[attribute] == before.attributes[attribute]


async def test_a_stream_without_an_end(
    hass: HomeAssistant, console: FakeConsole
) -> None:
    """No duration is made up."""
    console.media_service.set(FakeMedia(end=0.0, max_seek=0.0, metadata={}))
    await set_up(hass, console)
    await wait_state(hass, PLAYER, "playing")

    attributes = get_state(hass, PLAYER).attributes
    assert "media_duration" not in attributes
    assert "media_title" not in attributes
    assert "media_artist" not in attributes


async def test_commands_that_fail(hass: HomeAssistant, console: FakeConsole) -> None:
    """A refusal and a command that the app does not take any more are told."""
    console.media_service.set(FakeMedia())
    await set_up(hass, console)
    await wait_state(hass, PLAYER, "playing")
    console.media_service.results = 0x80000006

    with pytest.raises(HomeAssistantError) as caught:
        await call(hass, "media_pause")
    assert caught.value.translation_key == "xbox_rejected"

    with pytest.raises(HomeAssistantError) as caught:
        await call(hass, "media_seek", seek_position=1)
    assert caught.value.translation_key == "xbox_rejected"


async def test_volume(hass: HomeAssistant, console: FakeConsole) -> None:
    """The volume is the TV's."""
    await set_up(hass, console)
    await wait_until(
        hass, lambda: features(hass) & MediaPlayerEntityFeature.VOLUME_STEP
    )

    await call(hass, "volume_up")
    await console.wait_for("send_key", button_id="btn.vol_up", device_id="0")
    await call(hass, "volume_down")
    await console.wait_for("send_key", button_id="btn.vol_down", device_id="0")
    await call(hass, "volume_mute", is_volume_muted=True)
    await console.wait_for("send_key", button_id="btn.vol_mute", device_id="0")


async def test_a_console_without_a_tv(
    hass: HomeAssistant, console: FakeConsole
) -> None:
    console.tv_service.tv.devices = []
    await set_up(hass, console)
    await console.wait_for("json_request", request="GetConfiguration")

    assert not features(hass) & MediaPlayerEntityFeature.VOLUME_STEP
    assert not features(hass) & MediaPlayerEntityFeature.VOLUME_MUTE


async def test_titles(hass: HomeAssistant, console: FakeConsole) -> None:
    """Sources are the titles that have run."""
    await set_up(hass, console)
    await wait_attribute(hass, PLAYER, "source", "Home")
    console.launch(GAME)
    await wait_attribute(hass, PLAYER, "source", "Fallout4")
    attributes = get_state(hass, PLAYER).attributes
    assert attributes["source_list"] == ["Dashboard", "Fallout4", "Home"]
    assert attributes["app_id"] == "4AE8F9B2"

    console.set_titles([replace(GAME, has_focus=False)])
    await wait_attribute(hass, PLAYER, "source", None)
    assert "app_name" not in get_state(hass, PLAYER).attributes


async def test_titles_are_not_launched(
    hass: HomeAssistant, console: FakeConsole
) -> None:
    """Consoles ignore it, and the user is told."""
    await set_up(hass, console)

    with pytest.raises(HomeAssistantError) as caught:
        await call(hass, "select_source", source="Dashboard")
    assert caught.value.translation_key == "xbox_title_not_launched"
    assert "March 2019" in str(caught.value)
    await console.wait_for("title_launch", uri="ms-xbl-FFFE07D1://default/")

    with pytest.raises(ServiceValidationError) as caught:
        await call(hass, "select_source", source="Tetris")
    assert caught.value.translation_key == "xbox_unknown_title"


async def test_a_console_that_launches(
    hass: HomeAssistant, console: FakeConsole
) -> None:
    """There may be old ones, or new ones that do it again."""
    console.honours_launch = True
    await set_up(hass, console)

    await call(
        hass, "play_media", media_content_type="game", media_content_id="4AE8F9B2"
    )
    await wait_attribute(hass, PLAYER, "source", "Fallout4")
    await call(
        hass,
        "play_media",
        media_content_type="app",
        media_content_id="ms-xbl-2A992D3A://default/",
    )
    await wait_attribute(hass, PLAYER, "source", "Home")

    with pytest.raises(ServiceValidationError) as caught:
        await call(
            hass, "play_media", media_content_type="music", media_content_id="4AE8F9B2"
        )
    assert caught.value.translation_key == "xbox_media_type"


async def test_power(hass: HomeAssistant, console: FakeConsole) -> None:
    """Off and on again; while it is off there is no word of what has played."""
    console.media_service.set(FakeMedia())
    await set_up(hass, console)
    await wait_state(hass, PLAYER, "playing")

    await call(hass, "turn_off")
    await wait_state(hass, PLAYER, "off")
    await console.wait_for("state", value="standby")
    assert "media_title" not in get_state(hass, PLAYER).attributes
    assert get_state(hass, TITLE_SENSOR).state == STATE_UNAVAILABLE
    await call(hass, "turn_off")

    await call(hass, "turn_on")
    await console.wait_for("state", value="on")
    await wait_state(hass, PLAYER, "idle")


async def test_launch_while_off(hass: HomeAssistant, console: FakeConsole) -> None:
    await set_up(hass, console)
    console.press_power_button()
    await wait_state(hass, PLAYER, "off")

    with pytest.raises(HomeAssistantError) as caught:
        await call(hass, "select_source", source="Home")
    assert caught.value.translation_key == "xbox_not_connected"


async def test_unplugged(hass: HomeAssistant, console: FakeConsole) -> None:
    """Silence is no state."""
    await set_up(hass, console)
    console.unplug()
    await wait_state(hass, PLAYER, STATE_UNAVAILABLE)
