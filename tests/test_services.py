"""Actions: for several devices at once, and for devices that are not ours."""

from collections.abc import Mapping
from typing import Any

import probatio
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, ServiceResponse
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import device_registry as dr

from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.services import MAX_NAME, async_setup_services


class Runtime:
    """What an entry has, as far as actions go."""

    def __init__(
        self, *, fails: bool = False, response: ServiceResponse = None
    ) -> None:
        self.fails = fails
        self.response = response
        self.calls: list[tuple[str, Mapping[str, Any]]] = []

    async def async_action(self, name: str, data: Mapping[str, Any]) -> ServiceResponse:
        self.calls.append((name, data))
        if self.fails:
            raise HomeAssistantError("no")
        return self.response


def add_device(hass: HomeAssistant, name: str, runtime: Runtime | None) -> str:
    """Return the registry id of a device whose entry is loaded if it has a runtime."""
    entry = MockConfigEntry(domain=DOMAIN, unique_id=name, data={"family": "test"})
    entry.add_to_hass(hass)
    if runtime is not None:
        entry.runtime_data = runtime
        entry.mock_state(hass, ConfigEntryState.LOADED)
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id, identifiers={(DOMAIN, name)}, name=name
    )
    return device.id


async def mute(hass: HomeAssistant, *device_ids: str) -> None:
    """Call an action that has no fields of its own."""
    await hass.services.async_call(
        DOMAIN, "mute_ringer", {"device_id": list(device_ids)}, blocking=True
    )


@pytest.fixture(autouse=True)
def actions(hass: HomeAssistant) -> None:
    """Register the actions."""
    async_setup_services(hass)


async def test_one_device_fails(hass: HomeAssistant) -> None:
    """The others do as they are told, and the failure is told."""
    bad, good = Runtime(fails=True), Runtime()
    devices = [add_device(hass, "bad", bad), add_device(hass, "good", good)]

    with pytest.raises(HomeAssistantError, match="no"):
        await mute(hass, *devices)

    assert bad.calls == good.calls == [("mute_ringer", {})]


async def test_a_device_that_is_named_twice(hass: HomeAssistant) -> None:
    """As by a template that puts lists together: it is told once."""
    runtime = Runtime()
    device = add_device(hass, "phone", runtime)

    await mute(hass, device, device)

    assert runtime.calls == [("mute_ringer", {})]


async def test_a_device_that_is_not_loaded(hass: HomeAssistant) -> None:
    """Nothing happens on any of them."""
    good = Runtime()
    devices = [add_device(hass, "good", good), add_device(hass, "gone", None)]

    with pytest.raises(ServiceValidationError):
        await mute(hass, *devices)

    assert good.calls == []


async def test_no_such_device(hass: HomeAssistant) -> None:
    with pytest.raises(ServiceValidationError):
        await mute(hass, "nobody")


async def test_an_answer_for_those_who_want_one(hass: HomeAssistant) -> None:
    """An action that does something answers only when it is asked to."""
    runtime = Runtime(response={"button": "vol_up"})
    data = {"device_id": add_device(hass, "console", runtime), "button": "vol_up"}

    response = await hass.services.async_call(
        DOMAIN, "press_tv_button", data, blocking=True, return_response=True
    )
    silence = await hass.services.async_call(
        DOMAIN, "press_tv_button", data, blocking=True
    )

    assert response == {"button": "vol_up"}
    assert silence is None
    assert runtime.calls == [("press_tv_button", {"button": "vol_up"})] * 2


async def test_an_action_that_only_answers(hass: HomeAssistant) -> None:
    """It is not called by those who do not look at the answer."""
    device = add_device(hass, "console", Runtime(response={}))

    with pytest.raises(ServiceValidationError):
        await hass.services.async_call(
            DOMAIN, "get_tv_lineup", {"device_id": device}, blocking=True
        )


@pytest.mark.parametrize("name", ["a" * (MAX_NAME + 1), ""])
async def test_a_name_that_is_too_long_or_empty(hass: HomeAssistant, name: str) -> None:
    device = add_device(hass, "console", Runtime())

    with pytest.raises(probatio.Invalid):
        await hass.services.async_call(
            DOMAIN,
            "launch_title",
            {"device_id": device, "title": name},
            blocking=True,
        )
