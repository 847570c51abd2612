"""What a user can choose about a console."""

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType

from .common import coordinator_of, set_up, wait_connected
from custom_components.rumpus.families.xbox.options import XboxOptions
from tests.fakes.xbox import FakeConsole


async def test_options(hass: HomeAssistant, console: FakeConsole) -> None:
    """They begin with what is usual, and are read when the entry is set up anew."""
    entry = await set_up(hass, console)
    assert coordinator_of(entry).options == XboxOptions(60, 100, True)

    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "xbox_options"
    result = await hass.config_entries.options.async_configure(
        result["flow_id"],
        {"record_seconds": 30.0, "press_ms": 250.0, "tv_remote": False},
    )

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options == {
        "record_seconds": 30,
        "press_ms": 250,
        "tv_remote": False,
    }
    await hass.async_block_till_done()
    await wait_connected(hass, entry)
    assert coordinator_of(entry).options == XboxOptions(30, 250, False)
    result = await hass.config_entries.options.async_init(entry.entry_id)
    schema = result["data_schema"]
    assert schema is not None
    assert {key: key.description["suggested_value"] for key in schema.schema} == (
        entry.options
    )
