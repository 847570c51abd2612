"""Files, texts and links that a fake KDE Connect device shares (section 11.5).

In a test::

    await computer.share.send_files(SharedFile("a.bin", data), SharedFile("b", b""))
    await computer.share.send_url("https://example.com")
    await computer.wait_for("shared", lambda e: e.data["filename"] == "ours.txt")
    assert computer.share.files["ours.txt"].sha256 == digest
"""

import asyncio
from dataclasses import dataclass, field
from pathlib import PurePosixPath
import time
from typing import TYPE_CHECKING, Literal, override

from tests.fakes.kdeconnect_payload import PayloadError, receive
from tests.fakes.kdeconnect_plugins import Plugin
from tests.fakes.kdeconnect_wire import Body, FakePacket, JsonValue

if TYPE_CHECKING:
    from tests.fakes.kdeconnect import FakeDevice
    from tests.fakes.kdeconnect_peer import FakePeer

KEEP = 16 * 1024 * 1024  # larger files are only hashed

# What the sender writes beside the file's name.
type Style = Literal["kde", "android", "gsconnect", "valent"]
# What a receiver does with files that are announced while another one comes.
type Manner = Literal["at_once", "in_turn", "first_only"]


@dataclass(frozen=True, slots=True)
class SharedFile:
    """A file to send; times are ms since 1970."""

    name: str
    data: bytes = field(repr=False)
    modified: int | None = None
    created: int | None = None
    open: bool = False


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that came, under the name that it is stored with."""

    name: str
    size: int
    sha256: str
    data: bytes = field(repr=False)  # empty when the file is large
    modified: int | None
    opened: bool


@dataclass(slots=True)
class _Batch:
    """Files on their way to one peer."""

    count: int
    size: int
    waiting: list[SharedFile]
    done: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def totals(self) -> Body:
        return {"numberOfFiles": self.count, "totalPayloadSize": self.size}


class SharePlugin(Plugin):
    """Sends files one after the other, and takes what comes."""

    handles = frozenset({"kdeconnect.share.request", "kdeconnect.share.request.update"})

    def __init__(self, device: FakeDevice) -> None:
        """Start with nothing shared."""
        super().__init__(device)
        old = device.protocol < 8
        self.style: Style = "android" if device.kind == "phone" else "kde"
        self.manner: Manner = "first_only" if old else "at_once"
        if device.kind == "phone":
            self.manner = "in_turn"
        self.announces_at_once = False  # bad manners: all files of a batch together
        self.fetches = True  # False: a test does that, see `receive`
        self.files: dict[str, StoredFile] = {}  # in the order of their arrival
        self.texts: list[str] = []
        self.urls: list[str] = []
        self.totals: Body = {}  # the last that were told
        self.updates = 0
        self._batches: dict[str, _Batch] = {}
        self._turn = asyncio.Lock()
        self._arrived = 0  # files of the batch that is coming
        self._announced = 0
        # How long a phone waits for the next file of a batch, in seconds.
        self.patience = 1.0

    # --- sending ---

    async def send_text(self, text: str) -> int:
        """Share a text; returns how many peers take it."""
        return await self.tell("share.request", {"text": text})

    async def send_url(self, url: str) -> int:
        """Share a link; returns how many peers take it."""
        return await self.tell("share.request", {"url": url})

    async def send_update(self, count: int, size: int) -> int:
        """Tell totals out of turn."""
        body: Body = {"numberOfFiles": count, "totalPayloadSize": size}
        return await self.tell("share.request.update", body)

    async def send_files(
        self, *files: SharedFile, device_id: str | None = None
    ) -> None:
        """Share files and return when they are through.

        Files that are added while a batch runs belong to it, and the peer is told
        the new totals. A transfer that fails ends the batch: PayloadError.
        """
        peer = self.device.peer(device_id)
        size = sum(len(file.data) for file in files)
        batch = self._batches.get(peer.device_id)
        if batch is not None:
            batch.waiting += files
            batch.count += len(files)
            batch.size += size
            peer.send("share.request.update", batch.totals)
            await batch.done.wait()
            return
        batch = _Batch(len(files), size, list(files))
        self._batches[peer.device_id] = batch
        try:
            if self.style == "valent":
                peer.send("share.request.update", batch.totals)
            await self._send_batch(peer, batch)
        finally:
            del self._batches[peer.device_id]
            batch.done.set()
        peer.emit("share_sent", files=batch.count, size=batch.size)

    async def _send_batch(self, peer: FakePeer, batch: _Batch) -> None:
        if self.announces_at_once:
            async with asyncio.TaskGroup() as group:
                for file in batch.waiting:
                    group.create_task(self._send_file(peer, file, batch.totals))
            return
        while batch.waiting:
            await self._send_file(peer, batch.waiting.pop(0), batch.totals)

    async def _send_file(self, peer: FakePeer, file: SharedFile, totals: Body) -> None:
        body = self._body(file, totals)
        if file.data:
            await self.device.payloads.deliver(peer, "share.request", body, file.data)
        else:
            peer.send("share.request", body)
            await peer.drain()

    def _body(self, file: SharedFile, totals: Body) -> Body:
        body: Body = {"filename": file.name}
        now = int(time.time() * 1000)
        if self.style != "android":
            body["open"] = file.open
        if self.style != "gsconnect":
            body |= totals
            body["lastModified"] = now if file.modified is None else file.modified
        if self.style in {"kde", "valent"}:
            body["creationTime"] = now if file.created is None else file.created
        return body

    # --- receiving ---

    @override
    def received(self, peer: FakePeer, packet: FakePacket) -> None:
        body = packet.body
        members = ("numberOfFiles", "totalPayloadSize")
        told: Body = {name: body[name] for name in members if name in body}
        if told:
            self.totals = told
        if packet.type == "kdeconnect.share.request.update":
            self.updates += 1
            peer.emit("shared", packet, form="update", **told)
        elif isinstance(name := body.get("filename"), str):
            self.totals = told
            self._announced += 1
            self._received_file(peer, packet, name, told)
        elif isinstance(text := body.get("text"), str):
            self.texts.append(text)
            peer.emit("shared", packet, form="text", text=text)
        elif isinstance(url := body.get("url"), str):
            self.urls.append(url)
            peer.emit("shared", packet, form="url", url=url)

    def _received_file(
        self, peer: FakePeer, packet: FakePacket, name: str, told: Body
    ) -> None:
        if packet.payload_size is None:
            self._store(peer, packet, StoredFile(name, 0, "", b"", None, opened=False))
            return
        if self.device.kind == "phone" and told:
            # Android divides by the one and counts with the other.
            size = told.get("totalPayloadSize")
            if len(told) < 2 or not isinstance(size, int) or size <= 0:
                peer.emit("malformed", packet, reason="totals")
                return
        if self.fetches:
            self.device.run_task(self._fetch(peer, packet, name))

    async def _fetch(self, peer: FakePeer, packet: FakePacket, name: str) -> None:
        if self.manner == "at_once":
            await self._fetch_now(peer, packet, name)
        elif self.manner == "first_only" and self._turn.locked():
            peer.emit("fetch_failed", packet, filename=name, reason="not in turn")
        else:
            async with self._turn:
                await self._fetch_now(peer, packet, name)

    async def _fetch_now(self, peer: FakePeer, packet: FakePacket, name: str) -> None:
        keep = 0 <= (packet.payload_size or 0) <= KEEP
        exact = self.device.kind == "phone"
        try:
            got = await receive(peer, packet, keep=keep, exact=exact)
        except (OSError, PayloadError) as error:
            reason = str(error) or type(error).__name__
            peer.emit("fetch_failed", packet, filename=name, reason=reason)
            return
        if exact and got.size != packet.payload_size:
            # An unknown size is never the size that came.
            peer.emit("fetch_failed", packet, filename=name, reason="unknown size")
            return
        modified = packet.body.get("lastModified")
        stored = StoredFile(
            name,
            got.size,
            got.sha256,
            got.data,
            modified if isinstance(modified, int) else None,
            opened=packet.body.get("open") is True,
        )
        self._store(peer, packet, stored)

    def _store(self, peer: FakePeer, packet: FakePacket, file: StoredFile) -> None:
        name = self._free_name(file.name)
        self.files[name] = StoredFile(
            name, file.size, file.sha256, file.data, file.modified, file.opened
        )
        data: Body = {"filename": name, "size": file.size, "sha256": file.sha256}
        self._arrived += 1
        wanted: JsonValue = self.totals.get("numberOfFiles")
        complete = not isinstance(wanted, int) or self._arrived >= wanted
        if complete:
            self._arrived = 0
        elif self.device.kind == "phone":
            self.device.run_task(self._give_up(peer, self._announced))
        peer.emit("shared", packet, form="file", complete=complete, **data)

    async def _give_up(self, peer: FakePeer, announced: int) -> None:
        """End a batch with an error when its next file does not come."""
        await asyncio.sleep(self.patience)
        if self._announced == announced and not self._turn.locked():
            wanted, arrived = self.totals.get("numberOfFiles"), self._arrived
            self._arrived = 0
            peer.emit("batch_failed", arrived=arrived, wanted=wanted)

    def _free_name(self, announced: str) -> str:
        """Return the name to store a file with: a number goes before the suffix."""
        path = PurePosixPath(PurePosixPath(announced).name or "file")
        name, number = path.name, 0
        while name in self.files:
            number += 1
            name = f"{path.stem} ({number}){path.suffix}"
        return name
