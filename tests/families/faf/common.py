"""What the tests of the Forged Alliance Forever family share."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant

from ..common import (
    PATIENCE,
    flows,
    get_state,
    go,
    look,
    shown,
    wait_attribute,
    wait_progress,
    wait_state,
    wait_until,
)
from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.families.faf.const import AccountKind, ServerKind
from custom_components.rumpus.families.faf.coordinator import FafCoordinator
from custom_components.rumpus.families.faf.data import LobbyData
from custom_components.rumpus.families.faf.state import FafState
from custom_components.rumpus.families.faf.store import Secrets, async_get_store
from custom_components.rumpus.protocols.faf.login import hash_password
from custom_components.rumpus.protocols.faf.transports import Framing
from tests.fakes.faf_lobby import FakeLobby

__all__ = [
    "PATIENCE",
    "flows",
    "get_state",
    "go",
    "look",
    "shown",
    "wait_attribute",
    "wait_progress",
    "wait_state",
    "wait_until",
]

LOGIN = "ha_user"
PASSWORD = "secret"
NAME = "Our lobby"


def data_of(
    fake: FakeLobby,
    account: AccountKind = AccountKind.PASSWORD,
    framing: Framing = Framing.JSON,
) -> LobbyData:
    """Return what an entry has of a fake lobby, signed in to by LOGIN."""
    data = LobbyData(
        server=ServerKind.OWN,
        account=account,
        name=NAME,
        host=fake.address,
        port=fake.port_of(framing.value),
        framing=framing,
    )
    if account is AccountKind.NONE:
        return data
    return replace(data, login=LOGIN, player_id=fake.account(LOGIN).id)


async def add_entry(
    hass: HomeAssistant,
    data: LobbyData,
    secrets: Secrets | None = None,
    players: tuple[str, ...] = (),
) -> MockConfigEntry:
    """Return an entry for a lobby that is not set up yet, with what it needs to sign in."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        title=data.name,
        unique_id=data.unique_id,
        data=data.to_entry(),
        options={"players": list(players)} if players else {},
    )
    entry.add_to_hass(hass)
    if secrets is None:
        secrets = Secrets(password_hash=hash_password(PASSWORD))
    await async_get_store(hass).async_keep(data.unique_id, secrets)
    return entry


async def set_up(
    hass: HomeAssistant,
    fake: FakeLobby,
    players: tuple[str, ...] = (),
    *,
    framing: Framing = Framing.JSON,
) -> MockConfigEntry:
    """Return an entry of a fake lobby that is set up and signed in with a password."""
    entry = await add_entry(hass, data_of(fake, framing=framing), players=players)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_signed_in(entry)
    await hass.async_block_till_done()
    return entry


async def set_up_status(hass: HomeAssistant, fake: FakeLobby) -> MockConfigEntry:
    """Return an entry that only looks whether a fake lobby is there, and has done so."""
    entry = await add_entry(hass, data_of(fake, AccountKind.NONE), Secrets())
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_data(entry, lambda state: state.is_connected)
    await hass.async_block_till_done()
    return entry


def coordinator_of(entry: ConfigEntry) -> FafCoordinator:
    """Return what follows the lobby of an entry that is set up."""
    coordinator: FafCoordinator = entry.runtime_data
    return coordinator


async def wait_data(entry: ConfigEntry, check: Callable[[FafState], object]) -> None:
    """Wait until what is known of a lobby is as it should be."""
    coordinator = coordinator_of(entry)
    changed = asyncio.Event()
    unsubscribe = coordinator.async_add_listener(changed.set)
    try:
        async with asyncio.timeout(PATIENCE):
            while not check(coordinator.data):
                changed.clear()
                await changed.wait()
    except TimeoutError:
        raise AssertionError(f"All there is: {coordinator.data}") from None
    finally:
        unsubscribe()


async def wait_signed_in(entry: ConfigEntry) -> None:
    """Wait until an entry knows all that a login brings, and what is asked for then."""
    await wait_data(
        entry,
        lambda state: state.is_signed_in and state.queues and state.latency is not None,
    )
