"""The players that a user follows."""

from datetime import UTC, datetime

from .messages import NOW, Fed, changed, game, offline, online, player
from custom_components.rumpus.families.faf.follow import Followed
from custom_components.rumpus.protocols.faf.events import LobbyEvent, RatingChanged
from custom_components.rumpus.protocols.faf.models import PlayerStatus

RHIZA, DOSTYA = 3, 4
PLAYERS = {"rhiza": "Rhiza", "dostya": "dostya"}


def test_nobody_seen_yet() -> None:
    """Who has not been seen is offline, and called as the user has it."""
    followed = Followed(PLAYERS, {})
    assert followed.states["rhiza"].login == "Rhiza"
    assert followed.states["rhiza"].status is PlayerStatus.OFFLINE
    assert followed.player_ids == {}
    fed = Fed()
    fed.log_in(player(7, "brackman"))
    before = followed.states
    assert followed.update(fed.lobby) is before


def test_life_of_a_player() -> None:
    """Online, in a lobby, in a game, offline: with what belongs to each."""
    followed = Followed(PLAYERS, {})
    fed = Fed()
    fed.log_in(player(RHIZA, "Rhiza", clan="SER", country="DE"))
    state = followed.update(fed.lobby)["rhiza"]
    assert state.status is PlayerStatus.ONLINE
    assert (state.clan, state.country) == ("SER", "DE")
    assert state.ratings["global"].displayed == 1200.0
    assert followed.player_ids == {"rhiza": RHIZA}

    fed.tell(changed(game(1, "open", RHIZA)))
    state = followed.update(fed.lobby)["rhiza"]
    assert state.status is PlayerStatus.IN_LOBBY
    assert state.game is not None
    assert state.game.title == "Game 1"
    assert state.since == datetime(2026, 11, 21, 19, tzinfo=UTC)

    fed.tell(changed(game(1, "playing", RHIZA)))
    state = followed.update(fed.lobby)["rhiza"]
    assert state.status is PlayerStatus.PLAYING
    assert state.game is not None
    assert state.since == state.game.launched_at

    fed.tell(changed(game(1, "closed", RHIZA)), offline(RHIZA, "Rhiza"))
    state = followed.update(fed.lobby)["rhiza"]
    assert state.status is PlayerStatus.OFFLINE
    assert state.game is None
    assert state.since is None
    # What is known of the last time stays.
    assert state.ratings["global"].displayed == 1200.0
    assert state.clan == "SER"


def test_new_name() -> None:
    """A player with another name is followed on, and not who takes the old one."""
    followed = Followed(PLAYERS, {"rhiza": RHIZA, "gone": 5})
    fed = Fed()
    fed.log_in(player(RHIZA, "Oum-Eoshi"), player(8, "Rhiza"))
    state = followed.update(fed.lobby)["rhiza"]
    assert state.login == "Oum-Eoshi"
    assert state.key == "rhiza"
    assert followed.player_ids == {"rhiza": RHIZA}
    assert followed.key_of_login("OUM-EOSHI") == "rhiza"
    assert followed.key_of_login("rhiza") is None
    assert followed.meet(fed.lobby.players[8]) is None
    assert followed.meet(fed.lobby.players[RHIZA]) == "rhiza"


def test_one_player_by_two_names() -> None:
    """Who is followed by an old name is not followed by the new one as well."""
    followed = Followed({"rhiza": "Rhiza", "oum": "Oum"}, {"rhiza": RHIZA})
    fed = Fed()
    fed.log_in(player(RHIZA, "Oum"))
    states = followed.update(fed.lobby)
    assert states["rhiza"].status is PlayerStatus.ONLINE
    assert states["oum"].status is PlayerStatus.OFFLINE


def test_rating_change() -> None:
    """How a rating changed is kept, until the next time."""
    followed = Followed(PLAYERS, {})
    keys: list[str | None] = []

    def listen(event: LobbyEvent) -> None:
        if isinstance(event, RatingChanged):
            keys.append(followed.rated(event))

    fed = Fed(listen)
    fed.log_in(player(RHIZA, "Rhiza"), player(7, "brackman"))
    followed.update(fed.lobby)
    fed.tell(online(player(RHIZA, "Rhiza", 1512.5), player(7, "brackman", 1480.0)))
    assert keys == ["rhiza", None]
    state = followed.update(fed.lobby)["rhiza"]
    assert state.rating_change == 12.5
    assert state.changed_leaderboard == "global"
    assert state.ratings["global"].mean == 1512.5
    fed.tell(offline(RHIZA, "Rhiza"))
    assert followed.update(fed.lobby)["rhiza"].rating_change == 12.5


def test_lobby_is_lost() -> None:
    """Nobody knows what they do when the lobby is gone; what they are stays."""
    followed = Followed(PLAYERS, {})
    fed = Fed()
    fed.log_in(player(RHIZA, "Rhiza"), all_games=[game(1, "playing", RHIZA)])
    assert followed.update(fed.lobby)["rhiza"].status is PlayerStatus.PLAYING
    state = followed.lose()["rhiza"]
    assert state.status is PlayerStatus.OFFLINE
    assert state.game is None
    assert state.ratings
    assert followed.key_of(RHIZA) == "rhiza"
    assert followed.keys_of([RHIZA, 7]) == ["rhiza"]


def test_running_game_without_a_start() -> None:
    """A lobby that does not say when leaves that open."""
    followed = Followed(PLAYERS, {})
    fed = Fed()
    fed.log_in(
        player(RHIZA, "Rhiza"),
        all_games=[game(1, "playing", RHIZA, launched_at=None, hosted_at=None)],
    )
    state = followed.update(fed.lobby)["rhiza"]
    assert state.since is None or state.since >= NOW
