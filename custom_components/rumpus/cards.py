"""Cards of discovered devices: anybody in the network can make up more of them."""

from collections.abc import Callable
from typing import Final

from homeassistant.config_entries import (
    SOURCE_DHCP,
    SOURCE_INTEGRATION_DISCOVERY,
    SOURCE_SSDP,
    SOURCE_ZEROCONF,
    ConfigFlowResult,
)
from homeassistant.core import HomeAssistant, callback

from .const import DOMAIN
from .families import FAMILIES

MAX_CARDS: Final = 20
"""Discovered devices of one family that are shown at once."""

_SOURCES: Final = frozenset(
    {SOURCE_DHCP, SOURCE_INTEGRATION_DISCOVERY, SOURCE_SSDP, SOURCE_ZEROCONF}
)


@callback
def async_cards(
    hass: HomeAssistant, family: str, own_flow_id: str | None = None
) -> list[ConfigFlowResult]:
    """Return the cards of a family, and those that are being made, but not the own one."""
    return [
        flow
        for flow in hass.config_entries.flow.async_progress_by_handler(
            DOMAIN, include_uninitialized=True
        )
        if flow["context"]["source"] in _SOURCES
        and flow["flow_id"] != own_flow_id
        and _family_of(flow) == family
    ]


@callback
def async_make_room(
    hass: HomeAssistant,
    family: str,
    is_there: Callable[[str], bool],
    own_flow_id: str | None = None,
) -> bool:
    """Withdraw a card whose device has gone if there are too many.

    `is_there` tells it by the unique id.  Returns whether there is room for one more card,
    besides that of the given flow.
    """
    cards = async_cards(hass, family, own_flow_id)
    if len(cards) < MAX_CARDS:
        return True
    for card in cards:
        unique_id = card["context"].get("unique_id")
        # One that has no id yet is just being made.
        if unique_id is not None and not is_there(unique_id):
            hass.config_entries.flow.async_abort(card["flow_id"])
            return True
    return False


def _family_of(flow: ConfigFlowResult) -> str | None:
    """Return the family whose card a flow is, None when nothing tells it."""
    # Where it has got to a step, the step's name begins with the family's key.
    step_id = flow.get("step_id") or ""
    for family in FAMILIES:
        if step_id.startswith(f"{family}_"):
            return family
    source = flow["context"]["source"]
    if source == SOURCE_INTEGRATION_DISCOVERY:
        # What a family shows has a key that begins with the family's.
        key = flow["context"].get("discovery_key")
        return key.key[0] if key is not None else None
    service = _service_of(flow) if source == SOURCE_ZEROCONF else None
    for family, listing in FAMILIES.items():
        if listing.has_service(service) if service else source in listing.sources:
            return family
    return None


def _service_of(flow: ConfigFlowResult) -> str | None:
    """Return the type of the service that was discovered; its key is type and name."""
    key = flow["context"].get("discovery_key")
    return None if key is None or isinstance(key.key, str) else key.key[0]
