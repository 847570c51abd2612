"""The plugins of a fake KDE Connect device, but for media players (section 11)."""

from dataclasses import dataclass
import json
from typing import TYPE_CHECKING, override

from tests.fakes.kdeconnect_wire import Body, FakePacket, JsonValue, WireError

if TYPE_CHECKING:
    from tests.fakes.kdeconnect import FakeDevice
    from tests.fakes.kdeconnect_peer import FakePeer

type Greeting = tuple[str, Body]


class Plugin:
    """One feature: what it says at connect and how it reacts."""

    handles: frozenset[str] = frozenset()
    is_stopgap = False  # greets only with types that no other plugin greets with

    def __init__(self, device: FakeDevice) -> None:
        """Belong to a device."""
        self.device = device

    def greeting(self) -> list[Greeting]:
        """Return what a peer is told unasked when its link comes up."""
        return []

    def received(self, peer: FakePeer, packet: FakePacket) -> None:
        """Handle a packet of one of the types in `handles`."""

    def link_lost(self, peer: FakePeer) -> None:
        """Clean up when a link has ended."""

    async def shut_down(self) -> None:
        """Clean up when the device stops."""

    async def tell(self, packet_type: str, body: Body) -> int:
        """Send to every paired peer that takes this type; returns to how many."""
        peers = [peer for peer in self.device.linked if peer.is_paired]
        count = sum(peer.send(packet_type, body) for peer in peers)
        for peer in peers:
            await peer.drain()
        return count


class BatteryPlugin(Plugin):
    """A battery, or none."""

    handles = frozenset({"kdeconnect.battery.request", "kdeconnect.battery"})

    def __init__(self, device: FakeDevice, charge: int | None) -> None:
        """Start with a charge in per cent, None without a battery."""
        super().__init__(device)
        self.charge = charge
        self.charging = False
        self.peer_battery: Body | None = None

    @property
    def body(self) -> Body:
        """The packet's body for the state of now."""
        low = self.charge is not None and self.charge <= 15 and not self.charging
        body: Body = {
            "currentCharge": -1 if self.charge is None else self.charge,
            "isCharging": self.charging,
            "thresholdEvent": int(low),
        }
        if self.device.kind == "computer":
            body |= {"batteryQuantity": 1, "": None}
        return body

    async def set(
        self, charge: int | None = None, *, charging: bool | None = None
    ) -> None:
        """Change what is given, and tell it if that is a change."""
        before = self.body
        self.charge = self.charge if charge is None else charge
        self.charging = self.charging if charging is None else charging
        if self.body != before:
            await self.tell("battery", self.body)

    @override
    def greeting(self) -> list[Greeting]:
        return [] if self.charge is None else [("battery", self.body)]

    @override
    def received(self, peer: FakePeer, packet: FakePacket) -> None:
        if packet.type == "kdeconnect.battery":
            self.peer_battery = packet.body
        elif self.charge is not None:
            peer.send("battery", self.body)


class PingPlugin(Plugin):
    """Pings, both ways."""

    handles = frozenset({"kdeconnect.ping"})

    async def send(self, message: str | None = None) -> int:
        """Ping every paired peer; returns how many take pings."""
        return await self.tell("ping", {} if message is None else {"message": message})

    @override
    def received(self, peer: FakePeer, packet: FakePacket) -> None:
        peer.emit("ping", packet, message=packet.body.get("message"))


class FindPlugin(Plugin):
    """A ringer: a phone that was lost, or a computer's speaker."""

    handles = frozenset({"kdeconnect.findmyphone.request"})

    def __init__(self, device: FakeDevice) -> None:
        """Start silent."""
        super().__init__(device)
        self.rings = 0

    async def send(self) -> int:
        """Make the peers ring; returns how many can."""
        return await self.tell("findmyphone.request", {})

    @override
    def received(self, peer: FakePeer, packet: FakePacket) -> None:
        self.rings += 1
        peer.emit("ring", packet)


