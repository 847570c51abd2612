"""How messages change the state: pure functions."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, strategies as st
import pytest

from custom_components.rumpus.families.kde_connect.state import (
    MAX_COMMANDS,
    MAX_PLAYERS,
    KdeConnectState,
    PlayerState,
    fold,
    position_ms,
)
from custom_components.rumpus.protocols.kdeconnect.plugins.battery import BatteryStatus
from custom_components.rumpus.protocols.kdeconnect.plugins.lock import (
    LockResult,
    LockState,
)
from custom_components.rumpus.protocols.kdeconnect.plugins.mpris import (
    Player,
    PlayerList,
    PlayerUpdate,
)
from custom_components.rumpus.protocols.kdeconnect.plugins.runcommand import (
    Command,
    CommandList,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LATER = NOW + timedelta(seconds=5)
CONNECTED = KdeConnectState(is_connected=True)


def with_player(player: Player, updated_at: datetime | None = NOW) -> KdeConnectState:
    """Return a state with one player."""
    return replace(CONNECTED, players={player.name: PlayerState(player, updated_at)})


def test_battery() -> None:
    battery = BatteryStatus(50, True, False)
    assert fold(CONNECTED, battery, NOW) == replace(CONNECTED, battery=battery)


@pytest.mark.parametrize("is_locked", [True, False, None])
def test_lock(is_locked: bool | None) -> None:
    state = replace(CONNECTED, is_locked=True)
    assert fold(state, LockState(is_locked), NOW).is_locked is is_locked


def test_lock_result_changes_nothing() -> None:
    assert fold(CONNECTED, LockResult(True), NOW) is CONNECTED


def test_commands_replace_each_other() -> None:
    state = fold(CONNECTED, CommandList((Command("a", "A", ""),), False), NOW)
    assert state.commands == {"a": "A"}
    state = fold(state, CommandList((Command("b", "B", ""),), False), NOW)
    assert state.commands == {"b": "B"}
    assert fold(state, CommandList((), False), NOW).commands == {}


def test_commands_are_bounded() -> None:
    commands = tuple(Command(str(key), "", "") for key in range(MAX_COMMANDS + 1))
    state = fold(CONNECTED, CommandList(commands, False), NOW)
    assert state.commands is not None
    assert len(state.commands) == MAX_COMMANDS


def test_players_are_bounded() -> None:
    names = tuple(str(number) for number in range(MAX_PLAYERS + 1))
    state = fold(CONNECTED, PlayerList(names, True), NOW)
    assert state.players is not None
    assert len(state.players) == MAX_PLAYERS
    assert state.has_album_art


def test_list_keeps_known_players() -> None:
    known = Player("a", title="Song")
    state = fold(with_player(known), PlayerList(("a", "b"), False), NOW)
    assert state.players == {
        "a": PlayerState(known, NOW),
        "b": PlayerState(Player("b")),
    }
    assert fold(state, PlayerList(("b",), False), NOW).players == {
        "b": PlayerState(Player("b"))
    }


@pytest.mark.parametrize("state", [CONNECTED, with_player(Player("a"))])
def test_update_of_an_unlisted_player(state: KdeConnectState) -> None:
    assert fold(state, PlayerUpdate("gone", title="Song"), NOW) is state


def test_position_comes_with_its_time() -> None:
    state = fold(with_player(Player("a"), None), PlayerUpdate("a", position_ms=7), NOW)
    assert state.players == {"a": PlayerState(Player("a", position_ms=7), NOW)}


def test_position_becomes_unknown() -> None:
    state = fold(
        with_player(Player("a", position_ms=7)),
        PlayerUpdate("a", position_ms=None),
        LATER,
    )
    assert state.players == {"a": PlayerState(Player("a"), None)}


def test_another_title_without_a_position() -> None:
    before = with_player(Player("a", title="One", position_ms=7))
    state = fold(before, PlayerUpdate("a", title="Two"), LATER)
    assert state.players == {"a": PlayerState(Player("a", title="Two"), None)}


@pytest.mark.parametrize(("playing", "expected"), [(True, 6000), (False, 1000)])
def test_play_or_pause_without_a_position(playing: bool, expected: int) -> None:
    """The clock starts or stops where it is."""
    before = with_player(Player("a", position_ms=1000, is_playing=playing))
    state = fold(before, PlayerUpdate("a", is_playing=not playing), LATER)
    assert state.players is not None
    assert state.players["a"].player.position_ms == expected
    assert state.players["a"].position_updated_at == LATER


def test_volume_leaves_the_position_alone() -> None:
    before = with_player(Player("a", position_ms=1000, is_playing=True))
    state = fold(before, PlayerUpdate("a", volume=5), LATER)
    assert state.players is not None
    assert state.players["a"].position_updated_at == NOW


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
    state = CONNECTED
    for number, message in enumerate(messages):
        state = fold(state, message, NOW + timedelta(seconds=number))
    for player in (state.players or {}).values():
        assert (player.player.position_ms is None) == (
            player.position_updated_at is None
        )
