"""The links to a device: made, lost, found again."""

from homeassistant.core import HomeAssistant

from .common import PLAYER, coordinator_of, get_state, links_of, set_up
from tests.fakes.apple_tv import FakeAppleTv


async def test_connects(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """All links come up, and the device tells what it is."""
    entry = await set_up(hass, apple_tv)

    assert links_of(entry) == {"airplay": "up", "companion": "up"}
    state = coordinator_of(entry).data
    assert state.is_connected
    assert not state.is_off
    assert get_state(hass, PLAYER).state == "idle"
