"""The screen lock of a KDE Connect device."""

from typing import Any, override

from homeassistant.components.lock import LockEntity
from homeassistant.core import callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from ...entities import async_follow
from ...protocols.kdeconnect.plugins import lock
from .coordinator import KdeConnectCoordinator
from .entity import KdeConnectEntity
from .features.lock import LockFeature

SCREEN = "screen"


@callback
def async_setup(
    coordinator: KdeConnectCoordinator,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the screen lock of a device that has one."""
    device = coordinator.device
    async_follow(
        coordinator,
        async_add_entities,
        lambda: (SCREEN,) if device.supports(lock.TYPE_REQUEST) else (),
        lambda _: KdeConnectScreenLock(coordinator),
    )


class KdeConnectScreenLock(KdeConnectEntity, LockEntity):
    """Whether the device's screen is locked, as it says itself."""

    def __init__(self, coordinator: KdeConnectCoordinator) -> None:
        """Show and change the state of the screen."""
        super().__init__(coordinator, SCREEN)
        self._attr_translation_key = SCREEN

    @property
    @override
    def is_locked(self) -> bool | None:
        return self.coordinator.data.is_locked

    @override
    async def async_lock(self, **kwargs: Any) -> None:
        await self.coordinator.get(LockFeature).async_set_locked(True)

    @override
    async def async_unlock(self, **kwargs: Any) -> None:
        await self.coordinator.get(LockFeature).async_set_locked(False)
