"""Media player packets."""

from dataclasses import fields

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.rumpus.protocols.errors import ProtocolError
from custom_components.rumpus.protocols.json_fields import MAX_TEXT
from custom_components.rumpus.protocols.json_lines import JsonObject, JsonValue
from custom_components.rumpus.protocols.kdeconnect.packet import Packet, Payload
from custom_components.rumpus.protocols.kdeconnect.plugins import decode_message, mpris
from custom_components.rumpus.protocols.kdeconnect.plugins.mpris import (
    ABSENT,
    MAX_PLAYER_NAME,
    MAX_PLAYERS,
    MAX_URL,
    Action,
    AlbumArt,
    LoopStatus,
    Player,
    PlayerList,
    PlayerUpdate,
)

TYPE = "kdeconnect.mpris"
REQUEST = "kdeconnect.mpris.request"

STATE: JsonObject = {
    "album": "Album",
    "albumArtUrl": "file:///srv/art.png",
    "artist": "Artist A, Artist B",
    "canGoNext": True,
    "canGoPrevious": True,
    "canPause": True,
    "canPlay": True,
    "canSeek": True,
    "isPlaying": True,
    "length": 180000,
    "loopStatus": "None",
    "player": "Fake Player",
    "pos": 2039,
    "shuffle": False,
    "title": "Title 1",
    "url": "file:///music/a.ogg",
    "volume": 50,
}
PAUSED: JsonObject = {
    "canSeek": True,
    "isPlaying": False,
    "player": "Fake Player",
    "pos": 2641,
}
ART: JsonObject = {
    "albumArtUrl": "file:///srv/art.png",
    "numberOfFiles": 1,
    "player": "Fake Player",
    "totalPayloadSize": 70,
    "transferringAlbumArt": True,
}
PLAYING = Player(
    "Fake Player",
    title="Title 1",
    artist="Artist A, Artist B",
    album="Album",
    url="file:///music/a.ogg",
    album_art_url="file:///srv/art.png",
    length_ms=180000,
    position_ms=2039,
    is_playing=True,
    can_play=True,
    can_pause=True,
    can_go_next=True,
    can_go_previous=True,
    can_seek=True,
    loop_status=LoopStatus.NONE,
    shuffle=False,
    volume=50,
)


def update(**body: JsonValue) -> PlayerUpdate:
    """Return the update in a packet of a player."""
    return PlayerUpdate.from_packet(Packet(TYPE, {"player": "P", **body}))


def test_capture_of_a_state() -> None:
    message = decode_message(Packet(TYPE, STATE))

    assert isinstance(message, PlayerUpdate)
    assert message.player == "Fake Player"
    assert Player(message.player).updated(message) == PLAYING


def test_capture_after_a_pause() -> None:
    message = decode_message(Packet(TYPE, PAUSED))

    assert message == PlayerUpdate(
        "Fake Player", position_ms=2641, is_playing=False, can_seek=True
    )
    after = PLAYING.updated(message)
    assert (after.is_playing, after.position_ms) == (False, 2641)
    assert (after.title, after.volume, after.length_ms) == ("Title 1", 50, 180000)


def test_capture_of_album_art() -> None:
    packet = Packet(TYPE, ART, Payload(70, 1739))

    assert decode_message(packet) == AlbumArt(
        "Fake Player", "file:///srv/art.png", Payload(70, 1739)
    )


def test_capture_of_an_empty_list() -> None:
    packet = Packet(TYPE, {"playerList": [], "supportAlbumArtPayload": True})

    assert decode_message(packet) == PlayerList((), supports_album_art=True)


def test_list_of_players() -> None:
    packet = Packet(TYPE, {"playerList": ["VLC", "VLC [2]", "VLC", "", 7, None]})

    assert decode_message(packet) == PlayerList(
        ("VLC", "VLC [2]"), supports_album_art=False
    )


def test_limit_of_players() -> None:
    names: list[JsonValue] = [f"P{number}" for number in range(MAX_PLAYERS + 1)]

    players = PlayerList.from_packet(Packet(TYPE, {"playerList": names})).players

    assert players == tuple(names[:-1])


