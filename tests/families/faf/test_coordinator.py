"""A lobby as Home Assistant follows it."""

import asyncio
from dataclasses import replace
from datetime import timedelta
import logging
from typing import override

import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr
from homeassistant.util import dt as dt_util

from .common import (
    LOGIN,
    NAME,
    PATIENCE,
    add_entry,
    coordinator_of,
    data_of,
    set_up,
    set_up_status,
    wait_data,
    wait_signed_in,
)
from .conftest import QUICK
from custom_components.rumpus.const import DOMAIN, LOGGER
from custom_components.rumpus.families import async_get_family
from custom_components.rumpus.families.faf import (
    coordinator as coordinator_module,
    link,
)
from custom_components.rumpus.families.faf.const import AccountKind, ServerKind
from custom_components.rumpus.families.faf.data import LobbyData
from custom_components.rumpus.families.faf.store import Secrets, async_get_store
from custom_components.rumpus.protocols.faf.models import PlayerStatus
from custom_components.rumpus.protocols.faf.transports import Framing
from tests.fakes.faf_lobby import FakeLobby


@pytest.mark.parametrize("framing", list(Framing))
async def test_counts(hass: HomeAssistant, lobby: FakeLobby, framing: Framing) -> None:
    """Players, games and queues are counted, over every transport."""
    lobby.sign_on("Rhiza", "Dostya")
    uid = lobby.host_game("Brackman")
    lobby.launch(uid)
    lobby.host_game("Hall")
    entry = await set_up(hass, lobby, framing=framing)
    state = coordinator_of(entry).data
    assert state.is_connected
    assert state.is_signed_in
    assert state.latency is not None
    assert state.players_online == 5
    assert state.players_in_games == 2
    assert (state.games_open, state.games_running, state.games_finished) == (1, 1, 0)
    assert set(state.queues) == {"ladder1v1", "tmm2v2", "tmm4v4_full_share"}
    assert state.queues["tmm2v2"].team_size == 2
    lobby.search("Rhiza")
    await wait_data(entry, lambda state: state.queues["ladder1v1"].players == 1)
    lobby.end_game(uid)
    await wait_data(entry, lambda state: state.games_finished == 1)


