"""The notifications of a fake computer: ours that it shows, and its own (11.7).

In a test::

    await computer.wait_for("notification_shown", lambda e: e.data["id"] == "1")
    shown = computer.desktop.shown["1"]
    await computer.desktop.press("1", "Open")  # a button
    await computer.desktop.reply("1", "Hello")
    await computer.desktop.dismiss("1")

    own = await computer.desktop.post("MyApp", "Summary", "Body")
    await computer.desktop.withdraw(own)
    computer.desktop.echoes = True  # GSConnect forwards what it shows for us
"""

from dataclasses import dataclass, field
import hashlib
from typing import TYPE_CHECKING, Literal, override

from tests.fakes.kdeconnect_payload import PayloadError, receive
from tests.fakes.kdeconnect_plugins import Greeting, Plugin
from tests.fakes.kdeconnect_wire import Body, FakePacket, JsonValue

if TYPE_CHECKING:
    from tests.fakes.kdeconnect import FakeDevice
    from tests.fakes.kdeconnect_peer import FakePeer

# Which program: KDE by its age, or another one.
type Program = Literal["kde22", "kde25", "kde26", "gsconnect", "valent"]


@dataclass(frozen=True, slots=True)
class Bubble:
    """A notification of the other side as the desktop shows it."""

    id: str
    app: str
    title: str
    text: str
    ticker: str
    is_clearable: bool
    is_silent: bool
    reply_id: str | None
    actions: tuple[str, ...]
    icon_hash: str | None
    icon: bytes | None = field(repr=False)
    device_id: str


