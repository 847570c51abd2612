"""Actions of a lobby: games, players, friends and foes."""

from typing import Any

import probatio
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import device_registry as dr

from .common import LOGIN, coordinator_of, set_up, set_up_status, wait_data, wait_state
from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.families.faf.actions import ACTIONS
from custom_components.rumpus.services import MAX_LISTED, MAX_SLOTS
from tests.fakes.faf_lobby import FakeLobby


def lobby_device(hass: HomeAssistant, entry: MockConfigEntry) -> str:
    """Return the registry id of a lobby."""
    device = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, coordinator_of(entry).device_id), entry.entry_id
    )
    assert device is not None
    return device.id


async def ask(
    hass: HomeAssistant, entry: MockConfigEntry, action: str, **data: Any
) -> Any:
    """Call an action that answers."""
    return await hass.services.async_call(
        DOMAIN,
        action,
        {"device_id": lobby_device(hass, entry), **data},
        blocking=True,
        return_response=True,
    )


async def tell(
    hass: HomeAssistant, entry: MockConfigEntry, action: str, player: str
) -> None:
    """Call an action about a player."""
    await hass.services.async_call(
        DOMAIN,
        action,
        {"device_id": lobby_device(hass, entry), "player": player},
        blocking=True,
    )


async def test_get_games(hass: HomeAssistant, lobby: FakeLobby) -> None:
    first = lobby.host_game(
        "Rhiza", title="Setons", map_name="scmp_009", max_players=8, password="x"
    )
    lobby.join("Watcher", first, team=-1)
    second = lobby.host_game("Ann", featured_mod="coop", game_type="coop")
    lobby.launch(second)
    entry = await set_up(hass, lobby)

    answer = await ask(hass, entry, "get_games")
    assert [game["uid"] for game in answer["games"]] == [second, first]
    assert answer["total"] == 2
    game = answer["games"][1]
    assert game["title"] == "Setons"
    assert game["map"] == "Seton's Clutch"
    assert game["state"] == "open"
    assert game["has_password"] is True
    assert game["teams"] == [{"team": 1, "players": ["Rhiza"]}]
    assert game["observers"] == ["Watcher"]
    assert game["free_slots"] == 7
    assert answer["games"][0]["launched_at"] is not None

    for fields, found in (
        ({"state": "open"}, [first]),
        ({"mod": "coop"}, [second]),
        ({"game_type": "coop"}, [second]),
        ({"host": "ann"}, [second]),
        ({"player": "watcher"}, [first]),
        ({"map": "seton"}, [first]),
        ({"open_slots": 8}, [second]),
        ({"no_password": True}, [second]),
        ({"limit": 1}, [second]),
        ({"host": "nobody"}, []),
    ):
        answer = await ask(hass, entry, "get_games", **fields)
        assert [game["uid"] for game in answer["games"]] == found, fields


async def test_games_come_and_go(hass: HomeAssistant, lobby: FakeLobby) -> None:
    entry = await set_up(hass, lobby)
    assert await ask(hass, entry, "get_games") == {"games": [], "total": 0}
    uid = lobby.host_game("Rhiza")
    await wait_data(entry, lambda state: state.games_open == 1)
    assert (await ask(hass, entry, "get_games"))["total"] == 1
    lobby.abandon(uid)
    await wait_data(entry, lambda state: state.games_open == 0)
    assert (await ask(hass, entry, "get_games"))["total"] == 0


async def test_get_players(hass: HomeAssistant, lobby: FakeLobby) -> None:
    lobby.add_account(
        "Rhiza", clan="SYM", country="DE", ratings={"global": (1500.0, 100.0, 7)}
    )
    uid = lobby.host_game("Rhiza")
    lobby.sign_on("Brackman")
    lobby.befriend(LOGIN, "Brackman")
    entry = await set_up(hass, lobby)

    answer = await ask(hass, entry, "get_players")
    assert [one["login"] for one in answer["players"]] == ["Brackman", LOGIN, "Rhiza"]
    assert answer["total"] == 3
    brackman, _, rhiza = answer["players"]
    assert brackman["is_friend"] is True
    assert brackman["status"] == "online"
    assert rhiza["status"] == "in_lobby"
    assert rhiza["game"] == uid
    assert rhiza["clan"] == "SYM"
    assert rhiza["ratings"]["global"] == {"rating": 1200, "games": 7}

    for fields in ({"login": "HIZ"}, {"clan": "sym"}, {"country": "de"}):
        answer = await ask(hass, entry, "get_players", **fields)
        assert [one["login"] for one in answer["players"]] == ["Rhiza"], fields
    answer = await ask(hass, entry, "get_players", limit=1)
    assert [one["login"] for one in answer["players"]] == ["Brackman"]
    assert answer["total"] == 3