def test_limit_of_player_name() -> None:
    fitting = "p" * MAX_PLAYER_NAME

    players = PlayerList.from_packet(
        Packet(TYPE, {"playerList": [fitting + "p", fitting]})
    ).players

    assert players == (fitting,)
    assert update(player=fitting).player == fitting
    with pytest.raises(ProtocolError):
        update(player=fitting + "p")


@pytest.mark.parametrize("names", ["VLC", {"VLC": 1}, 7, True])
def test_list_that_is_none_is_refused(names: JsonValue) -> None:
    with pytest.raises(ProtocolError):
        decode_message(Packet(TYPE, {"playerList": names, "player": "P"}))


@pytest.mark.parametrize(
    "body", [{}, {"player": None}, {"player": ""}, {"player": ["P"]}]
)
def test_state_of_nobody_is_refused(body: JsonObject) -> None:
    with pytest.raises(ProtocolError):
        decode_message(Packet(TYPE, {"title": "T", **body}))


def test_absent_fields_stay() -> None:
    assert update() == PlayerUpdate("P")
    assert all(
        getattr(update(), field.name) is ABSENT
        for field in fields(PlayerUpdate)
        if field.name != "player"
    )
    assert PLAYING.updated(update()) == PLAYING


def test_null_fields_become_unknown() -> None:
    nothing = update(**dict.fromkeys(set(STATE) - {"player"}, None), nowPlaying=None)

    assert PLAYING.updated(nothing) == Player("Fake Player")


known = st.builds(
    Player,
    st.just("P"),
    title=st.none() | st.text(max_size=5),
    length_ms=st.none() | st.integers(0, 10**6),
    is_playing=st.none() | st.booleans(),
    volume=st.none() | st.integers(0, 100),
)
some_updates = st.builds(
    PlayerUpdate,
    st.just("P"),
    title=st.just(ABSENT) | st.none() | st.text(max_size=5),
    length_ms=st.just(ABSENT) | st.none() | st.integers(0, 10**6),
    is_playing=st.just(ABSENT) | st.none() | st.booleans(),
    volume=st.just(ABSENT) | st.none() | st.integers(0, 100),
)


@settings(deadline=None)
@given(known, some_updates)
def test_updates_change_what_they_name(player: Player, changes: PlayerUpdate) -> None:
    after = player.updated(changes)

    for field in fields(Player)[1:]:
        told = getattr(changes, field.name)
        expected = getattr(player, field.name) if told is ABSENT else told
        assert getattr(after, field.name) == expected
    assert after.updated(changes) == after


@pytest.mark.parametrize(
    ("body", "title"),
    [
        ({"nowPlaying": "A - T"}, "A - T"),
        ({"nowPlaying": "A - T", "title": "T"}, "T"),
        ({"nowPlaying": "A - T", "title": None}, "A - T"),
        ({"nowPlaying": "A - T", "title": ""}, None),
        ({"title": ""}, None),
        ({"title": None}, None),
        ({"title": 7}, None),
    ],
)
def test_old_title_counts_only_alone(body: JsonObject, title: str | None) -> None:
    assert update(**body).title == title


@pytest.mark.parametrize("key", ["title", "nowPlaying", "artist", "album"])
def test_limit_of_texts(key: str) -> None:
    changes = update(**{key: "t" * (MAX_TEXT + 1)})

    texts = {changes.title, changes.artist, changes.album}
    assert texts == {ABSENT, "t" * MAX_TEXT}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://example.org/a.png", "https://example.org/a.png"),
        ("kdeconnect:///art?x=1", "kdeconnect:///art?x=1"),
        ("", None),
        (None, None),
        (7, None),
        ("data:image/png;base64,AAAA", None),
        ("DATA:,x", None),
    ],
)
def test_addresses(url: JsonValue, expected: str | None) -> None:
    assert update(url=url).url == expected
    assert update(albumArtUrl=url).album_art_url == expected


