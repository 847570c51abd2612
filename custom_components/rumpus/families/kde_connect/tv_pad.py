"""A phone's touch pad as the arrows of a TV; nothing here does input or output."""

from typing import Final

from ...protocols.kdeconnect.plugins.mousepad import Button, PointerRequest, TvKey

STEP: Final = 150.0
"""Pixels that the pointer goes for one press of an arrow."""
MAX_STEPS: Final = 5
"""Arrows of one movement; a longer one is no swipe."""


class TouchPad:
    """Makes keys of movements and clicks."""

    def __init__(self) -> None:
        """Start where the pointer is."""
        self._dx = self._dy = 0.0

    def keys(self, request: PointerRequest) -> list[TvKey]:
        """Return the keys that a request amounts to.

        Left is to select, right and back are to go back; movements add up until they make a
        step. All else is nothing to a TV.
        """
        match request.button:
            case Button.LEFT:
                return [TvKey.SELECT]
            case Button.RIGHT | Button.BACK:
                return [TvKey.BACK]
        if not request.is_moving:
            return []
        self._dx += request.dx
        self._dy += request.dy
        if max(abs(self._dx), abs(self._dy)) < STEP:
            return []
        # One direction at a time: nobody swipes quite straight.
        if abs(self._dx) >= abs(self._dy):
            way, key = self._dx, TvKey.RIGHT if self._dx > 0 else TvKey.LEFT
        else:
            way, key = self._dy, TvKey.DOWN if self._dy > 0 else TvKey.UP
        self._dx = self._dy = 0.0
        return [key] * min(int(abs(way) / STEP), MAX_STEPS)
