"""Events of a KDE Connect device."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from homeassistant.components.event import EventEntityDescription
from homeassistant.const import Platform
from homeassistant.core import callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from ...entities import async_follow, async_forget
from ...events import FiredEvents
from ...protocols.kdeconnect.plugins import (
    findmyphone,
    notification,
    ping,
    share,
    telephony,
)
from .abilities import has_battery, has_telephony
from .const import (
    BATTERY_LOW,
    CALL,
    MESSAGE,
    NOTIFICATION,
    NOTIFICATION_ANSWER,
    PING,
    SEARCH,
    SHARED,
)
from .coordinator import KdeConnectCoordinator
from .entity import KdeConnectEntity
from .features.announcements import ANSWERS, AnnouncementsFeature
from .features.messages import RECEIVED, MessagesFeature
from .features.notifications import CHANGES, NotificationsFeature
from .features.share import SHARE_TYPES


@dataclass(frozen=True, kw_only=True)
class KdeConnectEventDescription(EventEntityDescription):
    """An event entity, its events and which devices have it.

    Features fire its events with `coordinator.fire(key, type, attributes)`.
    """

    types: tuple[str, ...]
    exists_fn: Callable[[KdeConnectCoordinator], bool]


EVENTS: Final = (
    KdeConnectEventDescription(
        key=BATTERY_LOW,
        translation_key=BATTERY_LOW,
        types=(BATTERY_LOW,),
        exists_fn=has_battery,
    ),
    KdeConnectEventDescription(
        key=CALL,
        translation_key=CALL,
        types=tuple(telephony.CallEventKind),
        exists_fn=has_telephony,
    ),
    KdeConnectEventDescription(
        key=SEARCH,
        translation_key=SEARCH,
        types=(SEARCH,),
        exists_fn=lambda coordinator: coordinator.device.sends(
            findmyphone.TYPE_REQUEST
        ),
    ),
    KdeConnectEventDescription(
        key=MESSAGE,
        translation_key=MESSAGE,
        types=(RECEIVED,),
        exists_fn=lambda coordinator: (
            (feature := coordinator.find(MessagesFeature)) is not None
            and feature.exists
        ),
    ),
    KdeConnectEventDescription(
        key=NOTIFICATION,
        translation_key=NOTIFICATION,
        types=CHANGES,
        exists_fn=lambda coordinator: (
            coordinator.find(NotificationsFeature) is not None
            and coordinator.device.sends(notification.TYPE)
        ),
    ),
    KdeConnectEventDescription(
        key=NOTIFICATION_ANSWER,
        translation_key=NOTIFICATION_ANSWER,
        types=ANSWERS,
        exists_fn=lambda coordinator: coordinator.get(AnnouncementsFeature).can_answer,
    ),
    KdeConnectEventDescription(
        key=PING,
        translation_key=PING,
        types=(PING,),
        exists_fn=lambda coordinator: coordinator.device.sends(ping.TYPE),
    ),
    KdeConnectEventDescription(
        key=SHARED,
        translation_key=SHARED,
        types=SHARE_TYPES,
        exists_fn=lambda coordinator: coordinator.device.sends(share.TYPE),
    ),
)


@callback
def async_setup(
    coordinator: KdeConnectCoordinator,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the events of a device."""
    if coordinator.find(MessagesFeature) is None:
        async_forget(coordinator, Platform.EVENT, (MESSAGE,))
    if coordinator.find(NotificationsFeature) is None:
        async_forget(coordinator, Platform.EVENT, (NOTIFICATION,))
    descriptions = {description.key: description for description in EVENTS}
    async_follow(
        coordinator,
        async_add_entities,
        lambda: (
            key for key, event in descriptions.items() if event.exists_fn(coordinator)
        ),
        lambda key: KdeConnectEvent(coordinator, descriptions[key]),
    )


class KdeConnectEvent(KdeConnectEntity, FiredEvents):
    """Something that happens on a device."""

    # What notifications say and what files are called: the user has allowed us to know it.
    _unrecorded_attributes = frozenset(
        {
            "actions",
            "app",
            "can_dismiss",
            "can_reply",
            "filename",
            "group",
            "media_content_id",
            "notification_id",
            "path",
            "sender",
            "text",
            "title",
        }
    )

    def __init__(
        self,
        coordinator: KdeConnectCoordinator,
        description: KdeConnectEventDescription,
    ) -> None:
        """Wait for the events that the description names."""
        super().__init__(coordinator, description.key)
        self.entity_description = description
        self.show_events(coordinator, description.key, description.types)
