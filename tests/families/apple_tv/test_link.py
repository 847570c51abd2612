"""The links to a device: made, lost, noticed, and found again."""

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr

from .common import (
    PLAYER,
    add_entry,
    announce,
    coordinator_of,
    found,
    get_state,
    links_of,
    pair,
    set_up,
    wait_connected,
    wait_data,
    wait_links,
    wait_state,
)
from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.families.apple_tv import hub
from custom_components.rumpus.families.apple_tv.coordinator import TIMING
from custom_components.rumpus.families.apple_tv.data import lasting
from custom_components.rumpus.families.apple_tv.hub import async_get_hub
from custom_components.rumpus.protocols.apple.const import AppleProtocol
from custom_components.rumpus.protocols.apple.services import FoundDevice
from tests.fakes.apple_tv import FakeAppleTv


async def test_connects(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """All links come up, and the device tells what it is."""
    entry = await set_up(hass, apple_tv)

    assert links_of(entry) == {"airplay": "up", "companion": "up"}
    state = coordinator_of(entry).data
    assert state.is_connected
    assert state.is_available
    assert not state.is_off
    assert not state.is_speaker
    assert get_state(hass, PLAYER).state == "idle"

    device = coordinator_of(entry).registry_device
    assert device is not None
    assert device.name == "Living Room"
    assert device.manufacturer == "Apple"
    assert device.model == "Apple TV 4K (gen 3)"
    assert device.model_id == "AppleTV14,1"
    assert device.sw_version == "26.1"
    assert device.connections == {
        (dr.CONNECTION_NETWORK_MAC, apple_tv.device_id.lower())
    }
    assert device.identifiers == {(DOMAIN, str(entry.unique_id))}


async def test_homepod(hass: HomeAssistant, homepod: FakeAppleTv) -> None:
    """It has one link, which needs no credentials."""
    entry = await set_up(hass, homepod)
    assert links_of(entry) == {"airplay": "up"}
    assert coordinator_of(entry).data.is_speaker


async def test_not_there_at_the_start(
    hass: HomeAssistant, apple_tv: FakeAppleTv
) -> None:
    """The entry is set up all the same, and the device is found when it comes."""
    entry = await add_entry(hass, apple_tv)
    await apple_tv.stop()
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert get_state(hass, PLAYER).state == "unavailable"
    await apple_tv.start()
    await wait_links(entry)
    await wait_state(hass, PLAYER, "idle")


@pytest.mark.parametrize("name", ["airplay", "companion"])
async def test_one_link_does_not_take_the_other_down(
    hass: HomeAssistant, apple_tv: FakeAppleTv, name: str
) -> None:
    """What is left goes on, and the other comes back."""
    entry = await set_up(hass, apple_tv)
    apple_tv.servers[name].wire.silent = True
    await wait_links(entry, "down", name)
    assert coordinator_of(entry).data.is_connected
    assert get_state(hass, PLAYER).state != "unavailable"

    apple_tv.servers[name].wire.silent = False
    apple_tv.servers[name].drop()
    await wait_links(entry)


async def test_vanishes(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """Nobody says good-bye when the mains fail: it is noticed all the same."""
    entry = await set_up(hass, apple_tv)
    apple_tv.vanish()
    await wait_state(hass, PLAYER, "unavailable")
    assert not coordinator_of(entry).data.is_available

    apple_tv.come_back()
    await wait_links(entry)
    await wait_state(hass, PLAYER, "idle")


def test_how_soon_a_loss_is_noticed() -> None:
    """Within 15 seconds, so that entities are unavailable within 20."""
    companion, mrp, airplay = TIMING.companion, TIMING.mrp, TIMING.airplay
    assert companion.quiet + 2 * companion.probe <= 15
    assert mrp.heartbeat + 2 * mrp.heartbeat_answer <= 15
    assert airplay.feedback + airplay.feedback_timeout <= 15
    assert TIMING.backoff.base(100) * (1 + TIMING.backoff.jitter) <= 5


async def test_restarts_with_other_ports(
    hass: HomeAssistant, apple_tv: FakeAppleTv
) -> None:
    """Where it is now is asked for when an attempt fails."""
    entry = await set_up(hass, apple_tv)
    await apple_tv.restart(new_ports=True)
    await wait_links(entry)
    assert (
        coordinator_of(entry).device.found.services == (await found(apple_tv)).services
    )


async def test_announced_elsewhere(
    hass: HomeAssistant, apple_tv: FakeAppleTv, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An announcement wakes the links at once, though nothing answers questions."""
    entry = await add_entry(hass, apple_tv)
    await apple_tv.restart(new_ports=True)
    monkeypatch.setattr(hub, "MDNS_PORT", 1)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await announce(hass, apple_tv)
    await wait_links(entry)
    stored = FoundDevice.from_dict(entry.data["found"])
    assert stored == lasting(coordinator_of(entry).device.found)


async def test_forged_place(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """Whoever draws us to an address of his own gets nothing, and not for long."""
    entry = await set_up(hass, apple_tv)
    await announce(hass, apple_tv, port=1)
    assert coordinator_of(entry).data.is_connected
    assert 1 in {one.port for one in coordinator_of(entry).device.found.services}
    apple_tv.drop()
    await wait_links(entry, "down")
    await wait_links(entry)
    services = (await found(apple_tv)).services
    assert coordinator_of(entry).device.found.services == services


async def test_nothing_is_written_that_does_not_last(
    hass: HomeAssistant, apple_tv: FakeAppleTv
) -> None:
    """What the device announces anew every few minutes makes no new entry of it."""
    entry = await set_up(hass, apple_tv)
    before = dict(entry.data)
    apple_tv.rotate()
    apple_tv.drop()
    await wait_connected(entry, is_connected=False)
    await wait_links(entry)
    assert entry.data == before


async def test_renamed(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """The name goes with the device, unless the user has given another title."""
    entry = await set_up(hass, apple_tv)
    apple_tv.rename("Cinema")
    await apple_tv.restart(new_ports=True)
    await wait_data(entry, lambda _: entry.data["name"] == "Cinema")
    assert entry.title == "Cinema"
    device = coordinator_of(entry).registry_device
    assert device is not None
    assert device.name == "Cinema"

    hass.config_entries.async_update_entry(entry, title="Mine")
    apple_tv.rename("Attic")
    await apple_tv.restart(new_ports=True)
    await wait_data(entry, lambda _: entry.data["name"] == "Attic")
    assert entry.title == "Mine"


async def test_unload_ends_everything(
    hass: HomeAssistant, apple_tv: FakeAppleTv
) -> None:
    """No link, no listener and no ear is left; the device can be set up again."""
    entry = await set_up(hass, apple_tv)
    coordinator = coordinator_of(entry)
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert not coordinator.device.is_connected
    assert async_get_hub(hass).watcher is None

    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_links(entry)


async def test_ends_with_home_assistant(
    hass: HomeAssistant, apple_tv: FakeAppleTv
) -> None:
    """Entries are not unloaded then, and the device is told good-bye all the same."""
    entry = await set_up(hass, apple_tv)
    await hass.async_stop(force=True)
    assert not coordinator_of(entry).device.is_connected
    assert async_get_hub(hass).watcher is None


async def test_loss_is_logged_once(
    hass: HomeAssistant,
    apple_tv: FakeAppleTv,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Once when it is lost, and once when it is back, link by link."""
    credentials = await pair(apple_tv, (AppleProtocol.COMPANION,))
    entry = await set_up(hass, apple_tv, credentials=credentials)
    apple_tv.mark()
    apple_tv.vanish()
    await wait_connected(entry, is_connected=False)
    for _ in range(2):  # the link itself, and an attempt
        await apple_tv.wait_for("companion_lost")
    apple_tv.come_back()
    await wait_links(entry)

    assert caplog.text.count("(companion) is lost") == 1
    assert caplog.text.count("(companion) is back") == 1