def test_limit_of_address() -> None:
    fitting = "file:///".ljust(MAX_URL, "a")

    assert update(url=fitting).url == fitting
    assert update(url=fitting + "a").url is None
    assert update(albumArtUrl=fitting + "a").album_art_url is None


@pytest.mark.parametrize(
    ("length", "expected"),
    [(0, 0), ("9", 9), (-1, None), (-5, None), (None, None), ([], None)],
)
def test_unknown_length(length: JsonValue, expected: int | None) -> None:
    assert update(length=length).length_ms == expected
    assert update(pos=length).position_ms == expected


@pytest.mark.parametrize(
    ("volume", "expected"),
    [(0, 0), (100, 100), (101, None), (-1, None), ("50", 50), (None, None)],
)
def test_limit_of_volume(volume: JsonValue, expected: int | None) -> None:
    assert update(volume=volume).volume == expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("None", LoopStatus.NONE),
        ("Track", LoopStatus.TRACK),
        ("Playlist", LoopStatus.PLAYLIST),
        ("Album", None),
        ("none", None),
        (None, None),
        (1, None),
    ],
)
def test_unknown_loop_status_survives(
    status: JsonValue, expected: LoopStatus | None
) -> None:
    assert update(loopStatus=status).loop_status == expected


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("isPlaying", "is_playing"),
        ("canPlay", "can_play"),
        ("canPause", "can_pause"),
        ("canGoNext", "can_go_next"),
        ("canGoPrevious", "can_go_previous"),
        ("canSeek", "can_seek"),
        ("shuffle", "shuffle"),
    ],
)
def test_truth_values(key: str, name: str) -> None:
    for value, expected in ((True, True), ("false", False), (1, True), ("?", None)):
        assert getattr(update(**{key: value}), name) is expected


@pytest.mark.parametrize(
    "packet",
    [
        Packet(TYPE, ART),
        Packet(TYPE, {**ART, "albumArtUrl": ""}, Payload(70, 1739)),
        Packet(TYPE, {**ART, "albumArtUrl": "data:,x"}, Payload(70, 1739)),
        Packet(TYPE, {**ART, "player": None}, Payload(70, 1739)),
        Packet(TYPE, {"transferringAlbumArt": True, "player": "P"}, Payload(70, 1739)),
    ],
)
def test_unusable_album_art_is_refused(packet: Packet) -> None:
    with pytest.raises(ProtocolError):
        decode_message(packet)


@pytest.mark.parametrize(
    ("packet", "fields"),
    [
        (
            mpris.request_now_playing("P"),
            {"requestNowPlaying": True, "requestVolume": True},
        ),
        (mpris.action("P", Action.PLAY_PAUSE), {"action": "PlayPause"}),
        (mpris.action("P", Action.PREVIOUS), {"action": "Previous"}),
        (mpris.set_volume("P", 40), {"setVolume": 40}),
        (mpris.set_position("P", 61_000), {"SetPosition": 61_000}),
        (mpris.seek("P", -5_000_000), {"Seek": -5_000_000}),
        (mpris.set_loop("P", LoopStatus.PLAYLIST), {"setLoopStatus": "Playlist"}),
        (mpris.set_shuffle("P", True), {"setShuffle": True}),
        (
            mpris.request_album_art("P", "file:///a.png"),
            {"albumArtUrl": "file:///a.png"},
        ),
    ],
)
def test_requests(packet: Packet, fields: JsonObject) -> None:
    assert packet == Packet(REQUEST, {"player": "P", **fields})


def test_request_of_the_list() -> None:
    assert mpris.request_players() == Packet(REQUEST, {"requestPlayerList": True})


def test_addresses_are_not_shown() -> None:
    """They often hold tokens of streaming services."""
    address = "https://example.org/?token=secret"
    body: JsonObject = {"player": "P", "url": address, "albumArtUrl": address}
    update = decode_message(Packet(TYPE, body))
    assert isinstance(update, PlayerUpdate)
    art = decode_message(
        Packet(TYPE, {**body, "transferringAlbumArt": True}, Payload(1, 1739))
    )
    for shown in (update, art, Player("P").updated(update)):
        assert "secret" not in repr(shown)
