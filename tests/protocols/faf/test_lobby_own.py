"""What a lobby tells the own account: lists, searches, matches, parties, notices."""

from datetime import UTC, datetime

import pytest

from .watching import ME, Watched, player, players, welcome
from custom_components.rumpus.protocols.faf import decode, lobby_own
from custom_components.rumpus.protocols.faf.events import (
    AvatarsListed,
    Disabled,
    GameLaunch,
    LobbyEvent,
    MatchCancelled,
    MatchFound,
    NoticeReceived,
    PartyChanged,
    PartyInvited,
    SearchChanged,
    SearchTimedOut,
    SearchViolation,
    SocialChanged,
    Updated,
)
from custom_components.rumpus.protocols.faf.models import (
    Avatar,
    Notice,
    NoticeStyle,
    Party,
    Social,
)
from custom_components.rumpus.protocols.json_lines import JsonObject, JsonValue

SOCIAL: JsonObject = {
    "command": "social",
    "autojoin": ["#ABC_clan"],
    "channels": ["#ABC_clan"],
    "friends": [2, 77],
    "foes": [3],
    "power": 1,
}


@pytest.fixture
def watched() -> Watched:
    watched = Watched()
    watched.log_in([player(2, "Rhiza"), player(3, "Dostya")])
    return watched


def test_friends_and_foes(watched: Watched) -> None:
    lobby = watched.lobby

    assert watched.tell_all(SOCIAL) == [SocialChanged(), Updated()]

    assert lobby.social == Social(frozenset({2, 77}), frozenset({3}), ("#ABC_clan",), 1)
    assert lobby.is_friend(77)
    assert not lobby.is_friend(3)
    assert lobby.is_friend("rhiza")
    assert not lobby.is_friend("Dostya")
    assert not lobby.is_friend("nobody")
    assert watched.tell_all(SOCIAL) == []


def test_an_order_to_join_a_channel_clears_nothing(watched: Watched) -> None:
    watched.tell(SOCIAL)

    watched.tell({"command": "social", "autojoin": ["#ABC_clan", "#event"]})

    assert watched.lobby.social == Social(
        frozenset({2, 77}), frozenset({3}), ("#ABC_clan", "#event"), 1
    )


def test_what_cannot_be_read_of_social_stays(watched: Watched) -> None:
    watched.tell(SOCIAL)

    assert (
        watched.tell_all(
            {
                "command": "social",
                "friends": 5,
                "foes": None,
                "channels": {},
                "power": [],
            }
        )
        == []
    )
    watched.tell({"command": "social", "friends": [4, "5", True, -1]})
    assert watched.lobby.social.friends == {4}


def test_limits_of_social(watched: Watched) -> None:
    ids: list[JsonValue] = [*range(decode.MAX_SOCIAL + 1)]
    channels: list[JsonValue] = [f"#{n}" for n in range(decode.MAX_CHANNELS)]
    message: JsonObject = {"command": "social", "friends": ids, "foes": ids}

    watched.tell(message | {"channels": [*channels, "#more"]})
    watched.tell({"command": "social", "autojoin": ["#extra"]})

    social = watched.lobby.social
    assert len(social.friends) == len(social.foes) == decode.MAX_SOCIAL
    assert len(social.channels) == decode.MAX_CHANNELS


def test_commands_are_noted(watched: Watched) -> None:
    lobby = watched.lobby

    assert lobby.set_friend(2, is_listed=True)
    assert not lobby.set_friend(2, is_listed=True)
    assert lobby.set_foe(3, is_listed=True)
    assert lobby.social == Social(frozenset({2}), frozenset({3}))
    assert lobby.set_friend(2, is_listed=False)
    assert lobby.set_foe(3, is_listed=False)
    assert not lobby.set_foe(3, is_listed=False)
    assert lobby.social == Social()


def test_search(watched: Watched) -> None:
    start: JsonObject = {
        "command": "search_info",
        "queue_name": "ladder1v1",
        "state": "start",
    }

    assert watched.tell_all(start) == [SearchChanged("ladder1v1", True), Updated()]
    assert watched.tell_all(start) == []
    assert watched.lobby.searching == {"ladder1v1"}
    assert watched.tell(start | {"state": "stop"}) == [
        SearchChanged("ladder1v1", False)
    ]
    assert watched.lobby.searching == frozenset()
    assert watched.tell(start | {"state": "pause"}) == []
    assert watched.tell(start | {"state": ["start"]}) == []
    assert watched.tell(start | {"queue_name": ""}) == []


def test_a_match_ends_its_search(watched: Watched) -> None:
    for name in ("ladder1v1", "tmm2v2"):
        watched.tell({"command": "search_info", "queue_name": name, "state": "start"})

    events = watched.tell({"command": "match_found", "queue_name": "ladder1v1"})

    assert events == [SearchChanged("ladder1v1", False), MatchFound("ladder1v1")]
    assert watched.lobby.searching == {"tmm2v2"}
    assert watched.tell({"command": "match_found", "queue_name": "x"}) == [
        MatchFound("x")
    ]


