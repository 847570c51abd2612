"""The integration itself, whatever the family."""

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryError

from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.families import FAMILIES, Family, async_get_family


async def test_families(hass: HomeAssistant) -> None:
    """Every family in the table can be loaded and has the key that it is listed by."""
    for key in FAMILIES:
        family = await async_get_family(hass, key)
        assert isinstance(family, Family)
        assert family.key == key


async def test_unknown_family(hass: HomeAssistant) -> None:
    """A family that this version does not have is told as such."""
    with pytest.raises(ConfigEntryError) as caught:
        await async_get_family(hass, "toaster")

    assert caught.value.translation_key == "unknown_family"
    assert caught.value.translation_placeholders == {"family": "toaster"}


@pytest.mark.usefixtures("mock_async_zeroconf")
async def test_entry_of_an_unknown_family(hass: HomeAssistant) -> None:
    """An entry that a newer version has made fails with a reason, and can be removed."""
    entry = MockConfigEntry(domain=DOMAIN, data={"family": "toaster"})
    entry.add_to_hass(hass)

    assert not await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert entry.error_reason_translation_key == "unknown_family"

    await hass.config_entries.async_remove(entry.entry_id)
    assert not hass.config_entries.async_entries(DOMAIN)
