"""Volumes of a fake KDE Connect device (section 11.12): its own, and the other side's.

In a test::

    await computer.sinks.add(FakeSink("speaker", "Speaker"))
    asked = await computer.wait_for("sink_request")
    await phone.remote_sinks.set_volume("speaker", 30_000)
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, override

from tests.fakes.kdeconnect_plugins import Greeting, Plugin
from tests.fakes.kdeconnect_wire import Body, FakePacket, JsonValue

if TYPE_CHECKING:
    from tests.fakes.kdeconnect import FakeDevice
    from tests.fakes.kdeconnect_peer import FakePeer

FULL = 65536  # 100 % on Linux


@dataclass(slots=True)
class FakeSink:
    """One output. Change it through `SinksPlugin.change`, which tells the peers."""

    name: str
    description: str = ""
    volume: int = FULL
    max_volume: int = FULL
    muted: bool = False


class SinksPlugin(Plugin):
    """The outputs of a computer. Without any it tells an empty list, as KDE does."""

    handles = frozenset({"kdeconnect.systemvolume.request"})

    def __init__(self, device: FakeDevice) -> None:
        """Start without outputs, as without a sound server."""
        super().__init__(device)
        self.sinks: dict[str, FakeSink] = {}
        self.default: str | None = None
        self.repeats = True  # KDE tells most changes twice
        self.unmutes = True  # a new volume unmutes

    @property
    def list_body(self) -> Body:
        """The body of the packet with the list."""
        sinks: list[JsonValue] = [
            {
                "name": sink.name,
                "description": sink.description or sink.name,
                "muted": sink.muted,
                "volume": sink.volume,
                "maxVolume": sink.max_volume,
                "enabled": sink.name == self.default,
            }
            for sink in self.sinks.values()
        ]
        return {"sinkList": sinks}

    async def add(self, sink: FakeSink) -> FakeSink:
        """Let an output appear; the first one is the default."""
        self.sinks[sink.name] = sink
        if self.default is None:
            self.default = sink.name
        await self.tell("systemvolume", self.list_body)
        return sink

    async def remove(self, name: str) -> None:
        """Let an output vanish; another becomes the default."""
        del self.sinks[name]
        if self.default == name:
            self.default = next(iter(self.sinks), None)
        await self.tell("systemvolume", self.list_body)

    async def change(
        self, name: str, *, volume: int | None = None, muted: bool | None = None
    ) -> None:
        """Change what is given, as somebody does at the computer, and tell it."""
        self._change(self.sinks[name], volume, muted)
        await self._drain()

    async def set_default(self, name: str) -> None:
        """Make an output the default one; that is told in two packets."""
        self._set_default(name)
        await self._drain()

    def _change(self, sink: FakeSink, volume: int | None, muted: bool | None) -> None:
        if volume is not None:
            sink.volume = volume
            self._say({"name": sink.name, "volume": volume})
        if muted is not None and muted != sink.muted:
            sink.muted = muted
            self._say({"name": sink.name, "muted": muted})

    def _set_default(self, name: str) -> None:
        old, self.default = self.default, name
        if old == name:
            return
        for changed, enabled in ((old, False), (name, True)):
            for peer in self.device.linked:
                if peer.is_paired and changed is not None:
                    peer.send("systemvolume", {"name": changed, "enabled": enabled})

    def _say(self, body: Body) -> None:
        for peer in self.device.linked:
            if peer.is_paired:
                for _ in range(2 if self.repeats else 1):
                    peer.send("systemvolume", body)

    async def _drain(self) -> None:
        for peer in self.device.linked:
            await peer.drain()

    @override
    def greeting(self) -> list[Greeting]:
        return [("systemvolume", self.list_body)]

    @override
    def received(self, peer: FakePeer, packet: FakePacket) -> None:
        body = packet.body
        if body.get("requestSinks"):
            peer.send("systemvolume", self.list_body)
        sink = self.sinks.get(str(body.get("name")))
        if "name" in body:
            peer.emit("sink_request", packet, **body)
        if sink is None:
            return
        volume, muted = body.get("volume"), body.get("muted")
        if isinstance(volume, int) and not isinstance(volume, bool):
            self._change(sink, volume, muted=False if self.unmutes else None)
        if isinstance(muted, bool):
            self._change(sink, None, muted)
        if body.get("enabled") is True:
            self._set_default(sink.name)


class RemoteSinksPlugin(Plugin):
    """The other side's outputs, as phones and computers show them."""

    handles = frozenset({"kdeconnect.systemvolume"})

    def __init__(self, device: FakeDevice) -> None:
        """Start without knowing any."""
        super().__init__(device)
        self.sinks: dict[str, Body] = {}  # the members of the list, kept up to date

    async def request(self) -> int:
        """Ask for the list; returns how many peers have outputs."""
        return await self.tell("systemvolume.request", {"requestSinks": True})

    async def set_volume(self, name: str, volume: int) -> int:
        """Set a volume, 0 to `maxVolume`."""
        return await self.tell("systemvolume.request", {"name": name, "volume": volume})

    async def set_muted(self, name: str, *, muted: bool) -> int:
        """Mute or unmute."""
        return await self.tell("systemvolume.request", {"name": name, "muted": muted})

    async def set_default(self, name: str) -> int:
        """Make an output the default one."""
        return await self.tell("systemvolume.request", {"name": name, "enabled": True})

    @override
    def received(self, peer: FakePeer, packet: FakePacket) -> None:
        body = packet.body
        if isinstance(listed := body.get("sinkList"), list):
            sinks = [item for item in listed if isinstance(item, dict)]
            self.sinks = {str(sink["name"]): sink for sink in sinks if "name" in sink}
            names: list[JsonValue] = [*self.sinks]
            peer.emit("sinks", packet, names=names)
        elif (name := str(body.get("name"))) in self.sinks:
            self.sinks[name] = self.sinks[name] | body
            peer.emit("sink_change", packet, name=name)
