"""Diagnostics: facts for a bug report, nothing that is anybody's business."""

from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant

from .const import CONF_FAMILY
from .coordinator import RumpusConfigEntry


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: RumpusConfigEntry
) -> dict[str, Any]:
    """Return what the entry's family tells about it."""
    facts: dict[str, Any] = {
        "entry": {
            "family": entry.data[CONF_FAMILY],
            "state": entry.state.value,
            "version": f"{entry.version}.{entry.minor_version}",
        }
    }
    if entry.state is ConfigEntryState.LOADED:
        facts.update(entry.runtime_data.diagnostics())
    return facts
