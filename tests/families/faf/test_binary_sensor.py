"""Whether there is a connection to a lobby, and whether we are signed in."""

from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant

from .common import LOGIN, get_state, set_up, set_up_status, wait_signed_in, wait_state
from tests.fakes.faf_lobby import FakeLobby

LINK = "binary_sensor.our_lobby_connectivity"
SIGNED_IN = "binary_sensor.our_lobby_signed_in"


async def test_a_link_that_is_lost(hass: HomeAssistant, lobby: FakeLobby) -> None:
    """Both say so instead of being unavailable."""
    entry = await set_up(hass, lobby)
    assert get_state(hass, LINK).state == "on"
    assert get_state(hass, LINK).attributes["device_class"] == "connectivity"
    assert get_state(hass, SIGNED_IN).state == "on"

    await lobby.stop()
    await wait_state(hass, LINK, "off")
    assert get_state(hass, SIGNED_IN).state == "off"

    await lobby.start()
    await wait_signed_in(entry)
    await wait_state(hass, SIGNED_IN, "on")
    assert get_state(hass, LINK).state == "on"


async def test_another_login(hass: HomeAssistant, lobby: FakeLobby) -> None:
    await set_up(hass, lobby)
    lobby.kick(LOGIN)
    await wait_state(hass, SIGNED_IN, "off")
    assert get_state(hass, LINK).state == "off"
    status = get_state(hass, "sensor.our_lobby_players_online").state
    assert status == STATE_UNAVAILABLE


async def test_a_lobby_without_an_account(
    hass: HomeAssistant, lobby: FakeLobby
) -> None:
    """There is nothing to sign in to."""
    await set_up_status(hass, lobby)
    assert get_state(hass, LINK).state == "on"
    assert hass.states.get(SIGNED_IN) is None
