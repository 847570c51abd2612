"""Our media players, controlled by the peer."""

from hypothesis import given, settings, strategies as st
import pytest

from .strategies import bodies, texts
from custom_components.rumpus.protocols.errors import ProtocolError
from custom_components.rumpus.protocols.json_lines import JsonObject, JsonValue
from custom_components.rumpus.protocols.kdeconnect.packet import Packet, Payload
from custom_components.rumpus.protocols.kdeconnect.plugins import (
    decode_message,
    mpris,
    mpris_provider,
)
from custom_components.rumpus.protocols.kdeconnect.plugins.mpris import (
    MAX_PLAYER_NAME,
    MAX_URL,
    Action,
    AlbumArt,
    LoopStatus,
    Player,
    PlayerList,
    PlayerUpdate,
)
from custom_components.rumpus.protocols.kdeconnect.plugins.mpris_provider import (
    PlayerRequest,
    PlayersWanted,
)

TYPE = "kdeconnect.mpris"
REQUEST = "kdeconnect.mpris.request"

some_text = st.none() | texts.filter(bool)
some_truth = st.none() | st.booleans()
some_ms = st.none() | st.integers(0, 2**53)
players = st.builds(
    Player,
    texts.filter(bool),
    title=some_text,
    artist=some_text,
    album=some_text,
    url=some_text.filter(lambda url: not (url or "").lower().startswith("data:")),
    album_art_url=st.none() | st.just("kdeconnect:/art?1"),
    length_ms=some_ms,
    position_ms=some_ms,
    is_playing=some_truth,
    can_play=some_truth,
    can_pause=some_truth,
    can_go_next=some_truth,
    can_go_previous=some_truth,
    can_seek=some_truth,
    loop_status=st.none() | st.sampled_from(LoopStatus),
    shuffle=some_truth,
    volume=st.none() | st.integers(0, 100),
)


def asked(**body: JsonValue) -> PlayerRequest:
    """Return the request in a packet to a player."""
    return PlayerRequest.from_packet(Packet(REQUEST, {"player": "P", **body}))


@pytest.mark.parametrize(
    ("packet", "message"),
    [
        (mpris.request_players(), PlayersWanted()),
        (
            mpris.request_now_playing("P"),
            PlayerRequest("P", want_now_playing=True, want_volume=True),
        ),
        (mpris.action("P", Action.NEXT), PlayerRequest("P", action=Action.NEXT)),
        (mpris.set_volume("P", 40), PlayerRequest("P", volume=40)),
        (mpris.set_position("P", 61_000), PlayerRequest("P", position_ms=61_000)),
        (mpris.seek("P", -5_000_000), PlayerRequest("P", seek_us=-5_000_000)),
        (
            mpris.set_loop("P", LoopStatus.TRACK),
            PlayerRequest("P", loop_status=LoopStatus.TRACK),
        ),
        (mpris.set_shuffle("P", False), PlayerRequest("P", shuffle=False)),
        (
            mpris.request_album_art("P", "kdeconnect:/a"),
            PlayerRequest("P", album_art_url="kdeconnect:/a"),
        ),
    ],
)
def test_requests_as_we_send_them(packet: Packet, message: object) -> None:
    assert decode_message(packet) == message


def test_several_requests_in_one_packet() -> None:
    assert asked(
        requestPlayerList=True,
        requestNowPlaying="true",
        setVolume="7",
        action="Pause",
    ) == PlayerRequest(
        "P", want_players=True, want_now_playing=True, volume=7, action=Action.PAUSE
    )


@pytest.mark.parametrize("action", Action)
def test_actions(action: Action) -> None:
    assert asked(action=action.value).action is action


@pytest.mark.parametrize("value", ["Eject", "play", None, 7, []])
def test_unknown_values_are_not_asked_for(value: JsonValue) -> None:
    assert asked(action=value, setLoopStatus=value, Seek="far") == PlayerRequest("P")


@pytest.mark.parametrize(
    ("volume", "expected"), [(0, 0), (100, 100), (101, 100), (-1, 0), (None, None)]
)
def test_limit_of_volume(volume: JsonValue, expected: int | None) -> None:
    assert asked(setVolume=volume).volume == expected


