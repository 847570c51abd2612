"""A fake Apple TV or HomePod: real sockets, real encryption, wrong things on demand.

It speaks as real devices do and shares no code with the integration. In a test (add the
`socket_enabled` fixture)::

    async with FakeAppleTv() as device:
        # a client finds it at device.address, device.mdns_port, and pairs
        event = await device.wait_for("pin_shown")
        await device.wait_for("paired", protocol="companion")
        device.open_text("Hello")
        await device.wait_for("button", name="select")
        device.sleep()

- `wait_for` remembers: it returns what happened before the call too, each thing
  once, oldest first; `mark()` lets it forget. `events` has everything, `seen` what fits.
- `airplay` is AirPlay and its tunnel, `mrp` what it plays; see their modules.
- `desk` is pairing: the PIN, who is paired, how pairing goes wrong.
- `power` is sleep and wake, `mdns` and `properties` how it is found, `flavour` how its
  system behaves, `companion` its Companion link, whose `commands` log what was done.
- `mischief` sends wrong things; attributes everywhere are switches to change any time.

As a program: `python -m tests.fakes.apple_tv_program --help`.
"""

import asyncio
from collections.abc import Callable, Sequence
import re
from types import TracebackType
from typing import Self

from tests.fakes.apple_tv_airplay import AirPlayServer
from tests.fakes.apple_tv_companion import CompanionServer
from tests.fakes.apple_tv_core import (
    ACCOUNTS,
    APPS,
    ASLEEP,
    AWAKE,
    FLAVOURS,
    HOMEPOD_MODEL,
    SCREENSAVER,
    AirPlayPairing,
    Identity,
    Kind,
    OsFlavour,
    OsName,
    Server,
)
from tests.fakes.apple_tv_events import EventLog, FakeEvent
from tests.fakes.apple_tv_hap import PairingDesk
from tests.fakes.apple_tv_mdns import (
    COMPANION,
    MRP,
    Announcer,
    MdnsResponder,
    txt_entries,
)
from tests.fakes.apple_tv_mischief import Mischief
from tests.fakes.apple_tv_mrp import MrpDevice
from tests.fakes.apple_tv_mrp_tcp import MrpServer
from tests.fakes.apple_tv_power import Power
from tests.fakes.apple_tv_stream import Link, Listener, Wire
from tests.fakes.apple_tv_text import TextField

__all__ = ["FakeAppleTv", "FakeEvent", "OsFlavour", "TextField"]

DEFAULT_MEDIA_FLAGS = 0x100


