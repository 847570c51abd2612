"""The clipboard of a fake KDE Connect device (section 11.6).

In a test::

    await computer.clipboard.copy("hello")
    await computer.wait_for("clipboard", lambda e: e.data["content"] == "from afar")
"""

import time
from typing import TYPE_CHECKING, override

from tests.fakes.kdeconnect_payload import Fetched, PayloadError, receive
from tests.fakes.kdeconnect_plugins import Greeting, Plugin
from tests.fakes.kdeconnect_wire import Body, FakePacket

if TYPE_CHECKING:
    from tests.fakes.kdeconnect import FakeDevice
    from tests.fakes.kdeconnect_peer import FakePeer

MAX_FILE = 50 * 1000 * 1000  # KDE's default


class ClipboardPlugin(Plugin):
    """A clipboard that follows the peers', the newest content wins."""

    handles = frozenset(
        {
            "kdeconnect.clipboard",
            "kdeconnect.clipboard.connect",
            "kdeconnect.clipboard.file",
        }
    )

    def __init__(self, device: FakeDevice) -> None:
        """Start empty, as after logging in."""
        super().__init__(device)
        self.content: str | None = None
        self.timestamp = 0  # ms, of the last change; 0 = never
        # Android tells only when the user asks it to.
        self.tells = device.kind == "computer"
        self.files: dict[str, Fetched] = {}

    async def copy(self, content: str, *, timestamp: int | None = None) -> None:
        """Copy a text here, at a moment in ms; a computer tells the peers."""
        self._set(content, timestamp)
        if self.tells:
            await self.send()

    async def send(self) -> int:
        """Tell the peers what the clipboard has."""
        return await self.tell("clipboard", {"content": self.content})

    async def send_at_connect(self) -> int:
        """Say again what is said when a link comes up."""
        return await self.tell("clipboard.connect", self.connect_body)

    async def send_file(
        self, filename: str, data: bytes, device_id: str | None = None
    ) -> None:
        """Tell that a picture or file was copied. Raises PayloadError."""
        await self.device.payloads.deliver(
            self.device.peer(device_id), "clipboard.file", {"filename": filename}, data
        )

    @property
    def connect_body(self) -> Body:
        """The body of the packet that is sent when a link comes up."""
        content = self.content
        if content is None and self.device.protocol < 8:
            content = ""
        return {"content": content, "timestamp": self.timestamp}

    def _set(self, content: str, timestamp: int | None = None) -> None:
        self.content = content
        self.timestamp = int(time.time() * 1000) if timestamp is None else timestamp

    @override
    def greeting(self) -> list[Greeting]:
        if self.device.kind == "phone" and not self.timestamp:
            return []
        return [("clipboard.connect", self.connect_body)]

    @override
    def received(self, peer: FakePeer, packet: FakePacket) -> None:
        body = packet.body
        content, timestamp = body.get("content"), body.get("timestamp")
        if packet.type == "kdeconnect.clipboard.file":
            self.device.run_task(self._fetch(peer, packet))
            return
        if not isinstance(content, str):
            return
        if packet.type == "kdeconnect.clipboard.connect":
            if not isinstance(timestamp, int) or timestamp <= self.timestamp:
                return
            self._set(content, timestamp)
        else:
            self._set(content)
        peer.emit("clipboard", packet, content=content)

    async def _fetch(self, peer: FakePeer, packet: FakePacket) -> None:
        name = str(packet.body.get("filename"))
        if (packet.payload_size or 0) > MAX_FILE:
            peer.emit("fetch_failed", packet, filename=name, reason="too large")
            return
        try:
            self.files[name] = got = await receive(peer, packet)
        except (OSError, PayloadError) as error:
            reason = str(error) or type(error).__name__
            peer.emit("fetch_failed", packet, filename=name, reason=reason)
            return
        peer.emit("clipboard", packet, filename=name, size=got.size, sha256=got.sha256)
