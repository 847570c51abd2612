"""Events of those of whom a user knows."""

from typing import Any

import pytest

from .messages import ME, Fed, changed, game, offline, online, player
from custom_components.rumpus.families.faf import happenings
from custom_components.rumpus.families.faf.follow import Followed
from custom_components.rumpus.families.faf.happenings import Happenings
from custom_components.rumpus.protocols.faf.events import LobbyEvent, Refreshed

RHIZA, DOSTYA, BRACKMAN, STRANGER = 3, 4, 7, 8


class Heard(Fed):
    """A lobby of which the events are heard: Rhiza and Dostya are followed."""

    def __init__(self) -> None:
        """Hear nothing yet."""
        super().__init__(self.listen)
        self.events: list[tuple[str, str, dict[str, Any]]] = []
        self.followed = Followed({"rhiza": "Rhiza", "dostya": "Dostya"}, {})
        self.happenings = Happenings(self.lobby, self.followed, self.fire)

    def fire(self, key: str, event_type: str, attributes: Any) -> None:
        """Hear an event."""
        self.events.append((key, event_type, attributes))

    def listen(self, event: LobbyEvent) -> None:
        """Hear the lobby, as the coordinator does."""
        if isinstance(event, Refreshed):
            self.followed.update(self.lobby)
        self.happenings.handle(event)
        self.followed.update(self.lobby)

    @property
    def heard(self) -> list[tuple[str, str]]:
        """What was heard since the last look."""
        heard = [(key, event_type) for key, event_type, _ in self.events]
        self.events.clear()
        return heard


@pytest.fixture
def heard() -> Heard:
    """A lobby in which Rhiza and some others are; Brackman is a friend."""
    heard = Heard()
    heard.log_in(
        player(RHIZA, "Rhiza"),
        player(BRACKMAN, "Brackman"),
        player(STRANGER, "Stranger"),
        friends=(BRACKMAN,),
    )
    assert heard.heard == []
    return heard


def test_coming_and_going(heard: Heard) -> None:
    """Only those who are followed are told of."""
    heard.tell(online(player(DOSTYA, "Dostya"), player(20, "somebody")))
    assert heard.events == [("player_dostya", "online", {})]
    heard.events.clear()
    heard.tell(offline(DOSTYA, "Dostya"), offline(20, "somebody"))
    assert heard.heard == [("player_dostya", "offline")]


def test_followed_player_opens_a_game(heard: Heard) -> None:
    """It is told of as one of a friend, with what an automation wants to know."""
    heard.tell(changed(game(1, "open", RHIZA, BRACKMAN, host="Rhiza")))
    facts = {
        "uid": 1,
        "title": "Game 1",
        "host": "Rhiza",
        "map": "Seton's Clutch",
        "mod": "faf",
        "players": 2,
    }
    assert heard.events == [
        ("game", "friend_opened", facts),
        ("player_rhiza", "opened_game", facts),
    ]


@pytest.mark.parametrize(
    ("host", "ids", "expected"),
    [
        ("Brackman", (BRACKMAN,), [("game", "friend_opened")]),
        ("Stranger", (STRANGER,), []),
        ("", (), []),
        ("ha_user", (), [("game", "opened")]),
        ("Stranger", (STRANGER, ME), [("game", "opened")]),
        ("Stranger", (STRANGER, BRACKMAN), [("game", "opened")]),
        (
            "Stranger",
            (STRANGER, RHIZA),
            [("game", "opened"), ("player_rhiza", "joined_game")],
        ),
    ],
)
def test_opened(
    heard: Heard, host: str, ids: tuple[int, ...], expected: list[tuple[str, str]]
) -> None:
    """Games of nobody that the user knows are nobody's business."""
    heard.tell(changed(game(1, "open", *ids, host=host)))
    assert heard.heard == expected


def test_joining(heard: Heard) -> None:
    """A followed player joins a game once."""
    heard.tell(changed(game(1, "open", STRANGER, host="Stranger")))
    heard.tell(changed(game(1, "open", STRANGER, RHIZA, host="Stranger")))
    assert heard.heard == [("player_rhiza", "joined_game")]
    heard.tell(changed(game(1, "open", STRANGER, RHIZA, host="Stranger", title="x")))
    assert heard.heard == []


def test_host_takes_a_seat(heard: Heard) -> None:
    """Who has opened a game does not join it as well."""
    heard.tell(changed(game(1, "open", host="Rhiza")))
    assert heard.heard == [("game", "friend_opened"), ("player_rhiza", "opened_game")]
    heard.tell(changed(game(1, "open", RHIZA, host="Rhiza")))
    assert heard.heard == []


