"""What other devices do to a fake KDE Connect device's pointer, keys and screen.

Sections 11.15, 11.16 and 11.18. Nothing moves here, all of it is recorded::

    await computer.wait_for("key", lambda e: computer.input.text == "hello")
    assert computer.input.clicks == ["singleclick"]
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, override

from tests.fakes.kdeconnect_plugins import Greeting, Plugin
from tests.fakes.kdeconnect_wire import Body, FakePacket, JsonValue

if TYPE_CHECKING:
    from tests.fakes.kdeconnect import FakeDevice
    from tests.fakes.kdeconnect_peer import FakePeer

CLICKS = ("singleclick", "doubleclick", "middleclick", "rightclick")
PHONE_CLICKS = ("forwardclick", "backclick")
MODIFIERS = ("alt", "ctrl", "shift", "super")
BACKSPACE, ENTER, LAST_SPECIAL_KEY = 1, 12, 32


@dataclass(frozen=True, slots=True)
class FakeKey:
    """A key press: a special key's number, or text."""

    special: int = 0
    text: str = ""
    modifiers: frozenset[str] = frozenset()


def _number(value: JsonValue) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and isinstance(value, int | float) else 0.0


class InputPlugin(Plugin):
    """A pointer and a keyboard that another device moves.

    A phone answers key events with an echo when asked, KDE does not; a device
    does if `mousepad.echo` is in its `outgoing` set.
    """

    handles = frozenset({"kdeconnect.mousepad.request"})

    def __init__(self, device: FakeDevice) -> None:
        """Start with nothing done; a phone has no text field with the focus."""
        super().__init__(device)
        # None: a computer without a display tells no state.
        self.takes_keys: bool | None = False if device.kind == "phone" else None
        self.moves: list[tuple[float, float]] = []
        self.positions: list[tuple[float, float]] = []  # absolute ones
        self.scrolls: list[tuple[float, float]] = []
        self.clicks: list[str] = []
        self.is_held = False
        self.keys: list[FakeKey] = []
        self.text = ""  # what a text field would hold

    async def set_takes_keys(self, state: bool | None) -> None:
        """Let a text field get or lose the focus, and tell it."""
        self.takes_keys = state
        await self.tell("mousepad.keyboardstate", self._state)

    @property
    def _state(self) -> Body:
        return {} if self.takes_keys is None else {"state": self.takes_keys}

    @override
    def greeting(self) -> list[Greeting]:
        return [("mousepad.keyboardstate", self._state)]

    @override
    def received(self, peer: FakePeer, packet: FakePacket) -> None:
        body = packet.body
        special, text = body.get("specialKey"), body.get("key")
        number = int(_number(special))
        if isinstance(text, str) and text:
            number = 0
        elif not 1 <= number <= LAST_SPECIAL_KEY:
            self._point(peer, packet)
            return
        if self.takes_keys is False:
            return
        modifiers = frozenset(name for name in MODIFIERS if body.get(name) is True)
        key = FakeKey(number, text if isinstance(text, str) else "", modifiers)
        self.keys.append(key)
        self._type(key)
        pressed: list[JsonValue] = [*sorted(modifiers)]
        peer.emit("key", packet, special=number, text=key.text, modifiers=pressed)
        if body.get("sendAck") is True:
            self._echo(peer, body)

    def _type(self, key: FakeKey) -> None:
        if key.modifiers - {"shift"}:
            return
        if key.special == BACKSPACE:
            self.text = self.text[:-1]
        else:
            self.text += "\n" if key.special == ENTER else key.text

    def _echo(self, peer: FakePeer, body: Body) -> None:
        if "kdeconnect.mousepad.echo" in self.device.outgoing:
            members = ("key", "specialKey", *MODIFIERS)
            echo = {name: body[name] for name in members if name in body}
            peer.send("mousepad.echo", echo | {"isAck": True})

    def _point(self, peer: FakePeer, packet: FakePacket) -> None:
        body = packet.body
        by = (_number(body.get("dx")), _number(body.get("dy")))
        names = CLICKS + (PHONE_CLICKS if self.device.kind == "phone" else ())
        clicks = [name for name in names if body.get(name) is True]
        if body.get("scroll") is True:
            self.scrolls.append(by)
        elif clicks:
            self.clicks += clicks
        elif body.get("singlehold") is True:
            self.is_held = True
        elif body.get("singlerelease") is True:
            self.is_held = False
        elif "x" in body or "y" in body:
            self.positions.append((_number(body.get("x")), _number(body.get("y"))))
        elif any(by):
            self.moves.append(by)
        else:
            return
        peer.emit("pointer", packet, **body)