class LockPlugin(Plugin):
    """The lock of a computer's screen."""

    handles = frozenset({"kdeconnect.lock.request", "kdeconnect.lock"})

    def __init__(self, device: FakeDevice) -> None:
        """Start unlocked."""
        super().__init__(device)
        self.locked = False
        self.obeys = True
        # KDE's ways, other programs differ.
        self.tells_result = True
        self.asks_with: JsonValue = None
        self.peer_locked: JsonValue = None

    async def set(self, *, locked: bool) -> None:
        """Lock or unlock here, and tell it."""
        if locked != self.locked:
            self.locked = locked
            await self.tell("lock", {"isLocked": locked})

    @override
    def greeting(self) -> list[Greeting]:
        return [("lock.request", {"requestLocked": self.asks_with})]

    @override
    def received(self, peer: FakePeer, packet: FakePacket) -> None:
        body = packet.body
        if packet.type == "kdeconnect.lock":
            self.peer_locked = body.get("isLocked", self.peer_locked)
            return
        # The presence of the field counts, not its truth.
        if "requestLocked" in body:
            peer.send("lock", {"isLocked": self.locked})
        if "setLocked" in body:
            wanted = bool(body["setLocked"])
            peer.emit("lock_set", packet, locked=wanted)
            if wanted and self.tells_result:
                peer.send("lock", {"lockResult": self.obeys})
            if self.obeys and wanted != self.locked:
                self.locked = wanted
                peer.send("lock", {"isLocked": wanted})


@dataclass(frozen=True, slots=True)
class FakeCommand:
    """A command that a computer offers; the rest is what a run of it gives."""

    name: str
    command: str
    stdout: tuple[str, ...] = ("done",)
    stderr: tuple[str, ...] = ()
    exit_code: int = 0


class CommandsPlugin(Plugin):
    """The commands that a computer offers."""

    handles = frozenset({"kdeconnect.runcommand.request"})

    def __init__(self, device: FakeDevice) -> None:
        """Start with none."""
        super().__init__(device)
        self.commands: dict[str, FakeCommand] = {}
        self.runs: list[str] = []
        self.can_add = True
        # As KDE master; `runcommand.output` has to be in the device's `outgoing`.
        self.sends_output = False
        self.runs_on = False  # until `finish`, or until the other side stops it
        self._running: dict[int, FakeCommand] = {}

    @property
    def body(self) -> Body:
        """The packet's body for the list of now: JSON inside JSON."""
        commands = {
            key: {"name": command.name, "command": command.command}
            for key, command in self.commands.items()
        }
        return {"commandList": json.dumps(commands), "canAddCommand": self.can_add}

    async def add(
        self,
        key: str,
        name: str,
        command: str = "true",
        *,
        stdout: tuple[str, ...] = ("done",),
        stderr: tuple[str, ...] = (),
        exit_code: int = 0,
    ) -> None:
        """Add or replace a command and send the list."""
        self.commands[key] = FakeCommand(name, command, stdout, stderr, exit_code)
        await self.tell("runcommand", self.body)

    async def remove(self, key: str) -> None:
        """Remove a command and send the list."""
        del self.commands[key]
        await self.tell("runcommand", self.body)

    async def finish(self) -> None:
        """End all runs that go on, in their own way."""
        for number, command in self._running.items():
            await self.tell("runcommand.output", self._end(number, command.exit_code))
        self._running.clear()

    @override
    def greeting(self) -> list[Greeting]:
        return [("runcommand", self.body)]

    @override
    def received(self, peer: FakePeer, packet: FakePacket) -> None:
        key = packet.body.get("key")
        if packet.body.get("requestCommandList"):
            peer.send("runcommand", self.body)
        if isinstance(key, str) and key in self.commands:
            self.runs.append(key)
            name = self.commands[key].name
            peer.emit("command_run", packet, key=key, name=name)
            if self.sends_output:
                self._send_output(peer, self.commands[key])
        if packet.body.get("setup"):
            peer.emit("command_setup", packet)
        if packet.body.get("stop"):
            peer.emit("command_stop", packet)
            for number in self._running:
                peer.send("runcommand.output", self._end(number, 15))
            self._running.clear()

    def _send_output(self, peer: FakePeer, command: FakeCommand) -> None:
        number = len(self.runs)
        stdout, stderr = (
            list[JsonValue](command.stdout),
            list[JsonValue](command.stderr),
        )
        start: Body = {"commandStarted": True, "command": command.command, "id": number}
        output: Body = {"commandOutput": True, "stdout": stdout, "stderr": stderr}
        peer.send("runcommand.output", start)
        peer.send("runcommand.output", output | {"id": number})
        if self.runs_on:
            self._running[number] = command
        else:
            peer.send("runcommand.output", self._end(number, command.exit_code))

    def _end(self, number: int, exit_code: int) -> Body:
        return {
            "commandFinished": True,
            "success": exit_code == 0,
            "exitCode": exit_code,
            "id": number,
        }