def test_limit_of_searches(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lobby_own, "MAX_QUEUES", 1)
    for name in ("a", "b"):
        watched.tell({"command": "search_info", "queue_name": name, "state": "start"})

    assert watched.lobby.searching == {"a"}


def test_party(watched: Watched) -> None:
    update: JsonObject = {
        "command": "update_party",
        "owner": ME,
        "members": [{"player": ME, "factions": ["uef"]}, {"player": 2}],
    }

    assert watched.tell_all(update) == [PartyChanged(), Updated()]
    assert watched.lobby.party == Party(ME, (ME, 2))
    assert watched.tell_all(update) == []
    assert watched.tell({"command": "kicked_from_party"}) == [PartyChanged()]
    assert watched.tell({"command": "kicked_from_party"}) == []


def test_party_is_gone(watched: Watched) -> None:
    update: JsonObject = {
        "command": "update_party",
        "owner": ME,
        "members": [{"player": 2}],
    }
    watched.tell(update)

    assert watched.tell(update | {"members": []}) == [PartyChanged()]
    assert watched.lobby.party is None


def test_avatars(watched: Watched) -> None:
    reply: JsonObject = {
        "command": "avatar",
        "avatarlist": [{"url": "https://x/1.png", "tooltip": "One"}, {}],
    }

    assert watched.tell_all(reply) == [AvatarsListed(), Updated()]
    assert watched.lobby.avatars == (Avatar("https://x/1.png", "One"),)
    assert watched.tell_all({"command": "avatar"}) == []


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            {"command": "notice", "style": "info", "text": "<b>Hi</b>"},
            NoticeReceived(Notice(NoticeStyle.INFO, "Hi")),
        ),
        ({"command": "notice", "style": "kill"}, NoticeReceived(Notice("kill"))),
        ({"command": "match_cancelled", "game_id": 5}, MatchCancelled(5)),
        ({"command": "match_cancelled"}, MatchCancelled(None)),
        ({"command": "disabled", "request": "game_host"}, Disabled("game_host")),
        ({"command": "party_invite", "sender": 2}, PartyInvited(2)),
        ({"command": "search_violation", "count": 2}, SearchViolation(2)),
        ({"command": "search_violation"}, SearchViolation(0)),
        ({"command": "search_timeout"}, SearchTimedOut(None)),
        (
            {
                "command": "search_timeout",
                "timeouts": [
                    {"player": 1, "expires_at": "2026-11-21T08:10:00+00:00"},
                    {"player": 2, "expires_at": "2026-11-21T08:30:00+00:00"},
                    {"player": 3},
                ],
            },
            SearchTimedOut(datetime(2026, 11, 21, 8, 30, tzinfo=UTC)),
        ),
    ],
)
def test_words_that_change_nothing(
    watched: Watched, message: JsonObject, expected: LobbyEvent
) -> None:
    assert watched.tell_all(message) == [expected]


def test_launch_of_a_match(watched: Watched) -> None:
    # A line of a running server (the FAF reference, section 14).
    message: JsonObject = {
        "command": "game_launch",
        "args": ["/numgames", 30],
        "uid": 41961,
        "mod": "ladder1v1",
        "name": "ha_user Vs ha_friend",
        "init_mode": 1,
        "game_type": "matchmaker",
        "rating_type": "ladder_1v1",
        "mapname": "scmp_015",
        "team": 2,
        "faction": 1,
        "expected_players": 2,
        "map_position": 1,
    }

    assert watched.tell_all(message) == [
        GameLaunch(
            41961,
            "ha_user Vs ha_friend",
            "ladder1v1",
            "matchmaker",
            "ladder_1v1",
            "scmp_015",
            2,
            1,
            2,
            1,
        )
    ]


def test_launch_of_a_hosted_game(watched: Watched) -> None:
    message: JsonObject = {
        "command": "game_launch",
        "uid": 5,
        "name": "x",
        "mod": "faf",
    }

    assert watched.tell_all(message) == [GameLaunch(5, "x", "faf", "", "")]


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"command": 5},
        {"command": None},
        {"command": "pong"},
        {"command": "irc_password", "password": "deprecated"},
        {"command": "is_ready"},
        {"command": "HostGame", "target": "game", "args": []},
        {"command": "party_invite", "sender": "x"},
        {"command": "game_launch"},
        {"command": "search_info"},
    ],
)
def test_other_messages_do_nothing(watched: Watched, message: JsonObject) -> None:
    assert watched.tell_all(message) == []


def test_a_reconnect_ends_searches_and_the_party(watched: Watched) -> None:
    watched.tell(SOCIAL)
    watched.tell({"command": "search_info", "queue_name": "a", "state": "start"})
    watched.tell({"command": "update_party", "owner": 1, "members": [{"player": 1}]})

    watched.tell(welcome())

    assert watched.lobby.searching == frozenset()
    assert watched.lobby.party is None
    assert watched.lobby.social.friends == {2, 77}


def test_another_account_on_the_same_connection(watched: Watched) -> None:
    watched.tell(welcome() | {"me": player(2, "Rhiza")})
    watched.tell(players(player(2, "Rhiza")))

    assert watched.lobby.me == watched.lobby.players[2]
