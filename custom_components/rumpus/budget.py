"""How much a device that goes wild may cause; nothing here does input or output."""


class Budget:
    """So much at once, and so much a second after that."""

    def __init__(self, burst: int, refill: float) -> None:
        """Begin with as much as there may ever be; `refill` is what comes back in a second."""
        self._burst = float(burst)
        self._refill = refill
        self._left = self._burst
        self._since = 0.0

    def take(self, now: float) -> bool:
        """Take one if there is one left; `now` is monotonic, in seconds."""
        back = (now - self._since) * self._refill
        self._left = min(self._burst, self._left + back)
        self._since = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
