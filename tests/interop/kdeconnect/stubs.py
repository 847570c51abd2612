"""Stand-ins for what a desktop has: notifications, a player, the session's lock, a battery.

They sit on the buses of a daemon's session but live in this program, so that a check
can look at them and move them directly.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
import enum
from pathlib import Path
import struct
import time
from typing import Final, override
import zlib

from dbus_fast import Variant

from .bus import NOTHING, Answer, Method, Service

_NOTIFICATIONS: Final = "org.freedesktop.Notifications"
_SESSION: Final = "org.freedesktop.login1.Session"
_UPOWER: Final = "org.freedesktop.UPower"
_UPOWER_DEVICE: Final = "org.freedesktop.UPower.Device"
_PLAYER: Final = "org.mpris.MediaPlayer2.Player"
_PLAYER_ROOT: Final = "org.mpris.MediaPlayer2"
_MICROSECONDS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Notification:
    """What the desktop was asked to show; actions are pairs of key and label."""

    number: int
    app: str
    summary: str
    body: str
    actions: tuple[tuple[str, str], ...] = ()
    has_picture: bool = False

    def key_of(self, label: str) -> str:
        """Return the key of the action with a label, empty when there is none."""
        return next((key for key, text in self.actions if text == label), "")


class NotificationsStub(Service):
    """The desktop's notification service: it keeps what it is told to show.

    What a user does with a notification is done by ``invoke`` and ``reply``.
    """

    path = "/org/freedesktop/Notifications"
    name = _NOTIFICATIONS
    REPLY: Final = "inline-reply"
    _PICTURES: Final = ("image-data", "image_data", "image-path", "icon_data")
    _CLOSED: Final = 3

    def __init__(self) -> None:
        """Nothing was shown yet."""
        super().__init__()
        self.shown: list[Notification] = []
        # Numbers of those that a program took back.
        self.closed: list[int] = []
        self._last = 0

    @override
    def methods(self) -> Mapping[tuple[str, str], Method]:
        capabilities = ["body", "actions", "persistence", "icon-static", self.REPLY]
        return {
            (_NOTIFICATIONS, "Notify"): self._notify,
            (_NOTIFICATIONS, "CloseNotification"): self._close,
            (_NOTIFICATIONS, "GetCapabilities"): lambda: ("as", (capabilities,)),
            (_NOTIFICATIONS, "GetServerInformation"): lambda: (
                "ssss",
                ("stub", "stub", "1", "1.2"),
            ),
        }

    def invoke(self, number: int, key: str) -> None:
        """Press a button of a notification."""
        self.emit(_NOTIFICATIONS, "ActionInvoked", "us", number, key)

    def reply(self, number: int, text: str) -> None:
        """Answer a notification in its reply field."""
        self.emit(_NOTIFICATIONS, "NotificationReplied", "us", number, text)

    def _notify(self, app: str, replaces: int, *rest: object) -> Answer:
        icon, summary, body, actions, hints = rest[:5]
        words = [str(word) for word in actions] if isinstance(actions, list) else []
        names = set(hints) if isinstance(hints, dict) else set()
        if not replaces:
            self._last += 1
        number = replaces or self._last
        self.shown.append(
            Notification(
                number,
                app,
                str(summary),
                str(body),
                tuple(zip(words[::2], words[1::2], strict=False)),
                str(icon).startswith(("/", "file:"))
                or not names.isdisjoint(self._PICTURES),
            )
        )
        return "u", (number,)

    def _close(self, number: int) -> Answer:
        self.closed.append(number)
        self.emit(_NOTIFICATIONS, "NotificationClosed", "uu", number, self._CLOSED)
        return NOTHING


class SessionStub(Service):
    """The login session, as logind shows it: it can be locked and says whether it is.

    A real desktop locks its screen when logind passes the request on, and then sets the
    hint; the stub does both at once.
    """

    path = "/org/freedesktop/login1/session/auto"
    name = "org.freedesktop.login1"

    def __init__(self) -> None:
        """The session is open."""
        super().__init__()
        self.locked = False

    @override
    def methods(self) -> Mapping[tuple[str, str], Method]:
        return {
            (_SESSION, "Lock"): lambda: self._set(locked=True),
            (_SESSION, "Unlock"): lambda: self._set(locked=False),
        }

    @override
    def properties(self, interface: str) -> dict[str, Variant]:
        if interface != _SESSION:
            return {}
        return {"LockedHint": Variant("b", self.locked), "Active": Variant("b", True)}

    def change(self, *, locked: bool) -> None:
        """Lock or open the session, as its user does."""
        self._set(locked=locked)

    def _set(self, *, locked: bool) -> Answer:
        if locked != self.locked:
            self.locked = locked
            self.properties_changed(_SESSION, "LockedHint")
        return NOTHING


class PowerStub(Service):
    """The list of batteries; to be published after them."""

    path = "/org/freedesktop/UPower"
    name = _UPOWER

    def __init__(self, batteries: Sequence[BatteryStub]) -> None:
        """List batteries."""
        super().__init__()
        self._paths = [battery.path for battery in batteries]

    @override
    def methods(self) -> Mapping[tuple[str, str], Method]:
        devices = ("ao", (self._paths,))
        return {(_UPOWER, "EnumerateDevices"): lambda: devices}

    @override
    def properties(self, interface: str) -> dict[str, Variant]:
        if interface != _UPOWER:
            return {}
        return {"OnBattery": Variant("b", True), "DaemonVersion": Variant("s", "1.90")}


class BatteryStub(Service):
    """One of a laptop's batteries."""

    name = ""
    _BATTERY: Final = 2
    _CHARGING: Final = 1
    _DISCHARGING: Final = 2

    def __init__(self, number: int, percentage: int) -> None:
        """The battery discharges."""
        super().__init__()
        self._label = f"BAT{number}"
        self.path = f"/org/freedesktop/UPower/devices/battery_{self._label}"
        self.percentage = percentage
        self.charging = False

    @override
    def methods(self) -> Mapping[tuple[str, str], Method]:
        return {(_UPOWER_DEVICE, "Refresh"): lambda: NOTHING}

    @override
    def properties(self, interface: str) -> dict[str, Variant]:
        if interface != _UPOWER_DEVICE:
            return {}
        state = self._CHARGING if self.charging else self._DISCHARGING
        return {
            "Type": Variant("u", self._BATTERY),
            "State": Variant("u", state),
            "Percentage": Variant("d", float(self.percentage)),
            "IsPresent": Variant("b", True),
            "IsRechargeable": Variant("b", True),
            "PowerSupply": Variant("b", True),
            "Online": Variant("b", False),
            "Energy": Variant("d", self.percentage / 2),
            "EnergyFull": Variant("d", 50.0),
            "EnergyFullDesign": Variant("d", 50.0),
            "EnergyEmpty": Variant("d", 0.0),
            "EnergyRate": Variant("d", 5.0),
            "Voltage": Variant("d", 12.0),
            "Capacity": Variant("d", 100.0),
            "Technology": Variant("u", 1),
            "Temperature": Variant("d", 30.0),
            "TimeToEmpty": Variant("x", 3600),
            "TimeToFull": Variant("x", 0),
            "UpdateTime": Variant("t", int(time.time())),
            "NativePath": Variant("s", self._label),
            "Vendor": Variant("s", "stub"),
            "Model": Variant("s", "stub"),
            "Serial": Variant("s", self._label),
        }

    def change(self, percentage: int, *, charging: bool) -> None:
        """Set charge and direction, and tell everybody."""
        self.percentage = percentage
        self.charging = charging
        self.properties_changed(_UPOWER_DEVICE, "Percentage", "State")