async def test_counts_interval(
    hass: HomeAssistant, lobby: FakeLobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A busy lobby does not fill the recorder: its counts are told now and then."""
    monkeypatch.setattr(coordinator_module, "COUNTS_INTERVAL", 10.0)
    entry = await set_up(hass, lobby, players=("Rhiza",))
    coordinator = coordinator_of(entry)
    assert coordinator.data.players_online == 1
    lobby.sign_on("Dostya")
    await wait_data(entry, lambda state: state.players_online == 2)
    lobby.sign_on("Brackman")
    lobby.search("Brackman")
    lobby.sign_on("Rhiza")
    await wait_data(
        entry, lambda state: state.followed["rhiza"].status is PlayerStatus.ONLINE
    )
    assert coordinator.data.players_online == 2
    assert coordinator.data.queues["ladder1v1"].players == 0
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=11))
    await wait_data(entry, lambda state: state.players_online == 4)
    assert coordinator.data.queues["ladder1v1"].players == 1
    # After a loss everything is told at once.
    lobby.drop()
    await wait_data(entry, lambda state: state.players_online is None)
    lobby.sign_on("Hall")
    await wait_data(entry, lambda state: state.players_online == 5)


async def test_next_pop_is_steady(hass: HomeAssistant, lobby: FakeLobby) -> None:
    """The next round of a queue is told anew when it has moved, not for its jitter."""
    entry = await set_up(hass, lobby)
    coordinator = coordinator_of(entry)
    first = coordinator.data.queues["ladder1v1"].next_pop
    lobby.pop_in(200)
    await wait_data(entry, lambda data: data.queues["ladder1v1"].next_pop != first)
    pop = coordinator.data.queues["ladder1v1"].next_pop
    lobby.pop_in(201)
    lobby.search("Rhiza")
    await wait_data(entry, lambda state: state.queues["ladder1v1"].players == 1)
    assert coordinator.data.queues["ladder1v1"].next_pop == pop
    lobby.pop_in(230)
    await wait_data(entry, lambda state: state.queues["ladder1v1"].next_pop != pop)


async def test_followed_player(hass: HomeAssistant, lobby: FakeLobby) -> None:
    """What a followed player does is known, and what a game did to the rating."""
    lobby.add_account("Rhiza", ratings={"global": (1500.0, 100.0, 10)})
    entry = await set_up(hass, lobby, ("rhiza",))
    coordinator = coordinator_of(entry)
    assert coordinator.followed_keys == ("rhiza",)
    assert coordinator.data.followed["rhiza"].status is PlayerStatus.OFFLINE

    async def wait_status(status: PlayerStatus) -> None:
        await wait_data(entry, lambda data: data.followed["rhiza"].status is status)

    lobby.sign_on("Rhiza")
    await wait_status(PlayerStatus.ONLINE)
    assert coordinator.data.followed["rhiza"].login == "Rhiza"
    uid = lobby.host_game("Rhiza", title="All welcome")
    await wait_status(PlayerStatus.IN_LOBBY)
    lobby.launch(uid)
    await wait_status(PlayerStatus.PLAYING)
    lobby.end_game(uid, {"Rhiza": (1512.5, 100.0)})
    await wait_status(PlayerStatus.ONLINE)
    await wait_data(entry, lambda state: state.followed["rhiza"].rating_change == 12.5)
    lobby.sign_off("Rhiza")
    await wait_status(PlayerStatus.OFFLINE)


async def test_events(hass: HomeAssistant, lobby: FakeLobby) -> None:
    """What happens is told to the event entities, with a name for each."""
    lobby.add_account("Rhiza")
    entry = await set_up(hass, lobby, ("Rhiza",))
    coordinator = coordinator_of(entry)
    heard: list[str] = []
    coordinator.subscribe_events("player_rhiza", lambda kind, _: heard.append(kind))
    coordinator.subscribe_events("notice", lambda kind, _: heard.append(kind))
    lobby.sign_on("Rhiza")
    await wait_data(
        entry, lambda data: data.followed["rhiza"].status is PlayerStatus.ONLINE
    )
    lobby.notice("We go down at ten")
    lobby.sign_on("Dostya")
    await wait_data(entry, lambda data: data.players_online == 3)
    assert heard == ["online", "info"]


async def test_devices(
    hass: HomeAssistant, lobby: FakeLobby, device_registry: dr.DeviceRegistry
) -> None:
    """The lobby is a service; players are devices of it for as long as they are followed."""
    lobby.sign_on("Rhiza")
    entry = await set_up(hass, lobby, ("rhiza", "dostya"))
    coordinator = coordinator_of(entry)
    service = coordinator.registry_device
    assert service is not None
    assert service.name == NAME
    assert service.entry_type is dr.DeviceEntryType.SERVICE
    assert (service.manufacturer, service.model) == ("Forged Alliance Forever", "Lobby")

    def device(key: str) -> dr.DeviceEntry | None:
        return device_registry.async_get_device_by_identifier(
            (DOMAIN, f"{entry.unique_id}_player_{key}"), entry.entry_id
        )

    rhiza = device("rhiza")
    assert rhiza is not None
    assert rhiza.via_device_id == service.id
    assert (rhiza.name, rhiza.model) == ("Rhiza", "Player")
    lobby.sign_off("Rhiza")
    lobby.rename("Rhiza", "Oum-Eoshi")
    lobby.sign_on("Oum-Eoshi")
    await wait_data(entry, lambda state: state.followed["rhiza"].login == "Oum-Eoshi")
    rhiza = device("rhiza")
    assert rhiza is not None
    assert rhiza.name == "Oum-Eoshi"

    hass.config_entries.async_update_entry(entry, options={"players": ["rhiza"]})
    await hass.config_entries.async_reload(entry.entry_id)
    await wait_signed_in(entry)
    assert device("dostya") is None
    assert device("rhiza") is not None
    # Who it is was kept: the name in the options is an old one.
    assert coordinator_of(entry).data.followed["rhiza"].login == "Oum-Eoshi"


async def test_connection_is_lost(
    hass: HomeAssistant, lobby: FakeLobby, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is known while the lobby is gone, and everything anew after that."""
    lobby.sign_on("Rhiza")
    entry = await set_up(hass, lobby, ("Rhiza",))
    await lobby.stop()
    await wait_data(entry, lambda state: not state.is_connected)
    state = coordinator_of(entry).data
    assert not state.is_signed_in
    assert state.players_online is None
    assert state.queues == {}
    assert state.followed["rhiza"].status is PlayerStatus.OFFLINE
    await lobby.start()
    await wait_signed_in(entry)
    assert coordinator_of(entry).data.players_online == 1


async def test_wishes(hass: HomeAssistant, lobby: FakeLobby) -> None:
    """Queues, searches and avatars can be asked for."""
    lobby.add_avatar(LOGIN, "https://example.org/a.png", "Gold")
    entry = await set_up(hass, lobby)
    coordinator = coordinator_of(entry)
    await wait_data(entry, lambda state: state.avatars)
    await coordinator.async_select_avatar("https://example.org/a.png")
    await wait_data(entry, lambda state: state.avatar is not None)
    assert coordinator.data.avatar in coordinator.data.avatars
    await coordinator.async_refresh_queues()
    lobby.search(LOGIN)
    await wait_data(entry, lambda state: state.searching == {"ladder1v1"})
    await coordinator.async_stop_search()
    await wait_data(entry, lambda state: not state.searching)


async def test_wishes_without_a_lobby(hass: HomeAssistant, lobby: FakeLobby) -> None:
    """What cannot be asked for now is an error that says so."""
    entry = await set_up(hass, lobby)
    await lobby.stop()
    await wait_data(entry, lambda state: not state.is_connected)
    with pytest.raises(HomeAssistantError) as caught:
        await coordinator_of(entry).async_refresh_queues()
    assert caught.value.translation_key == "faf_not_connected"
    assert caught.value.translation_placeholders == {"name": NAME}


async def test_status_only(hass: HomeAssistant, lobby: FakeLobby) -> None:
    """Without an account the lobby is looked at now and then, and nobody signs in."""
    entry = await set_up_status(hass, lobby)
    coordinator = coordinator_of(entry)
    assert coordinator.client is None
    assert coordinator.data.latency is not None
    assert not coordinator.data.is_signed_in
    assert coordinator.update_interval == timedelta(seconds=300)
    assert not lobby.seen("signed_in")
    with pytest.raises(HomeAssistantError) as caught:
        await coordinator.async_refresh_queues()
    assert caught.value.translation_key == "faf_not_connected"


async def test_status_only_lost(
    hass: HomeAssistant,
    lobby: FakeLobby,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """That it does not answer is logged once, and that it does again."""
    entry = await set_up_status(hass, lobby)
    lobby.mischief.refuse = True
    for _ in range(2):
        async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=310))
        await hass.async_block_till_done(wait_background_tasks=True)
    await wait_data(entry, lambda state: not state.is_connected)
    await coordinator_of(entry).async_refresh()
    assert caplog.text.count("does not answer") == 1
    lobby.mischief.refuse = False
    await coordinator_of(entry).async_refresh()
    assert coordinator_of(entry).data.is_connected
    assert caplog.text.count("answers again") == 1


