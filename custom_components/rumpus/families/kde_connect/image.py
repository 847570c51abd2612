"""Images of a KDE Connect device."""

from datetime import datetime
from typing import override

from homeassistant.components.image import ImageEntity
from homeassistant.const import Platform
from homeassistant.core import callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util import dt as dt_util

from ...entities import async_follow, async_forget
from ...protocols.kdeconnect.plugins import notification, photo
from .coordinator import KdeConnectCoordinator
from .entity import KdeConnectEntity
from .features.notifications import NotificationsFeature
from .features.photo import PhotoFeature

NOTIFICATION_ICON = "notification_icon"
PICTURE = "picture"


@callback
def async_setup(
    coordinator: KdeConnectCoordinator,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the images of a device."""
    async_follow(
        coordinator,
        async_add_entities,
        lambda: (PICTURE,) if coordinator.device.supports(photo.TYPE_REQUEST) else (),
        lambda _: KdeConnectPicture(coordinator),
    )
    feature = coordinator.find(NotificationsFeature)
    if feature is None:
        async_forget(coordinator, Platform.IMAGE, (NOTIFICATION_ICON,))
        return
    async_follow(
        coordinator,
        async_add_entities,
        lambda: (
            (NOTIFICATION_ICON,) if coordinator.device.sends(notification.TYPE) else ()
        ),
        lambda _: KdeConnectNotificationIcon(coordinator, feature),
    )


class KdeConnectNotificationIcon(KdeConnectEntity, ImageEntity):
    """The icon of the notification that came last."""

    _attr_entity_registry_enabled_default = False

    def __init__(
        self, coordinator: KdeConnectCoordinator, feature: NotificationsFeature
    ) -> None:
        """Show what the feature keeps."""
        KdeConnectEntity.__init__(self, coordinator, NOTIFICATION_ICON)
        ImageEntity.__init__(self, coordinator.hass)
        self._attr_translation_key = NOTIFICATION_ICON
        self._feature = feature
        self._hash: str | None = None
        self._follow()

    def _follow(self) -> None:
        icon_hash = self.coordinator.data.notification_icon
        if icon_hash == self._hash:
            return
        self._hash = icon_hash
        icon = self._feature.icon(icon_hash)
        updated: datetime | None = None
        if icon is not None:
            _, self._attr_content_type = icon
            updated = dt_util.utcnow()
        self._attr_image_last_updated = updated

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        self._follow()
        super()._handle_coordinator_update()

    @override
    async def async_image(self) -> bytes | None:
        icon = self._feature.icon(self._hash)
        return None if icon is None else icon[0]


class KdeConnectPicture(KdeConnectEntity, ImageEntity):
    """The photo that was taken last with the device's camera on our request."""

    def __init__(self, coordinator: KdeConnectCoordinator) -> None:
        """Show what the feature keeps."""
        KdeConnectEntity.__init__(self, coordinator, PICTURE)
        ImageEntity.__init__(self, coordinator.hass)
        self._attr_translation_key = PICTURE
        self._feature = coordinator.get(PhotoFeature)

    @property
    @override
    def image_last_updated(self) -> datetime | None:
        return self.coordinator.data.photo_taken_at

    @property
    @override
    def content_type(self) -> str:
        taken = self._feature.photo
        return super().content_type if taken is None else taken.mime_type

    @override
    async def async_image(self) -> bytes | None:
        taken = self._feature.photo
        return None if taken is None else taken.data