class Status(enum.StrEnum):
    """What a player does."""

    PLAYING = "Playing"
    PAUSED = "Paused"
    STOPPED = "Stopped"


class PlayerStub(Service):
    """A media player with a list of three-minute songs."""

    path = "/org/mpris/MediaPlayer2"
    LENGTH: Final = 180.0
    ALBUM: Final = "The Album"
    # One only: release 22.12 of the daemon passes several on as none.
    ARTIST: Final = "The Artist"

    def __init__(self, identity: str, art: Path, art_url: str) -> None:
        """The first song plays; ``art`` is written here and named ``art_url`` there."""
        super().__init__()
        self.name = f"{_PLAYER_ROOT}.{identity.lower().replace(' ', '')}"
        self.identity = identity
        self.status = Status.PLAYING
        self.volume = 0.5
        self.loop = "None"
        self.shuffle = False
        self.track = 1
        self._position = 0.0
        self._since = time.monotonic()
        self._art_url = art_url
        self.art = make_png()
        art.write_bytes(self.art)

    @property
    def position(self) -> float:
        """Seconds into the song."""
        if self.status is not Status.PLAYING:
            return self._position
        return self._position + time.monotonic() - self._since

    @override
    def methods(self) -> Mapping[tuple[str, str], Method]:
        methods: dict[str, Method] = {
            "Play": lambda: self._set_status(Status.PLAYING),
            "Pause": lambda: self._set_status(Status.PAUSED),
            "Stop": lambda: self._set_status(Status.STOPPED),
            "PlayPause": lambda: self._set_status(
                Status.PAUSED if self.status is Status.PLAYING else Status.PLAYING
            ),
            "Next": lambda: self._set_track(self.track + 1),
            "Previous": lambda: self._set_track(max(1, self.track - 1)),
            "Seek": lambda offset: self._seek(self.position + offset / _MICROSECONDS),
            "SetPosition": lambda _track, at: self._seek(at / _MICROSECONDS),
        }
        return {(_PLAYER, member): method for member, method in methods.items()}

    @override
    def properties(self, interface: str) -> dict[str, Variant]:
        if interface == _PLAYER_ROOT:
            return {
                "Identity": Variant("s", self.identity),
                "DesktopEntry": Variant("s", "stub"),
                "CanQuit": Variant("b", False),
                "CanRaise": Variant("b", False),
                "HasTrackList": Variant("b", False),
                "SupportedUriSchemes": Variant("as", []),
                "SupportedMimeTypes": Variant("as", []),
            }
        if interface != _PLAYER:
            return {}
        can = (
            "CanGoNext",
            "CanGoPrevious",
            "CanPlay",
            "CanPause",
            "CanSeek",
            "CanControl",
        )
        rates = ("Rate", "MinimumRate", "MaximumRate")
        return {
            "PlaybackStatus": Variant("s", self.status.value),
            "LoopStatus": Variant("s", self.loop),
            "Shuffle": Variant("b", self.shuffle),
            "Volume": Variant("d", self.volume),
            "Position": Variant("x", int(self.position * _MICROSECONDS)),
            "Metadata": Variant("a{sv}", self._metadata()),
            **{name: Variant("b", True) for name in can},
            **{name: Variant("d", 1.0) for name in rates},
        }

    @override
    def set_property(self, name: str, value: object) -> None:
        match name, value:
            case "Volume", float(volume):
                self.volume = volume
            case "LoopStatus", str(loop):
                self.loop = loop
            case "Shuffle", bool(shuffle):
                self.shuffle = shuffle
            case _:
                super().set_property(name, value)
        self.properties_changed(_PLAYER, name)

    def change(self, *, track: int, status: Status) -> None:
        """Go to another song and state, as if somebody sat at the player."""
        self._set_track(track)
        self._seek(12.0)
        self._set_status(status)

    def _metadata(self) -> dict[str, Variant]:
        return {
            "mpris:trackid": Variant("o", f"/track/{self.track}"),
            "mpris:length": Variant("x", int(self.LENGTH * _MICROSECONDS)),
            "mpris:artUrl": Variant("s", self._art_url),
            "xesam:title": Variant("s", f"Song {self.track}"),
            "xesam:album": Variant("s", self.ALBUM),
            "xesam:artist": Variant("as", [self.ARTIST]),
            "xesam:url": Variant("s", f"file:///srv/music/{self.track}.ogg"),
        }

    def _set_status(self, status: Status) -> Answer:
        self._position = 0.0 if status is Status.STOPPED else self.position
        self._since = time.monotonic()
        self.status = status
        self.properties_changed(_PLAYER, "PlaybackStatus")
        return NOTHING

    def _set_track(self, track: int) -> Answer:
        self._position, self._since = 0.0, time.monotonic()
        self.track = track
        self.properties_changed(_PLAYER, "Metadata")
        return NOTHING

    def _seek(self, position: float) -> Answer:
        self._position, self._since = max(0.0, position), time.monotonic()
        self.emit(_PLAYER, "Seeked", "x", int(self._position * _MICROSECONDS))
        return NOTHING


def make_png(side: int = 48) -> bytes:
    """Return a small picture: a colour gradient, so that it is larger than one packet."""
    rows = b"".join(
        b"\0" + bytes(v for x in range(side) for v in (x * 5, y * 5, (x * y) % 256))
        for y in range(side)
    )

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    parts = (
        chunk(b"IHDR", header),
        chunk(b"IDAT", zlib.compress(rows)),
        chunk(b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)