class DesktopPlugin(Plugin):
    """Both roles of a computer."""

    handles = frozenset(
        {
            "kdeconnect.notification",
            "kdeconnect.notification.request",
            "kdeconnect.ping",
        }
    )

    def __init__(self, device: FakeDevice) -> None:
        """Start with an empty desktop."""
        super().__init__(device)
        self.program: Program = "kde22" if device.protocol < 8 else "kde26"
        self.echoes = False  # forward what is shown because of a peer
        self.answers = False  # a request for all, or to dismiss; KDE does not
        self.fetches = True  # icons; False: a test does that
        self.shown: dict[str, Bubble] = {}
        self.own: dict[str, Body] = {}  # what was told of each, by id as text
        self._icons: dict[str, bytes] = {}
        self._count = 0

    # --- what the user does with ours ---

    async def press(self, shown_id: str, action: str) -> int:
        """Press a button. Raises LookupError when it is not there."""
        bubble = self.shown[shown_id]
        if action not in bubble.actions:
            raise LookupError(f"no such button; there are {len(bubble.actions)}")
        body: Body = {"key": shown_id, "action": action}
        return await self.tell("notification.action", body)

    async def reply(self, shown_id: str, message: str) -> int:
        """Answer. Raises LookupError when there is nothing to quote."""
        reply_id = self.shown[shown_id].reply_id
        if not reply_id:
            raise LookupError("no reply wanted")
        body: Body = {"requestReplyId": reply_id, "message": message}
        return await self.tell("notification.reply", body)

    async def dismiss(self, shown_id: str) -> int:
        """Close one; it stays until the other side says that it has gone."""
        return await self.tell("notification.request", {"cancel": shown_id})

    async def request_all(self) -> int:
        """Ask for everything that is there."""
        return await self.tell("notification.request", {"request": True})

    # --- its own ---

    async def post(
        self,
        app: str,
        title: str,
        text: str = "",
        *,
        notification_id: str | None = None,
        icon: bytes = b"",
    ) -> str:
        """Forward a notification, or with an id an update; returns the id as text."""
        shown_id = self._next_id() if notification_id is None else notification_id
        body = self._body(shown_id, app, title, text)
        self.own[shown_id] = body
        if not icon:
            await self.tell("notification", body)
            return shown_id
        digest = hashlib.md5(icon, usedforsecurity=False).hexdigest()
        for peer in self.device.linked:
            if peer.is_paired:
                await self.device.payloads.send(
                    peer, "notification", body | {"payloadHash": digest}, icon
                )
        return shown_id

    async def withdraw(self, notification_id: str) -> None:
        """Tell that a notification has gone, whether there was one or not."""
        self.own.pop(notification_id, None)
        body: Body = {"id": self._wire_id(notification_id), "isCancel": True}
        await self.tell("notification", body)

    def _next_id(self) -> str:
        self._count += 1
        return str(self._count - 1)

    def _wire_id(self, shown_id: str) -> JsonValue:
        is_number = self.program == "kde25" and shown_id.isdecimal()
        return int(shown_id) if is_number else shown_id

    def _body(self, shown_id: str, app: str, title: str, text: str) -> Body:
        body: Body = {
            "id": self._wire_id(shown_id),
            "appName": app,
            "isClearable": self.program != "kde22",
            "ticker": f"{title}: {text}" if text else title,
        }
        if self.program == "kde22":
            return body
        return body | {"title": title, "text": text, "silent": False}

    # --- packets ---

    @override
    def greeting(self) -> list[Greeting]:
        return [("notification.request", {"request": True})]

    @override
    def link_lost(self, peer: FakePeer) -> None:
        self.shown = {
            key: bubble
            for key, bubble in self.shown.items()
            if bubble.device_id != peer.device_id
        }

    @override
    def received(self, peer: FakePeer, packet: FakePacket) -> None:
        body = packet.body
        if packet.type == "kdeconnect.ping":
            text = str(body.get("message") or "Ping!")
            self._echo(peer.identity.name, text)
        elif packet.type == "kdeconnect.notification.request":
            self.device.run_task(self._requested(peer, packet))
        elif str(body.get("isCancel")).lower() == "true":
            gone = self.shown.pop(str(body.get("id")), None)
            peer.emit("notification_gone", packet, id=str(body.get("id")))
            if gone is not None and self.echoes:
                self.device.run_task(self.withdraw(f"echo-{gone.id}"))
        else:
            self.device.run_task(self._show(peer, packet))

    async def _requested(self, peer: FakePeer, packet: FakePacket) -> None:
        wants_all = bool(packet.body.get("request"))
        wanted = str(packet.body.get("cancel"))
        if wants_all:
            peer.emit("notification_asked", packet, what="all")
        else:
            peer.emit("notification_asked", packet, what="cancel", id=wanted)
        if not self.answers:
            return
        if wants_all:
            for body in self.own.values():
                peer.send("notification", body | {"silent": True})
            await peer.drain()
        elif wanted in self.own:
            await self.withdraw(wanted)

    async def _show(self, peer: FakePeer, packet: FakePacket) -> None:
        body = packet.body
        shown_id = body.get("id")
        texts = [body.get(name) for name in ("appName", "title", "text", "ticker")]
        strict = self.program == "valent"
        if not isinstance(shown_id, str | int) or (
            strict and not all(isinstance(item, str) for item in (shown_id, *texts))
        ):
            peer.emit("malformed", packet, reason="not fit to be shown")
            return
        app, title, text, ticker = ("" if item is None else str(item) for item in texts)
        reply_id, buttons = body.get("requestReplyId"), body.get("actions")
        digest = body.get("payloadHash")
        icon_hash = digest if isinstance(digest, str) else None
        bubble = Bubble(
            str(shown_id),
            app,
            title or app,
            text or ticker,
            ticker,
            body.get("isClearable") is True,
            body.get("silent") is True,
            reply_id if isinstance(reply_id, str) else None,
            tuple(str(button) for button in buttons)
            if isinstance(buttons, list)
            else (),
            icon_hash,
            await self._icon(peer, packet, icon_hash),
            peer.device_id,
        )
        self.shown[bubble.id] = bubble
        peer.emit("notification_shown", packet, id=bubble.id, silent=bubble.is_silent)
        if not bubble.is_silent:
            self._echo(bubble.title, bubble.text, f"echo-{bubble.id}", bubble.app)

    async def _icon(
        self, peer: FakePeer, packet: FakePacket, icon_hash: str | None
    ) -> bytes | None:
        """Return the icon, from the packet or from one before."""
        if packet.payload_size is None or not self.fetches:
            return self._icons.get(icon_hash or "")
        try:
            got = await receive(peer, packet)
        except (OSError, PayloadError) as error:
            reason = str(error) or type(error).__name__
            peer.emit("fetch_failed", packet, reason=reason)
            return None
        if icon_hash is not None and got.md5 != icon_hash:
            peer.emit("fetch_failed", packet, reason="not what the hash says")
            return None
        self._icons[got.md5] = got.data
        return got.data

    def _echo(
        self, title: str, text: str, echo_id: str | None = None, app: str = "GSConnect"
    ) -> None:
        async def forward() -> None:
            await self.post(app, title, text, notification_id=echo_id)

        if self.echoes:
            self.device.run_task(forward())
