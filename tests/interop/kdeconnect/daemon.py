"""A real kdeconnectd in a session of its own, and its view of other devices."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
import json
from pathlib import Path
import shutil
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from .bus import Bus, BusError
from .container import HOME, Container, Process
from .network import Network
from .roots import Flavour, daemon_path
from .stubs import (
    BatteryStub,
    Notification,
    NotificationsStub,
    PlayerStub,
    PowerStub,
    SessionStub,
)
from .waiting import until

NAME: Final = "org.kde.kdeconnect"
_PATH: Final = "/modules/kdeconnect"
_DAEMON: Final = f"{NAME}.daemon"
_DEVICE: Final = f"{NAME}.device"
_START_PATIENCE: Final = 30.0
# Where its link listener may be, and the state of a listening socket in /proc/net/tcp.
_LINK_PORTS: Final = range(1716, 1765)
_LISTEN: Final = "0A"


class KdeConnectDaemon:
    """One daemon with its desktop stubs, on the network's host ``name``.

    ``start`` makes the session; ``kill`` ends only the daemon, as a crash does, and
    ``restart`` brings it back with its pairings. ``stop`` ends everything.
    """

    def __init__(
        self, flavour: Flavour, network: Network, name: str, number: int
    ) -> None:
        """Make the host; nothing runs yet."""
        network.add_host(name, number)
        self.flavour = flavour
        self.name = name
        self.address = network.address(name)
        self.device_id = ""
        self.notifications = NotificationsStub()
        self.session = SessionStub()
        self.battery: BatteryStub | None = None
        self._container = Container(flavour.root, network, name)
        self._process: Process | None = None
        self._session_bus: Bus | None = None
        self._system_bus: Bus | None = None
        self._environment: dict[str, str] = {}

    @property
    def home(self) -> Path:
        """Its home folder, seen from here."""
        return self._container.home

    @property
    def config(self) -> Path:
        """Folder of its key, certificate and pairings."""
        return self.home / ".config" / "kdeconnect"

    @property
    def log_text(self) -> str:
        """What the daemon printed, of all runs."""
        log = self.home / "daemon.log"
        return log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""

    @property
    def is_running(self) -> bool:
        """Whether the daemon runs."""
        return self._process is not None and self._process.is_running

    @property
    def bus(self) -> Bus:
        """The session bus."""
        if self._session_bus is None:
            raise BusError(f"{self.name} was not started")
        return self._session_bus

    async def start(
        self,
        *,
        fresh: bool = False,
        battery: int | None = None,
        udp: bool = True,
        debug: bool = False,
    ) -> None:
        """Start the session and the daemon.

        ``fresh`` forgets key and pairings, ``battery`` is a charge in per cent, ``udp``
        off keeps it from broadcasting (protocol 8 only), ``debug`` makes its log talk.
        """
        if fresh:
            shutil.rmtree(self.home, ignore_errors=True)
        await self._container.start()
        self._session_bus = await Bus.connect(self._container.bus_address("session"))
        self._system_bus = await Bus.connect(self._container.bus_address("system"))
        await self._session_bus.publish(self.notifications)
        await self._system_bus.publish(self.session)
        if battery is not None:
            self.battery = BatteryStub(battery)
            await self._system_bus.publish(self.battery)
            await self._system_bus.publish(PowerStub())
        self._environment = {
            "QT_QPA_PLATFORM": "offscreen",
            **({} if udp else {"KDECONNECT_DISABLE_UDP_BROADCAST": "1"}),
            **({"QT_LOGGING_RULES": "kdeconnect.*=true"} if debug else {}),
        }
        await self._start_daemon()

    async def kill(self) -> None:
        """End the daemon without a warning; its session goes on."""
        if self._process is not None:
            await self._process.kill()
            self._process = None

    async def restart(self) -> None:
        """Start the daemon again after ``kill``, with the state that it stored."""
        await self.kill()
        await self._start_daemon()

    async def stop(self) -> None:
        """End the daemon and its session. What it stored stays for another start."""
        await self.kill()
        for bus in (self._session_bus, self._system_bus):
            if bus is not None:
                bus.close()
        self._session_bus = self._system_bus = None
        await self._container.stop()

    def renew_certificate(self) -> None:
        """Give it another key and certificate with the same id; it must not run."""
        key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
        if self.flavour.protocol < 8:
            key = rsa.generate_private_key(65537, 2048)
        else:
            key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name(
            [
                x509.NameAttribute(NameOID.COMMON_NAME, self.device_id),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "KDE"),
                x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "KDE Connect"),
            ]
        )
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder(
                name, name, key.public_key(), x509.random_serial_number()
            )
            .not_valid_before(now - timedelta(days=365))
            .not_valid_after(now + timedelta(days=3650))
            .sign(key, hashes.SHA512())
        )
        pem = key.private_bytes(
            Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
        )
        (self.config / "privateKey.pem").write_bytes(pem)
        (self.config / "certificate.pem").write_bytes(
            certificate.public_bytes(Encoding.PEM)
        )

    async def announce(self) -> None:
        """Make it announce itself, as it does when its network changes."""
        await self._call("forceOnNetworkChange")

    async def set_addresses(self, *addresses: str) -> None:
        """Set the addresses that its user added by hand."""
        await self.bus.set(NAME, _PATH, _DAEMON, "customDevices", "as", list(addresses))

    async def device_ids(self) -> list[str]:
        """Return the ids of the devices that it knows, paired or connected."""
        [ids] = await self._call("devices", "bb", False, False)
        return [str(item) for item in ids] if isinstance(ids, list) else []

    def device(self, device_id: str) -> Device:
        """Return its view of another device, known or not."""
        return Device(self, device_id)

    async def wait_notification(
        self, text: str, start: int = 0, patience: float = 10.0
    ) -> Notification:
        """Wait for a notification with the text among those from ``start`` on."""

        async def look() -> Notification | None:
            for item in self.notifications.shown[start:]:
                if text in item.summary or text in item.body:
                    return item
            return None

        return await until(look, f"{self.name} shows {text!r}", patience)

    async def add_player(self, identity: str) -> PlayerStub:
        """Start a media player in its session."""
        art = "art.png"
        player = PlayerStub(identity, self.home / art, f"file://{HOME}/{art}")
        await self.bus.publish(player)
        return player

    async def remove_player(self, player: PlayerStub) -> None:
        """End a media player."""
        await self.bus.withdraw(player)

    async def _start_daemon(self) -> None:
        self.config.mkdir(parents=True, exist_ok=True)
        (self.home / "run").mkdir(mode=0o700, exist_ok=True)
        config = self.config / "config"
        if not config.exists():
            config.write_text(f"[General]\nname={self.name}\n", encoding="utf-8")
        self._process = await self._container.spawn(
            [daemon_path(self.flavour)], self._environment, "daemon.log"
        )
        await until(self._is_up, f"{self.name} starts", _START_PATIENCE)
        self.device_id = str((await self._call("selfId"))[0])

    async def _is_up(self) -> bool:
        if not self.is_running:
            raise BusError(f"{self.name} ended: {self.log_text[-400:]}")
        return self._listens() and await self.bus.has_owner(NAME)

    def _listens(self) -> bool:
        """Tell whether its link listener is up, by what the kernel lists."""
        assert self._process is not None
        pid = self._process.pid
        if not pid:
            return False
        for table in ("tcp", "tcp6"):
            try:
                text = Path(f"/proc/{pid}/net/{table}").read_text(encoding="ascii")
            except OSError:
                continue
            for line in text.splitlines()[1:]:
                local, state = line.split()[1], line.split()[3]
                if (
                    state == _LISTEN
                    and int(local.rpartition(":")[2], 16) in _LINK_PORTS
                ):
                    return True
        return False

    async def _call(
        self, member: str, signature: str = "", *body: object
    ) -> list[object]:
        return await self.bus.call(NAME, _PATH, _DAEMON, member, signature, *body)


class Device:
    """What a daemon knows of another device, and what it can do with it."""

    def __init__(self, daemon: KdeConnectDaemon, device_id: str) -> None:
        """See ``KdeConnectDaemon.device``."""
        self._daemon = daemon
        self._old = daemon.flavour.protocol < 8
        self.device_id = device_id
        self.path = f"{_PATH}/devices/{device_id}"

    async def is_reachable(self) -> bool:
        """Whether there is a link."""
        return await self._flag("isReachable")

    async def is_paired(self) -> bool:
        """Whether it is paired."""
        return await self._flag("isTrusted" if self._old else "isPaired")

    async def has_asked(self) -> bool:
        """Whether the other device asks for pairing."""
        return await self._flag(
            "hasPairingRequests" if self._old else "isPairRequestedByPeer"
        )

    async def verification_key(self) -> str:
        """Return the key that its user would compare, eight digits in upper case."""
        [key] = await self.call("verificationKey")
        text = key.decode() if isinstance(key, bytes) else str(key)
        return text[:8].upper()

    async def request_pairing(self) -> None:
        """Ask for pairing."""
        await self.call("requestPair" if self._old else "requestPairing")

    async def accept(self) -> None:
        """Accept what the other device asks for."""
        await self.call("acceptPairing")

    async def reject(self) -> None:
        """Refuse what the other device asks for, or take the own request back."""
        await self.call("rejectPairing" if self._old else "cancelPairing")

    async def unpair(self) -> None:
        """Forget the pairing and tell the other device."""
        await self.call("unpair")

    async def ping(self, text: str = "") -> None:
        """Send a ping, with a text or without."""
        if text:
            await self.call_plugin("ping", "sendPing", "s", text)
        else:
            await self.call_plugin("ping", "sendPing")

    async def plugins(self) -> list[str]:
        """Return the names of the plugins that are loaded."""
        [names] = await self.call("loadedPlugins")
        return [str(name) for name in names] if isinstance(names, list) else []

    async def set_commands(self, commands: Mapping[str, tuple[str, str]]) -> None:
        """Replace the commands that it offers: key -> (name, command line)."""
        value = json.dumps(
            {
                key: {"name": name, "command": line}
                for key, (name, line) in commands.items()
            }
        )
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        folder = self._daemon.config / self.device_id / "kdeconnect_runcommand"
        folder.mkdir(parents=True, exist_ok=True)
        text = f'[General]\ncommands="@ByteArray({escaped})"\n'
        (folder / "config").write_text(text, encoding="utf-8")
        # It reads the file when the plugin is loaded.
        for enabled in (False, True):
            await self.call("setPluginEnabled", "sb", "kdeconnect_runcommand", enabled)

    async def wait_reachable(self, patience: float = 15.0) -> None:
        """Wait for a link."""
        await self._wait(self.is_reachable, "is connected to", patience)

    async def wait_gone(self, patience: float = 15.0) -> None:
        """Wait until there is no link."""

        async def gone() -> bool:
            return not await self.is_reachable()

        await self._wait(gone, "loses", patience)

    async def wait_paired(self, patience: float = 15.0) -> None:
        """Wait until it is paired."""
        await self._wait(self.is_paired, "is paired with", patience)

    async def wait_unpaired(self, patience: float = 15.0) -> None:
        """Wait until it is not paired any more."""

        async def unpaired() -> bool:
            return not await self.is_paired()

        await self._wait(unpaired, "is no longer paired with", patience)

    async def wait_asked(self, patience: float = 15.0) -> None:
        """Wait until the other device asks for pairing."""
        await self._wait(self.has_asked, "is asked for pairing by", patience)

    async def call(
        self, member: str, signature: str = "", *body: object
    ) -> list[object]:
        """Call a method of the device's object."""
        bus = self._daemon.bus
        return await bus.call(NAME, self.path, _DEVICE, member, signature, *body)

    async def call_plugin(
        self, plugin: str, member: str, signature: str = "", *body: object
    ) -> list[object]:
        """Call a method of a plugin's object."""
        path, interface = f"{self.path}/{plugin}", f"{_DEVICE}.{plugin}"
        return await self._daemon.bus.call(
            NAME, path, interface, member, signature, *body
        )

    async def plugin_property(self, plugin: str, name: str) -> object:
        """Return a property of a plugin's object."""
        path, interface = f"{self.path}/{plugin}", f"{_DEVICE}.{plugin}"
        return await self._daemon.bus.get(NAME, path, interface, name)

    async def _flag(self, name: str) -> bool:
        """Return a property; a device without an object has none of them."""
        try:
            return await self._daemon.bus.get(NAME, self.path, _DEVICE, name) is True
        except BusError:
            return False

    async def _wait(
        self, look: Callable[[], Awaitable[bool]], what: str, patience: float
    ) -> None:
        await until(look, f"{self._daemon.name} {what} {self.device_id[:8]}", patience)
