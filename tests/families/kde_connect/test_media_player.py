"""Media players: one for each player of the device, with controls, metadata and pictures."""

from typing import Any

import aiohttp
from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.test_util.aiohttp import AiohttpClientMocker
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from syrupy.assertion import SnapshotAssertion

from homeassistant.components.media_player.const import MediaPlayerEntityFeature
from homeassistant.const import ATTR_ENTITY_ID, STATE_UNKNOWN, Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er

from .common import (
    get_state,
    is_unavailable,
    set_up,
    wait_attribute,
    wait_state,
    wait_until,
)
from custom_components.rumpus.families.kde_connect import (
    artwork as artwork_module,
    media_player as media_player_module,
    state as state_module,
)
from custom_components.rumpus.families.kde_connect.coordinator import MAX_QUESTIONS
from custom_components.rumpus.families.kde_connect.media_player import playback_state
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from custom_components.rumpus.protocols.kdeconnect.plugins.mpris import Player
from tests.fakes.kdeconnect import FakeDevice, FakePeer, Misbehave
from tests.fakes.kdeconnect_media import FakePlayer, FakeTrack
from tests.fakes.kdeconnect_wire import Body, FakePacket

PLAYER = "media_player.tower_vlc"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
JPEG = b"\xff\xd8\xff" + bytes(100)


def vlc(**changes: Any) -> FakePlayer:
    """Return a player that can do everything."""
    tracks = [
        FakeTrack("One", "Ann", "First", 180_000, art_url="file:///1.png", art=PNG),
        FakeTrack("Two", "Ann", "First", 200_000, art_url="file:///2.jpg", art=JPEG),
    ]
    return FakePlayer(
        "VLC",
        **{
            "tracks": tracks,
            "volume": 40,
            "loop_status": "None",
            "shuffle": False,
            "clock": lambda: 0.0,
            **changes,
        },
    )


@pytest.fixture
async def player(
    hass: HomeAssistant, ours: Credentials, computer: FakeDevice
) -> FakePlayer:
    """A player of a computer that is set up."""
    player = vlc()
    await computer.media.add(player)
    await set_up(hass, ours, computer, "tower")
    await wait_state(hass, PLAYER, "idle")
    return player


async def call(hass: HomeAssistant, service: str, **data: Any) -> None:
    """Call an action of the player."""
    await hass.services.async_call(
        Platform.MEDIA_PLAYER, service, {ATTR_ENTITY_ID: PLAYER, **data}, blocking=True
    )


async def picture(
    hass: HomeAssistant, hass_client: ClientSessionGenerator
) -> tuple[int, bytes, str]:
    """Fetch the player's picture as a browser does."""
    client = await hass_client()
    response = await client.get(get_state(hass, PLAYER).attributes["entity_picture"])
    return response.status, await response.read(), response.content_type


async def test_everything(
    hass: HomeAssistant,
    ours: Credentials,
    computer: FakeDevice,
    entity_registry: er.EntityRegistry,
    snapshot: SnapshotAssertion,
    freezer: FrozenDateTimeFactory,
) -> None:
    """All that a player shows."""
    freezer.move_to("2026-11-21T12:00:00+00:00")
    player = vlc(is_playing=True)
    player.position = 61_500
    await computer.media.add(player)
    await set_up(hass, ours, computer, "tower")
    await wait_state(hass, PLAYER, "playing")

    state = get_state(hass, PLAYER)
    attributes = dict(state.attributes)
    assert "/api/media_player_proxy/" in attributes.pop("entity_picture")
    assert attributes == snapshot
    assert entity_registry.async_get(PLAYER) == snapshot(name="entry")


