"""The notifications of a fake phone, and those that it shows for others.

Section 11.7, both roles as Android has them. In a test::

    await phone.notifications.post(FakeNotification("0|chat|1", "Chat", "Ada", "Hi"))
    await phone.notifications.post(changed)  # the same id: an update
    await phone.notifications.remove("0|chat|1")
    asked = await phone.wait_for("notification_asked")
    assert asked.data == {"what": "reply", "id": "0|chat|1", "message": "Hello"}

    await phone.wait_for("notification_shown", lambda e: e.data["id"] == "1")
    assert phone.notifications.shown["1"].ticker == "Title: text"
"""

from dataclasses import dataclass, field
import hashlib
import time
from typing import TYPE_CHECKING, override

from tests.fakes.kdeconnect_payload import PayloadError, fetch
from tests.fakes.kdeconnect_plugins import Greeting, Plugin
from tests.fakes.kdeconnect_wire import Body, FakePacket, JsonValue

if TYPE_CHECKING:
    from tests.fakes.kdeconnect import FakeDevice
    from tests.fakes.kdeconnect_peer import FakePeer


@dataclass(frozen=True, slots=True)
class FakeNotification:
    """One notification of the phone; an update has the same id."""

    id: str
    app: str
    title: str | None = None
    text: str | None = None
    is_clearable: bool = True
    reply_id: str | None = None
    actions: tuple[str, ...] = ()
    icon: bytes = field(default=b"", repr=False)
    conversation: tuple[tuple[str, str], ...] = ()  # sender and content
    group: str | None = None
    only_once: bool = False
    posted: int | None = None  # ms since 1970

    @property
    def ticker(self) -> str:
        """The line that stands for all of it."""
        return ": ".join(part for part in (self.title, self.text) if part) or self.app

    @property
    def icon_hash(self) -> str:
        """What tells the icon from others."""
        return hashlib.md5(self.icon, usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class ShownNotification:
    """A notification of the other side as the phone shows it."""

    id: str
    app: str
    ticker: str
    icon: bytes | None
    body: Body = field(repr=False)


class NotificationsPlugin(Plugin):
    """Both roles of a phone."""

    handles = frozenset(
        {
            "kdeconnect.notification",
            "kdeconnect.notification.action",
            "kdeconnect.notification.reply",
            "kdeconnect.notification.request",
        }
    )

    def __init__(self, device: FakeDevice) -> None:
        """Start with none."""
        super().__init__(device)
        self.notifications: dict[str, FakeNotification] = {}
        self.shown: dict[str, ShownNotification] = {}
        # What a test may change.
        self.hides_contents = False  # neither title nor text, the ticker is the app
        self.numbers_ids = False  # an id that is a number goes as one, as KDE 25.04's
        self.wrong_hash = False  # of every icon
        self._told_icons: dict[tuple[str, str], str] = {}

    # --- what happens on the phone ---

    async def post(self, notification: FakeNotification) -> None:
        """Show a notification or update it, and tell it with its icon if that is new."""
        self.notifications[notification.id] = notification
        for peer in self._listeners():
            await self._send(peer, notification, silent=False)

    async def remove(self, notification_id: str) -> None:
        """Take a notification away; known or not, the removal is told."""
        self.notifications.pop(notification_id, None)
        body: Body = {"id": self._id(notification_id), "isCancel": True}
        await self.tell("notification", body)

    async def repost(self, notification: FakeNotification) -> None:
        """Update as some apps do: take it away and post it again (section 13)."""
        await self.remove(notification.id)
        await self.post(notification)

    def _listeners(self) -> list[FakePeer]:
        return [peer for peer in self.device.linked if peer.is_paired]

    def _id(self, notification_id: str) -> JsonValue:
        if self.numbers_ids and notification_id.isdecimal():
            return int(notification_id)
        return notification_id

    def body(self, notification: FakeNotification, *, silent: bool) -> Body:
        """Return the packet's body of a notification."""
        posted = notification.posted
        body: Body = {
            "id": self._id(notification.id),
            "appName": notification.app,
            "isClearable": notification.is_clearable,
            "ticker": notification.app if self.hides_contents else notification.ticker,
            "time": str(int(time.time() * 1000) if posted is None else posted),
            "onlyOnce": notification.only_once,
        }
        if silent:
            body["silent"] = True
        optional: Body = {
            "requestReplyId": notification.reply_id,
            "actions": list[JsonValue](notification.actions) or None,
        }
        if not self.hides_contents:
            optional |= {
                "title": notification.title,
                "text": notification.text,
                "groupName": notification.group,
                "conversation": [
                    {"sender": sender, "content": content}
                    for sender, content in notification.conversation
                ]
                or None,
            }
        if notification.icon:
            wrong = "0" * 32
            optional["payloadHash"] = (
                wrong if self.wrong_hash else notification.icon_hash
            )
        return body | {key: value for key, value in optional.items() if value}

    async def _send(
        self, peer: FakePeer, notification: FakeNotification, *, silent: bool
    ) -> None:
        body = self.body(notification, silent=silent)
        key = (peer.device_id, notification.id)
        digest = notification.icon_hash
        if not notification.icon or self._told_icons.get(key) == digest:
            peer.send("notification", body)
            await peer.drain()
        else:
            self._told_icons[key] = digest
            await self.device.payloads.send(
                peer, "notification", body, notification.icon
            )

    # --- what the other side wants ---

    @override
    def greeting(self) -> list[Greeting]:
        return [("notification.request", {"request": True})]

    @override
    def link_lost(self, peer: FakePeer) -> None:
        self._told_icons = {
            key: digest
            for key, digest in self._told_icons.items()
            if key[0] != peer.device_id
        }

    @override
    def received(self, peer: FakePeer, packet: FakePacket) -> None:
        match packet.type.removeprefix("kdeconnect."):
            case "notification":
                self.device.run_task(self._show(peer, packet))
            case "notification.request":
                self._requested(peer, packet)
            case "notification.reply":
                self._replied(peer, packet)
            case _:
                self._pressed(peer, packet)

    def _requested(self, peer: FakePeer, packet: FakePacket) -> None:
        if packet.body.get("request"):
            peer.emit("notification_asked", packet, what="all")
            shown = list(self.notifications.values())
            self.device.run_task(self._send_all(peer, shown))
        elif isinstance(wanted := packet.body.get("cancel"), str):
            peer.emit("notification_asked", packet, what="cancel", id=wanted)
            known = self.notifications.get(wanted)
            if known is not None and known.is_clearable:
                self.device.run_task(self.remove(wanted))

    async def _send_all(self, peer: FakePeer, shown: list[FakeNotification]) -> None:
        for notification in shown:
            await self._send(peer, notification, silent=True)

    def _replied(self, peer: FakePeer, packet: FakePacket) -> None:
        reply_id = packet.body.get("requestReplyId")
        message = packet.body.get("message")
        for notification in self.notifications.values():
            if reply_id and notification.reply_id == reply_id:
                peer.emit(
                    "notification_asked",
                    packet,
                    what="reply",
                    id=notification.id,
                    message=message,
                )

    def _pressed(self, peer: FakePeer, packet: FakePacket) -> None:
        action = packet.body.get("action")
        known = self.notifications.get(str(packet.body.get("key")))
        if known is not None and action in known.actions:
            peer.emit(
                "notification_asked", packet, what="action", id=known.id, action=action
            )

    # --- the other side's notifications ---

    async def _show(self, peer: FakePeer, packet: FakePacket) -> None:
        """Show what Android shows: no silent ones, and none is ever withdrawn."""
        body = packet.body
        shown_id, app, ticker = (body.get(key) for key in ("id", "appName", "ticker"))
        if (
            not isinstance(shown_id, str)
            or not isinstance(app, str)
            or not isinstance(ticker, str)
            or body.get("silent")
        ):
            return
        icon = None
        if packet.payload_port is not None:
            try:
                icon = await fetch(peer, packet)
            except (OSError, PayloadError) as error:
                reason = str(error) or type(error).__name__
                peer.emit("fetch_failed", packet, reason=reason)
        self.shown[shown_id] = ShownNotification(shown_id, app, ticker, icon, body)
        peer.emit("notification_shown", packet, id=shown_id)
