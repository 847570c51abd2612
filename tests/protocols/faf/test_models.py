"""What can be read off the models."""

from dataclasses import FrozenInstanceError

import pytest

from custom_components.rumpus.protocols.faf import models
from custom_components.rumpus.protocols.faf.events import GameEnded, RatingChanged
from custom_components.rumpus.protocols.faf.models import Game, GameState, Rating


def test_displayed_rating() -> None:
    assert Rating(1200.5, 80.25, 120).displayed == 959.75
    assert models.NEW_RATING.displayed == 0.0


def test_change_of_a_rating() -> None:
    event = RatingChanged(
        models.Player(1, "a"), "global", Rating(1000, 100, 1), Rating(1040, 95, 2)
    )

    assert event.change == 55


def test_members_of_a_game() -> None:
    game = Game(
        1,
        GameState.OPEN,
        num_players=4,
        max_players=6,
        teams={-1: (4,), 2: (1, 2), 3: (3,)},
    )

    assert game.player_ids == (1, 2, 3)
    assert game.observer_ids == (4,)
    assert game.member_ids == {1, 2, 3, 4}
    assert game.free_slots == 3


def test_free_slots_are_never_negative() -> None:
    game = Game(1, GameState.OPEN, num_players=9, max_players=8)

    assert game.free_slots == 0
    assert game.observer_ids == ()


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (GameState.OPEN, (True, False, False)),
        (GameState.PLAYING, (False, True, False)),
        (GameState.CLOSED, (False, False, True)),
        ("paused", (False, False, False)),
    ],
)
def test_states_of_a_game(
    state: GameState | str, expected: tuple[bool, bool, bool]
) -> None:
    game = Game(1, state)

    assert (game.is_open, game.is_running, game.is_closed) == expected
    assert GameEnded(game).was_running is expected[1]


def test_games_of_queues() -> None:
    assert Game(1, GameState.OPEN, game_type="matchmaker").is_matchmaker
    assert not Game(1, GameState.OPEN, game_type="coop").is_matchmaker


def test_models_are_frozen_and_hashable() -> None:
    player = models.Player(1, "a", ratings={"global": Rating(1, 2, 3)})

    assert len({player, models.Player(1, "a", ratings=dict(player.ratings))}) == 1
    assert hash(Game(1, GameState.OPEN, teams={2: (1,)}))
    with pytest.raises(FrozenInstanceError):
        player.login = "b"  # type: ignore[misc]


def test_text_of_a_notice_stays_out_of_logs() -> None:
    assert "secret" not in repr(models.Notice("info", "secret"))
