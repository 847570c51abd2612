"""How much a phone may press; nothing here does input or output."""

from typing import Final

from ...protocols.budget import Budget

KEYS_PER_SECOND: Final = 10.0
"""What somebody presses at most who holds a key or types, in the long run."""
MAX_BURST: Final = 20
"""Key presses at once, such as the letters of a word."""


class KeyRate:
    """Tells whether one more key press is acceptable."""

    def __init__(self) -> None:
        """Start with nothing pressed."""
        self._budget = Budget(MAX_BURST, KEYS_PER_SECOND)
        self._at = 0.0

    def admit(self, now: float) -> bool:
        """Count a key press at a time in seconds, unless there were too many."""
        self._at = now
        return self._budget.take(now)

    @property
    def is_calm(self) -> bool:
        """Whether nothing was pressed for a while, until just now."""
        return self._budget.left(self._at) >= MAX_BURST - 1
