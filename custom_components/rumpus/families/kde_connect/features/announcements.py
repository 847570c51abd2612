"""Notifications of ours on the device, and what its user answers to them."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
import hashlib
from typing import TYPE_CHECKING, Any, Final, override

from homeassistant.core import ServiceResponse, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from ....const import DOMAIN, LOGGER
from ....entity import translated_errors
from ....protocols.kdeconnect.plugins import Message, notification
from ....protocols.kdeconnect.plugins.notification import (
    EchoGuard,
    Notification,
    NotificationActivated,
    NotificationDismissed,
    NotificationReplied,
    NotificationsWanted,
)
from ..announcement import Announcement, tagged_id
from ..const import (
    EVENT_COMPANION_ACTION,
    EVENT_COMPANION_CLEARED,
    NOTIFICATION_ANSWER,
    NOTIFY,
)
from ..feature import ActionHandler, Feature
from ..picture import async_icon

if TYPE_CHECKING:
    from ..coordinator import KdeConnectCoordinator

MAX_SENT: Final = 64
"""Notifications of ours that answers are understood to; the oldest is forgotten first."""
MAX_REPEATED: Final = 16
"""Notifications of ours that a device is told of again when it asks for them."""
MAX_OFFERS: Final = 3
"""Pictures that a device has not fetched yet; the oldest is given up first."""
PICTURE_WAIT: Final = 3.0
"""Seconds to wait for a device that fetches a picture.

It does not have to: one that has the picture already will not.
"""
ACTION: Final = "action"
REPLY: Final = "reply"
DISMISSED: Final = "dismissed"
ANSWERS: Final = (ACTION, REPLY, DISMISSED)
"""What a device's user may do with a notification of ours."""
CLEAR: Final = "clear_notification"
"""The message that takes back the notification with a tag, as in the companion app."""


