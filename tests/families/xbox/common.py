"""What the tests of the Xbox family share."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.config_entries import ConfigEntry, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType

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
from custom_components.rumpus.families.xbox.coordinator import XboxCoordinator
from custom_components.rumpus.families.xbox.state import XboxState
from tests.fakes.xbox import FakeConsole

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

CLIENT_UUID = "11111111-2222-3333-4444-555555555555"
LINK = "binary_sensor.living_room_connectivity"
PLAYER = "media_player.living_room"
STORE = "rumpus.xbox"


def data_of(fake: FakeConsole, **changes: object) -> dict[str, Any]:
    """Return the data of an entry for a fake console."""
    return {
        "family": "xbox",
        "live_id": fake.live_id,
        "console_uuid": fake.console_uuid.lower(),
        "name": fake.name,
        "host": fake.address,
        "port": fake.port,
        **changes,
    }


def add_entry(
    hass: HomeAssistant,
    fake: FakeConsole,
    options: dict[str, Any] | None = None,
    **changes: object,
) -> MockConfigEntry:
    """Return an entry for a fake console that is not set up yet."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        title=fake.name,
        unique_id=fake.live_id,
        data=data_of(fake, **changes),
        options=options or {},
    )
    entry.add_to_hass(hass)
    return entry


async def set_up(
    hass: HomeAssistant,
    fake: FakeConsole,
    options: dict[str, Any] | None = None,
    **changes: object,
) -> MockConfigEntry:
    """Return an entry of a fake console that is set up and connected."""
    entry = add_entry(hass, fake, options, **changes)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_connected(hass, entry)
    await hass.async_block_till_done()
    return entry


def coordinator_of(entry: ConfigEntry) -> XboxCoordinator:
    """Return what follows the console of an entry that is set up."""
    coordinator: XboxCoordinator = entry.runtime_data
    return coordinator


async def wait_connected(
    hass: HomeAssistant, entry: ConfigEntry, *, is_connected: bool = True
) -> None:
    """Wait until the console of an entry has a session, or has none any more."""
    coordinator = coordinator_of(entry)
    await wait_until(hass, lambda: coordinator.data.is_connected is is_connected)


async def wait_data(entry: ConfigEntry, check: Callable[[XboxState], object]) -> None:
    """Wait until what is known of a console is as it should be."""
    coordinator = coordinator_of(entry)
    changed = asyncio.Event()
    unsubscribe = coordinator.async_add_listener(changed.set)
    try:
        async with asyncio.timeout(PATIENCE):
            while not check(coordinator.data):
                changed.clear()
                await changed.wait()
    finally:
        unsubscribe()


def stored(*, was_off: bool, live_id: str = "FD00112233445566") -> dict[str, Any]:
    """Return what is in the file when the last word of a console is known."""
    return {
        "version": 1,
        "minor_version": 1,
        "key": STORE,
        "data": {
            "client_uuid": CLIENT_UUID,
            "consoles": {
                live_id: {
                    "was_off": was_off,
                    "sw_version": "10.0.19041",
                    "titles": [[0x4AE8F9B2, "Fallout 4", "Publisher.Fallout4_abc!App"]],
                }
            },
        },
    }


async def start_user(hass: HomeAssistant, choice: str) -> ConfigFlowResult:
    """Begin to add a console, by a search or by an address."""
    result = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": "user"}
    )
    result = await go(hass, result, next_step_id="xbox_user")
    assert result["type"] is FlowResultType.MENU
    assert result["step_id"] == "xbox_user"
    assert result["menu_options"] == ["xbox_scan", "xbox_address"]
    return await go(hass, result, next_step_id=choice)


async def discover(hass: HomeAssistant, source: str, info: object) -> ConfigFlowResult:
    """Begin a flow as a discovery of Home Assistant does."""
    return await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": source}, data=info
    )


def watched[**P, R](
    happened: asyncio.Event, method: Callable[P, Awaitable[R]]
) -> Callable[P, Awaitable[R]]:
    """Return a method that says when it is called."""

    async def call(*args: P.args, **kwargs: P.kwargs) -> R:
        happened.set()
        return await method(*args, **kwargs)

    return call
