"""Sensors of a lobby and of its queues."""

from datetime import UTC, datetime, timedelta

from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util

from .common import (
    add_entry,
    coordinator_of,
    data_of,
    get_state,
    set_up,
    set_up_status,
    wait_data,
    wait_signed_in,
    wait_state,
    wait_until,
)
from custom_components.rumpus.families.faf.const import AccountKind
from custom_components.rumpus.families.faf.sensor import MAX_QUEUES
from custom_components.rumpus.families.faf.store import Secrets
from custom_components.rumpus.names import MAX_NAME
from tests.fakes.faf_lobby import FakeLobby

ONLINE = "sensor.our_lobby_players_online"
IN_GAMES = "sensor.our_lobby_players_in_games"
OPEN = "sensor.our_lobby_open_games"
RUNNING = "sensor.our_lobby_running_games"
FINISHED = "sensor.our_lobby_finished_games"
LATENCY = "sensor.our_lobby_latency"
SEARCHING = "sensor.our_lobby_ladder_1v1_players"
NEXT = "sensor.our_lobby_ladder_1v1_next_match"


async def test_counts(hass: HomeAssistant, lobby: FakeLobby) -> None:
    """Players and games, as they come and go; we are one of the players."""
    await set_up(hass, lobby)
    assert get_state(hass, ONLINE).state == "1"
    assert get_state(hass, ONLINE).attributes["unit_of_measurement"] == "players"
    assert get_state(hass, ONLINE).attributes["state_class"] == "measurement"

    uid = lobby.host_game("Rhiza")
    lobby.join("Brackman", uid)
    lobby.host_game("Dostya")
    lobby.sign_on("Arnold")
    await wait_state(hass, OPEN, "2")
    await wait_state(hass, ONLINE, "5")
    assert get_state(hass, IN_GAMES).state == "3"
    assert get_state(hass, RUNNING).state == "0"
    assert get_state(hass, OPEN).attributes["unit_of_measurement"] == "games"

    lobby.launch(uid)
    await wait_state(hass, RUNNING, "1")
    assert get_state(hass, OPEN).state == "1"
    assert get_state(hass, FINISHED).state == "0"
    assert get_state(hass, FINISHED).attributes["state_class"] == "total_increasing"

    lobby.end_game(uid)
    await wait_state(hass, FINISHED, "1")
    assert get_state(hass, RUNNING).state == "0"

    lobby.sign_off("Arnold")
    await wait_state(hass, ONLINE, "4")


async def test_nothing_is_known_without_a_link(
    hass: HomeAssistant, lobby: FakeLobby
) -> None:
    entry = await set_up(hass, lobby, ("Rhiza",))
    shown = (ONLINE, SEARCHING, NEXT, LATENCY, "sensor.rhiza_status")
    assert all(get_state(hass, name).state != STATE_UNAVAILABLE for name in shown)

    await lobby.stop()
    await wait_state(hass, ONLINE, STATE_UNAVAILABLE)
    assert [get_state(hass, name).state for name in shown] == [STATE_UNAVAILABLE] * 5

    await lobby.start()
    await wait_signed_in(entry)
    await wait_state(hass, ONLINE, "1")


async def test_latency(hass: HomeAssistant, lobby: FakeLobby) -> None:
    """It is known where nobody signs in, too."""
    await set_up_status(hass, lobby)
    state = get_state(hass, LATENCY)
    assert 0 < float(state.state) < 10_000
    assert state.attributes["unit_of_measurement"] == "ms"
    assert state.attributes["device_class"] == "duration"


def entities(hass: HomeAssistant, entry: MockConfigEntry) -> set[str]:
    """Return the entities of an entry."""
    registry = er.async_get(hass)
    return {
        one.entity_id
        for one in er.async_entries_for_config_entry(registry, entry.entry_id)
    }


async def test_a_lobby_without_an_account(
    hass: HomeAssistant, lobby: FakeLobby
) -> None:
    entry = await set_up_status(hass, lobby)
    assert entities(hass, entry) == {LATENCY, "binary_sensor.our_lobby_connectivity"}


async def test_an_account_that_is_taken_away(
    hass: HomeAssistant, lobby: FakeLobby
) -> None:
    """What only those who sign in have goes with it."""
    entry = await set_up(hass, lobby, ("Rhiza",))
    assert {ONLINE, NEXT, "sensor.rhiza_map", "event.rhiza_activity"} <= entities(
        hass, entry
    )

    data = data_of(lobby, AccountKind.NONE)
    hass.config_entries.async_update_entry(
        entry, data=data.to_entry(), unique_id=data.unique_id
    )
    assert await hass.config_entries.async_reload(entry.entry_id)
    await wait_data(entry, lambda state: state.is_connected)
    await hass.async_block_till_done()

    assert entities(hass, entry) == {LATENCY, "binary_sensor.our_lobby_connectivity"}