def test_game(heard: Heard) -> None:
    """Start and end are told of, also to who has left by the end."""
    heard.tell(changed(game(1, "open", RHIZA, STRANGER, host="Stranger")))
    heard.events.clear()
    heard.tell(changed(game(1, "playing", RHIZA, STRANGER, host="Stranger")))
    assert heard.heard == [("game", "started"), ("player_rhiza", "game_started")]
    heard.tell(changed(game(1, "playing", STRANGER, host="Stranger")))
    assert heard.heard == []
    heard.tell(changed(game(1, "closed", host="Stranger")))
    assert heard.heard == [("game", "ended"), ("player_rhiza", "game_ended")]
    heard.tell(changed(game(1, "closed", host="Stranger")))
    assert heard.heard == []


def test_lobby_given_up(heard: Heard) -> None:
    """A game that was never launched does not end."""
    heard.tell(changed(game(1, "open", RHIZA, host="Rhiza")))
    heard.events.clear()
    heard.tell(changed(game(1, "closed", RHIZA, host="Rhiza")))
    assert heard.heard == []


def test_game_of_strangers(heard: Heard) -> None:
    """Games without anybody whom the user knows are not told of."""
    heard.tell(
        changed(game(1, "open", STRANGER)), changed(game(1, "playing", STRANGER))
    )
    heard.tell(changed(game(1, "closed")))
    assert heard.heard == []


def test_game_of_a_friend(heard: Heard) -> None:
    """Friends are not followed, but their games are told of."""
    heard.tell(changed(game(1, "playing", BRACKMAN)), changed(game(1, "closed")))
    assert heard.heard == [("game", "started"), ("game", "ended")]


def test_game_that_ran_before() -> None:
    """Who was playing when we came is known; that it began is not told."""
    heard = Heard()
    heard.log_in(player(RHIZA, "Rhiza"), all_games=[game(1, "playing", RHIZA)])
    assert heard.heard == []
    heard.tell(changed(game(1, "closed")))
    assert heard.heard == [("game", "ended"), ("player_rhiza", "game_ended")]


def test_max_running(heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that launches one game after another is followed up to a point."""
    monkeypatch.setattr(happenings, "MAX_RUNNING", 1)
    heard.tell(
        changed(game(1, "playing", BRACKMAN)), changed(game(2, "playing", BRACKMAN))
    )
    heard.tell(changed(game(2, "closed")), changed(game(1, "closed")))
    assert heard.heard == [("game", "started"), ("game", "ended")]


def test_rating(heard: Heard) -> None:
    """A new rating is told of with its change."""
    heard.tell(online(player(RHIZA, "Rhiza", 1512.54), player(STRANGER, "Stranger", 1)))
    assert heard.events == [
        (
            "player_rhiza",
            "rating_changed",
            {
                "leaderboard": "Global",
                "rating": 1213,
                "rating_change": 12.5,
            },
        )
    ]


def test_match_of_others(heard: Heard) -> None:
    """A match is told of as soon as a queue makes it, to those that it names."""
    heard.tell(
        changed(
            game(
                1,
                "closed",
                host="Stranger",
                title="Stranger Vs Rhiza",
                game_type="matchmaker",
                hosted_at=None,
            )
        )
    )
    assert heard.heard == [("player_rhiza", "match_found")]
    # It comes to the lobby by itself: nobody has opened it, and nobody can join.
    match = {"host": "Stranger", "game_type": "matchmaker"}
    heard.tell(changed(game(1, "open", STRANGER, **match)))
    heard.tell(changed(game(1, "open", STRANGER, RHIZA, **match)))
    assert heard.heard == []


def test_own_match(heard: Heard) -> None:
    """The own account's match is told of, and that it was cancelled."""
    heard.tell({"command": "match_cancelled"})
    assert heard.events == [("match", "match_cancelled", {"queue": None})]
    heard.events.clear()
    heard.tell({"command": "match_found", "queue_name": "ladder1v1"})
    heard.tell({"command": "match_cancelled", "game_id": 1})
    assert heard.events == [
        ("match", "match_found", {"queue": "ladder1v1"}),
        ("match", "match_cancelled", {"queue": "ladder1v1"}),
    ]


@pytest.mark.parametrize(
    ("style", "expected"),
    [("info", "info"), ("error", "error"), ("warning", "warning"), ("kill", "other")],
)
def test_notice(heard: Heard, style: str, expected: str) -> None:
    """What the server has to say is told, cut to what a state can hold."""
    text = "The server will be <b>shut down</b>. " + "x" * 300
    heard.tell({"command": "notice", "style": style, "text": text})
    (key, event_type, attributes) = heard.events[0]
    assert (key, event_type) == ("notice", expected)
    assert attributes["text"].startswith("The server will be shut down. xxx")
    assert len(attributes["text"]) == 255