async def test_controls(
    hass: HomeAssistant, player: FakePlayer, computer: FakeDevice
) -> None:
    """Every control reaches the player, whose answer is what is shown."""
    await call(hass, "media_play")
    await wait_state(hass, PLAYER, "playing")
    await call(hass, "media_seek", seek_position=62.5)
    await wait_attribute(hass, PLAYER, "media_position", 62)
    assert player.position == 62_500
    await call(hass, "media_pause")
    await wait_state(hass, PLAYER, "paused")
    await call(hass, "media_play_pause")
    await wait_state(hass, PLAYER, "playing")
    await call(hass, "media_next_track")
    await wait_attribute(hass, PLAYER, "media_title", "Two")
    await call(hass, "media_previous_track")
    await wait_attribute(hass, PLAYER, "media_title", "One")
    await call(hass, "volume_set", volume_level=0.55)
    await wait_attribute(hass, PLAYER, "volume_level", 0.55)
    await call(hass, "volume_up")
    await wait_attribute(hass, PLAYER, "volume_level", 0.65)
    await call(hass, "shuffle_set", shuffle=True)
    await wait_attribute(hass, PLAYER, "shuffle", True)
    for repeat, status in (("one", "Track"), ("all", "Playlist"), ("off", "None")):
        await call(hass, "repeat_set", repeat=repeat)
        await wait_attribute(hass, PLAYER, "repeat", repeat)
        assert player.loop_status == status
    await call(hass, "media_stop")
    await wait_state(hass, PLAYER, "idle")


async def test_player_changes_by_itself(
    hass: HomeAssistant, player: FakePlayer, computer: FakeDevice
) -> None:
    """What is done at the computer is shown."""
    await computer.media.change("VLC", is_playing=True, volume=70)
    await wait_state(hass, PLAYER, "playing")
    assert get_state(hass, PLAYER).attributes["volume_level"] == 0.7


async def test_position_is_not_written_again_and_again(
    hass: HomeAssistant, player: FakePlayer, computer: FakeDevice
) -> None:
    """The position stands with the time when it was true."""
    await computer.media.change("VLC", is_playing=True)
    await wait_state(hass, PLAYER, "playing")
    before = get_state(hass, PLAYER)

    await computer.battery.set(50)
    await wait_state(hass, "sensor.tower_battery", "50")

    after = get_state(hass, PLAYER)
    for attribute in ("media_position", "media_position_updated_at"):
        assert after.attributes[attribute] == before.attributes[attribute]


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"can_play": False}, MediaPlayerEntityFeature.PLAY),
        ({"can_pause": False}, MediaPlayerEntityFeature.PAUSE),
        ({"can_play": False, "can_pause": False}, MediaPlayerEntityFeature.STOP),
        ({"can_go_next": False}, MediaPlayerEntityFeature.NEXT_TRACK),
        ({"can_go_previous": False}, MediaPlayerEntityFeature.PREVIOUS_TRACK),
        ({"can_seek": False}, MediaPlayerEntityFeature.SEEK),
        ({"volume": None}, MediaPlayerEntityFeature.VOLUME_SET),
        ({"volume": None}, MediaPlayerEntityFeature.VOLUME_STEP),
        ({"loop_status": None}, MediaPlayerEntityFeature.REPEAT_SET),
        ({"shuffle": None}, MediaPlayerEntityFeature.SHUFFLE_SET),
    ],
)
async def test_features(
    hass: HomeAssistant,
    ours: Credentials,
    computer: FakeDevice,
    changes: dict[str, Any],
    missing: MediaPlayerEntityFeature,
) -> None:
    """What a player cannot do is not offered."""
    await computer.media.add(vlc(**changes))
    await set_up(hass, ours, computer, "tower")
    await wait_state(hass, PLAYER, "idle")

    assert not get_state(hass, PLAYER).attributes["supported_features"] & missing


async def test_player_that_cannot_be_controlled(
    hass: HomeAssistant, ours: Credentials, computer: FakeDevice
) -> None:
    """A device that takes no requests shows its players, and offers no buttons."""
    computer.incoming -= {"kdeconnect.mpris.request"}
    await computer.media.add(vlc(is_playing=True))
    await set_up(hass, ours, computer, "tower")

    await wait_state(hass, PLAYER, "playing")

    assert get_state(hass, PLAYER).attributes["supported_features"] == 0


@pytest.mark.parametrize(
    ("player", "state"),
    [
        (Player("a"), None),
        (Player("a", is_playing=True), "playing"),
        (Player("a", is_playing=False), "idle"),
        (Player("a", is_playing=False, title="One"), "paused"),
        (Player("a", is_playing=False, title="One", position_ms=5), "paused"),
        (Player("a", is_playing=False, title="One", position_ms=0), "idle"),
        (Player("a", is_playing=False, position_ms=5), "idle"),
    ],
)
def test_playback_state(player: Player, state: str | None) -> None:
    """Paused is what can go on."""
    assert playback_state(player) == state


