"""How the entities of a device come and go."""

from collections.abc import Callable, Iterable
from typing import Any

from homeassistant.const import Platform
from homeassistant.core import callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .device_coordinator import DeviceCoordinator


@callback
def async_forget(
    coordinator: DeviceCoordinator[Any], platform: Platform, keys: Iterable[str]
) -> None:
    """Remove entities that the device must not have any more, by their keys.

    A key that ends with an underscore stands for all that begin with it.
    """
    registry = er.async_get(coordinator.hass)
    prefix = f"{coordinator.device_id}_"
    gone = tuple(keys)
    for entry in er.async_entries_for_config_entry(
        registry, coordinator.entry.entry_id
    ):
        key = entry.unique_id.removeprefix(prefix)
        if entry.domain == platform and any(
            key == name or (name.endswith("_") and key.startswith(name))
            for name in gone
        ):
            registry.async_remove(entry.entity_id)


def is_admitted(
    coordinator: DeviceCoordinator[Any],
    platform: Platform,
    prefix: str,
    key: str,
    limit: int,
) -> bool:
    """Refuse new keys with a prefix to a device that keeps inventing them.

    Those that have had an entity before keep it: its name and its area are the user's.
    """
    registry = er.async_get(coordinator.hass)
    start = f"{coordinator.device_id}_{prefix}"
    known = {
        entry.unique_id
        for entry in er.async_entries_for_config_entry(
            registry, coordinator.entry.entry_id
        )
        if entry.domain == platform and entry.unique_id.startswith(start)
    }
    return len(known) < limit or f"{start}{key}" in known


@callback
def async_follow(
    coordinator: DeviceCoordinator[Any],
    async_add_entities: AddConfigEntryEntitiesCallback,
    keys: Callable[[], Iterable[str]],
    create: Callable[[str], Entity],
    admit: Callable[[str], bool] = lambda _: True,
) -> set[str]:
    """Add an entity for every key there is now and for every new one that turns up.

    `admit` tells whether a new key may have one.  Returns the keys that have an entity; one
    that is taken out gets a new entity when it turns up again.
    """
    known: set[str] = set()

    @callback
    def add_new() -> None:
        for key in keys():
            if key not in known and admit(key):
                known.add(key)
                async_add_entities([create(key)])

    coordinator.entry.async_on_unload(coordinator.async_add_listener(add_new))
    add_new()
    return known