class RemoteInputPlugin(Plugin):
    """The other side's pointer and keys, as a phone's touch pad moves them."""

    handles = frozenset(
        {"kdeconnect.mousepad.echo", "kdeconnect.mousepad.keyboardstate"}
    )

    def __init__(self, device: FakeDevice) -> None:
        """Start without knowing whether keys are taken."""
        super().__init__(device)
        self.takes_keys: JsonValue = None
        self.echoes: list[Body] = []

    async def request(self, **members: JsonValue) -> int:
        """Send any `mousepad.request`, such as `dx=1.5, dy=0` or `singleclick=True`."""
        return await self.tell("mousepad.request", members)

    async def press(
        self, key: str | int, *modifiers: str, wants_echo: bool = False
    ) -> int:
        """Type text, or press a special key by its number."""
        body: Body = {"key": key} if isinstance(key, str) else {"specialKey": key}
        body |= dict.fromkeys(modifiers, True)
        if wants_echo:
            body["sendAck"] = True
        return await self.tell("mousepad.request", body)

    @override
    def received(self, peer: FakePeer, packet: FakePacket) -> None:
        if packet.type == "kdeconnect.mousepad.keyboardstate":
            self.takes_keys = packet.body.get("state")
            peer.emit("keyboard_state", packet, state=self.takes_keys)
        else:
            self.echoes.append(packet.body)
            peer.emit("key_echo", packet, **packet.body)


class PresenterPlugin(Plugin):
    """A pointer on the slides."""

    handles = frozenset({"kdeconnect.presenter"})

    def __init__(self, device: FakeDevice) -> None:
        """Start hidden."""
        super().__init__(device)
        self.is_shown = False
        self.moves: list[tuple[float, float]] = []  # fractions of the screen

    @override
    def received(self, peer: FakePeer, packet: FakePacket) -> None:
        body = packet.body
        self.is_shown = body.get("stop") is not True
        if self.is_shown:
            self.moves.append((_number(body.get("dx")), _number(body.get("dy"))))
        peer.emit("presenter", packet, **body)


class DigitizerPlugin(Plugin):
    """A drawing tablet's screen."""

    handles = frozenset({"kdeconnect.digitizer", "kdeconnect.digitizer.session"})

    def __init__(self, device: FakeDevice) -> None:
        """Start without a session."""
        super().__init__(device)
        self.session: Body | None = None  # its sizes
        self.strokes: list[Body] = []  # each with the members that did not change

    @override
    def received(self, peer: FakePeer, packet: FakePacket) -> None:
        body = packet.body
        if packet.type == "kdeconnect.digitizer.session":
            self.session = body if body.get("action") == "start" else None
        elif self.session is not None:
            self.strokes.append((self.strokes[-1] if self.strokes else {}) | body)
        else:
            return
        peer.emit("digitizer", packet, **body)


class MonitorPlugin(Plugin):
    """A screen that may be another one's: told at connect, requests are kept."""

    handles = frozenset({"kdeconnect.virtualmonitor.request"})

    def __init__(self, device: FakeDevice) -> None:
        """Start as KDE without a display."""
        super().__init__(device)
        self.body: Body = {
            "resolutions": [],
            "supports_rdp": False,
            "supports_virt_mon": False,
        }
        self.failed = True  # whether a request ends in KDE's failure packet
        self.requests: list[Body] = []

    @override
    def greeting(self) -> list[Greeting]:
        return [("virtualmonitor", self.body)] if self.device.protocol >= 8 else []

    @override
    def received(self, peer: FakePeer, packet: FakePacket) -> None:
        self.requests.append(packet.body)
        peer.emit("virtual_monitor", packet)
        if self.failed:
            peer.send("virtualmonitor", {"failed": 0})
