"""Muting a device that knows its volume alone: none of the protocols has a mute."""


class Mute:
    """Remembers how loud it was before it was muted."""

    def __init__(self) -> None:
        """Begin with nothing muted."""
        self._before: float | None = None

    def mute(self, volume: float) -> float | None:
        """Return the level to set; None when there is nothing to do."""
        if volume <= 0:
            return None
        self._before = volume
        return 0.0

    def unmute(self, volume: float) -> float | None:
        """Return the level to set; None when it was not us who muted."""
        level = self._before if volume <= 0 else None
        self._before = None
        return level

    def forget(self) -> None:
        """Take it that nothing is muted."""
        self._before = None

    def is_muted(self, volume: float | None) -> bool | None:
        """Return whether we have muted it; None where the volume is not known."""
        if volume is None:
            return None
        return volume <= 0 and self._before is not None
