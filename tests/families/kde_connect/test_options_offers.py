"""Options: what the user offers a device."""

from typing import Any

import pytest

from homeassistant.config_entries import ConfigEntry, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType

from .common import set_up, shown, wait_connected, wait_state
from custom_components.rumpus.families.kde_connect.options import MAX_OFFERED, Option
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from tests.fakes.kdeconnect import FakeDevice
from tests.fakes.kdeconnect_media import FakePlayer

OFFERS = "kde_connect_offers"


async def begin(hass: HomeAssistant, entry: ConfigEntry) -> ConfigFlowResult:
    """Open the step with the offers."""
    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert result["type"] is FlowResultType.MENU
    assert OFFERS in result["menu_options"]
    result = await choose(hass, result, next_step_id=OFFERS)
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == OFFERS
    return result


async def choose(
    hass: HomeAssistant, result: ConfigFlowResult, **user_input: object
) -> ConfigFlowResult:
    """Submit a form of an options flow."""
    return await hass.config_entries.options.async_configure(
        result["flow_id"], user_input
    )


def fields(result: ConfigFlowResult) -> dict[str, Any]:
    """Return the selectors of a form."""
    schema = result["data_schema"]
    assert schema is not None
    return {str(key): value for key, value in schema.schema.items()}


def defaults(result: ConfigFlowResult) -> dict[str, Any]:
    """Return what a form shows as chosen."""
    schema = result["data_schema"]
    assert schema is not None
    chosen: dict[str, Any] = dict(schema({}))
    return chosen


async def test_offers(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """Nothing is chosen at first; what is chosen stays, and so do other options."""
    entry = await set_up(hass, ours, phone, "pixel")
    hass.config_entries.async_update_entry(entry, options={"clipboard": True})
    result = await begin(hass, entry)
    assert defaults(result) == {"players": [], "commands": []}
    chosen = {"players": ["media_player.den"], "commands": ["script.movie_night"]}
    result = await choose(hass, result, **chosen)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options == {"clipboard": True, **chosen}
    await wait_connected(hass, "pixel")
    result = await begin(hass, entry)
    assert defaults(result) == chosen
    result = await choose(hass, result, players=[], commands=[])
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options == {"clipboard": True, "players": [], "commands": []}
    await wait_connected(hass, "pixel")


async def test_warning(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """What lets somebody in is named, and is offered only when the user says so again."""
    entry = await set_up(hass, ours, phone, "pixel")
    hass.states.async_set("lock.door", "locked", {"friendly_name": "Front door"})
    commands = ["script.a", "lock.door", "cover.garage", "alarm_control_panel.home"]
    result = await begin(hass, entry)
    result = await choose(hass, result, commands=commands)
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "kde_connect_confirm"
    assert shown(result) == {
        "name": "Pixel",
        "entities": "- Front door\n- cover.garage\n- alarm_control_panel.home",
    }
    assert entry.options == {}

    result = await choose(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options == {"players": [], "commands": commands}
    await wait_connected(hass, "pixel")

    # What was offered before is not asked about again.
    result = await begin(hass, entry)
    result = await choose(hass, result, commands=["lock.door", "script.b"])
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await wait_connected(hass, "pixel")


async def test_warning_that_is_heeded(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    entry = await set_up(hass, ours, phone, "pixel")
    result = await begin(hass, entry)
    result = await choose(hass, result, commands=["lock.door"])
    hass.config_entries.options.async_abort(result["flow_id"])
    assert entry.options == {}
    # The flow works again.
    result = await begin(hass, entry)
    result = await choose(hass, result, commands=["scene.a"])
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await wait_connected(hass, "pixel")


@pytest.mark.parametrize("option", MAX_OFFERED)
async def test_too_many(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, option: Option
) -> None:
    entry = await set_up(hass, ours, phone, "pixel")
    result = await begin(hass, entry)
    domain = "media_player" if option is Option.PLAYERS else "script"
    chosen = [f"{domain}.{number}" for number in range(MAX_OFFERED[option] + 1)]
    result = await choose(hass, result, **{option.value: chosen})
    assert result["errors"] == {option.value: "too_many"}
    assert defaults(result)[option.value] == chosen
    result = await choose(hass, result, **{option.value: chosen[1:]})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options[option.value] == chosen[1:]
    await wait_connected(hass, "pixel")


async def test_own_players_cannot_be_chosen(
    hass: HomeAssistant, ours: Credentials, computer: FakeDevice
) -> None:
    await computer.media.add(FakePlayer("VLC", is_playing=True))
    entry = await set_up(hass, ours, computer, "tower")
    await wait_state(hass, "media_player.tower_vlc", "playing")
    result = await begin(hass, entry)
    config = fields(result)["players"].config
    assert config["exclude_entities"] == ["media_player.tower_vlc"]
    result = await choose(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await wait_connected(hass, "tower")


@pytest.mark.parametrize(
    ("missing", "left"),
    [
        ({"kdeconnect.mpris"}, {"commands"}),
        ({"kdeconnect.runcommand"}, {"players"}),
    ],
)
async def test_device_that_shows_less(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    missing: set[str],
    left: set[str],
) -> None:
    """What it cannot show is not asked for."""
    phone.incoming -= missing
    entry = await set_up(hass, ours, phone, "pixel")
    result = await begin(hass, entry)
    assert fields(result).keys() == left
    result = await choose(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await wait_connected(hass, "pixel")


async def test_device_that_shows_nothing(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    phone.incoming -= {"kdeconnect.mpris", "kdeconnect.runcommand"}
    entry = await set_up(hass, ours, phone, "pixel")
    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert OFFERS not in result["menu_options"]
