"""What the tests of all families share."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.const import MATCH_ALL
from homeassistant.core import Event, HomeAssistant, State, callback
from homeassistant.data_entry_flow import FlowResultType

from custom_components.rumpus.const import DOMAIN

PATIENCE = 10.0


async def wait_until(hass: HomeAssistant, check: Callable[[], object]) -> None:
    """Wait for an event of Home Assistant after which the check is true."""
    happened = asyncio.Event()

    @callback
    def on_event(event: Event[Any]) -> None:
        happened.set()

    unsubscribe = hass.bus.async_listen(MATCH_ALL, on_event)
    try:
        async with asyncio.timeout(PATIENCE):
            while not check():
                await happened.wait()
                happened.clear()
    finally:
        unsubscribe()


async def wait_state(hass: HomeAssistant, entity_id: str, state: str) -> None:
    """Wait until an entity has a state."""

    def has_state() -> bool:
        found = hass.states.get(entity_id)
        return found is not None and found.state == state

    try:
        await wait_until(hass, has_state)
    except TimeoutError:
        raise AssertionError(f"{entity_id} is {hass.states.get(entity_id)}") from None


async def wait_attribute(
    hass: HomeAssistant, entity_id: str, attribute: str, value: object
) -> None:
    """Wait until an entity has an attribute."""

    def has_attribute() -> bool:
        found = hass.states.get(entity_id)
        return found is not None and found.attributes.get(attribute) == value

    try:
        await wait_until(hass, has_attribute)
    except TimeoutError:
        raise AssertionError(f"{entity_id} is {hass.states.get(entity_id)}") from None


def get_state(hass: HomeAssistant, entity_id: str) -> State:
    """Return the state of an entity that has one."""
    state = hass.states.get(entity_id)
    assert state is not None, entity_id
    return state


def shown(result: ConfigFlowResult) -> Mapping[str, str]:
    """Return what a step of a flow puts into its text."""
    placeholders = result["description_placeholders"]
    assert placeholders is not None
    return placeholders


async def go(
    hass: HomeAssistant, result: ConfigFlowResult, **user_input: object
) -> ConfigFlowResult:
    """Submit a form, or choose from a menu with `next_step_id`."""
    return await hass.config_entries.flow.async_configure(result["flow_id"], user_input)


async def look(hass: HomeAssistant, result: ConfigFlowResult) -> ConfigFlowResult:
    """Look at a flow as the frontend does when it is told that it has changed."""
    return await hass.config_entries.flow.async_configure(result["flow_id"])


async def wait_progress(
    hass: HomeAssistant, result: ConfigFlowResult, act: Awaitable[object] | None = None
) -> ConfigFlowResult:
    """Wait for the end of a progress step, which `act` brings about, and go on."""
    assert result["type"] is FlowResultType.SHOW_PROGRESS
    flow_id = result["flow_id"]
    done = asyncio.Event()

    @callback
    def on_event(event: Event[Any]) -> None:
        if event.data["flow_id"] == flow_id:
            done.set()

    unsubscribe = hass.bus.async_listen("data_entry_flow_progressed", on_event)
    try:
        if act is not None:
            await act
        async with asyncio.timeout(PATIENCE):
            while True:
                await done.wait()
                done.clear()
                result = await look(hass, result)
                if result["type"] is not FlowResultType.SHOW_PROGRESS:
                    return result
    finally:
        unsubscribe()


def flows(hass: HomeAssistant) -> list[ConfigFlowResult]:
    """Return the flows in progress."""
    return hass.config_entries.flow.async_progress_by_handler(DOMAIN)
