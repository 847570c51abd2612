"""Sensors of followed players."""

from collections.abc import Callable
from datetime import datetime

import pytest

from homeassistant.const import STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er

from .common import get_state, set_up, wait_data, wait_signed_in, wait_state, wait_until
from custom_components.rumpus.families.faf.sensor import MAX_LEADERBOARDS
from custom_components.rumpus.names import MAX_NAME
from tests.fakes.faf_lobby import FakeLobby
from tests.fakes.faf_models import FakeRating

STATUS = "sensor.rhiza_status"
MAP = "sensor.rhiza_map"
GAME = "sensor.rhiza_game"
SINCE = "sensor.rhiza_in_game_since"
RATING = "sensor.rhiza_rating"
LADDER = "sensor.rhiza_ladder_1v1_rating"
CHANGE = "sensor.rhiza_rating_change"


async def test_the_life_of_a_player(hass: HomeAssistant, lobby: FakeLobby) -> None:
    """Offline, online, in a lobby, playing, and back."""
    await set_up(hass, lobby, ("rhiza",))
    status = get_state(hass, STATUS)
    assert status.state == "offline"
    assert status.attributes["options"] == ["offline", "online", "in_lobby", "playing"]
    assert status.attributes["device_class"] == "enum"
    for entity_id in (MAP, GAME, SINCE, RATING, CHANGE):
        assert get_state(hass, entity_id).state == STATE_UNKNOWN, entity_id

    lobby.add_account("Rhiza", ratings={"global": (1500.6, 100.0, 7)})
    lobby.sign_on("Rhiza")
    await wait_state(hass, STATUS, "online")
    assert get_state(hass, RATING).state == "1200.6"
    assert get_state(hass, RATING).attributes["state_class"] == "measurement"
    assert get_state(hass, GAME).state == STATE_UNKNOWN

    uid = lobby.host_game("Rhiza", title="Setons\tall", map_name="scmp_009")
    await wait_state(hass, STATUS, "in_lobby")
    assert get_state(hass, GAME).state == "Setons all"
    assert get_state(hass, MAP).state == "Seton's Clutch"
    hosted = datetime.fromisoformat(get_state(hass, SINCE).state)

    lobby.join("Brackman", uid)
    lobby.launch(uid)
    await wait_state(hass, STATUS, "playing")
    assert datetime.fromisoformat(get_state(hass, SINCE).state) >= hosted

    lobby.end_game(uid, {"Rhiza": (1520.6, 99.0)})
    await wait_state(hass, STATUS, "online")
    for entity_id in (MAP, GAME, SINCE):
        assert get_state(hass, entity_id).state == STATE_UNKNOWN, entity_id
    await wait_state(hass, RATING, "1223.6")
    assert get_state(hass, CHANGE).state == "23.0"
    assert get_state(hass, CHANGE).attributes["leaderboard"] == "Global"

    lobby.sign_off("Rhiza")
    await wait_state(hass, STATUS, "offline")
    assert get_state(hass, RATING).state == "1223.6"


async def test_a_game_without_a_name(hass: HomeAssistant, lobby: FakeLobby) -> None:
    """What nobody has named is unknown, not empty."""
    await set_up(hass, lobby, ("Rhiza",))
    lobby.host_game("Rhiza", title=" ", map_name="_")
    await wait_state(hass, STATUS, "in_lobby")
    assert get_state(hass, GAME).state == STATE_UNKNOWN
    assert get_state(hass, MAP).state == STATE_UNKNOWN


async def test_no_change_of_a_rating_yet(hass: HomeAssistant, lobby: FakeLobby) -> None:
    await set_up(hass, lobby, ("Rhiza",))
    assert get_state(hass, CHANGE).state == STATE_UNKNOWN
    assert get_state(hass, CHANGE).attributes["leaderboard"] is None