async def test_update_entity(hass: HomeAssistant, lobby: FakeLobby) -> None:
    """A user's "update entity" asks for nothing that is not known."""
    entry = await set_up(hass, lobby)
    coordinator = coordinator_of(entry)
    before = coordinator.data
    await coordinator.async_refresh()
    assert coordinator.data is before


async def test_unload(hass: HomeAssistant, lobby: FakeLobby) -> None:
    """An entry that is unloaded signs out."""
    entry = await set_up(hass, lobby)
    assert await hass.config_entries.async_unload(entry.entry_id)
    await lobby.wait_for("signed_out", login=LOGIN)
    assert entry.state is ConfigEntryState.NOT_LOADED


async def test_home_assistant_ends(hass: HomeAssistant, lobby: FakeLobby) -> None:
    """When Home Assistant ends we sign out."""
    await set_up(hass, lobby)
    await hass.async_stop(force=True)
    await lobby.wait_for("signed_out", login=LOGIN)


async def test_remove(
    hass: HomeAssistant, lobby: FakeLobby, hass_storage: dict[str, object]
) -> None:
    """Of an entry that is removed nothing is kept."""
    entry = await set_up(hass, lobby)
    assert "rumpus.faf" in hass_storage
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert "rumpus.faf" not in hass_storage


async def test_secrets_are_lost(hass: HomeAssistant, lobby: FakeLobby) -> None:
    """An entry without what it signs in with asks for that."""
    entry = await add_entry(hass, data_of(lobby), Secrets())
    assert not await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert entry.error_reason_translation_key == "faf_sign_in_lost"


async def test_new_address(
    hass: HomeAssistant, lobby: FakeLobby, device_registry: dr.DeviceRegistry
) -> None:
    """An entry with another address keeps its devices and entities."""
    lobby.sign_on("Rhiza")
    entry = await set_up(hass, lobby, ("Rhiza",))
    devices = {
        device.id
        for device in dr.async_entries_for_config_entry(device_registry, entry.entry_id)
    }
    states = set(hass.states.async_entity_ids())
    await hass.config_entries.async_unload(entry.entry_id)
    data = data_of(lobby, framing=Framing.QDATASTREAM)
    hass.config_entries.async_update_entry(
        entry, data=data.to_entry(), unique_id=data.unique_id
    )
    secrets = await async_get_store(hass).async_get(data_of(lobby).unique_id)
    await async_get_store(hass).async_keep(data.unique_id, secrets)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_signed_in(entry)
    after = dr.async_entries_for_config_entry(device_registry, entry.entry_id)
    assert {device.id for device in after} == devices
    assert (DOMAIN, data.unique_id) in {
        identifier for device in after for identifier in device.identifiers
    }
    assert states <= set(hass.states.async_entity_ids())
    assert not [name for name in hass.states.async_entity_ids() if name.endswith("_2")]


