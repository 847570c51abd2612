"""What happens on the Companion link, as typed events."""

from dataclasses import dataclass

from ..apple.enums import PowerState
from ..errors import RumpusError
from .enums import AttentionState, MediaFlags, power_state


@dataclass(frozen=True, slots=True)
class AttentionChanged:
    """The device went to sleep, woke up or shows its screensaver; or something new."""

    state: AttentionState | int

    @property
    def power(self) -> PowerState:
        """What that says about the power."""
        return power_state(self.state)


@dataclass(frozen=True, slots=True)
class MediaFlagsChanged:
    """Media control can do other things than before."""

    flags: MediaFlags


@dataclass(frozen=True, slots=True)
class VolumeChanged:
    """The volume is another one, from 0 to 100; None when it cannot be known."""

    volume: float | None


@dataclass(frozen=True, slots=True)
class FocusChanged:
    """A text field got or lost the focus."""

    is_focused: bool


@dataclass(frozen=True, slots=True)
class Lost:
    """The link is gone, and it was not `CompanionClient.close` that ended it."""

    error: RumpusError | None


type CompanionEvent = (
    AttentionChanged | MediaFlagsChanged | VolumeChanged | FocusChanged | Lost
)
