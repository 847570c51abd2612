"""Playing together: groups of media players, and the outputs of a device."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.const import ATTR_ENTITY_ID, STATE_UNKNOWN
from homeassistant.core import HomeAssistant, ServiceResponse
from homeassistant.exceptions import ServiceValidationError

from .common import (
    PLAYER,
    coordinator_of,
    get_state,
    set_up,
    wait_attribute,
    wait_data,
    wait_state,
)
from custom_components.rumpus.const import DOMAIN
from tests.fakes.apple_tv import FakeAppleTv
from tests.fakes.apple_tv_models import FakeOutput

KITCHEN = "media_player.kitchen"
OUTPUT = "sensor.living_room_output_device"
SELECT = "select.living_room_sound_output"
SHELF = FakeOutput("AA:BB:CC:DD:EE:FF", "Shelf speaker", 0.75)


async def both(
    hass: HomeAssistant, apple_tv: FakeAppleTv, homepod: FakeAppleTv
) -> tuple[MockConfigEntry, MockConfigEntry]:
    """Set up an Apple TV that a HomePod and a speaker of somebody else can join."""
    apple_tv.mrp.add_speaker(FakeOutput(homepod.mrp.uid, homepod.name, 0.5))
    apple_tv.mrp.add_speaker(SHELF)
    return await set_up(hass, apple_tv), await set_up(hass, homepod)


async def call(hass: HomeAssistant, service: str, entity_id: str, **data: Any) -> None:
    """Call an action of the media player."""
    await hass.services.async_call(
        "media_player", service, {ATTR_ENTITY_ID: entity_id, **data}, blocking=True
    )


async def act(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    name: str,
    *,
    answers: bool = False,
    **data: Any,
) -> ServiceResponse:
    """Call an action of the integration for the device of an entry."""
    device = coordinator_of(entry).registry_device
    assert device is not None
    return await hass.services.async_call(
        DOMAIN,
        name,
        {"device_id": device.id, **data},
        blocking=True,
        return_response=answers,
    )


async def test_join_and_unjoin(
    hass: HomeAssistant, apple_tv: FakeAppleTv, homepod: FakeAppleTv
) -> None:
    """Both media players tell of the group, and the member may leave it."""
    await both(hass, apple_tv, homepod)
    assert get_state(hass, PLAYER).attributes["group_members"] == []

    await call(hass, "join", PLAYER, group_members=[KITCHEN])
    await wait_attribute(hass, PLAYER, "group_members", [PLAYER, KITCHEN])
    await wait_attribute(hass, KITCHEN, "group_members", [PLAYER, KITCHEN])
    assert list(apple_tv.mrp.outputs) == [homepod.mrp.uid]
    await wait_state(hass, OUTPUT, "Living Room, Kitchen")

    await call(hass, "unjoin", KITCHEN)
    await wait_attribute(hass, PLAYER, "group_members", [])
    await wait_attribute(hass, KITCHEN, "group_members", [])
    assert apple_tv.mrp.outputs == {}


async def test_leader_leaves(
    hass: HomeAssistant, apple_tv: FakeAppleTv, homepod: FakeAppleTv
) -> None:
    """Then it plays alone."""
    await both(hass, apple_tv, homepod)
    await call(hass, "join", PLAYER, group_members=[PLAYER, KITCHEN])
    await wait_attribute(hass, PLAYER, "group_members", [PLAYER, KITCHEN])

    await call(hass, "unjoin", PLAYER)

    await wait_attribute(hass, PLAYER, "group_members", [])
    assert apple_tv.mrp.outputs == {}
    await call(hass, "unjoin", PLAYER)
    assert apple_tv.mrp.outputs == {}


async def test_join_of_a_stranger(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """A player of something else cannot play along."""
    await set_up(hass, apple_tv)

    with pytest.raises(ServiceValidationError) as caught:
        await call(hass, "join", PLAYER, group_members=["media_player.radio"])

    assert caught.value.translation_key == "apple_tv_not_an_output"


async def test_member_is_unloaded(
    hass: HomeAssistant, apple_tv: FakeAppleTv, homepod: FakeAppleTv
) -> None:
    """A group has the media players that there are."""
    _, kitchen = await both(hass, apple_tv, homepod)
    await call(hass, "join", PLAYER, group_members=[KITCHEN])
    await wait_attribute(hass, PLAYER, "group_members", [PLAYER, KITCHEN])

    assert await hass.config_entries.async_unload(kitchen.entry_id)

    await wait_attribute(hass, PLAYER, "group_members", [])


async def test_actions(
    hass: HomeAssistant, apple_tv: FakeAppleTv, homepod: FakeAppleTv
) -> None:
    """Outputs go by entity, device, name or id; speakers of others, too."""
    tv, kitchen = await both(hass, apple_tv, homepod)
    device = coordinator_of(kitchen).registry_device
    assert device is not None

    for text in (KITCHEN, device.id, "kitchen", homepod.mrp.uid):
        await act(hass, tv, "set_output_devices", output_devices=[text])
        await wait_data(tv, lambda state: len(state.output_devices) == 2)
        await act(hass, tv, "remove_output_devices", output_devices=[text])
        await wait_data(tv, lambda state: len(state.output_devices) == 1)

    await act(
        hass, tv, "add_output_devices", output_devices=[KITCHEN, SHELF.identifier]
    )
    await wait_data(tv, lambda state: len(state.output_devices) == 3)
    answer = await act(hass, tv, "get_output_devices", answers=True)
    assert answer is not None
    outputs = answer["output_devices"]
    assert isinstance(outputs, list)
    assert [output["name"] for output in outputs if isinstance(output, dict)] == [
        "Living Room",
        "Kitchen",
        "Shelf speaker",
    ]

    await act(
        hass,
        tv,
        "set_output_volume",
        output_device="Shelf speaker",
        volume_level=0.25,
    )
    assert apple_tv.mrp.outputs[SHELF.identifier].volume == pytest.approx(0.25)

    with pytest.raises(ServiceValidationError):
        await act(hass, tv, "add_output_devices", output_devices=["media_player.x"])

    await act(hass, tv, "remove_output_devices", output_devices=[KITCHEN])
    await wait_data(tv, lambda state: len(state.output_devices) == 2)
    for text in (KITCHEN, "nonsense"):
        with pytest.raises(ServiceValidationError) as caught:
            await act(
                hass, tv, "set_output_volume", output_device=text, volume_level=0.5
            )
        assert caught.value.translation_key == "apple_tv_output_not_playing"
        assert caught.value.translation_placeholders == {
            "name": "Living Room",
            "outputs": "Living Room, Shelf speaker",
        }


async def test_choice_of_the_output(
    hass: HomeAssistant, apple_tv: FakeAppleTv, homepod: FakeAppleTv
) -> None:
    """The one that is chosen plays; a group is no single one."""
    tv, _ = await both(hass, apple_tv, homepod)
    await wait_state(hass, SELECT, "Living Room")
    await wait_attribute(hass, SELECT, "options", ["Living Room", "Kitchen"])

    await hass.services.async_call(
        "select",
        "select_option",
        {ATTR_ENTITY_ID: SELECT, "option": "Kitchen"},
        blocking=True,
    )
    await wait_data(tv, lambda state: len(state.output_devices) == 2)

    assert get_state(hass, SELECT).state == STATE_UNKNOWN