async def test_avatars_are_not_told(
    hass: HomeAssistant, lobby: FakeLobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lobby that does not tell which avatars there are is as good as others."""
    monkeypatch.setattr(link, "TIMING", replace(QUICK, reply=0.2))
    lobby.mischief.never_answer.add("avatar")
    told = asyncio.Event()

    class Watch(logging.Handler):
        @override
        def emit(self, record: logging.LogRecord) -> None:
            if "tells no avatars" in record.getMessage():
                told.set()

    LOGGER.setLevel(logging.DEBUG)
    LOGGER.addHandler(watch := Watch())
    try:
        entry = await set_up(hass, lobby)
        async with asyncio.timeout(PATIENCE):
            await told.wait()
    finally:
        LOGGER.removeHandler(watch)
        LOGGER.setLevel(logging.NOTSET)
    assert coordinator_of(entry).data.avatars == ()


async def test_flood_of_changes(
    hass: HomeAssistant, lobby: FakeLobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a flood it is looked at what it comes to."""
    monkeypatch.setattr(coordinator_module, "MAX_STATES", 1)
    monkeypatch.setattr(coordinator_module, "STATES_REFILL", 0.001)
    monkeypatch.setattr(coordinator_module, "FLOOD_INTERVAL", 0.05)
    entry = await set_up(hass, lobby)
    for number in range(20):
        lobby.sign_on(f"player{number}")
        lobby.flush()
    await wait_data(entry, lambda state: state.players_online == 21)


async def test_device_is_gone(
    hass: HomeAssistant, lobby: FakeLobby, device_registry: dr.DeviceRegistry
) -> None:
    """A device that a user has removed needs no other name."""
    lobby.sign_on("Rhiza")
    entry = await set_up(hass, lobby, ("Rhiza",))
    device = device_registry.async_get_device_by_identifier(
        (DOMAIN, coordinator_of(entry).player_device_id("rhiza")), entry.entry_id
    )
    assert device is not None
    device_registry.async_remove_device(device.id)
    await hass.async_block_till_done()
    lobby.sign_off("Rhiza")
    lobby.rename("Rhiza", "Oum-Eoshi")
    lobby.sign_on("Oum-Eoshi")
    await wait_data(entry, lambda state: state.followed["rhiza"].login == "Oum-Eoshi")
    assert device_registry.async_get(device.id) is None


async def test_name_over_a_restart(
    hass: HomeAssistant, lobby: FakeLobby, device_registry: dr.DeviceRegistry
) -> None:
    """A device keeps the last name of a player until that has another one."""
    lobby.sign_on("Rhiza")
    entry = await set_up(hass, lobby, ("Rhiza",))

    def name() -> str | None:
        device = device_registry.async_get_device_by_identifier(
            (DOMAIN, coordinator_of(entry).player_device_id("rhiza")), entry.entry_id
        )
        return None if device is None else device.name

    lobby.rename("Rhiza", "Oum-Eoshi")
    await wait_data(entry, lambda state: state.followed["rhiza"].login == "Oum-Eoshi")
    lobby.sign_off("Oum-Eoshi")
    await hass.config_entries.async_reload(entry.entry_id)
    assert name() == "Oum-Eoshi"
    await wait_signed_in(entry)
    assert name() == "Oum-Eoshi"

    await hass.config_entries.async_unload(entry.entry_id)
    lobby.rename("Oum-Eoshi", "Rhiza")
    lobby.sign_on("Rhiza")
    await hass.config_entries.async_setup(entry.entry_id)
    await wait_signed_in(entry)
    assert name() == "Rhiza"


async def test_listening(hass: HomeAssistant) -> None:
    """Lobbies do not announce themselves: there is nothing to listen to."""
    await (await async_get_family(hass, "faf")).async_setup_listener(hass)
    assert not hass.config_entries.flow.async_progress()


async def test_addresses(hass: HomeAssistant) -> None:
    """Where nobody knows how to connect nothing is tried."""
    with pytest.raises(ValueError, match="gateway"):
        link.create_connector(
            hass, LobbyData(server=ServerKind.OFFICIAL, account=AccountKind.OAUTH), None
        )
    own = LobbyData(server=ServerKind.OWN, account=AccountKind.NONE)
    with pytest.raises(ValueError, match="address"):
        link.create_connector(hass, own, None)
    local = replace(own, host="::1", framing=Framing.WEBSOCKET)
    assert "[::1]:8003" in link.create_connector(hass, local, None).name
