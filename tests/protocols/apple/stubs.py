"""Clients that speak to nobody, to test the facade without any protocol."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
import logging

from custom_components.rumpus.protocols.apple.companion_session import CompanionMaker
from custom_components.rumpus.protocols.apple.const import (
    AppleProtocol,
    PairingRequirement,
)
from custom_components.rumpus.protocols.apple.device import AppleDevice
from custom_components.rumpus.protocols.apple.enums import (
    InputAction,
    PowerState,
    RepeatState,
    ShuffleState,
    TouchPhase,
)
from custom_components.rumpus.protocols.apple.events import AppleEvent
from custom_components.rumpus.protocols.apple.identity import ClientIdentity
from custom_components.rumpus.protocols.apple.info import DeviceInfo
from custom_components.rumpus.protocols.apple.makers import TcpMaker, TunnelMaker
from custom_components.rumpus.protocols.apple.models import (
    IDLE,
    Account,
    App,
    Artwork,
    OutputDevice,
    Playing,
)
from custom_components.rumpus.protocols.apple.services import FoundDevice, Service
from custom_components.rumpus.protocols.apple.session import Maker
from custom_components.rumpus.protocols.apple.timing import Timing
from custom_components.rumpus.protocols.companion.enums import HidButton, MediaFlags
from custom_components.rumpus.protocols.companion.events import CompanionEvent
from custom_components.rumpus.protocols.errors import DisconnectedError, RumpusError
from custom_components.rumpus.protocols.mrp.enums import (
    Command,
    HidUsage,
    VolumeCapability,
)
from custom_components.rumpus.protocols.mrp.events import MrpEvent
from custom_components.rumpus.protocols.mrp.models import (
    CommandInfo,
    MrpDeviceInfo,
    VolumeControls,
)

LOGGER = logging.getLogger("tests.apple")
IDENTITY = ClientIdentity.create("Rumpus")
KEY = bytes(range(32)).hex()
CREDENTIALS = f"{KEY}:{KEY}:{b'device'.hex()}:{b'client'.hex()}"
TRANSIENT = f"{b'transient'.hex()}:::"
PAIRED = {AppleProtocol.AIRPLAY: CREDENTIALS, AppleProtocol.COMPANION: CREDENTIALS}

AIRPLAY = Service(
    AppleProtocol.AIRPLAY,
    "AA:BB:CC:DD:EE:FF",
    7000,
    {"model": "AppleTV11,1", "osvers": "18.2", "features": "0x4A7FDFD5,0xBC157FDE"},
    pairing=PairingRequirement.NOT_NEEDED,
)
COMPANION = Service(
    AppleProtocol.COMPANION,
    "companion-id",
    49153,
    {"rpfl": "0x36782"},
    pairing=PairingRequirement.MANDATORY,
)
MRP = Service(
    AppleProtocol.MRP, "mrp-id", 49152, {}, pairing=PairingRequirement.OPTIONAL
)
HOMEPOD = Service(
    AppleProtocol.AIRPLAY,
    "11:22:33:44:55:66",
    7000,
    {
        "model": "AudioAccessory5,1",
        "osvers": "18.2",
        "features": "0x4A7FCA00,0x3C356BD0",
    },
    pairing=PairingRequirement.NOT_NEEDED,
)


def found(
    *services: Service, address: str = "10.0.0.5", is_asleep: bool = False
) -> FoundDevice:
    """Return a device that was found with these services, by default both."""
    return FoundDevice(
        "Living Room",
        address,
        services or (AIRPLAY, COMPANION),
        is_asleep,
        DeviceInfo(raw_model="AppleTV11,1"),
    )


@dataclass
class Script:
    """How the clients of one kind behave that are made from now on."""

    error: Exception | None = None
    """What connecting raises."""
    gate: asyncio.Event | None = None
    """What connecting waits for."""
    slowness: float = 0.0
    """Seconds that it takes."""
    close_error: Exception | None = None
    close_gate: asyncio.Event | None = None

    async def connect(self) -> None:
        """Behave like that."""
        if self.gate is not None:
            await self.gate.wait()
        if self.slowness:
            await asyncio.sleep(self.slowness)
        if self.error is not None:
            raise self.error

    async def close(self) -> None:
        """Behave like that."""
        if self.close_gate is not None:
            await self.close_gate.wait()
        if self.close_error is not None:
            raise self.close_error


class _Stub[E]:
    """Records calls and tells events."""

    def __init__(self, script: Script, place: tuple[str, int], secret: object) -> None:
        self.script = script
        self.place = place
        self.secret = secret
        self.calls: list[tuple[object, ...]] = []
        self.errors: dict[str, Exception] = {}
        self.listeners: list[Callable[[E], None]] = []
        self.is_open = False
        self.closes = 0
        self.power = PowerState.UNKNOWN
        self.volume: float | None = None
        self.powers: dict[str, PowerState] = {}

    def subscribe(self, callback: Callable[[E], None], /) -> Callable[[], None]:
        self.listeners.append(callback)
        return lambda: self.listeners.remove(callback)

    def tell(self, event: E) -> None:
        for listener in tuple(self.listeners):
            listener(event)

    def _call(self, name: str, *args: object) -> None:
        if not self.is_open:
            raise DisconnectedError("The stub is closed")
        self.calls.append((name, *args))
        if (error := self.errors.get(name)) is not None:
            raise error

    async def close(self) -> None:
        self.closes += 1
        self.is_open = False
        await self.script.close()


class StubCompanion(_Stub[CompanionEvent]):
    """Stands in for CompanionClient."""

    media_flags = MediaFlags(0)
    focus: bool | None = None

    async def connect(self) -> None:
        await self.script.connect()
        self.is_open = True

    async def press(
        self, button: HidButton, action: InputAction = InputAction.SINGLE
    ) -> None:
        self._call("press", button, action)

    async def hold(self, button: HidButton, seconds: float, /) -> None:
        self._call("hold", button, seconds)

    async def wake(self) -> None:
        self._call("wake")

    async def sleep(self) -> None:
        self._call("sleep")

    async def play(self) -> None:
        self._call("play")

    async def pause(self) -> None:
        self._call("pause")

    async def next(self) -> None:
        self._call("next")

    async def previous(self) -> None:
        self._call("previous")

    async def skip(self, seconds: float, /) -> None:
        self._call("skip", seconds)

    async def set_volume(self, level: float, /) -> None:
        self._call("set_volume", level)

    async def apps(self) -> tuple[App, ...]:
        self._call("apps")
        return (App("com.example", "Example"),)

    async def launch(self, target: str, /) -> None:
        self._call("launch", target)

    async def accounts(self) -> tuple[Account, ...]:
        self._call("accounts")
        return (Account("1", "Ada"),)

    async def switch_account(self, identifier: str, /) -> None:
        self._call("switch_account", identifier)

    async def text_get(self) -> str | None:
        self._call("text_get")
        return "text"

    async def text_set(self, text: str, /) -> None:
        self._call("text_set", text)

    async def text_append(self, text: str, /) -> None:
        self._call("text_append", text)

    async def text_clear(self) -> None:
        self._call("text_clear")

    async def swipe(
        self, x0: int, y0: int, x1: int, y1: int, duration_ms: int, /
    ) -> None:
        self._call("swipe", x0, y0, x1, y1, duration_ms)

    def touch_point(self, x: int, y: int, phase: TouchPhase, /) -> None:
        self._call("touch_point", x, y, phase)

    async def click(self, action: InputAction, /) -> None:
        self._call("click", action)


class StubMrp(_Stub[MrpEvent]):
    """Stands in for MrpClient and for what carries it."""

    playing: Playing = IDLE
    volume_controls = VolumeControls(
        True, VolumeCapability.ABSOLUTE | VolumeCapability.RELATIVE
    )
    device_info = MrpDeviceInfo()
    output_devices: tuple[OutputDevice, ...] = ()
    has_artwork = False
    start_error: Exception | None = None

    def __init__(self, script: Script, place: tuple[str, int], secret: object) -> None:
        super().__init__(script, place, secret)
        self.infos: dict[Command, CommandInfo] = {}

    async def open(self) -> StubMrp:
        await self.script.connect()
        return self

    async def start(self) -> None:
        if self.start_error is not None:
            raise self.start_error
        self.is_open = True

    def command_info(self, command: Command, /) -> CommandInfo | None:
        return self.infos.get(command)

    async def press(
        self,
        usage: HidUsage,
        action: InputAction = InputAction.SINGLE,
        *,
        hold: float | None = None,
    ) -> None:
        self._call("press", usage, action, hold)

    async def play(self) -> None:
        self._call("play")

    async def pause(self) -> None:
        self._call("pause")

    async def toggle(self) -> None:
        self._call("toggle")

    async def stop(self) -> None:
        self._call("stop")

    async def next_track(self) -> None:
        self._call("next_track")

    async def previous_track(self) -> None:
        self._call("previous_track")

    async def skip(self, seconds: float, /) -> None:
        self._call("skip", seconds)

    async def skip_forward(self) -> None:
        self._call("skip_forward")

    async def skip_backward(self) -> None:
        self._call("skip_backward")

    async def seek(self, position: float, /) -> None:
        self._call("seek", position)

    async def set_shuffle(self, shuffle: ShuffleState, /) -> None:
        self._call("set_shuffle", shuffle)

    async def set_repeat(self, repeat: RepeatState, /) -> None:
        self._call("set_repeat", repeat)

    async def set_volume(
        self, level: float, /, output_device: str | None = None
    ) -> None:
        self._call("set_volume", level, output_device)

    async def volume_up(self) -> None:
        self._call("volume_up")

    async def volume_down(self) -> None:
        self._call("volume_down")

    async def artwork(
        self, width: int = 512, height: int | None = None
    ) -> Artwork | None:
        self._call("artwork", width, height)
        return Artwork(b"picture", "image/png", width, height)

    async def add_output_devices(self, *identifiers: str) -> None:
        self._call("add_output_devices", *identifiers)

    async def remove_output_devices(self, *identifiers: str) -> None:
        self._call("remove_output_devices", *identifiers)

    async def set_output_devices(self, *identifiers: str) -> None:
        self._call("set_output_devices", *identifiers)

    async def wake(self) -> None:
        self._call("wake")

    async def turn_off_by_menu(self) -> None:
        self._call("turn_off_by_menu")


TIMING = Timing()


@dataclass
class Bench:
    """A device over stubs, and what it does."""

    place: FoundDevice = field(default_factory=found)
    credentials: dict[AppleProtocol, str] = field(default_factory=lambda: dict(PAIRED))
    timing: Timing = TIMING
    extra: tuple[Maker, ...] = ()

    def __post_init__(self) -> None:
        self.tunnel_script = Script()
        self.mrp_script = Script()
        self.companion_script = Script()
        self.tunnels: list[StubMrp] = []
        self.mrps: list[StubMrp] = []
        self.companions: list[StubCompanion] = []
        self.events: list[AppleEvent] = []
        self.resolved: FoundDevice | None = None
        self.resolve_error: Exception | None = None
        self.resolve_gate: asyncio.Event | None = None
        self.resolves = 0
        self.news = asyncio.Event()
        tunnel = TunnelMaker(
            lambda address, port, secret, _: self._made(
                self.tunnels, StubMrp(self.tunnel_script, (address, port), secret)
            )
        )
        tcp = TcpMaker(
            tunnel,
            lambda address, port, secret, _: self._made(
                self.mrps, StubMrp(self.mrp_script, (address, port), secret)
            ),
        )
        companion = CompanionMaker(
            lambda address, port, secret, _: self._made(
                self.companions,
                StubCompanion(self.companion_script, (address, port), secret),
            )
        )
        self.device = AppleDevice(
            self.place,
            self.credentials,
            IDENTITY,
            resolve=self._resolve,
            logger=LOGGER,
            timing=self.timing,
            makers=(tunnel, tcp, companion, *self.extra),
        )
        self.device.subscribe(self._told)

    @staticmethod
    def _made[T](made: list[T], stub: T) -> T:
        made.append(stub)
        return stub

    def _told(self, event: AppleEvent) -> None:
        self.events.append(event)
        self.news.set()

    async def _resolve(self) -> FoundDevice | None:
        self.resolves += 1
        if self.resolve_gate is not None:
            await self.resolve_gate.wait()
        if self.resolve_error is not None:
            raise self.resolve_error
        return self.resolved

    @property
    def tunnel(self) -> StubMrp:
        return self.tunnels[-1]

    @property
    def companion(self) -> StubCompanion:
        return self.companions[-1]

    async def start(self) -> None:
        """Begin, and wait for the links."""
        self.device.start()
        await self.device.connected(60)

    async def until(self, condition: Callable[[], bool], timeout: float = 120) -> None:
        """Wait until it is so; looked at after every event and every so often."""
        async with asyncio.timeout(timeout):
            while not condition():
                self.news.clear()
                try:
                    async with asyncio.timeout(0.05):
                        await self.news.wait()
                except TimeoutError:
                    continue

    @property
    def calls(self) -> list[tuple[object, ...]]:
        """Return what all clients so far were told."""
        stubs = [*self.tunnels, *self.mrps]
        told = [call for stub in stubs for call in stub.calls]
        return told + [call for stub in self.companions for call in stub.calls]

    def told[E](self, kind: type[E]) -> list[E]:
        """Return all events of a kind so far."""
        return [event for event in self.events if isinstance(event, kind)]


def scenario(
    *services: Service,
    credentials: dict[AppleProtocol, str] | None = None,
    timing: Timing = TIMING,
    is_asleep: bool = False,
    extra: tuple[Maker, ...] = (),
) -> Bench:
    """Return a bench for a device with these services."""
    return Bench(
        found(*services, is_asleep=is_asleep),
        dict(PAIRED if credentials is None else credentials),
        timing,
        extra,
    )


async def played(
    bench: Bench, act: Callable[[Bench], Coroutine[object, None, None]]
) -> None:
    """Start, do something, and stop; nothing may be left then."""
    try:
        await bench.start()
        await act(bench)
    finally:
        await bench.device.stop()


class Refusal(RumpusError):
    """An error of a client."""
