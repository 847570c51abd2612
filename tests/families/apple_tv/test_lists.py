"""The lists of apps and users: asked for as soon as that is of use."""

import pytest

from homeassistant.core import HomeAssistant

from .common import add_entry, wait_data, wait_links
from custom_components.rumpus.families.apple_tv import coordinator
from custom_components.rumpus.protocols.apple.enums import PowerState
from tests.fakes.apple_tv import FakeAppleTv


async def test_asked_for_with_the_link_that_has_them(
    hass: HomeAssistant, apple_tv: FakeAppleTv, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the other link tells before does not use up the question."""
    monkeypatch.setattr(coordinator, "LISTS_INTERVAL", 3600.0)
    entry = await add_entry(hass, apple_tv)
    apple_tv.companion.wire.silent = True
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_links(entry, "up", "airplay")
    await wait_data(entry, lambda state: state.power is PowerState.ON)
    apple_tv.companion.wire.silent = False
    apple_tv.companion.drop()
    await wait_data(entry, lambda state: state.apps and state.accounts)