async def test_a_queue(hass: HomeAssistant, lobby: FakeLobby) -> None:
    await set_up(hass, lobby)
    assert get_state(hass, SEARCHING).state == "0"
    assert get_state(hass, SEARCHING).name == "Our lobby Ladder 1v1 players"
    assert hass.states.get("sensor.our_lobby_2v2_players") is not None
    assert hass.states.get("sensor.our_lobby_4v4_full_share_next_match") is not None

    lobby.search("Rhiza", "ladder1v1")
    await wait_state(hass, SEARCHING, "1")

    before = dt_util.utcnow()
    first = get_state(hass, NEXT)
    assert first.attributes["device_class"] == "timestamp"
    lobby.pop_in(20)
    await wait_until(hass, lambda: get_state(hass, NEXT).state != first.state)
    moment = datetime.fromisoformat(get_state(hass, NEXT).state)
    expected = before + timedelta(seconds=20)
    assert abs(moment - expected) < timedelta(seconds=10)
    assert moment.tzinfo == UTC or moment.utcoffset() == timedelta(0)


async def test_a_queue_that_turns_up(hass: HomeAssistant, lobby: FakeLobby) -> None:
    """It gets its sensors at once, whatever it is called."""
    await set_up(hass, lobby)
    lobby.add_queue("winter_cup")
    await wait_until(
        hass, lambda: hass.states.get("sensor.our_lobby_winter_cup_next_match")
    )
    assert get_state(hass, "sensor.our_lobby_winter_cup_players").state == "0"


async def test_queues_that_are_closed(hass: HomeAssistant, lobby: FakeLobby) -> None:
    """They are unknown, as a lobby that is about to go has none."""
    await set_up(hass, lobby)
    lobby.begin_shutdown()
    await hass.services.async_call(
        "button",
        "press",
        {"entity_id": "button.our_lobby_refresh_queues"},
        blocking=True,
    )
    await wait_state(hass, SEARCHING, STATE_UNKNOWN)
    assert get_state(hass, NEXT).state == STATE_UNKNOWN


async def test_queues_are_bounded(hass: HomeAssistant, lobby: FakeLobby) -> None:
    """A lobby that keeps inventing queues gets no more sensors; known ones come back."""
    entry = await set_up(hass, lobby)
    for number in range(MAX_QUEUES + 5):
        lobby.add_queue(f"a{number:02}")
    await wait_data(entry, lambda state: len(state.queues) >= MAX_QUEUES + 5)
    await hass.async_block_till_done()

    def sensors() -> set[str]:
        return {name for name in entities(hass, entry) if "_next_match" in name}

    assert len(sensors()) == MAX_QUEUES
    assert NEXT in sensors()
    assert "sensor.our_lobby_a00_next_match" in sensors()

    assert await hass.config_entries.async_reload(entry.entry_id)
    await wait_signed_in(entry)
    await hass.async_block_till_done()
    assert len(sensors()) == MAX_QUEUES


async def test_a_queue_that_cannot_be_shown(
    hass: HomeAssistant, lobby: FakeLobby
) -> None:
    entry = await set_up(hass, lobby)
    before = entities(hass, entry)
    lobby.add_queue("x" * (MAX_NAME + 1))
    await wait_data(entry, lambda state: len(state.queues) >= 4)
    await hass.async_block_till_done()
    assert entities(hass, entry) == before


async def test_states_before_the_first_login(
    hass: HomeAssistant, lobby: FakeLobby
) -> None:
    """The entities are there, and say that nothing is known."""
    await lobby.stop()
    entry = await add_entry(hass, data_of(lobby), players=("Rhiza",))
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert not coordinator_of(entry).data.is_connected
    assert get_state(hass, ONLINE).state == STATE_UNAVAILABLE
    assert get_state(hass, "sensor.rhiza_map").state == STATE_UNAVAILABLE


async def test_status_of_a_lobby_that_is_away(
    hass: HomeAssistant, lobby: FakeLobby
) -> None:
    await lobby.stop()
    entry = await add_entry(hass, data_of(lobby, AccountKind.NONE), Secrets())
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert get_state(hass, LATENCY).state == STATE_UNAVAILABLE
