"""The media player: what it shows of a device, and what it asks of it."""

from datetime import datetime
from typing import Any

import pytest
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    WebSocketGenerator,
)

from homeassistant.components.media_player.const import (
    DOMAIN as MEDIA_PLAYER,
    MediaPlayerEntityFeature,
)
from homeassistant.const import ATTR_ENTITY_ID, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.util import dt as dt_util

from .common import (
    PLAYER,
    coordinator_of,
    get_state,
    set_up,
    wait_attribute,
    wait_connected,
    wait_data,
    wait_state,
)
from custom_components.rumpus.protocols.mrp.proto import mrp_pb2 as pb
from tests.fakes.apple_tv import FakeAppleTv
from tests.fakes.apple_tv_models import (
    FILM_COMMANDS,
    MUSIC_COMMANDS,
    FakeCommand,
    FakeItem,
    FakePicture,
)

KITCHEN = "media_player.kitchen"
FILM = FakeItem(
    "film-1",
    "The Long Loopback",
    genre="Drama",
    duration=5400.0,
    content_identifier="film:1",
)
EPISODE = FakeItem(
    "episode-1",
    "Pilot",
    series="Rumpus",
    season=2,
    episode=7,
    duration=1500.0,
)
SONG = FakeItem(
    "song-1",
    "Echo",
    artist="The Pings",
    album="Round Trip",
    genre="Pop",
    duration=200.0,
    media_type=pb.MEDIA_TYPE_AUDIO,
)


async def call(
    hass: HomeAssistant, service: str, entity_id: str = PLAYER, **data: Any
) -> None:
    """Call an action of the media player."""
    await hass.services.async_call(
        MEDIA_PLAYER, service, {ATTR_ENTITY_ID: entity_id, **data}, blocking=True
    )


def features(hass: HomeAssistant, entity_id: str = PLAYER) -> MediaPlayerEntityFeature:
    """Return what can be asked of the device now."""
    state = get_state(hass, entity_id)
    return MediaPlayerEntityFeature(state.attributes["supported_features"])


