"""A real kdeconnectd in a session of its own, and its view of other devices."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
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
from dbus_fast import Variant

from .bus import Bus, BusError
from .container import HOME, Container, Process
from .desktop import ENVIRONMENT, Desktop
from .device import INBOX, NAME, OUTBOX, PATH, Device
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
from .waiting import PATIENCE, until, until_true

_DAEMON: Final = f"{NAME}.daemon"
_START_PATIENCE: Final = 60.0
# Files of its home in which it shows what was shared with it.
SHOWN_TEXT: Final = "shown-text"
SHOWN_LINK: Final = "shown-link"
# Where its link listener may be, and the state of a listening socket in /proc/net/tcp.
_LINK_PORTS: Final = range(1716, 1765)
_LISTEN: Final = "0A"

_PROGRAMS: Final = {
    name: f"#!/bin/sh\n{command} >{HOME}/{shown}.new\n"
    f"mv {HOME}/{shown}.new {HOME}/{shown}\n"
    for name, command, shown in (
        ("xdg-open", 'printf %s "$1"', SHOWN_LINK),
        ("kate", "cat", SHOWN_TEXT),
    )
}
_EDITOR: Final = """\
[Desktop Entry]
Type=Application
Name=Editor
Exec=kate %U
MimeType=text/plain;
"""


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
        self.batteries: tuple[BatteryStub, ...] = ()
        self._container = Container(flavour.root, network, name)
        self.desktop: Desktop | None = None
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
    def inbox(self) -> Path:
        """Folder of the files that it received."""
        return self.home / INBOX

    @property
    def outbox(self) -> Path:
        """Folder for files that it is to send."""
        return self.home / OUTBOX

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
        batteries: Sequence[int] = (),
        udp: bool = True,
        desktop: bool = False,
        debug: bool = False,
    ) -> None:
        """Start the session and the daemon.

        ``fresh`` forgets key and pairings, ``batteries`` are charges in per cent, ``udp``
        off keeps it from broadcasting (protocol 8 only), ``desktop`` gives it a display
        and a sound server, ``debug`` makes its log talk.
        """
        if fresh:
            shutil.rmtree(self.home, ignore_errors=True)
        await self._container.start()
        self._session_bus = await Bus.connect(self._container.bus_address("session"))
        self._system_bus = await Bus.connect(self._container.bus_address("system"))
        await self._session_bus.publish(self.notifications)
        await self._system_bus.publish(self.session)
        self.batteries = tuple(
            BatteryStub(number, charge) for number, charge in enumerate(batteries)
        )
        for battery in self.batteries:
            await self._system_bus.publish(battery)
        if self.batteries:
            await self._system_bus.publish(PowerStub(self.batteries))
        self.desktop = Desktop(self._container) if desktop else None
        if self.desktop is not None:
            await self.desktop.start()
        self._environment = {
            "PATH": f"{HOME}/bin:/usr/bin:/bin",
            "XDG_DOWNLOAD_DIR": f"{HOME}/{INBOX}",
            "QT_QPA_PLATFORM": "xcb" if desktop else "offscreen",
            **(ENVIRONMENT if desktop else {}),
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
        await self.bus.set(NAME, PATH, _DAEMON, "customDevices", "as", list(addresses))

    async def device_ids(self) -> list[str]:
        """Return the ids of the devices that it knows, paired or connected."""
        [ids] = await self._call("devices", "bb", False, False)
        return [str(item) for item in ids] if isinstance(ids, list) else []

    def device(self, device_id: str) -> Device:
        """Return its view of another device, known or not."""
        return Device(
            self.name,
            self.bus,
            self.config,
            device_id,
            is_old=self.flavour.protocol < 8,
        )

    async def wait_notification(
        self, text: str, start: int = 0, patience: float = PATIENCE
    ) -> Notification:
        """Wait for a notification with the text among those from ``start`` on."""

        async def look() -> Notification | None:
            for item in self.notifications.shown[start:]:
                if text in item.summary or text in item.body:
                    return item
            return None

        return await until(look, f"{self.name} shows {text!r}", patience)

    async def post_notification(
        self,
        app: str,
        title: str,
        text: str,
        *,
        actions: Mapping[str, str] | None = None,
        picture: bytes = b"",
        replaces: int = 0,
    ) -> int:
        """Show a notification, as a program of its desktop does; return its number.

        ``actions`` are labels by key, ``picture`` is a PNG.
        """
        hints: dict[str, Variant] = {}
        if picture:
            (self.home / "notification.png").write_bytes(picture)
            hints["image-path"] = Variant("s", f"{HOME}/notification.png")
        words = [word for item in (actions or {}).items() for word in item]
        path, service = self.notifications.path, self.notifications.name
        body = (app, replaces, "", title, text, words, hints, -1)
        [number] = await self.bus.call(
            service, path, service, "Notify", "susssasa{sv}i", *body
        )
        return number if isinstance(number, int) else 0

    async def withdraw_notification(self, number: int) -> None:
        """Take a notification back."""
        path, service = self.notifications.path, self.notifications.name
        await self.bus.call(service, path, service, "CloseNotification", "u", number)

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
        for folder in (self.home / "run", self.inbox, self.outbox):
            folder.mkdir(mode=0o700, exist_ok=True)
        self._write_programs()
        config = self.config / "config"
        if not config.exists():
            config.write_text(f"[General]\nname={self.name}\n", encoding="utf-8")
        self._process = await self._container.spawn(
            [daemon_path(self.flavour)], self._environment, "daemon.log"
        )
        await until(self._is_up, f"{self.name} starts", _START_PATIENCE)
        self.device_id = str((await self._call("selfId"))[0])

    def _write_programs(self) -> None:
        """Write the programs that it starts to show what was shared with it.

        Links go to a browser. Releases from 25 on copy texts; 22.12 pipes them to the
        editor, if that is the one that it knows.
        """
        applications = self.home / ".local" / "share" / "applications"
        for folder in (self.home / "bin", applications):
            folder.mkdir(parents=True, exist_ok=True)
        for name, script in _PROGRAMS.items():
            (self.home / "bin" / name).write_text(script, encoding="ascii")
            (self.home / "bin" / name).chmod(0o755)
        editor = applications / "org.kde.kate.desktop"
        editor.write_text(_EDITOR, encoding="ascii")
        defaults = "[Default Applications]\ntext/plain=org.kde.kate.desktop\n"
        (applications / "mimeapps.list").write_text(defaults, encoding="ascii")

    async def wait_shown_text(self, text: str) -> None:
        """Wait until a text that was shared with it is shown, or in its clipboard."""
        if self.flavour is not Flavour.KDE22 and self.desktop is not None:
            await self.desktop.wait_clipboard(text)
            return
        await self._wait_file(self.home / SHOWN_TEXT, text)

    async def wait_shown_link(self, link: str) -> None:
        """Wait until a link that was shared with it is handed to the browser."""
        await self._wait_file(self.home / SHOWN_LINK, link)

    async def _wait_file(self, path: Path, text: str) -> None:
        def look() -> bool:
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                return False
            path.unlink()
            return True

        await until_true(look, f"{self.name} shows {text!r}")

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
        return await self.bus.call(NAME, PATH, _DAEMON, member, signature, *body)
