"""What is told for a bug report, and on the page of the system's health."""

from homeassistant.core import HomeAssistant

from .common import (
    IDENTITY,
    PLAYER,
    add_entry,
    coordinator_of,
    found,
    secrets_of,
    set_up,
    wait_data,
    wait_links,
    wait_state,
)
from custom_components.rumpus.diagnostics import async_get_config_entry_diagnostics
from custom_components.rumpus.families import async_get_family
from custom_components.rumpus.families.apple_tv.pairings import async_get_pairing_store
from custom_components.rumpus.system_health import system_health_info
from tests.fakes.apple_tv import FakeAppleTv
from tests.fakes.apple_tv_models import FakeItem


async def test_diagnostics(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """Models, versions, links and counts; nothing that tells whose device it is."""
    entry = await set_up(hass, apple_tv)
    apple_tv.mrp.media.play("com.example.films", FakeItem("f", "Private Film"))
    apple_tv.open_text("private words")
    await wait_data(
        entry, lambda state: state.playing.title and state.is_focused and state.accounts
    )

    facts = await async_get_config_entry_diagnostics(hass, entry)

    assert facts["device"]["raw_model"] == "AppleTV14,1"
    assert facts["device"]["version"] == "26.1"
    assert facts["paired"] == ["airplay", "companion"]
    assert facts["links"] == {
        "airplay": {"state": "up", "error": None, "losses": 0},
        "companion": {"state": "up", "error": None, "losses": 0},
        "mrp": {"state": "unavailable", "error": None, "losses": 0},
    }
    assert facts["services"]["airplay"]["port"] == apple_tv.airplay_port
    assert facts["services"]["airplay"]["properties"]["model"] == "AppleTV14,1"
    assert facts["state"]["playing"] == "playing"
    assert facts["state"]["accounts"] == 2
    assert facts["events_dropped"] == 0
    device = await found(apple_tv)
    secrets = await secrets_of(hass, entry)
    text = str(facts).lower()
    for private in (
        *device.identifiers,
        *secrets.values(),
        *(part for one in secrets.values() for part in one.split(":")),
        IDENTITY.mac,
        IDENTITY.rp_id,
        apple_tv.name,
        apple_tv.device_id,
        apple_tv.pi,
        apple_tv.desk.public_key.hex(),
        "127.0.0.1",
        "Private",
        "Anna",
    ):
        assert private.lower() not in text, private


async def test_diagnostics_of_a_device_that_refuses(
    hass: HomeAssistant, apple_tv: FakeAppleTv
) -> None:
    """Why there is no link is told by the kind of its error."""
    entry = await add_entry(hass, apple_tv)
    apple_tv.desk.unpair()
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_links(entry, "refused")
    facts = await async_get_config_entry_diagnostics(hass, entry)
    assert facts["links"]["companion"] == {
        "state": "refused",
        "error": "CredentialsRefusedError",
        "losses": 0,
    }
    assert facts["state"]["app"] is None
    for flow in hass.config_entries.flow.async_progress():
        hass.config_entries.flow.async_abort(flow["flow_id"])


async def test_secrets_are_nowhere(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """Not in what is printed of anything that lives."""
    entry = await set_up(hass, apple_tv)
    coordinator = coordinator_of(entry)
    for secret in (await secrets_of(hass, entry)).values():
        seed = secret.split(":")[1]
        pairings = await async_get_pairing_store(hass).async_get(str(entry.unique_id))
        for thing in (coordinator.data, coordinator.device, coordinator, pairings):
            assert seed not in repr(thing)


async def test_system_health(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """How many devices are there, and how many of them are off."""
    await set_up(hass, apple_tv)
    assert await system_health_info(hass) == {
        "devices": 1,
        "apple_tv_connected": 1,
        "apple_tv_off": 0,
    }
    apple_tv.sleep(deep=False)
    await wait_state(hass, PLAYER, "off")
    assert (await system_health_info(hass))["apple_tv_off"] == 1


async def test_system_health_without_devices(hass: HomeAssistant) -> None:
    """Where nothing runs there is nothing to tell."""
    assert (await async_get_family(hass, "apple_tv")).system_health(hass) == {}