class AnnouncementsFeature(Feature):
    """Shows notifications on the device and tells automations what becomes of them."""

    def __init__(self, coordinator: KdeConnectCoordinator) -> None:
        """Start with nothing shown."""
        super().__init__(coordinator)
        # It stays over times without a link: the device goes on showing them.
        self._sent: dict[str, Announcement] = {}
        self._echoes = EchoGuard()
        self._offers: list[asyncio.Task[None]] = []

    @property
    def can_answer(self) -> bool:
        """Whether the device, a computer, tells what its user answers."""
        device = self.device
        return device.sends(notification.TYPE_ACTION) or device.sends(
            notification.TYPE_REPLY
        )

    @property
    @override
    def actions(self) -> Mapping[str, ActionHandler]:
        return {"send_notification": self._async_act}

    async def _async_act(self, data: Mapping[str, Any]) -> ServiceResponse:
        if data["message"] == CLEAR:
            await self._async_withdraw(data.get("tag"))
            return None
        announcement = Announcement.from_action(data, self.hass.config.location_name)
        icon = None
        if (source := data.get("image")) is not None:
            icon = await async_icon(self.hass, source)
            digest = hashlib.md5(icon, usedforsecurity=False).hexdigest()
            announcement = replace(announcement, icon_hash=digest)
        await self._async_show(announcement, icon)
        # The notify entity shows when something was sent last.
        self.coordinator.fire(NOTIFY, NOTIFY)
        return None

    async def async_notify(self, message: str, title: str | None) -> None:
        """Show a notification."""
        data = {"message": message, "title": title}
        await self._async_show(
            Announcement.from_action(data, self.hass.config.location_name), None
        )

    # To the device

    async def _async_show(self, announcement: Announcement, icon: bytes | None) -> None:
        before = self._sent.pop(announcement.id, None)
        # Somebody may answer before we have heard that it was sent.
        self._remember(announcement)
        self.said(announcement.title, announcement.message)
        try:
            if icon is None:
                await self.coordinator.async_send(
                    announcement.packet(is_silent=announcement.is_silent)
                )
            else:
                await self._async_show_with(announcement, icon)
        except HomeAssistantError:
            self._sent.pop(announcement.id, None)
            if before is not None:
                self._remember(before)
            raise

    async def _async_show_with(self, announcement: Announcement, icon: bytes) -> None:
        packet = announcement.packet(is_silent=announcement.is_silent)
        if len(self._offers) >= MAX_OFFERS:
            self._offers.pop(0).cancel()
        offer = self.coordinator.entry.async_create_background_task(
            self.hass,
            self.device.send_payload(packet, icon),
            f"{DOMAIN} notification picture",
        )
        self._offers.append(offer)
        offer.add_done_callback(self._offer_ended)
        done, _ = await asyncio.wait({offer}, timeout=PICTURE_WAIT)
        if done and not offer.cancelled():
            with translated_errors(self.device.name):
                offer.result()

    def _offer_ended(self, offer: asyncio.Task[None]) -> None:
        if offer in self._offers:
            self._offers.remove(offer)
        if not offer.cancelled() and (err := offer.exception()) is not None:
            LOGGER.debug(
                "%s: picture of a notification: %s",
                self.device.device_id,
                type(err).__name__,
            )

    async def _async_withdraw(self, tag: str | None) -> None:
        if tag is None:
            raise ServiceValidationError(
                translation_domain=DOMAIN, translation_key="announcement_no_tag"
            )
        await self.coordinator.async_send(notification.withdraw(tagged_id(tag)))
        self._sent.pop(tagged_id(tag), None)

    def _remember(self, announcement: Announcement) -> None:
        self._sent[announcement.id] = announcement
        if len(self._sent) > MAX_SENT:
            del self._sent[next(iter(self._sent))]

    @callback
    def said(self, *texts: str) -> None:
        """Remember what we make the device show: it may forward it to us."""
        self._echoes.sent(*texts, now=self.hass.loop.time())

    @callback
    def is_echo(self, message: Notification) -> bool:
        """Tell whether the device forwards what it shows for us."""
        return self._echoes.is_echo(message, self.hass.loop.time())

    # From the device

    @callback
    @override
    def unpaired(self) -> None:
        self._sent.clear()

    @callback
    @override
    def received(self, message: Message) -> None:
        match message:
            case NotificationsWanted():
                self._repeat()
            case NotificationActivated(notification_id, button):
                if (sent := self._sent.get(notification_id)) is not None and (
                    key := sent.buttons.get(button)
                ) is not None:
                    self._answered(sent, ACTION, key)
            case NotificationReplied(notification_id, text):
                if (sent := self._sent.get(notification_id)) is not None and (
                    sent.reply_key is not None
                ):
                    self._answered(sent, REPLY, sent.reply_key, text)
            case NotificationDismissed(notification_id):
                if (sent := self._sent.get(notification_id)) is not None:
                    self._finish(sent)
                    self.coordinator.fire(
                        NOTIFICATION_ANSWER, DISMISSED, {"tag": sent.tag}
                    )
                    self.coordinator.fire_bus(
                        EVENT_COMPANION_CLEARED, sent.event_data()
                    )

    def _repeat(self) -> None:
        """Tell the device what it should be showing.

        Phones show nothing of that: what is said again is said silently.
        """
        if self.can_answer:
            for sent in list(self._sent.values())[-MAX_REPEATED:]:
                self.coordinator.ask(sent.packet(is_silent=True))

    def _answered(
        self, sent: Announcement, kind: str, key: str, text: str | None = None
    ) -> None:
        self._finish(sent)
        # The text is private: it goes to automations, and into no state.
        self.coordinator.fire(
            NOTIFICATION_ANSWER, kind, {"action": key, "tag": sent.tag}
        )
        reply = {} if text is None else {"reply_text": text}
        self.coordinator.fire_bus(
            EVENT_COMPANION_ACTION, {**sent.event_data(), "action": key, **reply}
        )

    def _finish(self, sent: Announcement) -> None:
        """Take back what was answered or dismissed; computers list it until then."""
        del self._sent[sent.id]
        self.coordinator.ask(notification.withdraw(sent.id))

    @override
    def diagnostics(self) -> dict[str, object]:
        return {"announcements": len(self._sent)}