async def test_players_come_and_go(
    hass: HomeAssistant,
    player: FakePlayer,
    computer: FakeDevice,
    entity_registry: er.EntityRegistry,
) -> None:
    """A player that has gone keeps its entity for when it comes back."""
    await computer.media.add(FakePlayer("Firefox", is_playing=True))
    await wait_state(hass, "media_player.tower_firefox", "playing")

    await computer.media.remove("VLC")
    await wait_state(hass, PLAYER, "unavailable")
    assert entity_registry.async_get(PLAYER)
    assert get_state(hass, "media_player.tower_firefox").state == "playing"

    await computer.media.add(vlc(is_playing=True))
    await wait_state(hass, PLAYER, "playing")


async def test_players_after_reconnecting(
    hass: HomeAssistant, player: FakePlayer, computer: FakeDevice
) -> None:
    """A new link begins with a new list."""
    computer.drop_link()
    await wait_state(hass, PLAYER, "unavailable")
    await wait_state(hass, PLAYER, "idle")
    assert get_state(hass, PLAYER).attributes["media_title"] == "One"


async def test_phone_tells_players_when_asked(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """A phone sends its list and no states until somebody asks for them."""
    await phone.media.add(FakePlayer("Spotify", [FakeTrack("Song")], is_playing=True))
    await set_up(hass, ours, phone, "pixel")

    await wait_state(hass, "media_player.pixel_spotify", "playing")

    state = get_state(hass, "media_player.pixel_spotify")
    assert state.attributes["media_title"] == "Song"
    assert "media_content_type" not in state.attributes


async def test_player_that_does_not_answer(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A device that answers every question with its list is not asked for ever."""
    await set_up(hass, ours, phone, "pixel")
    questions: list[FakePacket] = []

    def received(peer: FakePeer, packet: FakePacket) -> None:
        if packet.body.get("player"):
            questions.append(packet)
        peer.send("mpris", {"playerList": ["Ghost"]})

    monkeypatch.setattr(phone.media, "received", received)
    await phone.send("mpris", {"playerList": ["Ghost"]})
    await wait_state(hass, "media_player.pixel_ghost", STATE_UNKNOWN)
    # What comes after the last question comes after all of them.
    for charge in range(2 * MAX_QUESTIONS):
        await phone.battery.set(charge)
        await wait_state(hass, "sensor.pixel_battery", str(charge))
        await hass.services.async_call(
            Platform.BUTTON,
            "press",
            {ATTR_ENTITY_ID: "button.pixel_ring"},
            blocking=True,
        )
        await phone.wait_for("ring")

    assert len(questions) == MAX_QUESTIONS


async def test_too_many_players(
    hass: HomeAssistant,
    ours: Credentials,
    computer: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The number of players is bounded."""
    monkeypatch.setattr(state_module, "MAX_PLAYERS", 1)
    await computer.media.add(FakePlayer("One"))
    await computer.media.add(FakePlayer("Two"))
    await set_up(hass, ours, computer, "tower")
    await wait_state(hass, "media_player.tower_one", "idle")

    assert hass.states.get("media_player.tower_two") is None


async def test_players_without_end(
    hass: HomeAssistant,
    player: FakePlayer,
    computer: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Players that have gone count; those that are known may always come back."""
    monkeypatch.setattr(media_player_module, "MAX_ENTITIES", 2)
    await computer.media.remove("VLC")
    await computer.media.add(FakePlayer("Two"))
    await wait_state(hass, "media_player.tower_two", "idle")
    await computer.media.remove("Two")
    await computer.media.add(FakePlayer("Three"))
    await computer.media.add(vlc(is_playing=True))
    await wait_state(hass, PLAYER, "playing")

    assert hass.states.get("media_player.tower_three") is None


async def test_action_while_away(
    hass: HomeAssistant, player: FakePlayer, computer: FakeDevice
) -> None:
    """An unavailable player cannot be played; nothing pretends that it was."""
    await computer.stop()
    await wait_state(hass, PLAYER, "unavailable")

    await call(hass, "media_play")

    assert is_unavailable(hass, PLAYER)
    assert not player.is_playing


async def test_art_of_the_device(
    hass: HomeAssistant,
    player: FakePlayer,
    computer: FakeDevice,
    hass_client: ClientSessionGenerator,
) -> None:
    """A picture is fetched from the device when somebody looks, and only once."""
    assert not computer.events.seen("payload_sent")
    assert await picture(hass, hass_client) == (200, PNG, "image/png")
    assert await picture(hass, hass_client) == (200, PNG, "image/png")
    assert computer.events.seen("payload_sent") == 1

    await call(hass, "media_next_track")
    await wait_attribute(hass, PLAYER, "media_title", "Two")
    assert await picture(hass, hass_client) == (200, JPEG, "image/jpeg")

    # The device may have changed them while it was away.
    computer.drop_link()
    await wait_state(hass, PLAYER, "unavailable")
    await wait_state(hass, PLAYER, "idle")
    player.tracks[1].art = PNG
    assert await picture(hass, hass_client) == (200, PNG, "image/png")


async def test_same_address_for_every_picture(
    hass: HomeAssistant,
    player: FakePlayer,
    computer: FakeDevice,
    hass_client: ClientSessionGenerator,
) -> None:
    """Another title has another picture, whatever its address says."""
    player.tracks[1].art_url = player.tracks[0].art_url
    before = get_state(hass, PLAYER).attributes["entity_picture"]
    assert await picture(hass, hass_client) == (200, PNG, "image/png")

    await call(hass, "media_next_track")
    await wait_attribute(hass, PLAYER, "media_title", "Two")

    assert get_state(hass, PLAYER).attributes["entity_picture"] != before
    assert await picture(hass, hass_client) == (200, JPEG, "image/jpeg")


async def test_cache_is_bounded(
    hass: HomeAssistant,
    player: FakePlayer,
    computer: FakeDevice,
    hass_client: ClientSessionGenerator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only the last pictures are kept."""
    monkeypatch.setattr(artwork_module, "MAX_CACHED", 1)
    await picture(hass, hass_client)
    await call(hass, "media_next_track")
    await wait_attribute(hass, PLAYER, "media_title", "Two")
    await picture(hass, hass_client)
    await call(hass, "media_previous_track")
    await wait_attribute(hass, PLAYER, "media_title", "One")

    assert await picture(hass, hass_client) == (200, PNG, "image/png")
    assert computer.events.seen("payload_sent") == 3


async def test_no_art(
    hass: HomeAssistant, player: FakePlayer, computer: FakeDevice
) -> None:
    """Where there is no picture none is offered."""
    player.tracks[0].art_url = ""
    await computer.media.change("VLC")
    await wait_until(
        hass, lambda: "entity_picture" not in get_state(hass, PLAYER).attributes
    )


async def test_device_that_sends_no_art(
    hass: HomeAssistant, ours: Credentials, computer: FakeDevice
) -> None:
    """A picture on the device's disk is of no use when it does not send pictures."""
    computer.media.offers_art = False
    await computer.media.add(vlc())
    await set_up(hass, ours, computer, "tower")
    await wait_state(hass, PLAYER, "idle")

    assert "entity_picture" not in get_state(hass, PLAYER).attributes


@pytest.mark.parametrize(
    "misbehave",
    [
        Misbehave.PAYLOAD_REFUSED,
        Misbehave.PAYLOAD_SHORT,
        Misbehave.PAYLOAD_WRONG_CERTIFICATE,
    ],
)
async def test_art_that_fails(
    hass: HomeAssistant,
    player: FakePlayer,
    computer: FakeDevice,
    hass_client: ClientSessionGenerator,
    misbehave: Misbehave,
) -> None:
    """A picture that cannot be had is none, and is not asked for again."""
    computer.misbehave = misbehave
    assert (await picture(hass, hass_client))[0] == 404
    computer.misbehave = Misbehave.NOTHING
    assert (await picture(hass, hass_client))[0] == 404
    assert get_state(hass, PLAYER).state == "idle"


async def test_art_that_is_no_picture(
    hass: HomeAssistant,
    player: FakePlayer,
    computer: FakeDevice,
    hass_client: ClientSessionGenerator,
) -> None:
    """What a browser might run is not shown."""
    player.tracks[0].art = b"<script>alert(1)</script>"
    assert (await picture(hass, hass_client))[0] == 404


async def test_art_that_never_comes(
    hass: HomeAssistant,
    player: FakePlayer,
    computer: FakeDevice,
    hass_client: ClientSessionGenerator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A device that does not answer is not waited for for ever."""
    monkeypatch.setattr(artwork_module, "ART_TIMEOUT", 0.05)
    player.tracks[0].art = b""
    assert (await picture(hass, hass_client))[0] == 404


async def test_art_too_large(
    hass: HomeAssistant,
    player: FakePlayer,
    computer: FakeDevice,
    hass_client: ClientSessionGenerator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One byte more than the limit is too much."""
    monkeypatch.setattr(artwork_module, "MAX_ART", len(PNG) - 1)
    assert (await picture(hass, hass_client))[0] == 404


async def test_art_that_nobody_asked_for(
    hass: HomeAssistant,
    player: FakePlayer,
    computer: FakeDevice,
    hass_client: ClientSessionGenerator,
) -> None:
    """Announced pictures wait until they are wanted."""
    (peer,) = computer.linked
    body: Body = {"player": "VLC", "albumArtUrl": "x:y", "transferringAlbumArt": True}
    peer.send_packet(FakePacket("kdeconnect.mpris", body, len(PNG), 1739))
    await computer.battery.set(50)
    await wait_state(hass, "sensor.tower_battery", "50")

    assert await picture(hass, hass_client) == (200, PNG, "image/png")


async def test_art_of_a_player_that_has_just_gone(
    hass: HomeAssistant, player: FakePlayer, computer: FakeDevice
) -> None:
    """A picture of nothing is none."""
    entity = hass.data["entity_components"]["media_player"].get_entity(PLAYER)
    await computer.media.remove("VLC")
    await wait_state(hass, PLAYER, "unavailable")

    assert await entity.async_get_media_image() == (None, None)


async def test_art_that_has_just_gone(
    hass: HomeAssistant, player: FakePlayer, computer: FakeDevice
) -> None:
    """A picture of a song without one is none."""
    entity = hass.data["entity_components"]["media_player"].get_entity(PLAYER)
    player.tracks[0].art_url = ""
    await computer.media.change("VLC")
    await wait_until(
        hass, lambda: "entity_picture" not in get_state(hass, PLAYER).attributes
    )

    assert await entity.async_get_media_image() == (None, None)


def mock_cover(aioclient_mock: AiohttpClientMocker, **answer: Any) -> None:
    """Let the web answer so when it is asked for the cover."""
    get: Any = aioclient_mock.get
    get("https://example.com/cover.webp", **answer)


@pytest.fixture
async def web_player(
    hass: HomeAssistant,
    ours: Credentials,
    computer: FakeDevice,
    aioclient_mock: AiohttpClientMocker,
) -> FakePlayer:
    """A player whose picture is on the web."""
    player = vlc()
    player.tracks[0].art_url = "https://example.com/cover.webp"
    computer.media.offers_art = False
    await computer.media.add(player)
    await set_up(hass, ours, computer, "tower")
    await wait_state(hass, PLAYER, "idle")
    return player


async def test_art_on_the_web(
    hass: HomeAssistant,
    web_player: FakePlayer,
    hass_client: ClientSessionGenerator,
    aioclient_mock: AiohttpClientMocker,
) -> None:
    """Home Assistant fetches it: a browser elsewhere tells nobody what is played."""
    webp = b"RIFF\0\0\0\0WEBPVP8 "
    mock_cover(aioclient_mock, content=webp)

    assert await picture(hass, hass_client) == (200, webp, "image/webp")
    assert "example.com" not in repr(get_state(hass, PLAYER).attributes)


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 404},
        {"exc": aiohttp.ClientConnectionError()},
        {"exc": TimeoutError()},
        {"content": b"<html>"},
        {"content": PNG + bytes(1000)},
    ],
)
async def test_art_on_the_web_fails(
    hass: HomeAssistant,
    web_player: FakePlayer,
    hass_client: ClientSessionGenerator,
    aioclient_mock: AiohttpClientMocker,
    monkeypatch: pytest.MonkeyPatch,
    answer: dict[str, Any],
) -> None:
    """A web server's trouble is not the player's."""
    monkeypatch.setattr(artwork_module, "MAX_ART", 500)
    mock_cover(aioclient_mock, **answer)

    assert (await picture(hass, hass_client))[0] == 404
    assert get_state(hass, PLAYER).state == "idle"


async def test_error_of_a_control(
    hass: HomeAssistant, player: FakePlayer, computer: FakeDevice
) -> None:
    """A control that does not reach the device says so."""
    entity = hass.data["entity_components"]["media_player"].get_entity(PLAYER)
    await computer.stop()
    await wait_state(hass, PLAYER, "unavailable")

    with pytest.raises(HomeAssistantError, match="Tower is not connected"):
        await entity.async_media_play()
