"""What is told for a bug report, and on the page of the system's health."""

from homeassistant.core import HomeAssistant

from .common import LOGIN, NAME, coordinator_of, set_up, set_up_status, wait_data
from custom_components.rumpus.diagnostics import async_get_config_entry_diagnostics
from custom_components.rumpus.families import async_get_family
from custom_components.rumpus.families.faf.store import async_get_store
from custom_components.rumpus.system_health import system_health_info
from tests.fakes.faf_lobby import FakeLobby


async def test_diagnostics(hass: HomeAssistant, lobby: FakeLobby) -> None:
    """Kinds and counts; nothing that tells whose lobby it is and who is there."""
    lobby.add_account("Rhiza", clan="SER", country="DE")
    lobby.add_avatar(LOGIN, "https://example.org/avatar.png", "Gold medal")
    lobby.befriend(LOGIN, "Rhiza")
    lobby.sign_on("Rhiza")
    lobby.host_game("Rhiza", title="Setons for all")
    entry = await set_up(hass, lobby, ("Rhiza", "Dostya"))
    await wait_data(entry, lambda state: state.avatars)

    facts = await async_get_config_entry_diagnostics(hass, entry)

    assert facts["lobby"] == {
        "server": "own",
        "account": "password",
        "framing": "json",
        "is_secure": False,
        "verify_certificate": True,
        "has_path": False,
        "has_helper": False,
        "is_status_only": False,
    }
    session = facts["session"]
    assert session.pop("latency") > 0
    assert abs(session.pop("clock_skew")) < 10
    assert session == {
        "is_connected": True,
        "is_signed_in": True,
        "is_signed_out_elsewhere": False,
        "status": "online",
        "stop_error": None,
        "last_error": None,
        "friends": 1,
        "foes": 0,
        "items_dropped": 0,
    }
    assert facts["state"] == {
        "players_online": 2,
        "players_in_games": 1,
        "games_open": 1,
        "games_running": 0,
        "games_finished": 0,
        "queues": 3,
        "searching": 0,
        "avatars": 1,
        "followed": 2,
        "followed_known": 1,
    }
    assert facts["events_dropped"] == 0
    text = str(facts).lower()
    secrets = await async_get_store(hass).async_get(str(entry.unique_id))
    for private in (
        *(LOGIN, NAME, "Rhiza", "Dostya", "Setons", "Gold", "example.org"),
        *(lobby.address, str(lobby.account("Rhiza").id), str(secrets.password_hash)),
    ):
        assert private.lower() not in text


async def test_diagnostics_of_a_lobby_that_is_away(
    hass: HomeAssistant, lobby: FakeLobby
) -> None:
    """Of an error only the kind is told."""
    entry = await set_up(hass, lobby)
    await lobby.stop()
    await wait_data(entry, lambda state: not state.is_connected)
    facts = await async_get_config_entry_diagnostics(hass, entry)
    assert facts["session"]["last_error"] == "DisconnectedError"
    assert facts["session"]["status"] in {"offline", "connecting"}
    assert facts["state"]["players_online"] is None


async def test_diagnostics_without_an_account(
    hass: HomeAssistant, lobby: FakeLobby
) -> None:
    """There is less to tell."""
    entry = await set_up_status(hass, lobby)
    facts = await async_get_config_entry_diagnostics(hass, entry)
    assert facts["lobby"]["is_status_only"]
    assert facts["session"].pop("latency") > 0
    assert facts["session"] == {
        "is_connected": True,
        "is_signed_in": False,
        "is_signed_out_elsewhere": False,
    }


async def test_system_health(hass: HomeAssistant, lobby: FakeLobby) -> None:
    """How many lobbies answer, and whose accounts are used elsewhere."""
    entry = await set_up(hass, lobby)
    expected = {
        "devices": 1,
        "faf_connected": 1,
        "faf_signed_in": 1,
        "faf_signed_out_elsewhere": 0,
    }
    assert await system_health_info(hass) == expected
    lobby.kick(LOGIN)
    await wait_data(entry, lambda state: state.is_signed_out_elsewhere)
    assert await system_health_info(hass) == {
        **expected,
        "faf_connected": 0,
        "faf_signed_in": 0,
        "faf_signed_out_elsewhere": 1,
    }
    await hass.async_block_till_done()
    assert coordinator_of(entry).data.is_signed_out_elsewhere


async def test_system_health_without_lobbies(hass: HomeAssistant) -> None:
    """Where there is no lobby there is nothing to tell."""
    assert (await async_get_family(hass, "faf")).system_health(hass) == {}
