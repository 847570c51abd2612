"""What remotes press and type on a fake Apple TV by MRP.

The Apple TV reference, part B, sections 4.3 and 4.5.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from custom_components.rumpus.protocols.mrp.proto import mrp_pb2 as pb
from tests.fakes.apple_tv_media import make

if TYPE_CHECKING:
    from tests.fakes.apple_tv_mrp import MrpDevice

HID_SIZE: Final = 60
_USAGES: Final = slice(43, 49)
GENERIC_DESKTOP: Final = 1
CONSUMER: Final = 12
KEYS: Final = {
    (GENERIC_DESKTOP, 0x8C): "up",
    (GENERIC_DESKTOP, 0x8D): "down",
    (GENERIC_DESKTOP, 0x8B): "left",
    (GENERIC_DESKTOP, 0x8A): "right",
    (GENERIC_DESKTOP, 0x89): "select",
    (GENERIC_DESKTOP, 0x86): "menu",
    (GENERIC_DESKTOP, 0x82): "suspend",
    (GENERIC_DESKTOP, 0x83): "wakeup",
    (CONSUMER, 0x60): "top_menu",
    (CONSUMER, 0x40): "home",
    (CONSUMER, 0xB7): "stop",
    (CONSUMER, 0xB5): "next",
    (CONSUMER, 0xB6): "previous",
    (CONSUMER, 0xE9): "volume_up",
    (CONSUMER, 0xEA): "volume_down",
    (CONSUMER, 0x04): "siri",
}
# Seconds between down and up from which a press is a long one.
HOLD: Final = 0.5
# In Control Centre, which a long press of home opens, "select" turns off for a while.
_CONTROL_CENTRE: Final = 5.0


class Input:
    """The keys of one client."""

    def __init__(self, device: MrpDevice, emit: Callable[..., None]) -> None:
        """No key is down."""
        self._device = device
        self._emit = emit
        self._down: dict[tuple[int, int], float] = {}
        self._control_centre_until = 0.0

    def ended(self) -> None:
        """Let all keys go, as the client is gone."""
        self._down.clear()

    def hid_event(self, data: bytes) -> None:
        """Take an event as it is packed."""
        if len(data) != HID_SIZE:
            self._emit("mrp_malformed", size=len(data))
            return
        numbers = data[_USAGES]
        page, usage, down = (
            int.from_bytes(numbers[at : at + 2]) for at in range(0, 6, 2)
        )
        self.button(page, usage, bool(down))

    def button(self, page: int, usage: int, down: bool) -> None:
        """Take a key that goes down or up."""
        key = (page, usage)
        name = KEYS.get(key, f"{page}/{usage:#x}")
        now = asyncio.get_running_loop().time()
        self._emit("key_down" if down else "key_up", name=name)
        if down:
            self._down[key] = now
            return
        since = self._down.pop(key, None)
        if since is None:
            self._emit("key_up_alone", name=name)
            return
        length = now - since
        self._emit("button", name=name, length=length, held=length >= HOLD, via="mrp")
        self._pressed(name, now, held=length >= HOLD)

    def _pressed(self, name: str, now: float, *, held: bool) -> None:
        device = self._device
        if name == "home":
            self._control_centre_until = now + _CONTROL_CENTRE if held else 0.0
        elif name == "select" and now < self._control_centre_until:
            self._control_centre_until = 0.0
            if device.sleeps_by_menu:
                device.core.set_power(False, "mrp")
        elif name == "suspend":
            device.core.set_power(False, "mrp")
        elif name == "wakeup":
            device.core.set_power(True, "mrp")
        elif name in {"volume_up", "volume_down"}:
            device.step_volume(1 if name == "volume_up" else -1)


class Keyboard:
    """The text field that has the focus, as MRP knows it."""

    def __init__(
        self,
        tell: Callable[[pb.ProtocolMessage], None],
        emit: Callable[..., None],
    ) -> None:
        """Nothing has the focus."""
        self.title = ""
        self.text: str | None = None  # None: nothing has the focus
        self._tell = tell
        self._emit = emit
        self._state: pb.KeyboardState = pb.KEYBOARD_STATE_NOT_EDITING

    def message(self) -> pb.ProtocolMessage:
        """Return its state."""
        message = make(pb.MESSAGE_TYPE_KEYBOARD)
        message.keyboard.state = self._state
        if self.text is not None:
            message.keyboard.attributes.title = self.title
            message.keyboard.attributes.prompt = self.title
        return message

    def focus(self, title: str, text: str = "") -> None:
        """Give a field the focus."""
        self.title, self.text = title, text
        self._change(pb.KEYBOARD_STATE_DID_BEGIN_EDITING)

    def blur(self) -> None:
        """Take the focus away."""
        self.text = None
        self._change(pb.KEYBOARD_STATE_DID_END_EDITING)
        self._state = pb.KEYBOARD_STATE_NOT_EDITING

    def input(self, message: pb.TextInputMessage) -> None:
        """Take what a remote types."""
        action = int(message.action_type)
        self._emit("text_input", action=action, length=len(message.text))
        if self.text is None:
            return
        if message.action_type == pb.ACTION_TYPE_INSERT:
            self.text += message.text
        elif message.action_type == pb.ACTION_TYPE_SET:
            self.text = message.text
        elif message.action_type == pb.ACTION_TYPE_CLEAR:
            self.text = ""
        elif message.action_type == pb.ACTION_TYPE_DELETE:
            self.text = self.text[:-1]
        self._change(pb.KEYBOARD_STATE_TEXT_DID_CHANGE)

    def _change(self, state: pb.KeyboardState) -> None:
        self._state = state
        self._tell(self.message())
