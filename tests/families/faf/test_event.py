"""Events of a lobby and of followed players."""

from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant

from .common import (
    LOGIN,
    get_state,
    set_up,
    set_up_status,
    wait_attribute,
    wait_signed_in,
    wait_state,
)
from tests.fakes.faf_lobby import FakeLobby

GAME = "event.our_lobby_game"
MATCH = "event.our_lobby_match"
NOTICE = "event.our_lobby_notice"
ACTIVITY = "event.rhiza_activity"


async def test_nothing_has_happened(hass: HomeAssistant, lobby: FakeLobby) -> None:
    """What was so before we came is no event."""
    lobby.host_game("Rhiza")
    await set_up(hass, lobby, ("Rhiza",))
    for entity_id in GAME, MATCH, NOTICE, ACTIVITY:
        assert get_state(hass, entity_id).state == STATE_UNKNOWN, entity_id
    assert get_state(hass, GAME).attributes["event_types"] == [
        "opened",
        "started",
        "ended",
        "friend_opened",
    ]


async def test_a_game_of_a_followed_player(
    hass: HomeAssistant, lobby: FakeLobby
) -> None:
    await set_up(hass, lobby, ("Rhiza",))
    lobby.sign_on("Rhiza")
    await wait_attribute(hass, ACTIVITY, "event_type", "online")

    uid = lobby.host_game("Rhiza", title="Setons", map_name="scmp_009")
    await wait_attribute(hass, ACTIVITY, "event_type", "opened_game")
    await wait_attribute(hass, GAME, "event_type", "friend_opened")
    attributes = get_state(hass, GAME).attributes
    assert attributes["uid"] == uid
    assert attributes["title"] == "Setons"
    assert attributes["map"] == "Seton's Clutch"
    assert attributes["host"] == "Rhiza"
    assert attributes["mod"] == "faf"
    assert get_state(hass, ACTIVITY).attributes["title"] == "Setons"

    lobby.launch(uid)
    await wait_attribute(hass, GAME, "event_type", "started")
    await wait_attribute(hass, ACTIVITY, "event_type", "game_started")

    lobby.end_game(uid)
    await wait_attribute(hass, GAME, "event_type", "ended")
    await wait_attribute(hass, ACTIVITY, "event_type", "game_ended")

    lobby.set_rating("Rhiza", 1600.0, 100.0)
    await wait_attribute(hass, ACTIVITY, "event_type", "rating_changed")
    assert get_state(hass, ACTIVITY).attributes["rating"] == 1300

    lobby.sign_off("Rhiza")
    await wait_attribute(hass, ACTIVITY, "event_type", "offline")


async def test_a_match(hass: HomeAssistant, lobby: FakeLobby) -> None:
    """Of the account itself, and of a player who is followed."""
    await set_up(hass, lobby, ("Rhiza",))
    lobby.search(LOGIN, "ladder1v1")
    lobby.search("Rhiza", "ladder1v1")
    (uid,) = lobby.pop("ladder1v1")
    await wait_attribute(hass, MATCH, "event_type", "match_found")
    assert "queue" in get_state(hass, MATCH).attributes
    await wait_attribute(hass, ACTIVITY, "event_type", "match_found")

    lobby.cancel_match(uid)
    await wait_attribute(hass, MATCH, "event_type", "match_cancelled")


async def test_a_notice(hass: HomeAssistant, lobby: FakeLobby) -> None:
    """Without its markup; a style that nobody knows is another one."""
    await set_up(hass, lobby)
    lobby.notice("The server will be <b>down</b>", "warning")
    await wait_attribute(hass, NOTICE, "event_type", "warning")
    assert get_state(hass, NOTICE).attributes["text"] == "The server will be down"
    lobby.notice("Well", "fanfare")
    await wait_attribute(hass, NOTICE, "event_type", "other")


async def test_the_lobby_is_away(hass: HomeAssistant, lobby: FakeLobby) -> None:
    entry = await set_up(hass, lobby, ("Rhiza",))
    await lobby.stop()
    await wait_state(hass, GAME, STATE_UNAVAILABLE)
    assert get_state(hass, ACTIVITY).state == STATE_UNAVAILABLE
    await lobby.start()
    await wait_signed_in(entry)
    await wait_state(hass, GAME, STATE_UNKNOWN)


async def test_a_lobby_without_an_account(
    hass: HomeAssistant, lobby: FakeLobby
) -> None:
    await set_up_status(hass, lobby)
    assert not hass.states.async_entity_ids("event")