async def test_leaderboards(hass: HomeAssistant, lobby: FakeLobby) -> None:
    """Each that turns up has a sensor; that of the ladder is enabled."""
    lobby.add_account(
        "Rhiza", ratings={"ladder_1v1": (1000.0, 90.0, 3), "tmm_2v2": (800.0, 100.0, 1)}
    )
    lobby.sign_on("Rhiza")
    await set_up(hass, lobby, ("Rhiza", "Brackman"))
    assert get_state(hass, LADDER).state == "730.0"
    registry = er.async_get(hass)
    entry = registry.async_get("sensor.rhiza_2v2_rating")
    assert entry is not None
    assert entry.disabled_by is er.RegistryEntryDisabler.INTEGRATION
    # Nobody has seen Brackman.
    assert registry.async_get("sensor.brackman_ladder_1v1_rating") is None

    lobby.sign_on("Brackman")
    await wait_until(hass, lambda: hass.states.get("sensor.brackman_ladder_1v1_rating"))

    lobby.set_rating("Rhiza", 1100.0, 80.0, leaderboard="ladder_1v1")
    await wait_state(hass, LADDER, "860.0")
    assert get_state(hass, CHANGE).state == "130.0"
    assert get_state(hass, CHANGE).attributes["leaderboard"] == "Ladder 1v1"


async def test_leaderboards_are_bounded(hass: HomeAssistant, lobby: FakeLobby) -> None:
    """A lobby that keeps inventing leaderboards gets no more sensors."""
    lobby.sign_on("Rhiza")
    entry = await set_up(hass, lobby, ("Rhiza",))
    registry = er.async_get(hass)

    def count() -> int:
        return sum(
            "_rating_of_" in one.unique_id
            for one in er.async_entries_for_config_entry(registry, entry.entry_id)
        )

    for letter in "ab":
        lobby.account("Rhiza").ratings = {
            f"{letter}{number}": FakeRating(1500.0, 100.0)
            for number in range(MAX_LEADERBOARDS - 2)
        }
        lobby.set_clan("Rhiza", letter)
        await wait_data(entry, _has_board(f"{letter}0"))
        await hass.async_block_till_done()
    assert count() == MAX_LEADERBOARDS


def _has_board(name: str) -> Callable[..., bool]:
    return lambda state: name in state.followed["rhiza"].ratings


async def test_a_leaderboard_that_cannot_be_shown(
    hass: HomeAssistant, lobby: FakeLobby
) -> None:
    lobby.sign_on("Rhiza")
    entry = await set_up(hass, lobby, ("Rhiza",))
    registry = er.async_get(hass)
    before = {
        one.unique_id
        for one in er.async_entries_for_config_entry(registry, entry.entry_id)
    }
    board = "x" * (MAX_NAME + 1)
    lobby.set_rating("Rhiza", 1.0, 1.0, leaderboard=board)
    await wait_data(entry, _has_board(board))
    await hass.async_block_till_done()
    assert before == {
        one.unique_id
        for one in er.async_entries_for_config_entry(registry, entry.entry_id)
    }


@pytest.mark.usefixtures("all_enabled")
async def test_clan_and_country(hass: HomeAssistant, lobby: FakeLobby) -> None:
    lobby.add_account("Rhiza", clan="SYM", country="DE")
    lobby.sign_on("Rhiza", "Brackman")
    await set_up(hass, lobby, ("Rhiza", "Brackman"))
    assert get_state(hass, "sensor.rhiza_clan").state == "SYM"
    assert get_state(hass, "sensor.rhiza_country").state == "DE"
    assert get_state(hass, "sensor.brackman_clan").state == STATE_UNKNOWN
    assert get_state(hass, "sensor.brackman_country").state == STATE_UNKNOWN


async def test_clan_and_country_have_to_be_enabled(
    hass: HomeAssistant, lobby: FakeLobby
) -> None:
    await set_up(hass, lobby, ("Rhiza",))
    assert hass.states.get("sensor.rhiza_clan") is None
    assert hass.states.get("sensor.rhiza_country") is None


async def test_players_are_devices_of_the_lobby(
    hass: HomeAssistant, lobby: FakeLobby
) -> None:
    """Each has its own entities, and who is not followed any more has none."""
    entry = await set_up(hass, lobby, ("Rhiza", "Brackman"))
    entities, devices = er.async_get(hass), dr.async_get(hass)
    for name in "rhiza", "brackman":
        found = entities.async_get(f"sensor.{name}_status")
        assert found is not None
        assert found.device_id is not None
        device = devices.async_get(found.device_id)
        assert isinstance(device, dr.DeviceEntry)
        assert device.model == "Player"

    hass.config_entries.async_update_entry(entry, options={"players": ["Rhiza"]})
    assert await hass.config_entries.async_reload(entry.entry_id)
    await wait_signed_in(entry)
    await hass.async_block_till_done()
    assert entities.async_get("sensor.rhiza_status") is not None
    assert entities.async_get("sensor.brackman_status") is None
