"""Muting a device that knows its volume alone: none of the protocols has a mute."""


class Mute:
    """Remembers how loud it was before it was muted."""

    def __init__(self) -> None:
        """Begin with nothing muted."""
        self._before: float | None = None
        self._is_done = False

    def mute(self, volume: float) -> float | None:
        """Return the level to set; None when there is nothing to do."""
        if volume <= 0:
            return None
        if self._before is None:
            # Otherwise it is on its way down still.
            self._before, self._is_done = volume, False
        return 0.0

    def done(self) -> None:
        """Take it that it is muted: whatever is louder from now on is not our doing."""
        self._is_done = True

    def unmute(self, volume: float) -> float | None:
        """Return the level to set; None when it was not us who muted."""
        return self._before if volume <= 0 else None

    def heard(self, volume: float | None) -> None:
        """Take note of a new volume: somebody else may have turned it up."""
        if self._is_done and volume is not None and volume > 0:
            self.forget()

    def forget(self) -> None:
        """Take it that nothing is muted."""
        self._before = None
        self._is_done = False

    def is_muted(self, volume: float | None) -> bool | None:
        """Return whether we have muted it; None where the volume is not known."""
        if volume is None:
            return None
        return volume <= 0 and self._before is not None