def test_position_before_the_beginning_is_the_beginning() -> None:
    assert asked(SetPosition=-1).position_ms == 0


@pytest.mark.parametrize("url", ["", None, 7])
def test_unusable_address_is_not_asked_for(url: JsonValue) -> None:
    assert asked(albumArtUrl=url).album_art_url is None


def test_limit_of_address() -> None:
    fitting = "a" * MAX_URL

    assert asked(albumArtUrl=fitting).album_art_url == fitting
    assert asked(albumArtUrl=fitting + "a").album_art_url is None


def test_limit_of_player_name() -> None:
    fitting = "p" * MAX_PLAYER_NAME

    assert asked(player=fitting).player == fitting
    with pytest.raises(ProtocolError):
        asked(player=fitting + "p")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"player": ""},
        {"player": 7, "requestPlayerList": True},
        {"action": "Play"},
        {"requestPlayerList": False},
    ],
)
def test_request_of_no_player_is_refused(body: JsonObject) -> None:
    with pytest.raises(ProtocolError):
        decode_message(Packet(REQUEST, body))


def test_list_round_trip() -> None:
    packet = mpris_provider.player_list(["A", "B"], supports_album_art=True)

    assert packet == Packet(
        TYPE, {"playerList": ["A", "B"], "supportAlbumArtPayload": True}
    )
    assert decode_message(packet) == PlayerList(("A", "B"), supports_album_art=True)


@settings(deadline=None)
@given(players)
def test_state_round_trip(player: Player) -> None:
    update = decode_message(mpris_provider.player_state(player))

    assert isinstance(update, PlayerUpdate)
    assert Player(update.player).updated(update) == player


def test_state_has_all_fields() -> None:
    player = Player(
        "P",
        "T",
        "A",
        "B",
        "file:///a",
        "kdeconnect:/b",
        9000,
        7,
        True,
        True,
        True,
        False,
        False,
        True,
        LoopStatus.PLAYLIST,
        False,
        50,
    )

    assert mpris_provider.player_state(player) == Packet(
        TYPE,
        {
            "player": "P",
            "title": "T",
            "artist": "A",
            "album": "B",
            "nowPlaying": "A - T",
            "url": "file:///a",
            "albumArtUrl": "kdeconnect:/b",
            "length": 9000,
            "pos": 7,
            "isPlaying": True,
            "canPlay": True,
            "canPause": True,
            "canGoNext": False,
            "canGoPrevious": False,
            "canSeek": True,
            "loopStatus": "Playlist",
            "shuffle": False,
            "volume": 50,
        },
    )


def test_state_tells_that_nothing_is_known() -> None:
    assert mpris_provider.player_state(Player("P")).body == {
        "player": "P",
        "title": "",
        "artist": "",
        "album": "",
        "nowPlaying": "",
        "url": "",
        "albumArtUrl": "",
        "length": -1,
    }


def test_old_title_of_a_title_alone() -> None:
    assert mpris_provider.player_state(Player("P", "T")).body["nowPlaying"] == "T"


def test_album_art_round_trip() -> None:
    packet = mpris_provider.album_art("P", "kdeconnect:/a", Payload(7, 1739))

    assert decode_message(packet) == AlbumArt("P", "kdeconnect:/a", Payload(7, 1739))
    assert mpris_provider.album_art("P", "u") == Packet(
        TYPE, {"player": "P", "albumArtUrl": "u", "transferringAlbumArt": True}
    )


@settings(deadline=None)
@given(
    bodies(
        "player",
        "requestPlayerList",
        "requestNowPlaying",
        "action",
        "setVolume",
        "SetPosition",
        "Seek",
        "setLoopStatus",
        "setShuffle",
        "albumArtUrl",
    )
)
def test_any_packet_is_a_message_or_a_protocol_error(body: JsonObject) -> None:
    try:
        message = decode_message(Packet(REQUEST, body))
    except ProtocolError:
        return
    assert isinstance(message, PlayersWanted | PlayerRequest)


def test_address_is_not_shown() -> None:
    assert "secret" not in repr(PlayerRequest("P", album_art_url="secret"))