class RemoteCommandsPlugin(Plugin):
    """The other side's commands, as phones and computers show them."""

    handles = frozenset({"kdeconnect.runcommand", "kdeconnect.runcommand.output"})

    def __init__(self, device: FakeDevice) -> None:
        """Start without knowing any."""
        super().__init__(device)
        self.commands: dict[str, FakeCommand] = {}

    async def request(self) -> int:
        """Ask the peers for their commands."""
        return await self.tell("runcommand.request", {"requestCommandList": True})

    async def run(self, key: str) -> int:
        """Run one of the peer's commands."""
        return await self.tell("runcommand.request", {"key": key})

    async def stop(self) -> int:
        """End all of the peer's commands that run."""
        return await self.tell("runcommand.request", {"stop": True})

    async def setup(self) -> int:
        """Open the peer's dialogue for its commands."""
        return await self.tell("runcommand.request", {"setup": True})

    @override
    def greeting(self) -> list[Greeting]:
        return [("runcommand.request", {"requestCommandList": True})]

    @override
    def received(self, peer: FakePeer, packet: FakePacket) -> None:
        if packet.type == "kdeconnect.runcommand.output":
            peer.emit("command_output", packet, **packet.body)
            return
        text = packet.body.get("commandList")
        if not isinstance(text, str):
            return
        try:
            listed: dict[str, dict[str, str]] = json.loads(text)
            self.commands = {
                key: FakeCommand(item["name"], item["command"])
                for key, item in listed.items()
            }
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise WireError("bad command list") from error
        names: list[JsonValue] = [command.name for command in self.commands.values()]
        peer.emit("command_list", packet, names=names)


class SmallTalkPlugin(Plugin):
    """What real programs also say at connect, and nobody here answers."""

    is_stopgap = True

    @override
    def greeting(self) -> list[Greeting]:
        if self.device.kind == "phone":
            return [
                ("notification.request", {"request": True}),
                ("mousepad.keyboardstate", {"state": False}),
                ("systemvolume.request", {"requestSinks": True}),
                ("connectivity_report", {"signalStrengths": {}}),
            ]
        talk: list[Greeting] = [
            ("mousepad.keyboardstate", {}),
            ("systemvolume", {"sinkList": []}),
            ("clipboard.connect", {"content": None, "timestamp": 0}),
            ("notification.request", {"request": True}),
            ("contacts.request_all_uids_timestamps", {}),
        ]
        if self.device.protocol < 8:
            talk += [
                ("systemvolume.request", {"requestSinks": True}),
                ("battery.request", {"request": True}),
                ("connectivity_report.request", {}),
            ]
        else:
            talk.append(
                (
                    "virtualmonitor",
                    {
                        "resolutions": [],
                        "supports_rdp": False,
                        "supports_virt_mon": False,
                    },
                )
            )
        return talk
