"""Notifications of the device."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final, override

from homeassistant.core import CALLBACK_TYPE, HassJob, ServiceResponse, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.event import async_call_later

from ....const import DOMAIN
from ....protocols.kdeconnect.plugins import Message, notification
from ....protocols.kdeconnect.plugins.notification import (
    Notification,
    NotificationRemoved,
)
from ..artwork import Picture
from ..const import EVENT_NOTIFICATION, NOTIFICATION
from ..feature import ActionHandler, Feature
from ..notification_icons import NotificationIcons
from ..options import Option
from .announcements import AnnouncementsFeature

if TYPE_CHECKING:
    from datetime import datetime

    from ..coordinator import KdeConnectCoordinator

MAX_NOTIFICATIONS: Final = 200
"""Notifications known of a device; the one that came first is forgotten first."""
REPOST_TIME: Final = 0.5
"""Seconds in which a notification that has gone may come back: Android changes some so."""

POSTED: Final = "posted"
UPDATED: Final = "updated"
REMOVED: Final = "removed"
CHANGES: Final = (POSTED, UPDATED, REMOVED)
"""What may become of a notification."""


def describe(shown: Notification) -> dict[str, Any]:
    """Return what events tell of a notification: all of it is private."""
    text = shown.text
    if shown.title is None and text is None:
        # Old computers send nothing but the summary.
        text = shown.ticker
    facts: dict[str, Any] = {
        "notification_id": shown.id,
        "app": shown.app,
        "title": shown.title,
        "text": text,
        "can_reply": shown.reply_id is not None,
        "can_dismiss": shown.is_clearable,
        "actions": list(shown.actions),
    }
    if shown.conversation:
        facts["sender"] = shown.conversation[-1].sender
    if shown.group is not None:
        facts["group"] = shown.group
    return facts


def _time(shown: Notification | None) -> int:
    return 0 if shown is None else shown.posted_ms or 0


class NotificationsFeature(Feature):
    """Knows what the device shows, and answers and dismisses it."""

    option: ClassVar[Option | None] = Option.NOTIFICATIONS

    def __init__(self, coordinator: KdeConnectCoordinator) -> None:
        """Start without any."""
        super().__init__(coordinator)
        self._shown: dict[str, Notification] = {}
        # What may have gone, or may come back changed.
        self._going: dict[str, CALLBACK_TYPE] = {}
        self._icons = NotificationIcons(coordinator, self._publish)
        self._newest: Notification | None = None

    @override
    async def async_stop(self) -> None:
        self._forget_all()

    @callback
    @override
    def connected(self) -> None:
        if not self.device.sends(notification.TYPE):
            return
        # It tells nothing when it shows none.
        self._publish()
        if self.device.supports(notification.TYPE_REQUEST):
            self.coordinator.ask(notification.request_all())

    @callback
    @override
    def disconnected(self) -> None:
        # Which of them are there when it is back, it will tell.
        self._forget_all()

    @callback
    @override
    def unpaired(self) -> None:
        self._forget_all()
        self._icons.clear()

    @callback
    @override
    def received(self, message: Message) -> None:
        match message:
            case Notification():
                if not self.coordinator.get(AnnouncementsFeature).is_echo(message):
                    self._came(message)
            case NotificationRemoved(notification_id):
                self._goes(notification_id)

    def _came(self, message: Notification) -> None:
        self._icons.received(message)
        # What is kept is what tells a change from a repetition.
        shown = replace(message, icon=None, is_silent=False)
        before = self._forget(shown.id)
        self._shown[shown.id] = shown
        if len(self._shown) > MAX_NOTIFICATIONS:
            self._forget(next(iter(self._shown)))
        # What was there before comes in any order.
        if not message.is_silent or _time(shown) >= _time(self._newest):
            self._newest = shown
        self._publish()
        if before != shown and not message.is_silent:
            self._fire(POSTED if before is None else UPDATED, shown)

    def _goes(self, notification_id: str) -> None:
        if notification_id not in self._shown or notification_id in self._going:
            return
        job = HassJob(
            partial(self._gone, notification_id),
            f"{DOMAIN} notification",
            cancel_on_shutdown=True,
        )
        self._going[notification_id] = async_call_later(self.hass, REPOST_TIME, job)

    @callback
    def _gone(self, notification_id: str, _: datetime) -> None:
        del self._going[notification_id]
        shown = self._shown.pop(notification_id)
        self._publish()
        self._fire(REMOVED, shown)

    def _forget(self, notification_id: str) -> Notification | None:
        """Forget one without a word, and that it may have gone."""
        if (cancel := self._going.pop(notification_id, None)) is not None:
            cancel()
        return self._shown.pop(notification_id, None)

    def _forget_all(self) -> None:
        for notification_id in list(self._shown):
            self._forget(notification_id)
        self._newest = None

    def _fire(self, kind: str, shown: Notification) -> None:
        facts = describe(shown)
        self.coordinator.fire(NOTIFICATION, kind, facts)
        self.coordinator.fire_bus(EVENT_NOTIFICATION, {"type": kind, **facts})

    @callback
    def _publish(self) -> None:
        # A device that has gone shows nothing that we know of.
        if not self.state.is_connected:
            return
        icon = None if self._newest is None else self._newest.icon_hash
        if self.icon(icon) is None:
            icon = None
        self.coordinator.publish(
            replace(self.state, notifications=len(self._shown), notification_icon=icon)
        )

    def icon(self, icon_hash: str | None) -> Picture | None:
        """Return the icon with this hash, None when there is none."""
        return self._icons.get(icon_hash)

    # Actions

    @property
    @override
    def actions(self) -> Mapping[str, ActionHandler]:
        return {
            "reply_notification": self._async_reply,
            "dismiss_notification": self._async_dismiss,
            "invoke_notification_action": self._async_invoke,
        }

    async def _async_reply(self, data: Mapping[str, Any]) -> ServiceResponse:
        shown = self._find(data["notification_id"])
        if shown.reply_id is None:
            raise self._wrong("notification_no_reply")
        await self.coordinator.async_send(
            notification.reply(shown.reply_id, data["message"])
        )
        return None

    async def _async_invoke(self, data: Mapping[str, Any]) -> ServiceResponse:
        shown = self._find(data["notification_id"])
        if (action := data["action"]) not in shown.actions:
            raise self._wrong("notification_no_action")
        await self.coordinator.async_send(notification.invoke(shown.id, action))
        return None

    async def _async_dismiss(self, data: Mapping[str, Any]) -> ServiceResponse:
        self._check_connected()
        if data["all"] == ("notification_id" in data):
            raise self._wrong("notification_which")
        if data["all"]:
            dismissed = [
                shown.id for shown in self._shown.values() if shown.is_clearable
            ]
        else:
            shown = self._find(data["notification_id"])
            if not shown.is_clearable:
                raise self._wrong("notification_not_clearable")
            dismissed = [shown.id]
        for notification_id in dismissed:
            await self.coordinator.async_send(notification.dismiss(notification_id))
        return None

    def _find(self, notification_id: str) -> Notification:
        self._check_connected()
        shown = self._shown.get(notification_id)
        if shown is None or notification_id in self._going:
            raise self._wrong("notification_unknown")
        return shown

    def _check_connected(self) -> None:
        if not self.state.is_connected:
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="not_connected",
                translation_placeholders={"name": self.device.name},
            )

    def _wrong(self, translation_key: str) -> ServiceValidationError:
        return ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key=translation_key,
            translation_placeholders={"name": self.device.name},
        )

    @override
    def diagnostics(self) -> dict[str, object]:
        return {"notifications": self.state.notifications, "icons": len(self._icons)}
