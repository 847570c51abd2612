"""How players of this home are put into the words of the protocol."""

from datetime import UTC, datetime, timedelta
import math
from typing import Any

import pytest

from homeassistant.components.media_player.const import MediaPlayerEntityFeature as F
from homeassistant.core import State

from custom_components.rumpus.families.kde_connect.features.offered_entities import (
    Call,
    unique_names,
)
from custom_components.rumpus.families.kde_connect.features.offered_players_state import (
    POSITION_TOLERANCE_MS,
    Told,
    art_url,
    news,
    player_of,
    position_ms,
    told_by,
    wanted,
)
from custom_components.rumpus.protocols.kdeconnect.plugins.mpris import (
    Action,
    LoopStatus,
    Player,
)
from custom_components.rumpus.protocols.kdeconnect.plugins.mpris_provider import (
    PlayerRequest,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
DOMAIN = "media_player"


def player(state: str = "playing", **attributes: Any) -> State:
    """Return the state of a media player."""
    return State("media_player.x", state, attributes)


def shown(state: State) -> Player:
    """Return what a device is told of it."""
    return player_of(state, "X", "Idle", NOW)


@pytest.mark.parametrize(
    ("attributes", "title", "artist"),
    [
        ({"media_title": "Song", "media_artist": "Ann"}, "Song", "Ann"),
        ({"media_title": "Song", "media_album_artist": "Bob"}, "Song", "Bob"),
        ({"media_title": "Pilot", "media_series_title": "Show"}, "Pilot", "Show"),
        ({"app_name": "Radio", "media_channel": "One"}, "Radio", "One"),
        ({"source": "HDMI 1"}, "HDMI 1", None),
        ({"media_title": "", "media_artist": 7}, "Idle", None),
        ({"media_title": "x" * 2000}, "x" * 1024, None),
        ({}, "Idle", None),
    ],
)
def test_title_and_artist(
    attributes: dict[str, Any], title: str, artist: str | None
) -> None:
    """There is always a title, whatever the player tells."""
    seen = shown(player(**attributes))
    assert (seen.title, seen.artist) == (title, artist)


@pytest.mark.parametrize(
    ("state", "features", "can"),
    [
        ("playing", F(0), ""),
        ("playing", F.PLAY, "play"),
        ("playing", F.STOP, "pause"),
        ("paused", F.PAUSE, "pause"),
        ("paused", F.TURN_ON, ""),
        ("off", F.TURN_ON | F.PAUSE | F.NEXT_TRACK, "play"),
        ("standby", F.PLAY | F.SEEK, "play"),
        ("off", F.PAUSE, ""),
        ("on", F.NEXT_TRACK, "next"),
        ("on", F.PREVIOUS_TRACK, "previous"),
        ("on", F.SEEK, "seek"),
    ],
)
def test_abilities(state: str, features: F, can: str) -> None:
    seen = shown(player(state, supported_features=int(features)))
    abilities = {
        "play": seen.can_play,
        "pause": seen.can_pause,
        "next": seen.can_go_next,
        "previous": seen.can_go_previous,
        "seek": seen.can_seek,
    }
    assert [name for name, able in abilities.items() if able] == can.split()


def test_features_that_are_no_features() -> None:
    assert not shown(player(supported_features="all")).can_play


@pytest.mark.parametrize(
    ("state", "is_playing"),
    [("playing", True), ("buffering", True), ("paused", False), ("unknown", False)],
)
def test_playing(state: str, is_playing: bool) -> None:
    assert shown(player(state)).is_playing is is_playing


def test_what_a_player_cannot_do_is_unknown() -> None:
    settings: dict[str, Any] = {"repeat": "one", "shuffle": True, "volume_level": 0.5}
    seen = shown(player(**settings))
    assert (seen.loop_status, seen.shuffle, seen.volume) == (None, None, None)
    features = F.REPEAT_SET | F.SHUFFLE_SET | F.VOLUME_SET
    seen = shown(player(**settings, supported_features=int(features)))
    assert (seen.loop_status, seen.shuffle, seen.volume) == (LoopStatus.TRACK, True, 50)
    seen = shown(player(supported_features=int(features), volume_level=7))
    assert (seen.loop_status, seen.shuffle, seen.volume) == (None, False, 100)


@pytest.mark.parametrize(
    ("attributes", "milliseconds"),
    [
        ({}, None),
        ({"media_position": True}, None),
        ({"media_position": math.nan}, None),
        ({"media_position": 5.5}, 5500),
        ({"media_position": -5}, 0),
        ({"media_position": 5, "media_position_updated_at": "nonsense"}, 5000),
        (
            {"media_position": 5, "media_position_updated_at": NOW - timedelta(0, 3)},
            8000,
        ),
        (
            {
                "media_position": 5,
                "media_position_updated_at": (NOW - timedelta(0, 3)).isoformat(),
            },
            8000,
        ),
        (
            {"media_position": 5, "media_position_updated_at": NOW + timedelta(0, 3)},
            5000,
        ),
        (
            {
                "media_position": 5,
                "media_duration": 6,
                "media_position_updated_at": NOW - timedelta(0, 3),
            },
            6000,
        ),
    ],
)
def test_position(attributes: dict[str, Any], milliseconds: int | None) -> None:
    assert position_ms(player(**attributes), NOW) == milliseconds


def test_position_stands_while_paused() -> None:
    updated_at = NOW - timedelta(0, 3)
    state = player("paused", media_position=5, media_position_updated_at=updated_at)
    assert position_ms(state, NOW) == 5000


@pytest.mark.parametrize(
    ("content_id", "is_told"),
    [
        ("https://radio.example/stream", True),
        ("http://radio.example/", True),
        ("https://radio.example/stream?token=secret", False),
        ("https://user:secret@radio.example/", False),
        ("http://192.168.1.2:8123/api/hls/secret/master.m3u8", False),
        ("http://[bad", False),
        ("spotify:track:1", False),
        ("file:///music/secret.mp3", False),
        (f"https://radio.example/{'x' * 5000}", False),
        (7, False),
    ],
)
def test_address(content_id: object, is_told: bool) -> None:
    """Only what anybody may have."""
    seen = shown(player(media_content_id=content_id))
    assert (seen.url is not None) is is_told


def test_art_url() -> None:
    """It changes with the picture, not with the token, and tells neither."""
    proxy = "/api/media_player_proxy/media_player.x?token={}&cache={}"
    first = art_url(player(entity_picture=proxy.format("secret", "1")))
    assert first is not None
    assert first.startswith("file:///")
    assert first == art_url(player(entity_picture=proxy.format("other", "1")))
    assert first != art_url(player(entity_picture=proxy.format("secret", "2")))
    web = art_url(player(entity_picture="https://art.example/1.jpg"))
    assert web is not None
    assert web != first
    assert "example" not in web
    for picture in (None, "", 7):
        assert art_url(player(entity_picture=picture)) is None


def test_news() -> None:
    """All of a new track, what is new of an old one, and a position only if it jumps."""
    song = Player("X", title="Song", is_playing=True, position_ms=1000, volume=40)
    packet = news(None, song, NOW)
    assert packet is not None
    told = told_by(None, song, packet, NOW)
    later = NOW + timedelta(seconds=10)

    def said(change: Player, before: Told = told) -> dict[str, Any] | None:
        packet = news(before, change, later)
        return None if packet is None else dict(packet.body)

    here = Player("X", title="Song", is_playing=True, position_ms=11_000, volume=40)
    assert said(here) is None
    near = Player(
        "X",
        title="Song",
        is_playing=True,
        position_ms=11_000 + POSITION_TOLERANCE_MS,
        volume=40,
    )
    assert said(near) is None
    far = Player("X", title="Song", is_playing=True, position_ms=60_000, volume=40)
    assert said(far) == {"player": "X", "pos": 60_000}
    quiet = Player("X", title="Song", is_playing=True, position_ms=11_000)
    assert said(quiet) == {"player": "X", "volume": -1}
    paused = Player("X", title="Song", is_playing=False, position_ms=11_000, volume=40)
    assert said(paused) == {"player": "X", "isPlaying": False, "pos": 11_000}
    other = said(Player("X", title="Other", is_playing=True))
    assert other is not None
    assert (other["title"], other["pos"], other["volume"]) == ("Other", 0, -1)
    renamed = said(Player("Y", title="Song", is_playing=True, position_ms=1000))
    assert renamed is not None
    assert renamed["title"] == "Song"


def test_small_steps_add_up() -> None:
    """A position that is never told is compared with the one that was."""
    told = Told(Player("X", is_playing=False, position_ms=0), NOW)
    change = Player("X", is_playing=False, position_ms=1000, shuffle=True)
    packet = news(told, change, NOW)
    assert packet is not None
    assert "pos" not in packet.body
    told = told_by(told, change, packet, NOW)
    packet = news(
        told, Player("X", is_playing=False, position_ms=2000, shuffle=True), NOW
    )
    assert packet is not None
    assert packet.body == {"player": "X", "pos": 2000}


def test_position_that_was_unknown_or_is_over() -> None:
    told = Told(Player("X", is_playing=True), NOW)
    packet = news(told, Player("X", is_playing=True, position_ms=100), NOW)
    assert packet is not None
    assert packet.body == {"player": "X", "pos": 100}
    whole = Player("X", is_playing=True, position_ms=9000, length_ms=10_000)
    end = Player("X", is_playing=True, position_ms=10_000, length_ms=10_000)
    assert news(Told(whole, NOW), end, NOW + timedelta(minutes=1)) is None


@pytest.mark.parametrize(
    ("state", "features", "action", "service"),
    [
        ("paused", F.PLAY, Action.PLAY, "media_play"),
        ("off", F.PLAY | F.TURN_ON, Action.PLAY, "turn_on"),
        ("off", F.PLAY, Action.PLAY, "media_play"),
        ("paused", F.PLAY | F.TURN_ON, Action.PLAY, "media_play"),
        ("playing", F.PAUSE | F.STOP, Action.PAUSE, "media_pause"),
        ("playing", F.STOP, Action.PAUSE, "media_stop"),
        ("playing", F.PAUSE | F.STOP, Action.STOP, "media_stop"),
        ("playing", F.PAUSE, Action.STOP, "media_pause"),
        ("playing", F.PAUSE | F.PLAY, Action.PLAY_PAUSE, "media_pause"),
        ("paused", F.PAUSE | F.PLAY, Action.PLAY_PAUSE, "media_play"),
        ("playing", F.NEXT_TRACK, Action.NEXT, "media_next_track"),
        ("playing", F.PREVIOUS_TRACK, Action.PREVIOUS, "media_previous_track"),
        ("playing", F.PLAY, Action.PAUSE, None),
        ("playing", F.PLAY, Action.NEXT, None),
        ("off", F.PAUSE, Action.PAUSE, None),
    ],
)
def test_action(state: str, features: F, action: Action, service: str | None) -> None:
    calls = wanted(
        PlayerRequest("X", action=action),
        player(state, supported_features=int(features)),
        NOW,
    )
    assert calls == ([] if service is None else [Call(DOMAIN, service)])


def test_what_cannot_be_set_is_not() -> None:
    request = PlayerRequest(
        "X",
        volume=5,
        position_ms=5,
        loop_status=LoopStatus.TRACK,
        shuffle=True,
    )
    assert wanted(request, player(supported_features=int(F.PLAY)), NOW) == []


@pytest.mark.parametrize(
    ("seek_us", "attributes", "seconds"),
    [
        (5_000_000, {"media_position": 10}, 15),
        (-50_000_000, {"media_position": 10}, 0),
        (50_000_000, {"media_position": 10, "media_duration": 30}, 30),
        (5_000_000, {}, None),
    ],
)
def test_seek(seek_us: int, attributes: dict[str, Any], seconds: float | None) -> None:
    """A jump begins where the player is; without that there is nowhere to go."""
    state = player("paused", supported_features=int(F.SEEK), **attributes)
    calls = wanted(PlayerRequest("X", seek_us=seek_us), state, NOW)
    assert calls == (
        []
        if seconds is None
        else [Call(DOMAIN, "media_seek", {"seek_position": seconds})]
    )


def test_unique_names() -> None:
    """A number is taken only if it is free."""
    names = ("A", "A [2]", "A", "A")
    states = {
        f"media_player.{number}": State(
            f"media_player.{number}", "on", {"friendly_name": name}
        )
        for number, name in enumerate(names)
    }
    assert list(unique_names(states).values()) == ["A", "A [2]", "A [3]", "A [4]"]
