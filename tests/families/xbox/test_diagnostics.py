"""What is told for a bug report, and on the page of the system's health."""

from homeassistant.core import HomeAssistant

from .common import PLAYER, add_entry, set_up, wait_state, wait_until
from custom_components.rumpus.diagnostics import async_get_config_entry_diagnostics
from custom_components.rumpus.families import async_get_family
from custom_components.rumpus.families.xbox.hub import async_get_hub
from custom_components.rumpus.system_health import system_health_info
from tests.fakes.xbox import FakeConsole, FakeMedia


async def test_diagnostics(hass: HomeAssistant, console: FakeConsole) -> None:
    """Builds, channels and counts; nothing that tells whose console it is."""
    console.set_media(FakeMedia())
    entry = await set_up(hass, console)
    console.keyboard.open("What is your name?", "Lancelot")
    data = entry.runtime_data
    await wait_until(hass, lambda: data.data.text_field and data.data.tv)

    facts = await async_get_config_entry_diagnostics(hass, entry)

    assert facts["console"] == {
        "model": "Xbox One",
        "build": "10.0.19041",
        "locale": "en-US",
        "allows_anonymous": True,
        "device_type": 1,
    }
    assert facts["session"] == {
        "is_connected": True,
        "is_authenticated": False,
        "is_signed_in": False,
        "channels": [
            "CORE",
            "SYSTEM_INPUT",
            "SYSTEM_INPUT_TV_REMOTE",
            "SYSTEM_MEDIA",
            "SYSTEM_TEXT",
        ],
        "attempts": 1,
        "losses": 0,
        "moves": 0,
        "last_refusal": None,
    }
    assert facts["state"] == {
        "power": "on",
        "titles": 2,
        "titles_seen": 2,
        "has_media": True,
        "has_text_field": True,
        "tv_devices": 3,
    }
    text = str(facts).lower()
    for private in (
        console.live_id,
        console.console_uuid,
        console.name,
        console.address,
        "Lancelot",
        "your name",
        "The Fakes",
    ):
        assert private.lower() not in text


async def test_diagnostics_of_a_console_that_is_away(
    hass: HomeAssistant, console: FakeConsole
) -> None:
    """There is less to tell."""
    console.refuse(5)
    entry = add_entry(hass, console)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await console.wait_for("connect_answer", result=5)
    await console.wait_for("connect_answer", result=5)

    facts = await async_get_config_entry_diagnostics(hass, entry)

    assert facts["console"]["build"] is None
    assert facts["session"]["last_refusal"] == 5
    assert facts["session"]["channels"] == []
    assert facts["state"]["power"] == "unavailable"
    assert facts["state"]["tv_devices"] is None


async def test_system_health(hass: HomeAssistant, console: FakeConsole) -> None:
    """How many consoles are there, and how many have gone off."""
    await set_up(hass, console)
    assert await system_health_info(hass) == {
        "devices": 1,
        "xbox_connected": 1,
        "xbox_off": 0,
    }

    console.press_power_button()
    await wait_state(hass, PLAYER, "off")
    assert (await system_health_info(hass))["xbox_off"] == 1


async def test_system_health_without_consoles(
    hass: HomeAssistant, console: FakeConsole
) -> None:
    """Where nothing runs there is nothing to tell."""
    family = await async_get_family(hass, "xbox")

    assert family.system_health(hass) == {}
    assert async_get_hub(hass).discoverer is None
