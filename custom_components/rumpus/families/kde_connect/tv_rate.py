"""How much a phone may press; nothing here does input or output."""

from typing import Final

KEYS_PER_SECOND: Final = 10.0
"""What somebody presses at most who holds a key or types, in the long run."""
MAX_BURST: Final = 20
"""Key presses at once, such as the letters of a word."""


class KeyRate:
    """Tells whether one more key press is acceptable."""

    def __init__(self) -> None:
        """Start with nothing pressed."""
        self._left = float(MAX_BURST)
        self._at: float | None = None

    def admit(self, now: float) -> bool:
        """Count a key press at a time in seconds, unless there were too many."""
        if self._at is not None:
            self._left += (now - self._at) * KEYS_PER_SECOND
        self._at = now
        self._left = min(self._left, float(MAX_BURST))
        if self._left < 1:
            return False
        self._left -= 1
        return True

    @property
    def is_calm(self) -> bool:
        """Whether nothing was pressed for a while, until just now."""
        return self._left >= MAX_BURST - 1