async def test_friends(hass: HomeAssistant, lobby: FakeLobby) -> None:
    lobby.sign_on("Rhiza")
    entry = await set_up(hass, lobby)
    rhiza = lobby.account("Rhiza").id

    await tell(hass, entry, "add_friend", "rhiza ")
    await lobby.wait_for("friend_added", login=LOGIN, other=rhiza)
    assert (await ask(hass, entry, "get_players", login="Rhiza"))["players"][0][
        "is_friend"
    ]

    # Who becomes a foe is a friend no more.
    await tell(hass, entry, "add_foe", "Rhiza")
    await lobby.wait_for("friend_removed", login=LOGIN, other=rhiza)
    await lobby.wait_for("foe_added", login=LOGIN, other=rhiza)

    await tell(hass, entry, "remove_foe", "Rhiza")
    await lobby.wait_for("foe_removed", login=LOGIN, other=rhiza)

    await tell(hass, entry, "add_friend", "Rhiza")
    await lobby.wait_for("friend_added", login=LOGIN, other=rhiza)
    await tell(hass, entry, "remove_friend", "Rhiza")
    await lobby.wait_for("friend_removed", login=LOGIN, other=rhiza)
    assert coordinator_of(entry).data.is_signed_in


@pytest.mark.parametrize(
    "action", ["add_friend", "remove_friend", "add_foe", "remove_foe"]
)
async def test_a_player_who_is_not_online(
    hass: HomeAssistant, lobby: FakeLobby, action: str
) -> None:
    entry = await set_up(hass, lobby)
    with pytest.raises(ServiceValidationError) as caught:
        await tell(hass, entry, action, "[No](body)")
    assert caught.value.translation_key == "faf_player_not_online"
    assert caught.value.translation_placeholders == {
        "name": "Our lobby",
        "player": "No body",
    }


async def test_a_friend_of_oneself(hass: HomeAssistant, lobby: FakeLobby) -> None:
    entry = await set_up(hass, lobby)
    with pytest.raises(ServiceValidationError) as caught:
        await tell(hass, entry, "add_friend", LOGIN)
    assert caught.value.translation_key == "faf_own_account"


@pytest.mark.parametrize("action", ACTIONS)
async def test_a_lobby_that_is_away(
    hass: HomeAssistant, lobby: FakeLobby, action: str
) -> None:
    """What was known a moment ago is not told on."""
    lobby.sign_on("Rhiza")
    entry = await set_up(hass, lobby)
    await lobby.stop()
    await wait_state(hass, "binary_sensor.our_lobby_connectivity", "off")
    with pytest.raises(HomeAssistantError) as caught:
        if action.startswith("get_"):
            await ask(hass, entry, action)
        else:
            await tell(hass, entry, action, "Rhiza")
    assert caught.value.translation_key == "faf_not_connected"


async def test_a_lobby_without_an_account(
    hass: HomeAssistant, lobby: FakeLobby
) -> None:
    entry = await set_up_status(hass, lobby)
    with pytest.raises(ServiceValidationError) as caught:
        await ask(hass, entry, "get_games")
    assert caught.value.translation_key == "faf_no_account"


async def test_an_action_of_other_devices(
    hass: HomeAssistant, lobby: FakeLobby
) -> None:
    entry = await set_up(hass, lobby)
    with pytest.raises(ServiceValidationError) as caught:
        await ask(hass, entry, "get_apps")
    assert caught.value.translation_key == "faf_no_action"


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("get_games", {"limit": MAX_LISTED + 1}),
        ("get_games", {"limit": 0}),
        ("get_players", {"limit": MAX_LISTED + 1}),
        ("get_games", {"open_slots": MAX_SLOTS + 1}),
        ("get_games", {"open_slots": -1}),
        ("get_games", {"state": "closed"}),
        ("get_games", {"map": ""}),
    ],
)
async def test_what_cannot_be_asked(
    hass: HomeAssistant, lobby: FakeLobby, action: str, fields: dict[str, Any]
) -> None:
    entry = await set_up(hass, lobby)
    with pytest.raises(probatio.Invalid):
        await ask(hass, entry, action, **fields)
