"""What a session of one protocol may be able to do (part B, sections 6.1, 6.3 and 8).

The facade asks the sessions in the order of their priority for the first one that is an
instance of what it needs. A protocol offers only what it serves by itself.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from .enums import InputAction, Key, PowerState, RepeatState, ShuffleState, TouchPhase
from .models import Account, App, Artwork, OutputDevice, Playing


class Keys(ABC):
    """Has keys; for the class to say which, and how each can be pressed."""

    keys: ClassVar[Mapping[Key, frozenset[InputAction]]]

    @abstractmethod
    async def press(self, key: Key, action: InputAction) -> None:
        """Press one of the keys; UnsupportedError for an action that it does not have."""

    @abstractmethod
    async def hold(self, key: Key, seconds: float) -> None:
        """Hold one of the keys for so long."""


class Skipping(ABC):
    """Skips by seconds."""

    @abstractmethod
    async def skip(self, seconds: float) -> None:
        """Skip so far, back if that is negative."""


class Seeking(ABC):
    """Has a position and modes to set."""

    @abstractmethod
    async def seek(self, position: float) -> None:
        """Go to a position, in seconds."""

    @abstractmethod
    async def set_shuffle(self, shuffle: ShuffleState) -> None:
        """Choose what is shuffled."""

    @abstractmethod
    async def set_repeat(self, repeat: RepeatState) -> None:
        """Choose what is repeated."""


class Telling(ABC):
    """Tells what is played."""

    @property
    @abstractmethod
    def playing(self) -> Playing:
        """Return what is played."""


class Picturing(ABC):
    """Has the picture of what is played."""

    @abstractmethod
    async def artwork(self, width: int, height: int | None) -> Artwork | None:
        """Return the picture, None without one."""


class Powering(ABC):
    """Knows about power, and can do something about it."""

    @property
    @abstractmethod
    def power(self) -> PowerState:
        """Return whether the device is awake, as far as this protocol knows."""

    @abstractmethod
    async def turn_on(self) -> None:
        """Ask the device to wake."""

    @abstractmethod
    async def turn_off(self) -> None:
        """Ask the device to sleep."""


class Sounding(ABC):
    """Has a volume, in percent."""

    @property
    @abstractmethod
    def volume(self) -> float | None:
        """Return the volume, None when there is none that can be known."""

    @property
    @abstractmethod
    def can_step(self) -> bool:
        """Whether it goes up and down now."""

    @property
    @abstractmethod
    def can_set(self) -> bool:
        """Whether it can be set to a level now."""

    @abstractmethod
    async def set_volume(self, level: float, output_device: str | None) -> None:
        """Set it; UnsupportedError for the device of a group where there are none."""

    @abstractmethod
    async def volume_up(self) -> None:
        """Go up by one step."""

    @abstractmethod
    async def volume_down(self) -> None:
        """Go down by one step."""


class Grouping(ABC):
    """Has devices that play along."""

    @property
    @abstractmethod
    def output_devices(self) -> tuple[OutputDevice, ...]:
        """Return what plays along."""

    @abstractmethod
    async def add_output_devices(self, *identifiers: str) -> None:
        """Have these play along."""

    @abstractmethod
    async def remove_output_devices(self, *identifiers: str) -> None:
        """Have these no longer play along."""

    @abstractmethod
    async def set_output_devices(self, *identifiers: str) -> None:
        """Have these play along and no others."""


class Launching(ABC):
    """Has apps."""

    @abstractmethod
    async def apps(self) -> tuple[App, ...]:
        """Return all apps that can be launched."""

    @abstractmethod
    async def launch(self, target: str) -> None:
        """Launch the app of an identifier, or whatever opens a URL."""


class Hosting(ABC):
    """Has user accounts."""

    @abstractmethod
    async def accounts(self) -> tuple[Account, ...]:
        """Return all accounts."""

    @abstractmethod
    async def switch_account(self, identifier: str) -> None:
        """Go on as another user."""


class Typing(ABC):
    """Has text fields."""

    @property
    @abstractmethod
    def focus(self) -> bool | None:
        """Return whether a text field has the focus, None when that is unknown."""

    @abstractmethod
    async def text_get(self) -> str | None:
        """Return the text of the field that has the focus, None without one."""

    @abstractmethod
    async def text_set(self, text: str) -> None:
        """Replace that text."""

    @abstractmethod
    async def text_append(self, text: str) -> None:
        """Add to that text."""

    @abstractmethod
    async def text_clear(self) -> None:
        """Empty that field."""


class Touching(ABC):
    """Has a pad of 1000 by 1000 points."""

    @abstractmethod
    async def swipe(self, x0: int, y0: int, x1: int, y1: int, duration_ms: int) -> None:
        """Move a finger over the pad."""

    @abstractmethod
    async def touch(self, x: int, y: int, phase: TouchPhase) -> None:
        """Have a finger do one thing at one point."""

    @abstractmethod
    async def click(self, action: InputAction) -> None:
        """Click with the pad."""
