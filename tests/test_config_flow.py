"""The config flow's own part: which family, and finding its steps."""

from typing import Any

import pytest

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, UnknownStep

from custom_components.rumpus import config_flow
from custom_components.rumpus.config_flow import RumpusConfigFlow
from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.families import FAMILIES, FamilyListing

pytestmark = pytest.mark.usefixtures("mock_async_zeroconf")


async def start(hass: HomeAssistant) -> ConfigFlowResult:
    """Begin to add a device."""
    return await hass.config_entries.flow.async_init(DOMAIN, context={"source": "user"})


async def test_one_family(hass: HomeAssistant) -> None:
    """Where there is no choice none is offered."""
    result = await start(hass)

    assert result["type"] is FlowResultType.MENU
    assert result["step_id"] == "kde_connect_user"


async def test_several_families(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With several families the user chooses one, whose steps go on."""
    monkeypatch.setattr(
        config_flow, "FAMILIES", {**FAMILIES, "toaster": FamilyListing()}
    )
    result = await start(hass)
    assert result["type"] is FlowResultType.MENU
    assert result["step_id"] == "user"
    assert result["menu_options"] == ["kde_connect_user", "toaster_user"]

    result = await hass.config_entries.flow.async_configure(
        result["flow_id"], {"next_step_id": "kde_connect_user"}
    )
    assert result["type"] is FlowResultType.MENU
    assert result["step_id"] == "kde_connect_user"


async def test_closed_before_a_family_was_chosen(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing has to be taken back then."""
    monkeypatch.setattr(
        config_flow, "FAMILIES", {**FAMILIES, "toaster": FamilyListing()}
    )
    result = await start(hass)

    hass.config_entries.flow.async_abort(result["flow_id"])

    assert not hass.config_entries.flow.async_progress()


async def test_unknown_step(hass: HomeAssistant) -> None:
    """A step that a family does not have is an error of ours, and told as such."""
    flow = RumpusConfigFlow()
    flow.hass = hass
    step: Any = flow.async_step_kde_connect_juggle

    with pytest.raises(UnknownStep):
        await step()


def test_other_attributes() -> None:
    """Only steps of families are looked for elsewhere."""
    flow = RumpusConfigFlow()

    assert not hasattr(flow, "async_step_toaster_user")
    assert not hasattr(flow, "kde_connect_user")
