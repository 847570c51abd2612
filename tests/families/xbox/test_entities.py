"""All entities of a console, as they are registered and shown."""

import pytest
from syrupy.assertion import SnapshotAssertion

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er

from .common import get_state, set_up, wait_until
from tests.fakes.xbox import FakeConsole, FakeMedia

PLAYER = "media_player.living_room"


@pytest.mark.usefixtures("all_enabled")
async def test_all(
    hass: HomeAssistant,
    console: FakeConsole,
    entity_registry: er.EntityRegistry,
    snapshot: SnapshotAssertion,
) -> None:
    """Names, ids, categories and states of a console that shows its home screen."""
    entry = await set_up(hass, console)
    await wait_until(
        hass, lambda: get_state(hass, PLAYER).attributes["supported_features"] & 1024
    )

    entities = er.async_entries_for_config_entry(entity_registry, entry.entry_id)
    assert len(entities) == 17
    for entity in sorted(entities, key=lambda entity: entity.entity_id):
        assert entity.unique_id.startswith(f"{console.live_id}_")
        assert entity == snapshot(name=f"{entity.entity_id}-entry")
        assert get_state(hass, entity.entity_id) == snapshot(
            name=f"{entity.entity_id}-state"
        )


async def test_disabled(
    hass: HomeAssistant, console: FakeConsole, entity_registry: er.EntityRegistry
) -> None:
    """What hardly any console tells is there for those who want it."""
    entry = await set_up(hass, console)

    entities = er.async_entries_for_config_entry(entity_registry, entry.entry_id)
    assert {entity.entity_id for entity in entities if entity.disabled} == {
        "sensor.living_room_live_tv_provider",
        "sensor.living_room_surface",
    }


async def test_device(
    hass: HomeAssistant, console: FakeConsole, device_registry: dr.DeviceRegistry
) -> None:
    """All of them belong to the one device."""
    entry = await set_up(hass, console)
    (device,) = dr.async_entries_for_config_entry(device_registry, entry.entry_id)
    entities = er.async_entries_for_device(
        er.async_get(hass), device.id, include_disabled_entities=True
    )
    assert len(entities) == 17


async def test_nothing_private_is_shown(
    hass: HomeAssistant, console: FakeConsole, caplog: pytest.LogCaptureFixture
) -> None:
    """An asset's address may have a token of whoever plays it."""
    console.media_service.set(FakeMedia(asset_id="https://example.com/?token=1234567"))
    await set_up(hass, console)
    await wait_until(hass, lambda: get_state(hass, PLAYER).state == "playing")

    shown = repr([state.as_dict() for state in hass.states.async_all()])
    assert "1234567" not in shown
    assert "1234567" not in caplog.text
