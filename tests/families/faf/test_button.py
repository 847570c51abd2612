"""Buttons of a lobby: the queues anew, signing in again, and an end to searching."""

import pytest

from homeassistant.const import ATTR_ENTITY_ID, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from .common import (
    LOGIN,
    get_state,
    set_up,
    set_up_status,
    wait_signed_in,
    wait_state,
    wait_until,
)
from custom_components.rumpus.protocols.faf.timing import Timing
from tests.fakes.faf_lobby import FakeLobby

REFRESH = "button.our_lobby_refresh_queues"
SIGN_IN = "button.our_lobby_sign_in_again"
STOP = "button.our_lobby_stop_search"


async def press(hass: HomeAssistant, entity_id: str) -> None:
    """Press a button."""
    await hass.services.async_call(
        "button", "press", {ATTR_ENTITY_ID: entity_id}, blocking=True
    )


async def test_refresh_queues(hass: HomeAssistant, lobby: FakeLobby) -> None:
    await set_up(hass, lobby)
    lobby.events.mark()
    await press(hass, REFRESH)
    await lobby.wait_for("received", command="matchmaker_info")


@pytest.mark.parametrize("timing", [Timing(reply=0.5)])
async def test_a_lobby_that_does_not_answer(
    hass: HomeAssistant, lobby: FakeLobby
) -> None:
    await set_up(hass, lobby)
    lobby.mischief.never_answer.add("matchmaker_info")
    with pytest.raises(HomeAssistantError) as caught:
        await press(hass, REFRESH)
    assert caught.value.translation_key == "faf_timed_out"


async def test_sign_in_again(hass: HomeAssistant, lobby: FakeLobby) -> None:
    """It can be pressed only where another login took over."""
    entry = await set_up(hass, lobby)
    assert get_state(hass, SIGN_IN).state == STATE_UNAVAILABLE

    lobby.kick(LOGIN)
    await wait_state(hass, SIGN_IN, STATE_UNKNOWN)
    assert get_state(hass, REFRESH).state == STATE_UNAVAILABLE

    await press(hass, SIGN_IN)
    await wait_signed_in(entry)
    await wait_until(
        hass,
        lambda: (
            hass.states.is_state(SIGN_IN, STATE_UNAVAILABLE)
            and not hass.states.is_state(REFRESH, STATE_UNAVAILABLE)
        ),
    )


async def test_stop_search(hass: HomeAssistant, lobby: FakeLobby) -> None:
    """It can be pressed while the account searches, and ends every search."""
    await set_up(hass, lobby)
    assert get_state(hass, STOP).state == STATE_UNAVAILABLE

    lobby.search(LOGIN, "ladder1v1")
    lobby.search(LOGIN, "tmm2v2")
    await wait_state(hass, STOP, STATE_UNKNOWN)
    await wait_state(hass, "sensor.our_lobby_2v2_players", "1")

    await press(hass, STOP)
    for queue in "ladder1v1", "tmm2v2":
        await lobby.wait_for("search", login=LOGIN, queue=queue, state="stop")
    await wait_state(hass, STOP, STATE_UNAVAILABLE)
    await wait_state(hass, "sensor.our_lobby_ladder_1v1_players", "0")


async def test_a_lobby_without_an_account(
    hass: HomeAssistant, lobby: FakeLobby
) -> None:
    await set_up_status(hass, lobby)
    assert not hass.states.async_entity_ids("button")
