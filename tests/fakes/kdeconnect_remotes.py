"""A fake phone as a pointer for slides and as a television's remote control.

Sections 11.15 and 11.16. In a test::

    await phone.slides.move(0.1, -0.05)
    await phone.slides.next()
    await phone.tv_remote.press("home")
"""

from typing import Final, Literal

from tests.fakes.kdeconnect_plugins import Plugin
from tests.fakes.kdeconnect_wire import Body

type TvKey = Literal["left", "up", "right", "down", "select", "home", "back", "close"]

_TV_KEYS: Final[dict[str, Body]] = {
    "left": {"specialKey": 4},
    "up": {"specialKey": 5},
    "right": {"specialKey": 6},
    "down": {"specialKey": 7},
    "select": {"specialKey": 12},
    "home": {"specialKey": 20, "super": True},
    "back": {"specialKey": 14},
    "close": {"specialKey": 24, "alt": True},
}


class SlidesPlugin(Plugin):
    """The presenter: a pointer on the wall, and keys for the slides."""

    async def move(self, dx: float, dy: float) -> int:
        """Move the pointer, by parts of the screen's width and height."""
        return await self.tell("presenter", {"dx": dx, "dy": dy})

    async def stop(self) -> int:
        """Hide the pointer."""
        return await self.tell("presenter", {"stop": True})

    async def previous(self) -> int:
        """Go back one slide."""
        return await self._press(8)

    async def next(self) -> int:
        """Go on one slide."""
        return await self._press(9)

    async def start(self) -> int:
        """Show the slides in full screen."""
        return await self._press(25)

    async def end(self) -> int:
        """Leave the full screen."""
        return await self._press(14)

    async def _press(self, key: int) -> int:
        return await self.tell("mousepad.request", {"specialKey": key})


class TvRemotePlugin(Plugin):
    """The buttons for a television, which come as keys."""

    async def press(self, key: TvKey) -> int:
        """Press a button; returns how many peers take keys."""
        return await self.tell("mousepad.request", dict(_TV_KEYS[key]))

    async def dictate(self, text: str) -> int:
        """Send a text that was spoken; only old phones (protocol 7) do."""
        return await self.tell("bigscreen.stt", {"type": "stt", "content": text})