async def test_film(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """A film with all that is known of it, and where it is."""
    await set_up(hass, apple_tv)

    before = dt_util.utcnow()
    apple_tv.mrp.media.play("com.example.films", FILM, name="Films", position=60.0)
    await wait_attribute(hass, PLAYER, "media_title", "The Long Loopback")

    state = get_state(hass, PLAYER)
    assert state.state == "playing"
    assert state.attributes["media_content_type"] == "video"
    assert state.attributes["media_content_id"] == "film:1"
    assert state.attributes["media_duration"] == 5400
    assert state.attributes["media_position"] == 60
    updated: datetime = state.attributes["media_position_updated_at"]
    assert abs((updated - before).total_seconds()) < 5
    assert state.attributes["app_id"] == "com.example.films"
    assert state.attributes["app_name"] == "Films"
    assert state.attributes["device_class"] == "tv"
    # It says nothing of them, as there is no queue.
    assert "shuffle" not in state.attributes
    assert "repeat" not in state.attributes


async def test_series(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    await set_up(hass, apple_tv)

    apple_tv.mrp.media.play("com.example.films", EPISODE)
    await wait_attribute(hass, PLAYER, "media_series_title", "Rumpus")

    state = get_state(hass, PLAYER)
    assert state.attributes["media_content_type"] == "tvshow"
    assert state.attributes["media_season"] == "2"
    assert state.attributes["media_episode"] == "7"


async def test_music(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """Music, which can be shuffled and repeated."""
    await set_up(hass, apple_tv)

    media = apple_tv.mrp.media
    media.play("com.apple.TVMusic", SONG, name="Music", commands=MUSIC_COMMANDS)
    await wait_attribute(hass, PLAYER, "media_artist", "The Pings")
    state = get_state(hass, PLAYER)
    assert state.attributes["media_album_name"] == "Round Trip"
    assert state.attributes["media_content_type"] == "music"
    assert state.attributes["shuffle"] is False
    assert state.attributes["repeat"] == "off"

    await call(hass, "shuffle_set", shuffle=True)
    await wait_attribute(hass, PLAYER, "shuffle", True)
    await call(hass, "shuffle_set", shuffle=False)
    await wait_attribute(hass, PLAYER, "shuffle", False)
    await call(hass, "repeat_set", repeat="one")
    await wait_attribute(hass, PLAYER, "repeat", "one")
    await call(hass, "repeat_set", repeat="all")
    await wait_attribute(hass, PLAYER, "repeat", "all")


async def test_transport(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """Every command comes to the device, and its result back as a state."""
    await set_up(hass, apple_tv)
    media = apple_tv.mrp.media
    second = FakeItem("song-2", "Reply", duration=100.0)
    media.play("com.apple.TVMusic", SONG, second, commands=MUSIC_COMMANDS)
    await wait_state(hass, PLAYER, "playing")

    await call(hass, "media_pause")
    await wait_state(hass, PLAYER, "paused")
    await call(hass, "media_play")
    await wait_state(hass, PLAYER, "playing")
    await call(hass, "media_play_pause")
    await wait_state(hass, PLAYER, "paused")
    await call(hass, "media_next_track")
    await wait_attribute(hass, PLAYER, "media_title", "Reply")
    await call(hass, "media_previous_track")
    await wait_attribute(hass, PLAYER, "media_title", "Echo")
    await call(hass, "media_seek", seek_position=42)
    await wait_attribute(hass, PLAYER, "media_position", 42)
    await call(hass, "media_stop")
    await wait_state(hass, PLAYER, "idle")
    assert "media_title" not in get_state(hass, PLAYER).attributes


async def test_toggle_alone(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """An app that takes nothing but the toggle is played and paused with it."""
    await set_up(hass, apple_tv)
    media = apple_tv.mrp.media
    media.play(
        "com.example.films",
        FILM,
        commands={pb.COMMAND_TOGGLE_PLAY_PAUSE: FakeCommand()},
    )
    await wait_state(hass, PLAYER, "playing")
    assert features(hass) & MediaPlayerEntityFeature.PAUSE

    # What it does already it is not made to stop doing.
    await call(hass, "media_play")
    assert not apple_tv.events.seen("command")
    await call(hass, "media_pause")
    await wait_state(hass, PLAYER, "paused")
    await call(hass, "media_pause")
    assert len(apple_tv.events.seen("command")) == 1
    await call(hass, "media_play")
    await wait_state(hass, PLAYER, "playing")
    media.set_state(pb.PLAYBACK_STATE_PAUSED, position=FILM.duration)
    await wait_state(hass, PLAYER, "idle")
    await call(hass, "media_pause")
    assert len(apple_tv.events.seen("command")) == 2


async def test_features_follow_the_app(
    hass: HomeAssistant, apple_tv: FakeAppleTv
) -> None:
    await set_up(hass, apple_tv)
    media = apple_tv.mrp.media
    media.play("com.example.films", FILM, commands=FILM_COMMANDS)
    await wait_state(hass, PLAYER, "playing")
    wanted = MediaPlayerEntityFeature.SEEK | MediaPlayerEntityFeature.STOP
    assert features(hass) & wanted == wanted
    assert not features(hass) & MediaPlayerEntityFeature.NEXT_TRACK
    assert not features(hass) & MediaPlayerEntityFeature.SHUFFLE_SET

    media.set_commands(MUSIC_COMMANDS)
    await wait_data(
        next(iter(hass.config_entries.async_entries("rumpus"))),
        lambda _: features(hass) & MediaPlayerEntityFeature.SHUFFLE_SET,
    )
    assert features(hass) & MediaPlayerEntityFeature.NEXT_TRACK


async def test_command_that_the_device_refuses(
    hass: HomeAssistant, apple_tv: FakeAppleTv
) -> None:
    """A result that is no success is an error that says so."""
    await set_up(hass, apple_tv)
    apple_tv.mrp.media.play("com.example.films", FILM)
    await wait_state(hass, PLAYER, "playing")
    apple_tv.mrp.results[pb.COMMAND_PAUSE] = pb.SEND_ERROR_NO_COMMAND_HANDLERS

    with pytest.raises(HomeAssistantError) as caught:
        await call(hass, "media_pause")

    assert caught.value.translation_placeholders is not None
    assert caught.value.translation_placeholders["name"] == "Living Room"
    assert get_state(hass, PLAYER).state == "playing"


async def test_idle_after_the_end(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """Apps leave a film paused on its last picture: nothing is to be seen any more."""
    await set_up(hass, apple_tv)
    apple_tv.mrp.media.play("com.example.films", FILM, position=5399.0)
    await wait_state(hass, PLAYER, "playing")

    apple_tv.mrp.media.set_state(pb.PLAYBACK_STATE_PAUSED, position=5400.0)
    await wait_state(hass, PLAYER, "idle")

    apple_tv.mrp.media.clear()
    await wait_data(
        next(iter(hass.config_entries.async_entries("rumpus"))),
        lambda state: state.app is None,
    )
    assert get_state(hass, PLAYER).state == "idle"


async def test_buffering(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    await set_up(hass, apple_tv)
    apple_tv.mrp.media.play("com.example.films", FILM)
    await wait_state(hass, PLAYER, "playing")

    apple_tv.mrp.media.set_state(pb.PLAYBACK_STATE_INTERRUPTED)
    await wait_state(hass, PLAYER, "buffering")


async def test_artwork(
    hass: HomeAssistant,
    apple_tv: FakeAppleTv,
    hass_client: ClientSessionGenerator,
) -> None:
    """The picture comes over the link, through Home Assistant's own proxy."""
    entry = await set_up(hass, apple_tv)
    client = await hass_client()
    assert "entity_picture" not in get_state(hass, PLAYER).attributes
    picture = FakePicture("cover-1", b"\x89PNG not really", width=64, height=64)

    apple_tv.mrp.media.play(
        "com.example.films",
        FakeItem("film-2", "Cover", duration=60.0, picture=picture),
    )
    await wait_attribute(hass, PLAYER, "media_title", "Cover")
    address = get_state(hass, PLAYER).attributes["entity_picture"]
    response = await client.get(address)

    assert response.status == 200
    assert await response.read() == picture.data
    assert response.content_type == "image/png"

    apple_tv.mrp.media.tell_artwork()
    await wait_data(entry, lambda state: state.artwork_changes)
    assert get_state(hass, PLAYER).attributes["entity_picture"] != address


async def test_no_artwork(
    hass: HomeAssistant,
    apple_tv: FakeAppleTv,
    hass_client: ClientSessionGenerator,
) -> None:
    """A picture that the device does not give after all is none."""
    entry = await set_up(hass, apple_tv)
    client = await hass_client()
    picture = FakePicture("cover-1", b"\x89PNG not really")
    apple_tv.mrp.media.play(
        "com.example.films", FakeItem("film-2", "Cover", picture=picture)
    )
    await wait_attribute(hass, PLAYER, "media_title", "Cover")
    address = get_state(hass, PLAYER).attributes["entity_picture"]

    apple_tv.mrp.media.clear()
    await wait_data(entry, lambda state: state.app is None)
    response = await client.get(address)

    assert response.status != 200


async def test_power(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """Off is off: the device sleeps, says so, and can be woken."""
    await set_up(hass, apple_tv)

    await call(hass, "turn_off")
    await wait_state(hass, PLAYER, "off")
    assert not apple_tv.is_on

    await call(hass, "turn_on")
    await wait_state(hass, PLAYER, "idle")
    assert apple_tv.is_on


async def test_volume(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    await set_up(hass, apple_tv)
    await wait_attribute(hass, PLAYER, "volume_level", 0.5)
    wanted = (
        MediaPlayerEntityFeature.VOLUME_SET
        | MediaPlayerEntityFeature.VOLUME_STEP
        | MediaPlayerEntityFeature.VOLUME_MUTE
    )
    assert features(hass) & wanted == wanted

    await call(hass, "volume_set", volume_level=0.25)
    await wait_attribute(hass, PLAYER, "volume_level", 0.25)
    assert apple_tv.volume == pytest.approx(0.25, abs=0.001)
    await call(hass, "volume_up")
    await apple_tv.wait_for("volume")
    assert apple_tv.volume > 0.25
    await call(hass, "volume_down")
    await call(hass, "volume_set", volume_level=0.4)

    await call(hass, "volume_mute", is_volume_muted=True)
    await wait_attribute(hass, PLAYER, "is_volume_muted", True)
    assert apple_tv.volume == 0
    await call(hass, "volume_mute", is_volume_muted=False)
    await wait_attribute(hass, PLAYER, "is_volume_muted", False)
    assert apple_tv.volume == pytest.approx(0.4, abs=0.001)


async def test_volume_by_steps_alone(
    hass: HomeAssistant, apple_tv: FakeAppleTv
) -> None:
    """Through HDMI the volume often only goes up and down, and nobody knows where it is."""
    entry = await set_up(hass, apple_tv)
    apple_tv.mrp.set_capabilities(pb.VOLUME_CAPABILITIES_RELATIVE)
    await wait_data(
        entry, lambda _: not features(hass) & MediaPlayerEntityFeature.VOLUME_SET
    )

    assert features(hass) & MediaPlayerEntityFeature.VOLUME_STEP
    assert not features(hass) & MediaPlayerEntityFeature.VOLUME_MUTE
    apple_tv.mark()
    await call(hass, "volume_up")
    await apple_tv.wait_for("volume_step", steps=1)


async def test_apps(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """Apps are sources; they are started by name, and by id or link as media."""
    entry = await set_up(hass, apple_tv)
    await wait_data(entry, lambda state: state.apps)
    names = get_state(hass, PLAYER).attributes["source_list"]
    assert names == sorted(apple_tv.apps.values(), key=str.casefold)
    identifier, name = next(iter(apple_tv.apps.items()))

    await call(hass, "select_source", source=name)
    assert apple_tv.companion.commands.launches == [identifier]
    await call(
        hass, "play_media", media_content_type="app", media_content_id=identifier
    )
    await call(
        hass,
        "play_media",
        media_content_type="url",
        media_content_id="https://tv.example.com/watch/1",
    )
    assert apple_tv.companion.commands.launches[1:] == [
        identifier,
        "https://tv.example.com/watch/1",
    ]

    apple_tv.mrp.media.play(identifier, FILM)
    await wait_attribute(hass, PLAYER, "source", name)


async def test_app_that_is_not_installed(
    hass: HomeAssistant, apple_tv: FakeAppleTv
) -> None:
    """An id that is not in the list is tried: the list may be old."""
    await set_up(hass, apple_tv)

    with pytest.raises(HomeAssistantError) as caught:
        await call(
            hass,
            "play_media",
            media_content_type="app",
            media_content_id="com.example.missing",
        )

    assert caught.value.translation_key == "apple_tv_app_not_started"


@pytest.mark.parametrize(
    ("media_type", "media_id", "key"),
    [
        ("music", "https://example.com/song.mp3", "apple_tv_media_type"),
        ("app", "no app has this name", "apple_tv_unknown_app"),
        ("app", " ", "apple_tv_unknown_app"),
        ("app", "x" * 3000, "apple_tv_unknown_app"),
    ],
)
async def test_media_that_cannot_be_played(
    hass: HomeAssistant,
    apple_tv: FakeAppleTv,
    media_type: str,
    media_id: str,
    key: str,
) -> None:
    await set_up(hass, apple_tv)

    with pytest.raises(ServiceValidationError) as caught:
        await call(
            hass,
            "play_media",
            media_content_type=media_type,
            media_content_id=media_id,
        )

    assert caught.value.translation_key == key
    assert apple_tv.companion.commands.launches == []


async def test_browsing(
    hass: HomeAssistant,
    apple_tv: FakeAppleTv,
    hass_ws_client: WebSocketGenerator,
) -> None:
    """The media browser lists the apps."""
    entry = await set_up(hass, apple_tv)
    await wait_data(entry, lambda state: state.apps)
    client = await hass_ws_client()

    await client.send_json_auto_id(
        {"type": "media_player/browse_media", "entity_id": PLAYER}
    )
    answer = await client.receive_json()
    children = answer["result"]["children"]
    assert {child["media_content_id"] for child in children} == set(apple_tv.apps)
    assert all(child["can_play"] for child in children)

    await client.send_json_auto_id(
        {
            "type": "media_player/browse_media",
            "entity_id": PLAYER,
            "media_content_type": "directory",
            "media_content_id": "films",
        }
    )
    answer = await client.receive_json()
    assert not answer["success"]


async def test_two_apps_of_one_name(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """Both can be told apart, and started."""
    apple_tv.apps = {"com.example.a": "Radio", "com.example.b": "Radio"}
    entry = await set_up(hass, apple_tv)
    await wait_data(entry, lambda state: state.apps)

    assert get_state(hass, PLAYER).attributes["source_list"] == [
        "Radio (com.example.a)",
        "Radio (com.example.b)",
    ]
    await call(hass, "select_source", source="Radio (com.example.b)")
    assert apple_tv.companion.commands.launches == ["com.example.b"]


async def test_homepod(hass: HomeAssistant, homepod: FakeAppleTv) -> None:
    """A speaker: no power, no apps, and idle while it is silent."""
    await set_up(hass, homepod)
    state = get_state(hass, KITCHEN)
    assert state.state == "idle"
    assert state.attributes["device_class"] == "speaker"
    assert "source_list" not in state.attributes
    assert not features(hass, KITCHEN) & (
        MediaPlayerEntityFeature.TURN_ON
        | MediaPlayerEntityFeature.TURN_OFF
        | MediaPlayerEntityFeature.SELECT_SOURCE
        | MediaPlayerEntityFeature.PLAY_MEDIA
    )

    homepod.mrp.media.play("com.apple.Music", SONG, commands=MUSIC_COMMANDS)
    await wait_state(hass, KITCHEN, "playing")
    await call(hass, "media_pause", KITCHEN)
    await wait_state(hass, KITCHEN, "paused")
    await call(hass, "volume_set", KITCHEN, volume_level=0.1)
    await wait_attribute(hass, KITCHEN, "volume_level", 0.1)


async def test_asleep_and_gone(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """Asleep by its own word is off, also when the link ends; mere silence is unavailable."""
    entry = await set_up(hass, apple_tv)
    await wait_data(entry, lambda state: state.apps)

    apple_tv.sleep()
    await wait_state(hass, PLAYER, "off")
    await wait_connected(entry, is_connected=False)
    assert get_state(hass, PLAYER).state == "off"

    # An app is reason enough to wake up.
    identifier, name = next(iter(apple_tv.apps.items()))
    await call(hass, "select_source", source=name)
    assert apple_tv.companion.commands.launches == [identifier]
    await wait_state(hass, PLAYER, "idle")
    apple_tv.vanish()
    await wait_state(hass, PLAYER, STATE_UNAVAILABLE)
    apple_tv.come_back()
    await wait_state(hass, PLAYER, "idle")


async def test_media_link_alone_is_lost(
    hass: HomeAssistant, apple_tv: FakeAppleTv
) -> None:
    """What plays is unknown then, and everything else goes on."""
    entry = await set_up(hass, apple_tv)
    apple_tv.mrp.media.play("com.example.films", FILM)
    await wait_state(hass, PLAYER, "playing")
    await wait_data(entry, lambda state: state.apps)

    await apple_tv.airplay.stop()
    await wait_state(hass, PLAYER, "on")
    state = get_state(hass, PLAYER)
    assert "media_title" not in state.attributes
    await call(hass, "select_source", source=next(iter(apple_tv.apps.values())))
    assert coordinator_of(entry).data.is_connected