class FakeAppleTv:
    """One device."""

    def __init__(
        self,
        name: str = "Living Room",
        kind: Kind = "apple_tv",
        os: OsName = "tvos_26",
        *,
        address: str = "127.0.0.1",
        companion_port: int = 0,
        airplay_port: int = 0,
        mrp_port: int = 0,
        mdns_port: int = 0,
        flavour: OsFlavour | None = None,
        airplay_pairing: AirPlayPairing | None = None,
        model: str | None = None,
        pin: str = "1234",
        password: str | None = None,
        acl: int = 0,
        knock_ports: Sequence[int] = (),
        seed: str | None = None,
    ) -> None:
        """Describe the device; `start` opens its sockets.

        Port 0 is any free one, which stays the same until `restart` wants new ones.
        Its identity is made of `seed`, by default of its name, kind and address.
        """
        self.name = name
        self.kind: Kind = kind
        self.os: OsName = os
        self.flavour = flavour or FLAVOURS[os]
        self.address = address
        default_model = self.flavour.model if kind == "apple_tv" else HOMEPOD_MODEL
        self.model = model or default_model
        self.board = self.flavour.board
        self.os_version = self.flavour.version
        self.build = self.flavour.build
        self.identity = Identity.of(seed or f"{kind} {name} {address}")
        self.device_id = self.identity.device_id
        self.pi = str(self.identity.pi)
        self.psi = str(self.identity.psi).upper()
        self.host = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-") or "device"
        self.password = password
        self.acl = acl
        by_kind: AirPlayPairing = "hap" if kind == "apple_tv" else "transient"
        self.airplay_pairing: AirPlayPairing = airplay_pairing or by_kind
        self.ports: dict[str, int] = {
            "companion": companion_port,
            "airplay": airplay_port,
            "mrp": mrp_port,
            "mdns": mdns_port,
        }
        self._knock_ports = tuple(knock_ports)
        self._make_parts(pin)

    def _make_parts(self, pin: str) -> None:
        self.events = EventLog()
        self.desk = PairingDesk(self.events)
        self.desk.pin = pin
        self.desk.needs_client_name = self.flavour.needs_client_name
        self.desk.is_pairing_allowed = self.kind == "apple_tv"
        mac = bytes.fromhex(self.device_id.replace(":", ""))
        self.desk.facts = {
            "altIRK": self.identity.psi.bytes,
            "accountID": str(self.identity.rp_id).upper(),
            "model": self.model,
            "wifiMAC": mac,
            "name": self.name,
            "mac": mac,
        }
        # What it shows and has.
        self.apps = dict(APPS)
        self.accounts = dict(ACCOUNTS)
        self.current_account: str | None = next(iter(self.accounts))
        self.current_app: str | None = None
        self.text_field: TextField | None = None
        self.volume = 0.5  # 0..1
        self.media_flags = DEFAULT_MEDIA_FLAGS  # what `_iMC` tells: what is possible
        self.has_captions = False
        # Who does what with remote commands, volume and power besides Companion.
        self.remotes: list[Callable[[str, float | None], None]] = []
        self.power_listeners: list[Callable[[], None]] = []
        self.volume_listeners: list[Callable[[], None]] = []
        self.text_listeners: list[Callable[[], None]] = []

        self.is_vanished = False
        self.turn = 0  # of the TXT entries that rotate
        self._timers: set[asyncio.TimerHandle] = set()
        self._announcer: Announcer | None = None
        self._updates: set[asyncio.Task[None]] = set()
        self._knocks: list[Listener] = []
        self.power = Power(self)
        self.mdns = MdnsResponder(self)
        self.companion = CompanionServer(self)
        self.mischief = Mischief(self)
        self.mrp = MrpDevice(self)
        self.airplay = AirPlayServer(self)
        self.mrp_server = MrpServer(self)
        self.remotes.append(self.mrp.remote)
        self.power_listeners.append(self.mrp.power_changed)
        self.volume_listeners.append(self.mrp.volume_changed)
        #: By the name of their port; started in this order.
        self.servers: dict[str, Server] = {
            "companion": self.companion,
            "airplay": self.airplay,
        }
        if self.flavour.has_mrp_port and self.kind == "apple_tv":
            self.servers["mrp"] = self.mrp_server
        self.properties = txt_entries(self)

    # Sockets

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Open all sockets."""
        await self.mrp.start(self.address)
        for name, server in self.servers.items():
            self.ports[name] = await server.start(self.address, self.ports[name])
        self.ports["mdns"] = await self.mdns.start(self.address, self.ports["mdns"])
        for port in self._knock_ports:
            if port not in self.ports.values():
                knock = Listener(Wire(), self._knocker(port))
                await knock.start(self.address, port)
                self._knocks.append(knock)
        await self._presence()

    async def stop(self) -> None:
        """Close all sockets."""
        for task in tuple(self._updates):
            task.cancel()
        if self._announcer is not None:
            await self._announcer.stop()
        await self._close()

    async def _close(self) -> None:
        self.power.stop()
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        for knock in self._knocks:
            await knock.stop()
        self._knocks.clear()
        for server in self.servers.values():
            await server.stop()
        await self.mrp.stop()
        await self.mdns.stop()

    async def restart(self, *, new_ports: bool = False) -> None:
        """Go away and come back, with other ports on demand; pairings stay."""
        await self._close()
        self.desk.restart()
        if new_ports:
            self.ports |= dict.fromkeys(self.servers, 0)
        self.power.is_deep = False
        self.emit("restarted")
        await self.start()

    async def stop_for_a_while(self, seconds: float) -> None:
        """Go away, and come back later."""
        await self._close()
        self.desk.restart()
        self.emit("stopped")
        await asyncio.sleep(seconds)
        await self.start()
        self.emit("started")

    async def move(self, address: str) -> None:
        """Get another address."""
        await self._close()
        self.address = address
        self.emit("moved", address=address)
        await self.start()

    # How it is found

    def rename(self, name: str) -> None:
        """Get another name, as in its settings; it stays the same device."""
        self.name = name
        self.refresh()

    def rotate(self) -> None:
        """Change the TXT entries that change from time to time."""
        self.turn += 1
        self.refresh()

    def update(self, os: OsName) -> None:
        """Get another system; restart it, as real updates do."""
        self.os = os
        self.flavour = FLAVOURS[os]
        self.os_version, self.build = self.flavour.version, self.flavour.build
        self.desk.needs_client_name = self.flavour.needs_client_name
        self.refresh()

    def refresh(self) -> None:
        """Make the TXT entries anew, and announce them."""
        self.properties = txt_entries(self)
        self.presence_changed()

    async def announce(self, address: str | None = None) -> None:
        """Announce it by multicast at the interface with an address."""
        self._announcer = Announcer(self, address or self.address)
        await self._announcer.start()

    def drop(self) -> None:
        """Break off all connections."""
        for server in self.servers.values():
            server.drop()
        self.mrp.drop()

    def vanish(self) -> None:
        """Answer nothing any more; connections stay, as when the mains fail."""
        self._set_vanished(True)

    def come_back(self) -> None:
        """Answer again; what is left of old connections is of no use."""
        self._set_vanished(False)
        self.drop()

    def _set_vanished(self, gone: bool) -> None:
        self.is_vanished = gone
        for server in self.servers.values():
            server.wire.silent = gone
        self.emit("vanished" if gone else "came_back")

    def split(self, size: int) -> None:
        """Send so many bytes at a time on every connection, 0 for all at once."""
        for server in self.servers.values():
            server.wire.split_size = size

    def _knocker(self, port: int) -> Callable[[Link], None]:
        def opened(link: Link) -> None:
            self.power.knocked(port)
            self.later(0.1, link.close)

        return opened

    def later(self, delay: float, action: Callable[[], None]) -> None:
        """Do something after a while, at once if it is none."""
        if delay <= 0:
            action()
            return

        def run() -> None:
            self._timers.discard(handle)
            action()

        handle = asyncio.get_running_loop().call_later(delay, run)
        self._timers.add(handle)

    @property
    def companion_port(self) -> int:
        """The port of Companion."""
        return self.ports["companion"]

    @property
    def airplay_port(self) -> int:
        """The port of AirPlay."""
        return self.ports["airplay"]

    @property
    def mrp_port(self) -> int:
        """The port of MRP over a connection of its own; 0 if there is none."""
        return self.ports["mrp"]

    @property
    def mdns_port(self) -> int:
        """The port of the unicast responder."""
        return self.ports["mdns"]

    def port_of(self, service: str) -> int:
        """Return the port that a service type is announced with."""
        names = {COMPANION: "companion", MRP: "mrp"}
        # Since tvOS 15 the port of MRP is told of, and nobody is there.
        return self.ports[names.get(service, "airplay")] or 49152

    # Events

    def emit(self, kind: str, **data: object) -> None:
        """Tell what happened."""
        self.events.emit(kind, **data)

    def mark(self) -> None:
        """Let `wait_for` forget what happened so far."""
        self.events.mark()

    def seen(self, kind: str, **fits: object) -> list[FakeEvent]:
        """Return all fitting events so far."""
        return self.events.seen(kind, **fits)

    async def wait_for(
        self, kind: str, timeout: float = 5, **fits: object
    ) -> FakeEvent:
        """Return the oldest fitting event that was not returned yet."""
        return await self.events.wait_for(kind, timeout, **fits)

    # Power

    @property
    def is_on(self) -> bool:
        """Whether the box is awake; a screensaver is."""
        return self.power.attention != ASLEEP

    @property
    def is_deeply_asleep(self) -> bool:
        """Whether only a sleep proxy answers."""
        return self.power.is_deep

    def set_power(self, on: bool, by: str) -> None:
        """Turn it on or off; `by` names who did."""
        if self.kind == "homepod":
            return
        self.power.set(AWAKE if on else ASLEEP, by)
        if not on and self.power.sleeps_deeply:
            self.power.sink()

    def sleep(self, *, deep: bool = True) -> None:
        """Fall asleep, as by itself; `deep`: its network too."""
        self.power.set(ASLEEP, "device")
        if deep:
            self.power.sink()

    def wake(self) -> None:
        """Wake up, as with its own remote."""
        self.power.surface()
        self.power.set(AWAKE, "device")

    def screensaver(self) -> None:
        """Show the screensaver."""
        self.power.set(SCREENSAVER, "device")

    def power_changed(self) -> None:
        """Tell those who want to know; Power calls it."""
        for listener in self.power_listeners:
            listener()

    def presence_changed(self) -> None:
        """Announce what is true now; Power calls it."""
        task = asyncio.get_running_loop().create_task(self._presence())
        self._updates.add(task)
        task.add_done_callback(self._updates.discard)

    async def _presence(self) -> None:
        if self._announcer is not None:
            await self._announcer.update()

    # What it plays

    def remote(self, name: str, seconds: float | None = None) -> None:
        """Hand a command to whatever plays."""
        for remote in self.remotes:
            remote(name, seconds)

    def set_media_flags(self, flags: int) -> None:
        """Change what is possible now, and tell the subscribers."""
        self.media_flags = flags
        self.companion.media_changed()

    def set_volume(self, volume: float, by: str = "device") -> None:
        """Change the volume (0..1), and tell the subscribers even of no change."""
        self.volume = min(max(volume, 0.0), 1.0)
        self.emit("volume", volume=self.volume, by=by)
        self.companion.media_changed()
        for listener in self.volume_listeners:
            listener()

    # Text

    def open_text(self, text: str = "", *, is_secure: bool = False) -> TextField:
        """Give the focus to a text field."""
        self.text_field = TextField(text, is_secure)
        self.companion.focus_changed()
        self.text_changed()
        return self.text_field

    def close_text(self) -> None:
        """Take the focus away."""
        self.text_field = None
        self.companion.focus_changed()
        self.text_changed()

    def text_changed(self) -> None:
        """Tell those who want to know that the field or its text changed."""
        for listener in self.text_listeners:
            listener()

    # Others

    @property
    def pin(self) -> str:
        """What is shown when somebody pairs."""
        return self.desk.pin

    @property
    def shown_pin(self) -> str | None:
        """What is on the screen now."""
        return self.desk.shown_pin

    def unpair(self) -> None:
        """Forget everybody, and break their connections off."""
        self.desk.unpair()
        self.drop()
