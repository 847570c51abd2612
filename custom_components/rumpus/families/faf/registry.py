"""The lobby and its followed players in the registry of devices."""

from typing import TYPE_CHECKING

from homeassistant.core import callback
from homeassistant.helpers import device_registry as dr, entity_registry as er

from ...const import DOMAIN
from .const import MANUFACTURER, MODEL, OFFICIAL_SITE, PLAYER_MODEL

if TYPE_CHECKING:
    from .coordinator import FafCoordinator


@callback
def async_update_devices(coordinator: FafCoordinator) -> None:
    """Make the devices of an entry; those of players who are not followed any more go."""
    _rename(coordinator)
    registry = dr.async_get(coordinator.hass)
    entry_id = coordinator.entry.entry_id
    lobby = registry.async_get_or_create(
        config_entry_id=entry_id,
        identifiers={(DOMAIN, coordinator.device_id)},
        entry_type=dr.DeviceEntryType.SERVICE,
        name=coordinator.device_name,
        manufacturer=MANUFACTURER,
        model=MODEL,
        configuration_url=(
            OFFICIAL_SITE if coordinator.lobby_data.is_official else None
        ),
    )
    wanted = {lobby.id}
    for key, player in coordinator.data.followed.items():
        identifier = (DOMAIN, coordinator.player_device_id(key))
        known = registry.async_get_device_by_identifier(identifier, entry_id)
        device = registry.async_get_or_create(
            config_entry_id=entry_id,
            identifiers={identifier},
            entry_type=dr.DeviceEntryType.SERVICE,
            # What the player was called last; in the options may be an older name.
            name=player.login if known is None else known.name,
            manufacturer=MANUFACTURER,
            model=PLAYER_MODEL,
            via_device_id=lobby.id,
        )
        wanted.add(device.id)
    for device in dr.async_entries_for_config_entry(registry, entry_id):
        if device.id not in wanted:
            registry.async_remove_device(device.id)


@callback
def async_name_player(coordinator: FafCoordinator, key: str, login: str) -> None:
    """Call the device of a player what the player is called now."""
    registry = dr.async_get(coordinator.hass)
    device = registry.async_get_device_by_identifier(
        (DOMAIN, coordinator.player_device_id(key)), coordinator.entry.entry_id
    )
    if device is not None and device.name != login:
        registry.async_update_device(device.id, name=login)


def _rename(coordinator: FafCoordinator) -> None:
    """Keep devices and entities of an entry that has got another address or account."""
    hass, entry_id = coordinator.hass, coordinator.entry.entry_id
    devices = dr.async_get(hass)
    found = dr.async_entries_for_config_entry(devices, entry_id)
    old = next(
        (
            identifier
            for device in found
            if device.model == MODEL
            for _, identifier in device.identifiers
        ),
        coordinator.device_id,
    )
    if old == coordinator.device_id:
        return
    for device in found:
        devices.async_update_device(
            device.id,
            new_identifiers={
                (domain, f"{coordinator.device_id}{identifier.removeprefix(old)}")
                for domain, identifier in device.identifiers
            },
        )
    entities = er.async_get(hass)
    for entity in er.async_entries_for_config_entry(entities, entry_id):
        entities.async_update_entity(
            entity.entity_id,
            new_unique_id=f"{coordinator.device_id}{entity.unique_id.removeprefix(old)}",
        )
