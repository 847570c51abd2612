"""A console as the data of a config entry."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.const import CONF_HOST, CONF_NAME, CONF_PORT

from ...const import CONF_FAMILY
from ...names import plain_text
from ...protocols.smartglass.discovery import DiscoveredConsole
from .const import CONF_CONSOLE_UUID, CONF_LIVE_ID, FAMILY_KEY, MODEL, MODELS

MAX_LIVE_ID: Final = 64
"""Characters of a Live ID; consoles have 16."""


def is_usable(console: DiscoveredConsole) -> bool:
    """Tell whether a console that answered can be made an entry.

    What has no certificate cannot be connected to, and what has no Live ID that could be an
    identifier cannot be known again.
    """
    return (
        console.is_ready
        and console.live_id is not None
        and 0 < len(console.live_id) <= MAX_LIVE_ID
        and console.live_id.isascii()
        and console.live_id.isalnum()
    )


def console_name(console: DiscoveredConsole) -> str:
    """Return what a console calls itself, as it may be shown, in dialogs as well."""
    return plain_text(console.name) or MODEL


def console_data(console: DiscoveredConsole) -> dict[str, Any]:
    """Return what an entry keeps of a console."""
    return {
        CONF_FAMILY: FAMILY_KEY,
        CONF_LIVE_ID: console.live_id,
        CONF_CONSOLE_UUID: (
            None if console.console_uuid is None else str(console.console_uuid)
        ),
        CONF_NAME: console_name(console),
        **place(console),
    }


def place(console: DiscoveredConsole) -> dict[str, Any]:
    """Return where an entry looks for a console."""
    return {CONF_HOST: console.address, CONF_PORT: console.port}


def model(data: Mapping[str, Any]) -> str:
    """Return the series of a console, as far as its Live ID tells it."""
    return MODELS.get(data[CONF_LIVE_ID][:2].upper(), MODEL)
