"""How messages change the state: pure functions."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, strategies as st
import pytest

from custom_components.rumpus.families.kde_connect.player_state import (
    MAX_PLAYERS,
    Players,
    PlayerState,
    fold_list,
    fold_update,
    position_ms,
)
from custom_components.rumpus.protocols.kdeconnect.plugins.mpris import (
    Player,
    PlayerList,
    PlayerUpdate,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LATER = NOW + timedelta(seconds=5)


def with_player(player: Player, updated_at: datetime | None = NOW) -> Players:
    """Return one player."""
    return {player.name: PlayerState(player, updated_at)}


def fold(
    players: Players | None, message: PlayerList | PlayerUpdate, now: datetime
) -> Players | None:
    """Return the players after a message of either kind."""
    if isinstance(message, PlayerList):
        return fold_list(players, message)
    return fold_update(players, message, now)


def test_players_are_bounded() -> None:
    names = tuple(str(number) for number in range(MAX_PLAYERS + 1))
    state = fold(None, PlayerList(names, True), NOW)
    assert state is not None
    assert len(state) == MAX_PLAYERS


def test_list_keeps_known_players() -> None:
    known = Player("a", title="Song")
    state = fold(with_player(known), PlayerList(("a", "b"), False), NOW)
    assert state == {
        "a": PlayerState(known, NOW),
        "b": PlayerState(Player("b")),
    }
    assert fold(state, PlayerList(("b",), False), NOW) == {
        "b": PlayerState(Player("b"))
    }


@pytest.mark.parametrize("state", [None, with_player(Player("a"))])
def test_update_of_an_unlisted_player(state: Players | None) -> None:
    assert fold(state, PlayerUpdate("gone", title="Song"), NOW) is state


def test_position_comes_with_its_time() -> None:
    state = fold(with_player(Player("a"), None), PlayerUpdate("a", position_ms=7), NOW)
    assert state == {"a": PlayerState(Player("a", position_ms=7), NOW)}


def test_position_becomes_unknown() -> None:
    state = fold(
        with_player(Player("a", position_ms=7)),
        PlayerUpdate("a", position_ms=None),
        LATER,
    )
    assert state == {"a": PlayerState(Player("a"), None)}


def test_another_title_without_a_position() -> None:
    before = with_player(Player("a", title="One", position_ms=7))
    state = fold(before, PlayerUpdate("a", title="Two"), LATER)
    assert state == {"a": PlayerState(Player("a", title="Two"), None)}


@pytest.mark.parametrize(("playing", "expected"), [(True, 6000), (False, 1000)])
def test_play_or_pause_without_a_position(playing: bool, expected: int) -> None:
    """The clock starts or stops where it is."""
    before = with_player(Player("a", position_ms=1000, is_playing=playing))
    state = fold(before, PlayerUpdate("a", is_playing=not playing), LATER)
    assert state is not None
    assert state["a"].player.position_ms == expected
    assert state["a"].position_updated_at == LATER


def test_volume_leaves_the_position_alone() -> None:
    before = with_player(Player("a", position_ms=1000, is_playing=True))
    state = fold(before, PlayerUpdate("a", volume=5), LATER)
    assert state is not None
    assert state["a"].position_updated_at == NOW


def test_position_ends_with_the_length() -> None:
    player = Player("a", position_ms=1000, is_playing=True, length_ms=3000)
    assert position_ms(PlayerState(player, NOW), LATER) == 3000
    assert position_ms(PlayerState(player, None), LATER) is None
    assert (
        position_ms(PlayerState(replace(player, is_playing=False), NOW), LATER) == 1000
    )


@given(
    st.lists(
        st.builds(
            PlayerUpdate,
            player=st.sampled_from("ab"),
            title=st.sampled_from(["One", "Two", None]),
            position_ms=st.none() | st.integers(0, 10**9),
            is_playing=st.none() | st.booleans(),
        )
        | st.builds(
            PlayerList,
            players=st.lists(st.sampled_from("abc"), max_size=3).map(tuple),
            supports_album_art=st.booleans(),
        )
    )
)
def test_position_and_its_time_belong_together(
    messages: list[PlayerUpdate | PlayerList],
) -> None:
    """Whatever comes in whatever order, a position has a time and no position has none."""
    state: Players | None = None
    for number, message in enumerate(messages):
        state = fold(state, message, NOW + timedelta(seconds=number))
    for player in (state or {}).values():
        assert (player.player.position_ms is None) == (
            player.position_updated_at is None
        )
