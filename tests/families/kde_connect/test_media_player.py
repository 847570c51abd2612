"""Media players: one for each player of the device, with controls and metadata."""

from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from syrupy.assertion import SnapshotAssertion

from homeassistant.components.media_player.const import MediaPlayerEntityFeature
from homeassistant.const import ATTR_ENTITY_ID, STATE_UNKNOWN, Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er

from .common import get_state, is_unavailable, set_up, wait_attribute, wait_state
from .players import PLAYER, call, vlc
from custom_components.rumpus.families.kde_connect import (
    media_player as media_player_module,
    player_state as player_state_module,
)
from custom_components.rumpus.families.kde_connect.features.players import MAX_QUESTIONS
from custom_components.rumpus.families.kde_connect.media_player import playback_state
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from custom_components.rumpus.protocols.kdeconnect.plugins.mpris import Player
from tests.fakes.kdeconnect import FakeDevice, FakePeer
from tests.fakes.kdeconnect_media import FakePlayer, FakeTrack
from tests.fakes.kdeconnect_wire import FakePacket


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
    monkeypatch.setattr(player_state_module, "MAX_PLAYERS", 1)
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


async def test_error_of_a_control(
    hass: HomeAssistant, player: FakePlayer, computer: FakeDevice
) -> None:
    """A control that does not reach the device says so."""
    entity = hass.data["entity_components"]["media_player"].get_entity(PLAYER)
    await computer.stop()
    await wait_state(hass, PLAYER, "unavailable")

    with pytest.raises(HomeAssistantError, match="Tower is not connected"):
        await entity.async_media_play()
