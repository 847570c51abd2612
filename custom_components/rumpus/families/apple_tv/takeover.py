"""Pairings that the built-in Apple TV integration has: used only when the user says so.

Its entry is read and never touched.
"""

from collections.abc import Collection, Mapping
from typing import Any, Final

from homeassistant.config_entries import SOURCE_IGNORE, ConfigEntry
from homeassistant.core import HomeAssistant, callback

from ...protocols.apple.const import AppleProtocol
from ...protocols.hap.credentials import TransientCredentials, parse_credentials
from ...protocols.hap.errors import InvalidCredentialsError
from .const import CONF_IDENTIFIERS

CORE_DOMAIN: Final = "apple_tv"
CONF_CREDENTIALS: Final = "credentials"
"""Key of the data of that integration's entries."""
PROTOCOLS: Final[Mapping[str, AppleProtocol]] = {
    "2": AppleProtocol.MRP,
    "3": AppleProtocol.AIRPLAY,
    "4": AppleProtocol.COMPANION,
}
"""The numbers by which that integration knows the protocols that we can use."""


@callback
def async_core_entry(
    hass: HomeAssistant, identifiers: Collection[str]
) -> ConfigEntry | None:
    """Return the built-in integration's entry for a device, None without pairings."""
    wanted = set(identifiers)
    for entry in hass.config_entries.async_entries(CORE_DOMAIN):
        known = entry.data.get(CONF_IDENTIFIERS)
        names = known if isinstance(known, list | tuple) else [entry.unique_id]
        if (
            entry.source != SOURCE_IGNORE
            and wanted & {entry.unique_id, *map(str, names)}
            and core_credentials(entry.data)
        ):
            return entry
    return None


def core_credentials(data: Mapping[str, Any]) -> dict[AppleProtocol, str]:
    """Return the pairings in the data of an entry of the built-in integration."""
    stored = data.get(CONF_CREDENTIALS)
    if not isinstance(stored, Mapping):
        return {}
    credentials: dict[AppleProtocol, str] = {}
    for number, text in stored.items():
        protocol = PROTOCOLS.get(str(number))
        if protocol is None or not isinstance(text, str):
            continue
        try:
            parsed = parse_credentials(text)
        except InvalidCredentialsError:
            continue
        if not isinstance(parsed, TransientCredentials):
            credentials[protocol] = str(parsed)
    return credentials
